// Kernels of a proof of compute. x/attestation/compute defines what they compute;
// agent/prove/README.md says how they divide it. Compiled to prove.ptx by
// scripts/kernel.sh (clang, no CUDA SDK), and for the host by the tests with
// emulate.h, which stands in for device.h.
//
// Device memory: A has n rows and B n columns of m int8 each, one after the
// other; C has n rows of n uint32. n and m are powers of two, 16 or more.
#ifdef GRAFI_EMULATE
#include "emulate.h"
#else
#include "device.h"
#endif

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

// ---- Operands: AES-128-CTR ------------------------------------------------

#define AES_THREADS 256

// aes_tables is made by the host: 256 words of the combined S-box and MixColumns
// table, big-endian column (2s, s, s, 3s) for the byte s = S(x).
// keys are the 44 words of the expanded key, big-endian.
//
// Vector i's block j is the encryption of i (64 bits, big-endian) and j (64 bits,
// big-endian). The table is laid out once per bank of shared memory, so that the
// 32 lookups of a warp never meet in one.
KERNEL(AES_THREADS)
grafi_operands(const u32 *aes_table, const u32 *keys, uint4 *out, u32 vectors, u32 blocks_log2) {
  SHARED u32 table[256 * 32];
  SHARED u32 k[44];
  u32 tid = THREAD_X, lane = tid & 31;
  for (u32 i = tid; i < 256 * 32; i += AES_THREADS) table[i] = aes_table[i >> 5];
  if (tid < 44) k[tid] = keys[tid];
  SYNC_THREADS();

  u64 total = (u64)vectors << blocks_log2;
  u64 stride = (u64)GRID_X * AES_THREADS;
  for (u64 at = (u64)BLOCK_X * AES_THREADS + tid; at < total; at += stride) {
    u32 s0 = k[0], s1 = (u32)(at >> blocks_log2) ^ k[1], s2 = k[2];
    u32 s3 = ((u32)at & ((1u << blocks_log2) - 1)) ^ k[3];
#define T(x) table[((x) & 255u) * 32 + lane]
#define ROT(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define COLUMN(a, b, c, d, key) \
  (T((a) >> 24) ^ ROT(T((b) >> 16), 8) ^ ROT(T((c) >> 8), 16) ^ ROT(T(d), 24) ^ (key))
    for (int r = 1; r < 10; r++) {
      u32 t0 = COLUMN(s0, s1, s2, s3, k[4 * r]);
      u32 t1 = COLUMN(s1, s2, s3, s0, k[4 * r + 1]);
      u32 t2 = COLUMN(s2, s3, s0, s1, k[4 * r + 2]);
      u32 t3 = COLUMN(s3, s0, s1, s2, k[4 * r + 3]);
      s0 = t0, s1 = t1, s2 = t2, s3 = t3;
    }
    // The last round has no MixColumns: byte 1 of the table is S(x) alone.
#define S(x) ((T(x) >> 8) & 255u)
#define LAST(a, b, c, d, key) \
  ((S((a) >> 24) << 24 | S((b) >> 16) << 16 | S((c) >> 8) << 8 | S(d)) ^ (key))
    u32 o0 = LAST(s0, s1, s2, s3, k[40]), o1 = LAST(s1, s2, s3, s0, k[41]);
    u32 o2 = LAST(s2, s3, s0, s1, k[42]), o3 = LAST(s3, s0, s1, s2, k[43]);
    uint4 v;
    v.x = BYTE_SWAP(o0), v.y = BYTE_SWAP(o1), v.z = BYTE_SWAP(o2), v.w = BYTE_SWAP(o3);
    out[at] = v;
  }
}

// ---- C = A × B on the tensor cores -----------------------------------------

// A block of 8 warps computes a tile of 256×128 of C, a warp 64×64 of it in 4×8
// products m16n8k32. Panels of 64 bytes of k come by cp.async into 3 stages.
#define TILE_ROWS 256
#define TILE_COLS 128
#define TILE_K 64
#define STAGES 3
#define GEMM_THREADS 256
#define STAGE_BYTES ((TILE_ROWS + TILE_COLS) * TILE_K)
// Rows of tiles whose blocks run one after the other, so that their columns of B
// are still in the L2 cache.
#define GROUP 8

// A row of a panel is four chunks of 16 bytes. Chunk c of row r is stored at
// c ^ (r / 2) % 4, so that the 8 rows of an ldmatrix lie in different banks.
INLINE u32 chunk_at(u32 row, u32 chunk) { return row * TILE_K + ((chunk ^ (row >> 1 & 3)) << 4); }

// load_panel starts the copy of rows first… of one operand, bytes k… of each.
// What lies outside of the matrix reads as zero.
INLINE void load_panel(const u8 *from, u32 to, u32 first, u32 rows, u32 n, u32 k, u32 m, u32 tid) {
  u32 chunk = tid & 3, at = k + chunk * 16;
  UNROLL for (u32 i = 0; i < rows / (GEMM_THREADS / 4); i++) {
    u32 r = (tid >> 2) + i * (GEMM_THREADS / 4), row = first + r;
    int inside = row < n && at < m;
    const u8 *src = inside ? from + (u64)row * m + at : from;
    COPY_ASYNC(to + chunk_at(r, chunk), src, inside ? 16 : 0);
  }
}

KERNEL(GEMM_THREADS)
grafi_product(const u8 *a, const u8 *b, u32 *c, u32 n, u32 m) {
  u32 shared = DYNAMIC_SHARED();
  u32 tid = THREAD_X, lane = tid & 31, warp = tid >> 5;

  // Blocks are numbered down a group of tile rows, then to the next column.
  u32 tile_rows = (n + TILE_ROWS - 1) / TILE_ROWS, tile_cols = (n + TILE_COLS - 1) / TILE_COLS;
  u32 per_group = GROUP * tile_cols;
  u32 group = BLOCK_X / per_group, rest = BLOCK_X % per_group;
  u32 group_rows = tile_rows - group * GROUP < GROUP ? tile_rows - group * GROUP : GROUP;
  u32 row0 = (group * GROUP + rest % group_rows) * TILE_ROWS;
  u32 col0 = rest / group_rows * TILE_COLS;

  u32 warp_row = (warp & 3) * 64, warp_col = (warp >> 2) * 64;
  u32 acc[4][8][4];
  UNROLL for (int i = 0; i < 4; i++)
    UNROLL for (int j = 0; j < 8; j++)
      UNROLL for (int e = 0; e < 4; e++) acc[i][j][e] = 0;

  u32 panels = (m + TILE_K - 1) / TILE_K;
  for (u32 s = 0; s < STAGES - 1; s++) {
    if (s < panels) {
      load_panel(a, shared + s * STAGE_BYTES, row0, TILE_ROWS, n, s * TILE_K, m, tid);
      load_panel(b, shared + s * STAGE_BYTES + TILE_ROWS * TILE_K, col0, TILE_COLS, n, s * TILE_K, m, tid);
    }
    COPY_COMMIT(); // an empty group keeps the count
  }

  for (u32 p = 0; p < panels; p++) {
    COPY_WAIT(STAGES - 2); // panel p is there
    SYNC_THREADS();        // for every thread, and nobody reads the stage that is filled next
    u32 next = p + STAGES - 1;
    if (next < panels) {
      u32 to = shared + next % STAGES * STAGE_BYTES;
      load_panel(a, to, row0, TILE_ROWS, n, next * TILE_K, m, tid);
      load_panel(b, to + TILE_ROWS * TILE_K, col0, TILE_COLS, n, next * TILE_K, m, tid);
    }
    COPY_COMMIT();

    u32 sa = shared + p % STAGES * STAGE_BYTES, sb = sa + TILE_ROWS * TILE_K;
    UNROLL for (int half = 0; half < 2; half++) { // k32 of the 64
      u32 fa[4][4], fb[8][2];
      // Matrices 0 and 1 are rows 0–7 and 8–15 at k 0–15, 2 and 3 the same at k 16–31.
      UNROLL for (int i = 0; i < 4; i++)
        LOAD_MATRIX(fa[i][0], fa[i][1], fa[i][2], fa[i][3],
                    sa + chunk_at(warp_row + i * 16 + (lane & 15), half * 2 + (lane >> 4)));
      // Matrices 0 and 1 are columns 0–7 at k 0–15 and 16–31, 2 and 3 columns 8–15.
      UNROLL for (int j = 0; j < 8; j += 2)
        LOAD_MATRIX(fb[j][0], fb[j][1], fb[j + 1][0], fb[j + 1][1],
                    sb + chunk_at(warp_col + j * 8 + (lane & 7) + (lane >> 4 << 3), half * 2 + (lane >> 3 & 1)));
      UNROLL for (int i = 0; i < 4; i++)
        UNROLL for (int j = 0; j < 8; j++) MMA(acc[i][j], fa[i], fb[j]);
    }
  }

  UNROLL for (int i = 0; i < 4; i++) {
    UNROLL for (int j = 0; j < 8; j++) {
      u32 row = row0 + warp_row + i * 16 + (lane >> 2), col = col0 + warp_col + j * 8 + (lane & 3) * 2;
      if (col < n) { // n is even, so col + 1 is inside too
        uint2 v;
        if (row < n) {
          v.x = acc[i][j][0], v.y = acc[i][j][1];
          *(uint2 *)(c + (u64)row * n + col) = v;
        }
        if (row + 8 < n) {
          v.x = acc[i][j][2], v.y = acc[i][j][3];
          *(uint2 *)(c + (u64)(row + 8) * n + col) = v;
        }
      }
    }
  }
}

// ---- SHA-256 ---------------------------------------------------------------

CONSTANT u32 sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct digest {
  u32 h[8];
};

INLINE void sha_start(digest *d) {
  d->h[0] = 0x6a09e667, d->h[1] = 0xbb67ae85, d->h[2] = 0x3c6ef372, d->h[3] = 0xa54ff53a;
  d->h[4] = 0x510e527f, d->h[5] = 0x9b05688c, d->h[6] = 0x1f83d9ab, d->h[7] = 0x5be0cd19;
}

// sha_block takes in 16 big-endian words; w is overwritten. Only 16 rounds are
// unrolled, so that w stays in registers and the code stays small.
INLINE void sha_block(digest *d, u32 *w) {
  u32 a = d->h[0], b = d->h[1], c = d->h[2], e = d->h[4], f = d->h[5], g = d->h[6], h = d->h[7];
  u32 dd = d->h[3];
  NO_UNROLL for (int r = 0;; r += 16) {
    UNROLL for (int i = 0; i < 16; i++) {
      u32 t = h + (ROT(e, 6) ^ ROT(e, 11) ^ ROT(e, 25)) + ((e & f) ^ (~e & g)) + sha_k[r + i] + w[i];
      u32 s = (ROT(a, 2) ^ ROT(a, 13) ^ ROT(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = dd + t, dd = c, c = b, b = a, a = t + s;
    }
    if (r == 48) break;
    UNROLL for (int i = 0; i < 16; i++) {
      u32 x = w[(i + 1) & 15], y = w[(i + 14) & 15];
      w[i] += (ROT(x, 7) ^ ROT(x, 18) ^ x >> 3) + w[(i + 9) & 15] + (ROT(y, 17) ^ ROT(y, 19) ^ y >> 10);
    }
  }
  d->h[0] += a, d->h[1] += b, d->h[2] += c, d->h[3] += dd;
  d->h[4] += e, d->h[5] += f, d->h[6] += g, d->h[7] += h;
}

// sha_65 is the digest of one byte and 64 bytes, given as 16 big-endian words.
INLINE void sha_65(digest *d, u32 prefix, const u32 *words) {
  u32 w[16];
  w[0] = prefix << 24 | words[0] >> 8;
  UNROLL for (int i = 1; i < 16; i++) w[i] = words[i - 1] << 24 | words[i] >> 8;
  u32 last = words[15];
  sha_start(d);
  NO_UNROLL for (int block = 0;; block++) {
    sha_block(d, w);
    if (block == 1) break;
    w[0] = last << 24 | 0x800000;
    UNROLL for (int i = 1; i < 15; i++) w[i] = 0;
    w[15] = 65 * 8;
  }
}

// leaf_hash is the digest of a leaf of 16 little-endian values.
INLINE void leaf_hash(digest *d, const u32 *values) {
  u32 words[16];
  UNROLL for (int i = 0; i < 16; i++) words[i] = BYTE_SWAP(values[i]);
  sha_65(d, 0, words);
}

INLINE void node_hash(digest *d, const digest *left, const digest *right) {
  u32 words[16];
  UNROLL for (int i = 0; i < 8; i++) words[i] = left->h[i], words[8 + i] = right->h[i];
  sha_65(d, 1, words);
}

#define TREE_THREADS 512
#define TREE_NODES 1024 // two for each thread

// reduce makes count digests in shared memory one, in nodes[0].
INLINE void reduce(digest *nodes, u32 count, u32 tid) {
  for (u32 half = count >> 1; half > 0; half >>= 1) {
    digest d;
    if (tid < half) node_hash(&d, &nodes[2 * tid], &nodes[2 * tid + 1]);
    SYNC_THREADS(); // all read before one writes
    if (tid < half) nodes[tid] = d;
    SYNC_THREADS();
  }
}

// grafi_rows: block i writes the root of row i of C, as big-endian words.
KERNEL(TREE_THREADS)
grafi_rows(const u32 *c, digest *roots, u32 n) {
  SHARED digest nodes[TREE_NODES];
  u32 tid = THREAD_X, leaves = n / 16;
  const uint4 *row = (const uint4 *)(c + (u64)BLOCK_X * n);
  for (u32 leaf = tid; leaf < leaves; leaf += TREE_THREADS) {
    u32 v[16];
    UNROLL for (int q = 0; q < 4; q++) {
      uint4 x = row[leaf * 4 + q];
      v[4 * q] = x.x, v[4 * q + 1] = x.y, v[4 * q + 2] = x.z, v[4 * q + 3] = x.w;
    }
    leaf_hash(&nodes[leaf], v);
  }
  SYNC_THREADS();
  reduce(nodes, leaves, tid);
  if (tid == 0) roots[BLOCK_X] = nodes[0];
}

// grafi_nodes: block i makes count digests (at most 1024, a power of two) one.
KERNEL(TREE_THREADS)
grafi_nodes(const digest *in, digest *out, u32 count) {
  SHARED digest nodes[TREE_NODES];
  u32 tid = THREAD_X;
  for (u32 i = tid; i < count; i += TREE_THREADS) nodes[i] = in[(u64)BLOCK_X * count + i];
  SYNC_THREADS();
  reduce(nodes, count, tid);
  if (tid == 0) out[BLOCK_X] = nodes[0];
}

// ---- Walk ------------------------------------------------------------------

#define WALK_THREADS 128

// grafi_walk: one thread walks one lane and writes the root of its trace. seed
// are 8 big-endian words.
KERNEL(WALK_THREADS)
grafi_walk(const u32 *c, const u32 *seed, digest *roots, u32 lanes, u32 steps, u32 n) {
  u32 lane = BLOCK_X * WALK_THREADS + THREAD_X;
  if (lane >= lanes) return;

  // x_0: "grafi/gemm/lane" (15 bytes), seed, lane; padded to one block.
  u32 w[16];
  w[0] = 0x67726166, w[1] = 0x692f6765, w[2] = 0x6d6d2f6c; // "graf" "i/ge" "mm/l"
  w[3] = 0x616e6500 | seed[0] >> 24;                       // "ane"
  for (int i = 0; i < 7; i++) w[4 + i] = seed[i] << 8 | seed[i + 1] >> 24;
  w[11] = seed[7] << 8 | lane >> 24;
  w[12] = lane << 8 | 0x80;
  w[13] = 0, w[14] = 0, w[15] = 51 * 8;
  digest d;
  sha_start(&d);
  sha_block(&d, w);

  u32 mask = n * n - 1, x = d.h[0] & mask;
  digest stack[12]; // roots of full subtrees to the left; 2^16 steps are 2^12 leaves
  u32 leaves = steps / 16;
  for (u32 leaf = 0; leaf < leaves; leaf++) {
    u32 v[16];
    UNROLL for (int i = 0; i < 16; i++) {
      u64 z = (u64)x << 32 | c[x];
      z += ((u64)lane << 32 | (leaf * 16 + i + 1)) * 0x9E3779B97F4A7C15ull;
      z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
      z = (z ^ z >> 27) * 0x94D049BB133111EBull;
      z ^= z >> 31;
      x = (u32)z & mask;
      v[i] = x;
    }
    leaf_hash(&d, v);
    int level = 0;
    for (u32 done = leaf; done & 1; done >>= 1, level++) {
      digest left = stack[level];
      node_hash(&d, &left, &d);
    }
    if (leaf + 1 < leaves) stack[level] = d;
  }
  roots[lane] = d;
}
