package prove

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// ptx is kernel/prove.cu as scripts/kernel.sh compiles it.
//
//go:embed kernel/prove.ptx
var ptx string

// Kernels and their shapes, as kernel/prove.cu has them.
const (
	kernelOperands = "grafi_operands"
	kernelProduct  = "grafi_product"
	kernelRows     = "grafi_rows"
	kernelNodes    = "grafi_nodes"
	kernelWalk     = "grafi_walk"

	aesThreads  = 256
	gemmThreads = 256
	treeThreads = 512
	walkThreads = 128
	tileRows    = 256
	tileCols    = 128
	gemmShared  = 3 * (tileRows + tileCols) * 64
	treeNodes   = 1024
)

func (e *cudaEngine) round(ctx context.Context, seed compute.Hash) (root compute.Hash, err error) {
	if err := ctx.Err(); err != nil {
		return root, err
	}
	err = e.within(func() error {
		if err := e.operands(e.a, e.keyA, compute.KeyA(seed)); err != nil {
			return err
		}
		if err := e.operands(e.b, e.keyB, compute.KeyB(seed)); err != nil {
			return err
		}
		if err := e.product(e.a, e.b, e.c, e.work.N, e.work.M); err != nil {
			return err
		}
		n := e.work.N
		if err := e.driver.launch(e.kernels[kernelRows], n, treeThreads, 0, ptr(&e.c), ptr(&e.rows), ptr(&n)); err != nil {
			return err
		}
		root, err = e.reduce(n)
		return err
	})
	return root, err
}

// operands draws the rows of A or the columns of B.
func (e *cudaEngine) operands(to, keys buffer, key compute.Key) error {
	if err := e.driver.upload(keys, aesKeys(key)); err != nil {
		return err
	}
	n, blocksLog2 := e.work.N, uint32(bits.TrailingZeros32(e.work.M/16))
	blocks := uint64(n) << blocksLog2
	// Six blocks of 32 KiB of tables fit a multiprocessor of 228 KiB; each loads
	// its table once, so there are no more than run at a time.
	grid := uint32(min((blocks+aesThreads-1)/aesThreads, uint64(max(1, e.device.Multiprocessors))*6))
	return e.driver.launch(e.kernels[kernelOperands], grid, aesThreads, 0, ptr(&e.table), ptr(&keys), ptr(&to), ptr(&n), ptr(&blocksLog2))
}

// product computes C of n×n from n rows of A and n columns of B.
func (e *cudaEngine) product(a, b, c buffer, n, m uint32) error {
	grid := (n + tileRows - 1) / tileRows * ((n + tileCols - 1) / tileCols)
	return e.driver.launch(e.kernels[kernelProduct], grid, gemmThreads, gemmShared, ptr(&a), ptr(&b), ptr(&c), ptr(&n), ptr(&m))
}

// reduce returns the root over the n digests in rows: by the device to at most
// 16, the rest here.
func (e *cudaEngine) reduce(n uint32) (compute.Hash, error) {
	from, left := e.rows, n
	if count := min(n, treeNodes); count > 1 {
		left = n / count
		if err := e.driver.launch(e.kernels[kernelNodes], left, treeThreads, 0, ptr(&from), ptr(&e.nodes), ptr(&count)); err != nil {
			return compute.Hash{}, err
		}
		from = e.nodes
	}
	top, err := e.digests(from, left)
	if err != nil {
		return compute.Hash{}, err
	}
	return compute.NewTree(top).Root(), nil
}

// digests copies digests from the device, where they are words.
func (e *cudaEngine) digests(from buffer, count uint32) ([]compute.Hash, error) {
	if err := e.driver.do("cuCtxSynchronize"); err != nil {
		return nil, err
	}
	raw := make([]byte, 32*count)
	if err := e.driver.download(raw, from); err != nil {
		return nil, err
	}
	out := make([]compute.Hash, count)
	for i := range out {
		for j := 0; j < 32; j += 4 {
			binary.BigEndian.PutUint32(out[i][j:], binary.LittleEndian.Uint32(raw[32*i+j:]))
		}
	}
	return out, nil
}

func (e *cudaEngine) rowRoots(context.Context) (roots []compute.Hash, err error) {
	err = e.within(func() error {
		roots, err = e.digests(e.rows, e.work.N)
		return err
	})
	return roots, err
}

func (e *cudaEngine) row(_ context.Context, index uint32) ([]uint32, error) {
	return e.values(e.c+buffer(4*uint64(index)*uint64(e.work.N)), e.work.N)
}

// values copies entries of C from the device.
func (e *cudaEngine) values(from buffer, count uint32) ([]uint32, error) {
	raw := make([]byte, 4*count)
	if err := e.within(func() error { return e.driver.download(raw, from) }); err != nil {
		return nil, err
	}
	out := make([]uint32, count)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return out, nil
}

func (e *cudaEngine) walk(ctx context.Context, seed compute.Hash) (roots []compute.Hash, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var words [32]byte
	for i := 0; i < 32; i += 4 {
		binary.LittleEndian.PutUint32(words[i:], binary.BigEndian.Uint32(seed[i:]))
	}
	lanes, steps, n := e.work.WalkLanes, e.work.WalkSteps, e.work.N
	err = e.within(func() error {
		if err := e.driver.upload(e.seed, words[:]); err != nil {
			return err
		}
		grid := (lanes + walkThreads - 1) / walkThreads
		if err := e.driver.launch(e.kernels[kernelWalk], grid, walkThreads, 0,
			ptr(&e.c), ptr(&e.seed), ptr(&e.lanes), ptr(&lanes), ptr(&steps), ptr(&n)); err != nil {
			return err
		}
		roots, err = e.digests(e.lanes, lanes)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%d lanes: %w", lanes, err)
	}
	return roots, nil
}

// ptr makes a parameter of a kernel.
func ptr[T buffer | uint32](v *T) unsafe.Pointer { return unsafe.Pointer(v) }
