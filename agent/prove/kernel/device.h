// What prove.cu needs of CUDA, without the CUDA SDK: built-in variables by their
// PTX registers, and the instructions of sm_80 by their names in the PTX ISA 7.0
// (mma.sync m16n8k32, ldmatrix, cp.async).
#pragma once

struct __attribute__((aligned(8))) uint2 { unsigned x, y; };
struct __attribute__((aligned(16))) uint4 { unsigned x, y, z, w; };

#define KERNEL(threads) \
  extern "C" __attribute__((global, launch_bounds(threads))) void
#define INLINE static __attribute__((device, always_inline)) inline
#define SHARED static __attribute__((shared))
#define CONSTANT static __attribute__((constant)) const
#define UNROLL _Pragma("unroll")
#define NO_UNROLL _Pragma("nounroll")

#define THREAD_X __nvvm_read_ptx_sreg_tid_x()
#define BLOCK_X __nvvm_read_ptx_sreg_ctaid_x()
#define GRID_X __nvvm_read_ptx_sreg_nctaid_x()
#define SYNC_THREADS() __syncthreads()
#define BYTE_SWAP(x) byte_swap(x)

INLINE unsigned byte_swap(unsigned x) {
  unsigned r;
  asm("prmt.b32 %0, %1, 0, 0x0123;" : "=r"(r) : "r"(x));
  return r;
}

// Addresses of shared memory are 32-bit offsets, as ldmatrix and cp.async take them.
extern __attribute__((shared, aligned(128))) unsigned char dynamic_shared[];

INLINE unsigned DYNAMIC_SHARED() {
  return (unsigned)(unsigned long long)(__attribute__((address_space(3))) unsigned char *)dynamic_shared;
}

// Copies 16 bytes of which `bytes` are read and the rest is zero.
INLINE void COPY_ASYNC(unsigned to, const void *from, int bytes) {
  asm volatile("{ .reg .u64 g; cvta.to.global.u64 g, %1; cp.async.cg.shared.global [%0], [g], 16, %2; }"
               : : "r"(to), "l"(from), "r"(bytes) : "memory");
}
#define COPY_COMMIT() asm volatile("cp.async.commit_group;" : : : "memory")
#define COPY_WAIT(groups) asm volatile("cp.async.wait_group %0;" : : "n"(groups) : "memory")

#define LOAD_MATRIX(r0, r1, r2, r3, at)                                            \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"  \
               : "=r"(r0), "=r"(r1), "=r"(r2), "=r"(r3) : "r"(at) : "memory")

// d += a × b, wrapping (no .satfinite).
#define MMA(d, a, b)                                                               \
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "                  \
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"   \
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])                    \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))
