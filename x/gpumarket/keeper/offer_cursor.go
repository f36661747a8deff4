package keeper

import (
	"bytes"
	"context"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// offerPage is how many offers of one scope are read at once.
const offerPage = 16

// offerCursor reads the offers of one scope, cheapest first, a page at a time: no
// iterator stays open while the search writes.
type offerCursor struct {
	scope string
	page  []offerKey
	last  *offerKey // of the page before; nil at the beginning
	done  bool      // nothing follows the page
}

// head returns the next offer; ok is false at the end.
func (c *offerCursor) head(ctx context.Context, k *Keeper) (key offerKey, ok bool, err error) {
	if len(c.page) == 0 && !c.done {
		if err := c.fill(ctx, k); err != nil {
			return offerKey{}, false, err
		}
	}
	if len(c.page) == 0 {
		return offerKey{}, false, nil
	}
	return c.page[0], true, nil
}

func (c *offerCursor) fill(ctx context.Context, k *Keeper) error {
	ranger := new(collections.Range[offerKey]).Prefix(collections.TriplePrefix[string, []byte, uint64](c.scope))
	if c.last != nil {
		ranger = ranger.StartExclusive(*c.last)
	}
	err := k.offers.Walk(ctx, ranger, func(key offerKey) (bool, error) {
		c.page = append(c.page, key)
		return len(c.page) == offerPage, nil
	})
	if n := len(c.page); n > 0 {
		c.last = &c.page[n-1]
	}
	c.done = len(c.page) < offerPage
	return err
}

// offerStream merges the offers of several classes in the order of their price.
type offerStream struct {
	cursors []*offerCursor
}

// newOfferStream reads the set in the denom for each class.
func newOfferStream(set types.OfferSet, classes []string, denom, country string) *offerStream {
	s := &offerStream{}
	for _, class := range classes {
		scope := types.OfferScope{Set: set, Class: class, Denom: denom, Country: country}
		s.cursors = append(s.cursors, &offerCursor{scope: scope.Key()})
	}
	return s
}

// price returns the lowest price that is left; nil at the end.
func (s *offerStream) price(ctx context.Context, k *Keeper) ([]byte, error) {
	var lowest []byte
	for _, c := range s.cursors {
		key, ok, err := c.head(ctx, k)
		if err != nil {
			return nil, err
		}
		if ok && (lowest == nil || bytes.Compare(key.K2(), lowest) < 0) {
			lowest = key.K2()
		}
	}
	return lowest, nil
}

// take takes the offers of that price, at most limit of them.
func (s *offerStream) take(ctx context.Context, k *Keeper, price []byte, limit int) ([]uint64, error) {
	var ids []uint64
	for _, c := range s.cursors {
		for len(ids) < limit {
			key, ok, err := c.head(ctx, k)
			if err != nil {
				return nil, err
			}
			if !ok || !bytes.Equal(key.K2(), price) {
				break
			}
			ids = append(ids, key.K3())
			c.page = c.page[1:]
		}
	}
	return ids, nil
}
