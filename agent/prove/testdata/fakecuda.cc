// A CUDA driver without a GPU: two devices whose memory is the host's, and whose
// kernels are prove.cu compiled for the host (emulate.h). It checks what the real
// one would answer with an error: unknown pointers, copies past an allocation, a
// call without a context, launches of a shape the kernel isn't made for. Faults
// are injected by fakeSet, with the names at their use.
#define GRAFI_EMULATE
#include "prove.cu"

#include <map>
#include <mutex>
#include <string>

typedef int CUresult;
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, INVALID_CONTEXT = 201, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

struct allocation { size_t size; int device; };
static std::map<u64, allocation> allocations;
static std::recursive_mutex lock;
static std::mutex kernels; // the emulator runs one block at a time
static size_t total = 1ull << 31, used[2];
static bool ready;
static int retained[2];
static thread_local int context; // device + 1
static unsigned launches;

static long env(const char *name, long fallback) {
  const char *v = getenv(name);
  return v ? atol(v) : fallback;
}

// inside tells whether size bytes at p belong to one allocation of this context.
static bool inside(u64 p, size_t size) {
  std::lock_guard<std::recursive_mutex> g(lock);
  auto it = allocations.upper_bound(p);
  if (it == allocations.begin()) return false;
  --it;
  return it->second.device == context - 1 && p - it->first + size <= it->second.size;
}

template <class T> static T arg(void **a, int i) { return *(T *)a[i]; }

static void operands(void **a) { grafi_operands(arg<u32 *>(a, 0), arg<u32 *>(a, 1), arg<uint4 *>(a, 2), arg<u32>(a, 3), arg<u32>(a, 4)); }
static void product(void **a) { grafi_product(arg<u8 *>(a, 0), arg<u8 *>(a, 1), arg<u32 *>(a, 2), arg<u32>(a, 3), arg<u32>(a, 4)); }
static void rows(void **a) { grafi_rows(arg<u32 *>(a, 0), arg<digest *>(a, 1), arg<u32>(a, 2)); }
static void nodes(void **a) { grafi_nodes(arg<digest *>(a, 0), arg<digest *>(a, 1), arg<u32>(a, 2)); }
static void walk(void **a) { grafi_walk(arg<u32 *>(a, 0), arg<u32 *>(a, 1), arg<digest *>(a, 2), arg<u32>(a, 3), arg<u32>(a, 4), arg<u32>(a, 5)); }

struct kernel { const char *name; void (*run)(void **); unsigned threads, dynamic, allowed; };
static kernel all[] = {
    {"grafi_operands", operands, AES_THREADS, 0, 0},
    {"grafi_product", product, GEMM_THREADS, STAGES * STAGE_BYTES, 48 << 10},
    {"grafi_rows", rows, TREE_THREADS, 0, 0},
    {"grafi_nodes", nodes, TREE_THREADS, 0, 0},
    {"grafi_walk", walk, WALK_THREADS, 0, 0},
};

// reaches checks the pointers of a launch against what the kernel touches.
static bool reaches(kernel *k, void **a, unsigned grid) {
  if (k->run == operands) return inside(arg<u64>(a, 0), 1024) && inside(arg<u64>(a, 1), 176) && inside(arg<u64>(a, 2), 16ull * arg<u32>(a, 3) << arg<u32>(a, 4));
  if (k->run == product) {
    u64 n = arg<u32>(a, 3), m = arg<u32>(a, 4);
    return inside(arg<u64>(a, 0), n * m) && inside(arg<u64>(a, 1), n * m) && inside(arg<u64>(a, 2), 4 * n * n) &&
           grid == (n + TILE_ROWS - 1) / TILE_ROWS * ((n + TILE_COLS - 1) / TILE_COLS);
  }
  if (k->run == rows) return inside(arg<u64>(a, 0), 4ull * arg<u32>(a, 2) * arg<u32>(a, 2)) && inside(arg<u64>(a, 1), 32ull * grid) && grid == arg<u32>(a, 2);
  if (k->run == nodes) return inside(arg<u64>(a, 0), 32ull * grid * arg<u32>(a, 2)) && inside(arg<u64>(a, 1), 32ull * grid);
  return inside(arg<u64>(a, 0), 4ull * arg<u32>(a, 5) * arg<u32>(a, 5)) && inside(arg<u64>(a, 1), 32) && inside(arg<u64>(a, 2), 32ull * arg<u32>(a, 3));
}

#define API extern "C" __attribute__((visibility("default")))
#define NEEDS_CONTEXT if (!context) return INVALID_CONTEXT

API CUresult cuInit(unsigned) { ready = true; return env("FAKECUDA_INIT", OK); }
API CUresult cuDriverGetVersion(int *v) { *v = env("FAKECUDA_VERSION", 12040); return OK; }
API CUresult cuGetErrorName(CUresult r, const char **s) {
  *s = r == OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : r == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_OTHER";
  return OK;
}
API CUresult cuDeviceGetCount(int *n) { if (!ready) return NOT_INITIALIZED; *n = 2; return OK; }
API CUresult cuDeviceGet(int *d, int i) { *d = i; return i < 2 ? OK : INVALID_VALUE; }
API CUresult cuDeviceGetName(char *s, int n, int d) { snprintf(s, n, "Fake %d", d); return OK; }
API CUresult cuDeviceGetUuid_v2(u8 *u, int d) { for (int i = 0; i < 16; i++) u[i] = 16 * d + i; return OK; }
API CUresult cuDeviceGetPCIBusId(char *s, int n, int d) { snprintf(s, n, "0000:%02X:00.0", 0x3b + d); return OK; }
API CUresult cuDeviceGetAttribute(int *v, int attribute, int) {
  switch (attribute) {
  case 13: *v = 1500000; return OK; // clock in kHz
  case 16: *v = 4; return OK;       // multiprocessors
  case 75: *v = env("FAKECUDA_MAJOR", 8); return OK;
  case 76: *v = 6; return OK;
  case 97: *v = 99 << 10; return OK; // shared memory of a block, opt-in
  }
  return INVALID_VALUE;
}
API CUresult cuDevicePrimaryCtxSetFlags_v2(int, unsigned flags) { return flags == 4 ? OK : INVALID_VALUE; }
API CUresult cuDevicePrimaryCtxRetain(void **c, int d) { std::lock_guard<std::recursive_mutex> g(lock); retained[d]++; *c = (void *)(u64)(d + 1); return OK; }
API CUresult cuDevicePrimaryCtxRelease_v2(int d) {
  std::lock_guard<std::recursive_mutex> g(lock);
  if (retained[d] == 0 || used[d] > 0) return INVALID_CONTEXT; // a leak of ours
  retained[d]--;
  return OK;
}
API CUresult cuCtxSetCurrent(void *c) {
  int d = (int)(u64)c;
  if (d && !retained[d - 1]) return INVALID_CONTEXT;
  context = d;
  return OK;
}
API CUresult cuCtxSynchronize() { NEEDS_CONTEXT; return OK; }
API CUresult cuMemGetInfo_v2(size_t *f, size_t *t) {
  NEEDS_CONTEXT;
  *t = total;
  *f = env("FAKECUDA_FREE_MIB", total >> 20) * (1ull << 20) - used[context - 1];
  return OK;
}
API CUresult cuMemAlloc_v2(u64 *p, size_t size) {
  NEEDS_CONTEXT;
  std::lock_guard<std::recursive_mutex> g(lock);
  if (used[context - 1] + size > total || env("FAKECUDA_NO_MEMORY", 0)) return OUT_OF_MEMORY;
  void *m = aligned_alloc(256, (size + 255) / 256 * 256);
  memset(m, 0x5a, size);
  *p = (u64)m;
  allocations[*p] = allocation{size, context - 1};
  used[context - 1] += size;
  return OK;
}
API CUresult cuMemFree_v2(u64 p) {
  NEEDS_CONTEXT;
  std::lock_guard<std::recursive_mutex> g(lock);
  auto it = allocations.find(p);
  if (it == allocations.end() || it->second.device != context - 1) return INVALID_VALUE;
  used[context - 1] -= it->second.size;
  allocations.erase(it);
  free((void *)p);
  return OK;
}
API CUresult cuMemcpyHtoD_v2(u64 to, const void *from, size_t n) { NEEDS_CONTEXT; if (!inside(to, n)) return INVALID_VALUE; memcpy((void *)to, from, n); return OK; }
API CUresult cuMemcpyDtoH_v2(void *to, u64 from, size_t n) { NEEDS_CONTEXT; if (!inside(from, n)) return INVALID_VALUE; memcpy(to, (void *)from, n); return OK; }
API CUresult cuMemsetD8_v2(u64 to, u8 v, size_t n) { NEEDS_CONTEXT; if (!inside(to, n)) return INVALID_VALUE; memset((void *)to, v, n); return OK; }
API CUresult cuModuleLoadData(void **m, const char *image) {
  NEEDS_CONTEXT;
  for (auto &k : all)
    if (std::string(image).find(std::string(".entry ") + k.name + "(") == std::string::npos) return INVALID_VALUE;
  *m = (void *)image;
  return OK;
}
API CUresult cuModuleUnload(void *) { NEEDS_CONTEXT; return OK; }
API CUresult cuModuleGetFunction(void **f, void *, const char *name) {
  NEEDS_CONTEXT;
  for (auto &k : all) if (!strcmp(k.name, name)) { *f = &k; return OK; }
  return NOT_FOUND;
}
API CUresult cuFuncSetAttribute(void *f, int attribute, int v) {
  if (attribute != 8 || v > 99 << 10) return INVALID_VALUE;
  ((kernel *)f)->allowed = v;
  return OK;
}
API CUresult cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                            unsigned dynamic, void *stream, void **args, void **extra) {
  NEEDS_CONTEXT;
  kernel *k = (kernel *)f;
  if (gx == 0 || gy != 1 || gz != 1 || bx != k->threads || by != 1 || bz != 1 || stream || extra || dynamic != k->dynamic ||
      dynamic > (k->allowed ? k->allowed : 48 << 10) || !reaches(k, args, gx))
    return INVALID_VALUE;
  std::lock_guard<std::mutex> g(kernels);
  if (++launches == (unsigned)env("FAKECUDA_FAIL_LAUNCH", 0)) return LAUNCH_FAILED;
  emu::launch(k->run, args, gx, bx, dynamic);
  if (k->run == product && launches == (unsigned)env("FAKECUDA_FLIP_LAUNCH", 0)) *arg<u32 *>(args, 2) ^= 1; // a card that computes wrong once
  return OK;
}
API void fakeSet(const char *name, const char *value) { setenv(name, value, 1); launches = 0; }
API unsigned fakeLaunches() { return launches; }
API size_t fakeUsed() { return used[0] + used[1]; }
