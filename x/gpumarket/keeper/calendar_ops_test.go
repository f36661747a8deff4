package keeper_test

import (
	"math/rand"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// span is a rental as a plain list keeps it.
type span struct {
	gpus     []uint32
	from, to time.Time
}

// planner is the market's calendar kept as a list, by brute force.
type planner struct {
	*fixture
	r     *rand.Rand
	open  map[uint64]span
	order []uint64 // ids of open, in the order of opening
	seen  map[string]int
}

// free returns the GPUs that no span but the given rental's holds in the window.
func (p *planner) free(from, to time.Time, but uint64) (gpus []uint32) {
	for gpu := range uint32(hostGPUs) {
		taken := false
		for id, s := range p.open {
			taken = taken || id != but && slices.Contains(s.gpus, gpu) && s.from.Before(to) && from.Before(s.to)
		}
		if !taken {
			gpus = append(gpus, gpu)
		}
	}
	return gpus
}

func (p *planner) reserve() {
	msg := rentMsg(1)
	msg.GpuCount, msg.DurationSeconds = uint32(1+p.r.Intn(3)), uint64(60+p.r.Intn(5_000))
	from := p.ctx.BlockTime()
	if p.r.Intn(4) > 0 {
		from = from.Add(time.Duration(1+p.r.Intn(30_000)) * time.Second)
		msg.StartAt = &from
	}
	to := from.Add(10*time.Minute + time.Duration(msg.DurationSeconds)*time.Second)
	free := p.free(from, to, 0)
	resp, err := deliver(p.fixture, p.msg.Rent, msg)
	if len(free) < int(msg.GpuCount) {
		require.ErrorIs(p.t, err, types.ErrNoFreeGPUs)
		p.seen["refused"]++
		return
	}
	require.NoError(p.t, err, "a free GPU is refused: %v from %s to %s", free, from, to)
	got := p.rental(resp.RentalId)
	require.Equal(p.t, free[:msg.GpuCount], got.Gpus)
	p.open[got.Id] = span{got.Gpus, from, to}
	p.order = append(p.order, got.Id)
	p.seen["reserved"]++
}

func (p *planner) extend(id uint64) {
	r := p.rental(id)
	if r.State != types.RENTAL_STATE_ACTIVE {
		return
	}
	msg := &types.MsgExtendRental{Renter: r.Renter, RentalId: id, Seconds: uint64(1 + p.r.Intn(5_000))}
	s := p.open[id]
	to := s.to.Add(time.Duration(msg.Seconds) * time.Second)
	free := p.free(s.to, to, id)
	possible := !slices.ContainsFunc(s.gpus, func(gpu uint32) bool { return !slices.Contains(free, gpu) })
	_, err := deliver(p.fixture, p.msg.ExtendRental, msg)
	if !possible {
		require.ErrorIs(p.t, err, types.ErrNoFreeGPUs)
		p.seen["not extended"]++
		return
	}
	require.NoError(p.t, err)
	s.to = to
	p.open[id] = s
	p.seen["extended"]++
}

func (p *planner) drop(id uint64) {
	delete(p.open, id)
	p.order = slices.DeleteFunc(p.order, func(other uint64) bool { return other == id })
}

func (p *planner) step() {
	switch n := p.r.Intn(10); {
	case n < 5:
		p.reserve()
	case n < 6: // time passes; what is over by then frees its GPUs
		p.beginBlock(p.ctx.BlockTime().Add(time.Duration(p.r.Intn(600)) * time.Second))
		require.NoError(p.t, p.k.EndBlock(p.ctx))
		for _, id := range slices.Clone(p.order) {
			r := p.rental(id)
			if r.State == types.RENTAL_STATE_PENDING && p.r.Intn(2) == 0 {
				p.confirm(id)
				s := p.open[id]
				s.to = *p.rental(id).EndsAt
				p.open[id] = s
			}
			if !r.Open() {
				require.False(p.t, r.ClosedAt.After(p.ctx.BlockTime()))
				require.Contains(p.t, []types.CloseReason{types.CLOSE_REASON_END_REACHED, types.CLOSE_REASON_NOT_STARTED}, r.CloseReason)
				p.drop(id)
			}
		}
	case len(p.order) == 0:
	case n < 8:
		p.extend(p.order[p.r.Intn(len(p.order))])
	default:
		id := p.order[p.r.Intn(len(p.order))]
		_, err := deliver(p.fixture, p.msg.CloseRental, &types.MsgCloseRental{Sender: str(renter), RentalId: id})
		require.NoError(p.t, err)
		p.drop(id)
		p.seen["closed"]++
	}
}

// Random reservations, extensions and closes by message, a few thousand of them
// and 10^5 with GRAFI_LONG_TESTS=1, against a list: no two rentals ever hold a GPU
// at once, and no GPU that is free is ever refused.
func TestReserveExtendCloseAgainstAList(t *testing.T) {
	n := 3_000
	if os.Getenv("GRAFI_LONG_TESTS") != "" {
		n = 100_000
	}
	f := newFixture(t)
	f.staking.setOwn(f.ctx, 1_000_000_000_000_000, 0)
	msg := createMsg()
	msg.MaxAheadSeconds, msg.Price = 86_400, coin(36_000)
	_, err := deliver(f, f.msg.CreateListing, msg)
	require.NoError(t, err)
	f.setParams(func(p *types.Params) { p.ClosedRetention, p.DeadlineBudget = time.Hour, 100_000 })
	p := &planner{fixture: f, r: rand.New(rand.NewSource(3)), open: map[uint64]span{}, seen: map[string]int{}}
	p.beginBlock(start)
	for i := range n {
		p.step()
		if i%1_000 == 0 {
			f.checkInvariants()
		}
	}
	f.checkInvariants()
	t.Log(n, "operations:", p.seen)
	for _, what := range []string{"reserved", "refused", "extended", "not extended", "closed"} {
		require.Greater(t, p.seen[what], n/200, what)
	}
}
