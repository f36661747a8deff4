package types

import "cosmossdk.io/math"

// Parts is a payment divided. Provider + Stakers + Treasury + Burned + Rest is
// the payment, to the unit.
type Parts struct {
	Provider, Stakers, Treasury, Burned, Rest math.Int
}

// Validate checks that the five parts add up to one whole and that the provider
// is left at least MinProviderPPM.
func (f FeeSplit) Validate() error {
	parts := [...]uint64{f.ProviderPpm, f.StakersPpm, f.TreasuryPpm, f.BurnPpm, f.RestPpm}
	var sum uint64
	for _, part := range parts {
		if part > PPM { // also keeps the sum from overflowing
			return ErrInvalidParams.Wrapf("a part is %d PPM, want at most %d", part, PPM)
		}
		sum += part
	}
	if sum != PPM {
		return ErrInvalidParams.Wrapf("the parts add up to %d PPM, want %d", sum, PPM)
	}
	if f.ProviderPpm < MinProviderPPM {
		return ErrInvalidParams.Wrapf("provider_ppm is %d, want at least %d", f.ProviderPpm, MinProviderPPM)
	}
	return nil
}

// Divide splits a payment. Every part but the provider's is floored; the
// provider gets what is left and so owns every remainder.
func (f FeeSplit) Divide(amount math.Int) Parts {
	p := Parts{
		Stakers:  share(amount, f.StakersPpm),
		Treasury: share(amount, f.TreasuryPpm),
		Burned:   share(amount, f.BurnPpm),
		Rest:     share(amount, f.RestPpm),
	}
	p.Provider = amount.Sub(p.Stakers).Sub(p.Treasury).Sub(p.Burned).Sub(p.Rest)
	return p
}

// BurnToTreasury returns the parts with nothing burned: only the stake denom is
// ever burned, the share of another denom goes to the treasury.
func (p Parts) BurnToTreasury() Parts {
	p.Treasury, p.Burned = p.Treasury.Add(p.Burned), math.ZeroInt()
	return p
}

// RestToTreasury returns the parts for params without a rest address.
func (p Parts) RestToTreasury() Parts {
	p.Treasury, p.Rest = p.Treasury.Add(p.Rest), math.ZeroInt()
	return p
}

func share(amount math.Int, ppm uint64) math.Int {
	return amount.Mul(math.NewIntFromUint64(ppm)).QuoRaw(PPM)
}
