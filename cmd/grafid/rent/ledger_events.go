package rent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cosmos/gogoproto/proto"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"
	sdk "github.com/cosmos/cosmos-sdk/types"

	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// story is what the events of all blocks say of a rental's money.
type story struct {
	settlements []settlement
	claims      []stakeClaim
}

// stakeClaim is one claim on the operator's stake.
type stakeClaim struct {
	Height int64 `json:"height,string"`
	// Kind is "service credit", "bond" or "offline penalty".
	Kind string `json:"kind"`
	// Asked is what the rule asks for, Paid what the stake gave: to the renter, but
	// a penalty to nobody in particular.
	Asked string `json:"asked"`
	Paid  string `json:"paid"`
	Why   string `json:"why,omitempty"`
}

func (c stakeClaim) String() string {
	to := " to the renter"
	if c.Kind == "offline penalty" {
		to = ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s of %s, %s paid%s %s", c.Kind, c.Asked, c.Paid, to, c.Why))
}

// told are the events that a story is made of.
var told = []proto.Message{
	&markettypes.EventRentalSettled{}, &markettypes.EventServiceCredit{},
	&markettypes.EventBondForfeited{}, &markettypes.EventOfflinePenalty{},
}

// readStory reads the events of the rental, those of transactions and those of
// blocks (deadlines), in the order of the chain.
func readStory(ctx context.Context, c client.Context, id uint64) (story, error) {
	s := story{settlements: []settlement{}, claims: []stakeClaim{}}
	node, err := c.GetNode()
	if err != nil {
		return s, err
	}
	var heights []int64
	for _, event := range told {
		found, err := eventHeights(ctx, node, proto.MessageName(event), id)
		if err != nil {
			return s, err
		}
		heights = append(heights, found...)
	}
	slices.Sort(heights)
	for _, h := range slices.Compact(heights) {
		res, err := node.BlockResults(ctx, &h)
		if err != nil {
			return s, fmt.Errorf("results of block %d: %w", h, err)
		}
		var events []abci.Event
		for _, tx := range res.TxsResults {
			if tx.Code == 0 {
				events = append(events, tx.Events...)
			}
		}
		for _, e := range append(events, res.FinalizeBlockEvents...) {
			if err := s.add(e, h, id); err != nil {
				return s, fmt.Errorf("block %d: %w", h, err)
			}
		}
	}
	return s, nil
}

// eventHeights finds the blocks by the node's two indexes.
func eventHeights(ctx context.Context, node client.CometRPC, event string, id uint64) ([]int64, error) {
	// A typed event's attribute is JSON, in which a uint64 is a string.
	query := fmt.Sprintf(`%s.rental_id='"%d"'`, event, id)
	perPage := 100
	var heights []int64
	for page := 1; ; page++ {
		res, err := node.TxSearch(ctx, query, false, &page, &perPage, "asc")
		if err != nil {
			return nil, fmt.Errorf("search transactions: %w", err)
		}
		for _, tx := range res.Txs {
			heights = append(heights, tx.Height)
		}
		if page*perPage >= res.TotalCount {
			break
		}
	}
	for page := 1; ; page++ {
		res, err := node.BlockSearch(ctx, query, &page, &perPage, "asc")
		if err != nil {
			return nil, fmt.Errorf("search blocks: %w", err)
		}
		for _, b := range res.Blocks {
			heights = append(heights, b.Block.Height)
		}
		if page*perPage >= res.TotalCount {
			return heights, nil
		}
	}
}

// add takes an event if it is of the story.
func (s *story) add(e abci.Event, height int64, id uint64) error {
	if !slices.ContainsFunc(told, func(m proto.Message) bool { return proto.MessageName(m) == e.Type }) {
		return nil
	}
	// What baseapp adds to an event is no field of its message, and no JSON.
	e.Attributes = slices.DeleteFunc(slices.Clone(e.Attributes), func(a abci.EventAttribute) bool {
		return a.Key == "mode" || a.Key == "msg_index"
	})
	msg, err := sdk.ParseTypedEvent(e)
	if err != nil {
		return err
	}
	claim := func(rental uint64, c stakeClaim) {
		if c.Height = height; rental == id {
			s.claims = append(s.claims, c)
		}
	}
	switch ev := msg.(type) {
	case *markettypes.EventRentalSettled:
		if ev.RentalId != id {
			return nil
		}
		got, err := newSettlement(ev, height)
		s.settlements = append(s.settlements, got)
		return err
	case *markettypes.EventServiceCredit:
		claim(ev.RentalId, stakeClaim{
			Kind: "service credit", Asked: ev.Credit, Paid: ev.ToRenter,
			Why: fmt.Sprintf("(%d of %d judged slots missed)", ev.MissedSlots, ev.JudgedSlots),
		})
	case *markettypes.EventBondForfeited:
		claim(ev.RentalId, stakeClaim{Kind: "bond", Asked: ev.Bond, Paid: ev.ToRenter})
	case *markettypes.EventOfflinePenalty:
		claim(ev.RentalId, stakeClaim{
			Kind: "offline penalty", Asked: ev.Penalty, Paid: ev.Taken,
			Why: fmt.Sprintf("(%d s from slot %d on)", ev.Seconds, ev.FirstSlot),
		})
	}
	return nil
}

func newSettlement(ev *markettypes.EventRentalSettled, height int64) (settlement, error) {
	s := settlement{Height: height, PaidUntil: ev.PaidUntil, parts: parts{Paid: ev.Paid.Amount}}
	for _, p := range []struct {
		to   *math.Int
		text string
	}{{&s.Provider, ev.Provider}, {&s.Stakers, ev.Stakers}, {&s.Treasury, ev.Treasury}, {&s.Burned, ev.Burned}, {&s.Rest, ev.Rest}} {
		n, ok := math.NewIntFromString(p.text)
		if p.text == "" {
			n, ok = math.ZeroInt(), true
		}
		if !ok {
			return settlement{}, fmt.Errorf("event of rental %d: amount %q is no number", ev.RentalId, p.text)
		}
		*p.to = n
	}
	return s, nil
}
