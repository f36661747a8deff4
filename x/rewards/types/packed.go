package types

import (
	"encoding/binary"

	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// Sizes of packed records, in bytes.
const (
	weightSize = 8
	factorSize = 26
	// struck stands where the kind of a GPU's operator would.
	struck = 0xff
	// maxWeight is the largest weight that fits beside it.
	maxWeight = 1<<56 - 1
)

// Weight is what a day knows of a GPU's weight.
type Weight struct {
	// Kind of its operator; unspecified while no slot of it was counted.
	Kind stakingext.OperatorKind
	PPM  uint64
	// Struck: an equivocation of its host took the weight out of the day.
	Struck bool
}

// Frozen tells whether the weight is found for the day, or is struck.
func (w Weight) Frozen() bool { return w.Struck || w.Kind != stakingext.OPERATOR_KIND_UNSPECIFIED }

// Weights holds the weights of the GPUs of a bucket, 8 bytes each: the kind, or
// that it was struck, and 7 bytes of weight. GPUs after its end have none.
type Weights []byte

// Get returns the weight at the position.
func (w Weights) Get(position uint64) Weight {
	at := position * weightSize
	if at+weightSize > uint64(len(w)) {
		return Weight{}
	}
	v := binary.BigEndian.Uint64(w[at:])
	if v>>56 == struck {
		return Weight{Struck: true}
	}
	return Weight{Kind: stakingext.OperatorKind(v >> 56), PPM: v & maxWeight}
}

// Set returns the weights with that at the position. It may reuse w's memory.
func (w Weights) Set(position uint64, weight Weight) Weights {
	w = grow(w, (position+1)*weightSize)
	v := uint64(weight.Kind)<<56 | min(weight.PPM, maxWeight)
	if weight.Struck {
		v = struck << 56
	}
	binary.BigEndian.PutUint64(w[position*weightSize:], v)
	return w
}

// PackedFactors holds of each GPU of a bucket the factors H, C and P that its
// weight came from, and what they came from, 26 bytes each: H 6, C 3, P 3, flags 1,
// age of the medians 1, up 3, down 3, memory 2, passed 2, missed 2. S follows from the
// operator's day, B from the rented seconds.
type PackedFactors []byte

// Bits of the flags, above the trust tier.
const (
	tierMask       = 0x0f
	flagChallenged = 0x10
	flagWrong      = 0x20
)

// Get returns the factors at the position; Stake and Bonus are not in it.
func (p PackedFactors) Get(position uint64) (Factors, Inputs) {
	at := position * factorSize
	if at+factorSize > uint64(len(p)) {
		return Factors{}, Inputs{}
	}
	high, low := binary.BigEndian.Uint64(p[at:]), binary.BigEndian.Uint32(p[at+8:])
	return Factors{
		Class:       high >> 16,
		Connection:  high&0xffff<<8 | uint64(low>>24),
		Performance: uint64(low & 0xffffff),
	}, unpackInputs(p[at+12 : at+factorSize])
}

func unpackInputs(bz []byte) Inputs {
	rates := binary.BigEndian.Uint64(bz) // flags, age, up 3, down 3
	return Inputs{
		TrustTier: uint32(bz[0] & tierMask), Challenged: bz[0]&flagChallenged != 0, Wrong: bz[0]&flagWrong != 0,
		MedianAge: uint64(bz[1]), UpMbps: rates >> 24 & 0xffffff, DownMbps: rates & 0xffffff,
		MemoryGiB: uint64(binary.BigEndian.Uint16(bz[8:])),
		Passed:    uint64(binary.BigEndian.Uint16(bz[10:])), Missed: uint64(binary.BigEndian.Uint16(bz[12:])),
	}
}

// Set returns the factors with those at the position. It may reuse p's memory.
func (p PackedFactors) Set(position uint64, f Factors, in Inputs) PackedFactors {
	p = grow(p, (position+1)*factorSize)
	at := position * factorSize
	binary.BigEndian.PutUint64(p[at:], f.Class<<16|f.Connection>>8)
	binary.BigEndian.PutUint32(p[at+8:], uint32(f.Connection&0xff)<<24|uint32(f.Performance))
	in.pack(p[at+12 : at+factorSize])
	return p
}

func (in *Inputs) pack(bz []byte) {
	binary.BigEndian.PutUint64(bz, in.UpMbps<<24|in.DownMbps)
	bz[0], bz[1] = byte(in.TrustTier), byte(in.MedianAge)
	if in.Challenged {
		bz[0] |= flagChallenged
	}
	if in.Wrong {
		bz[0] |= flagWrong
	}
	binary.BigEndian.PutUint16(bz[8:], uint16(in.MemoryGiB))
	binary.BigEndian.PutUint16(bz[10:], uint16(in.Passed))
	binary.BigEndian.PutUint16(bz[12:], uint16(in.Missed))
}

func grow(bz []byte, size uint64) []byte {
	if uint64(len(bz)) >= size {
		return bz
	}
	if uint64(cap(bz)) >= size {
		old := len(bz)
		bz = bz[:size]
		clear(bz[old:])
		return bz
	}
	grown := make([]byte, size, 2*size)
	copy(grown, bz)
	return grown
}

// PackHistogram and UnpackHistogram convert between a list and its record.
func PackHistogram(weights []uint64) []byte {
	bz := make([]byte, 0, 8*len(weights))
	for _, w := range weights {
		bz = binary.BigEndian.AppendUint64(bz, w)
	}
	return bz
}

// UnpackHistogram returns a list with an entry for every number of slots of a day.
func UnpackHistogram(bz []byte, slots uint32) []uint64 {
	weights := make([]uint64, max(int(slots)+1, len(bz)/8))
	for i := 0; i+8 <= len(bz); i += 8 {
		weights[i/8] = binary.BigEndian.Uint64(bz[i:])
	}
	return weights
}
