package types

import "math/bits"

// Bitmap holds bit i in byte i/8, least significant first. Bytes after its end
// are zero, so a record is as long as its highest bit needs and no longer.
type Bitmap []byte

// Get tells whether bit i is set.
func (b Bitmap) Get(i uint64) bool {
	return i/8 < uint64(len(b)) && b[i/8]&(1<<(i%8)) != 0
}

// Set returns the bitmap with bit i set. It may reuse b's memory. Callers keep
// i below BucketSize.
func (b Bitmap) Set(i uint64) Bitmap {
	if need := int(i/8) + 1; need > len(b) {
		if need <= cap(b) {
			old := len(b)
			b = b[:need]
			clear(b[old:])
		} else {
			grown := make(Bitmap, need, BucketSize/8)
			copy(grown, b)
			b = grown
		}
	}
	b[i/8] |= 1 << (i % 8)
	return b
}

// Count returns the number of bits set.
func (b Bitmap) Count() int {
	n := 0
	for _, v := range b {
		n += bits.OnesCount8(v)
	}
	return n
}

// Counts holds one byte per GPU of a bucket; bytes after its end are zero.
type Counts []byte

// Get returns the count of i.
func (c Counts) Get(i uint64) uint32 {
	if i >= uint64(len(c)) {
		return 0
	}
	return uint32(c[i])
}

// Add returns the counters with the count of i one higher. It may reuse c's
// memory. A count stops at 255, which slots_per_day never exceeds.
func (c Counts) Add(i uint64) Counts {
	if need := int(i) + 1; need > len(c) {
		if need <= cap(c) {
			old := len(c)
			c = c[:need]
			clear(c[old:])
		} else {
			grown := make(Counts, need, min(BucketSize, max(2*need, 64)))
			copy(grown, c)
			c = grown
		}
	}
	if c[i] < 255 {
		c[i]++
	}
	return c
}

// ValidateDown checks the down bitmap of a host with this many GPUs: empty when
// all were up, else exactly ceil(gpus/8) bytes with no bit beyond the last GPU
// and at least one set, so that one statement has one encoding.
func ValidateDown(down []byte, gpus uint32) error {
	if len(down) == 0 {
		return nil
	}
	if want := (int(gpus) + 7) / 8; len(down) != want {
		return ErrMalformed.Wrapf("down has %d bytes, want 0 or %d for %d GPUs", len(down), want, gpus)
	}
	if Bitmap(down).Count() == 0 {
		return ErrMalformed.Wrap("down has no bit set, want it empty when all GPUs were up")
	}
	if rest := gpus % 8; rest != 0 && down[len(down)-1]>>rest != 0 {
		return ErrMalformed.Wrapf("down has a bit beyond GPU %d", gpus-1)
	}
	return nil
}

// Bucket returns the record that the bit of a host or GPU lies in, and the
// position within it.
func Bucket(index uint64) (bucket, position uint64) {
	return index / BucketSize, index % BucketSize
}

// PlaceGPUs returns the index of GPU 0 of a host of this capacity when next is
// the first free index, and the new first free index. A host that would
// straddle two buckets starts in the second one.
func PlaceGPUs(next uint64, capacity uint32) (first, newNext uint64) {
	first = next
	if _, position := Bucket(next); position+uint64(capacity) > BucketSize {
		first = (next/BucketSize + 1) * BucketSize
	}
	return first, first + uint64(capacity)
}

// ValidateNotRunning checks a host's list of rentals that do not run: ascending
// ids, and no more than it has GPUs, since each rental holds at least one.
func ValidateNotRunning(ids []uint64, gpus uint32) error {
	if uint64(len(ids)) > uint64(gpus) {
		return ErrMalformed.Wrapf("not_running has %d rentals, want at most %d, one per GPU", len(ids), gpus)
	}
	for i := 1; i < len(ids); i++ {
		if ids[i] <= ids[i-1] {
			return ErrMalformed.Wrapf("not_running has %d after %d, want it ascending", ids[i], ids[i-1])
		}
	}
	return nil
}
