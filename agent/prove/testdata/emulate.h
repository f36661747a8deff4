// Stands in for kernel/device.h when the tests compile prove.cu for the host: a
// block's threads are coroutines that take turns at barriers, and the tensor core,
// ldmatrix and cp.async do what the PTX ISA (7.0) says of their fragments. A copy
// lands no sooner than its wait, so that a missing wait or barrier is seen.
#pragma once
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

struct uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };

#define KERNEL(threads) static void
#define INLINE static inline
#define SHARED static
#define CONSTANT static const
#define UNROLL
#define NO_UNROLL

namespace emu {

const int max_threads = 1024, max_shared = 96 << 10, stack_size = 64 << 10, max_groups = 4, max_copies = 64;

struct copy { unsigned to; const void *from; int bytes; };

struct thread {
  ucontext_t context;             // of its first turn; later ones jump, which takes no system call
  jmp_buf at;
  char *stack;
  bool started, done;
  int groups;                     // committed and not yet landed
  int pending;                    // copies of the open group
  copy copies[max_groups][max_copies];
  int counts[max_groups];
};

struct warp { unsigned slots[32][8]; int arrived; unsigned generation; };

static thread threads[max_threads];
static warp warps[max_threads / 32];
static jmp_buf scheduler;
static int current, live, arrived;
static unsigned generation, block_x, grid_x, block_size;
alignas(128) static unsigned char shared[max_shared];
static void (*entry)(void **);
static void **entry_args;

static void fail(const char *why) {
  fprintf(stderr, "emulate: %s (block %u, thread %d)\n", why, block_x, current);
  abort();
}

static void yield() {
  if (!_setjmp(threads[current].at)) _longjmp(scheduler, 1);
}

static void resume(thread &t) {
  if (_setjmp(scheduler)) return;
  if (t.started) _longjmp(t.at, 1);
  t.started = true;
  setcontext(&t.context);
}

static void sync_block() {
  unsigned mine = generation;
  if (++arrived == live) { arrived = 0; generation++; }
  while (generation == mine) yield();
}

static void sync_warp() {
  warp &w = warps[current / 32];
  unsigned mine = w.generation;
  if (++w.arrived == 32) { w.arrived = 0; w.generation++; }
  while (w.generation == mine) yield();
}

static void copy_async(unsigned to, const void *from, int bytes) {
  thread &t = threads[current];
  if (to % 16 || (uintptr_t)from % 16 || to + 16 > max_shared || (bytes != 0 && bytes != 16)) fail("bad cp.async");
  if (t.groups == max_groups || t.pending == max_copies) fail("too many copies in flight");
  t.copies[t.groups][t.pending++] = copy{to, from, bytes};
}

static void copy_commit() {
  thread &t = threads[current];
  if (t.groups == max_groups) fail("too many groups in flight");
  t.counts[t.groups++] = t.pending;
  t.pending = 0;
}

static void copy_wait(int left) {
  thread &t = threads[current];
  int land = t.groups - left;
  if (land <= 0) return;
  for (int g = 0; g < land; g++)
    for (int i = 0; i < t.counts[g]; i++) {
      copy &c = t.copies[g][i];
      memset(shared + c.to, 0, 16);
      memcpy(shared + c.to, c.from, c.bytes);
    }
  for (int g = land; g < t.groups; g++) {
    memcpy(t.copies[g - land], t.copies[g], sizeof t.copies[g]);
    t.counts[g - land] = t.counts[g];
  }
  t.groups -= land;
}

// ldmatrix .x4: lane l gives the address of row l%8 of matrix l/8; each lane gets
// bytes 4·(l%4)… of row l/4 of every matrix.
static void load_matrix(unsigned *r, unsigned at) {
  warp &w = warps[current / 32];
  int lane = current % 32;
  if (at % 16 || at + 16 > max_shared) fail("bad ldmatrix");
  w.slots[lane][0] = at;
  sync_warp();
  for (int m = 0; m < 4; m++) memcpy(&r[m], shared + w.slots[m * 8 + lane / 4][0] + lane % 4 * 4, 4);
  sync_warp();
}

// mma.sync.m16n8k32 .s8: lane l holds of A the rows l/4 and l/4+8, of B the column
// l/4, both at k 4·(l%4)… and 16 further; of D the columns 2·(l%4)… of its rows.
static void mma(unsigned *d, const unsigned *a, const unsigned *b) {
  warp &w = warps[current / 32];
  int lane = current % 32;
  for (int i = 0; i < 4; i++) w.slots[lane][i] = a[i];
  for (int i = 0; i < 2; i++) w.slots[lane][4 + i] = b[i];
  sync_warp();
  for (int e = 0; e < 4; e++) {
    int high = e / 2, col = lane % 4 * 2 + e % 2;
    for (int k = 0; k < 32; k++) {
      int owner = k % 16 / 4, shift = k % 4 * 8, upper = k / 16;
      int8_t x = (int8_t)(w.slots[lane / 4 * 4 + owner][high + 2 * upper] >> shift);
      int8_t y = (int8_t)(w.slots[col * 4 + owner][4 + upper] >> shift);
      d[e] += (unsigned)(int(x) * int(y));
    }
  }
  sync_warp();
}

static void run_thread() {
  entry(entry_args);
  threads[current].done = true;
  if (--live > 0 && arrived == live) { arrived = 0; generation++; }
  _longjmp(scheduler, 1);
}

static void launch(void (*fn)(void **), void **args, unsigned grid, unsigned block, unsigned dynamic) {
  if (block > max_threads || dynamic > max_shared) fail("bad launch");
  entry = fn, entry_args = args, grid_x = grid, block_size = block;
  for (block_x = 0; block_x < grid; block_x++) {
    memset(shared, 0xa5, sizeof shared);
    memset(warps, 0, sizeof warps);
    live = block, arrived = 0;
    for (unsigned i = 0; i < block; i++) {
      thread &t = threads[i];
      if (!t.stack) t.stack = (char *)malloc(stack_size);
      t.started = t.done = false, t.groups = 0, t.pending = 0;
      getcontext(&t.context);
      t.context.uc_stack.ss_sp = t.stack, t.context.uc_stack.ss_size = stack_size, t.context.uc_link = 0;
      makecontext(&t.context, run_thread, 0);
    }
    for (unsigned pass = block_x; live > 0; pass++) // from the front, from the back, ...
      for (unsigned i = 0; i < block; i++) {
        current = pass & 1 ? block - 1 - i : i;
        if (!threads[current].done) resume(threads[current]);
      }
  }
}

} // namespace emu

#define THREAD_X ((unsigned)emu::current)
#define BLOCK_X emu::block_x
#define GRID_X emu::grid_x
#define SYNC_THREADS() emu::sync_block()
#define BYTE_SWAP(x) __builtin_bswap32(x)
#define DYNAMIC_SHARED() 0u
#define COPY_ASYNC(to, from, bytes) emu::copy_async(to, from, bytes)
#define COPY_COMMIT() emu::copy_commit()
#define COPY_WAIT(left) emu::copy_wait(left)
#define LOAD_MATRIX(r0, r1, r2, r3, at)                       \
  do {                                                        \
    unsigned emu_r[4];                                        \
    emu::load_matrix(emu_r, at);                              \
    r0 = emu_r[0], r1 = emu_r[1], r2 = emu_r[2], r3 = emu_r[3]; \
  } while (0)
#define MMA(d, a, b) emu::mma(d, a, b)
