package keeper

import (
	"math/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/cosmos/cosmos-sdk/codec/address"
	"github.com/cosmos/cosmos-sdk/runtime"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	"github.com/cosmos/cosmos-sdk/testutil"
	sdk "github.com/cosmos/cosmos-sdk/types"
	moduletestutil "github.com/cosmos/cosmos-sdk/types/module/testutil"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

func calendarFixture(t *testing.T) (*Keeper, sdk.Context) {
	t.Helper()
	key := storetypes.NewKVStoreKey(types.StoreKey)
	ctx := testutil.DefaultContextWithDB(t, key, storetypes.NewTransientStoreKey("transient")).Ctx
	// On top of the tree, so that ten thousand changes stay cheap.
	ctx, _ = ctx.CacheContext()
	return NewKeeper(runtime.NewKVStoreService(key), moduletestutil.MakeTestEncodingConfig().Codec,
		address.NewBech32Codec("grafi"), nil, nil, nil, nil), ctx
}

var calendarStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// window is a rental that books one GPU in [from, to) seconds.
func window(id, host uint64, ordinal uint32, from, to int64) types.Rental {
	end := calendarStart.Add(time.Duration(to) * time.Second)
	return types.Rental{Id: id, HostId: host, Gpus: []uint32{ordinal}, EndsAt: &end,
		CreatedAt: calendarStart.Add(time.Duration(from) * time.Second)}
}

type booked struct {
	host     uint64
	ordinal  uint32
	from, to int64
	id       uint64
}

// calendarModel is the calendar as a plain list.
type calendarModel struct {
	k     *Keeper
	ctx   sdk.Context
	model []booked
	next  uint64
}

// tryBook asks for a window and books it when it is free; it tells whether the
// calendar agrees with the list.
func (c *calendarModel) tryBook(host uint64, ordinal uint32, from, to int64) (agree bool, err error) {
	free := true
	for _, b := range c.model {
		if b.host == host && b.ordinal == ordinal && b.from < to && from < b.to {
			free = false
		}
	}
	c.next++
	r := window(c.next, host, ordinal, from, to)
	got, err := c.k.gpuFree(c.ctx, host, ordinal, r.CreatedAt, *r.EndsAt)
	if err != nil || got != free {
		return false, err
	}
	if free {
		c.model = append(c.model, booked{host, ordinal, from, to, c.next})
		return true, c.k.book(c.ctx, r)
	}
	return true, nil
}

func (c *calendarModel) remove(i int) error {
	b := c.model[i]
	c.model = append(c.model[:i], c.model[i+1:]...)
	return c.k.unbook(c.ctx, window(b.id, b.host, b.ordinal, b.from, b.to))
}

// Ten thousand random bookings and cancellations, now and ahead: the calendar
// never books two at once and never refuses a GPU that is free.
func TestCalendarAgainstAList(t *testing.T) {
	k, ctx := calendarFixture(t)
	c := &calendarModel{k: k, ctx: ctx}
	r := rand.New(rand.NewSource(1)) // the same run every time
	refused := 0
	for range 10_000 {
		if len(c.model) > 200 || len(c.model) > 0 && r.Intn(3) == 0 {
			require.NoError(t, c.remove(r.Intn(len(c.model))))
			continue
		}
		from, before := int64(r.Intn(2_000)), len(c.model)
		agree, err := c.tryBook(uint64(1+r.Intn(2)), uint32(r.Intn(3)), from, from+1+int64(r.Intn(100)))
		require.NoError(t, err)
		require.True(t, agree, "the calendar and the list disagree")
		if len(c.model) == before {
			refused++
		}
	}
	require.Greater(t, refused, 500, "the run must meet taken GPUs")
}

func TestCalendarAgainstAListShrunk(t *testing.T) {
	k, ctx := calendarFixture(t)
	rapid.Check(t, func(rt *rapid.T) {
		cached, _ := ctx.CacheContext()
		c := &calendarModel{k: k, ctx: cached}
		for range rapid.IntRange(1, 40).Draw(rt, "operations") {
			if len(c.model) > 0 && rapid.Bool().Draw(rt, "remove") {
				if err := c.remove(rapid.IntRange(0, len(c.model)-1).Draw(rt, "which")); err != nil {
					rt.Fatal(err)
				}
				continue
			}
			from := rapid.Int64Range(0, 20).Draw(rt, "from")
			to := from + rapid.Int64Range(1, 5).Draw(rt, "length")
			if agree, err := c.tryBook(1, rapid.Uint32Range(0, 1).Draw(rt, "GPU"), from, to); err != nil || !agree {
				rt.Fatalf("window %d to %d: agree %t, %v", from, to, agree, err)
			}
		}
	})
}
