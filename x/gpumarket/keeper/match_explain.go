package keeper

import (
	"errors"
	"fmt"
	"strings"

	errorsmod "cosmossdk.io/errors"

	"github.com/grafilab/grafi/x/gpumarket/types"
)

// unfit tells why the offer is out of question before its GPUs are looked at.
func (s search) unfit(c candidate) error {
	switch {
	case c.HostId == s.notHost:
		return types.ErrHostNotActive.Wrapf("host %d is the one that failed", c.HostId)
	case !types.InRegion(c.region, s.req.Region):
		return types.ErrWrongRegion.Wrapf("host %d is in %q, want %q", c.HostId, c.region, s.req.Region)
	case c.TrustTier < s.req.MinTrustTier:
		return types.ErrTrustTier.Wrapf("host %d is proven to tier %d, want %d", c.HostId, c.TrustTier, s.req.MinTrustTier)
	}
	return nil
}

// verdicts tell what an error says of a candidate; the first one that fits.
var verdicts = [...]struct {
	err     error
	verdict types.CandidateVerdict
}{
	{types.ErrPriceTooHigh, types.CANDIDATE_VERDICT_PRICE},
	{types.ErrInvalidPrice, types.CANDIDATE_VERDICT_PRICE},
	{types.ErrInvalidFailover, types.CANDIDATE_VERDICT_PRICE},
	{types.ErrInvalidDuration, types.CANDIDATE_VERDICT_DURATION},
	{types.ErrInvalidStart, types.CANDIDATE_VERDICT_START},
	{types.ErrNotReservable, types.CANDIDATE_VERDICT_START},
	{types.ErrWrongRegion, types.CANDIDATE_VERDICT_REGION},
	{types.ErrTrustTier, types.CANDIDATE_VERDICT_TRUST_TIER},
	{types.ErrNoFreeGPUs, types.CANDIDATE_VERDICT_NOT_FREE},
	{types.ErrNoRentalNumber, types.CANDIDATE_VERDICT_NOT_FREE},
	{types.ErrClassChanged, types.CANDIDATE_VERDICT_CLASS},
	{types.ErrHostNotActive, types.CANDIDATE_VERDICT_HOST},
	{types.ErrNotInterruptible, types.CANDIDATE_VERDICT_NOT_INTERRUPTIBLE},
}

// refusal parts the errors of an offer: one with a code is why it is passed over,
// any other one is a failure of the chain and ends the search. So do those that
// every offer would meet.
func refusal(err error) (why, failure error) {
	if err == nil {
		return nil, nil
	}
	codespace, _, _ := errorsmod.ABCIInfo(err, false)
	if codespace == errorsmod.UndefinedCodespace || errors.Is(err, types.ErrInvalidRenter) || errors.Is(err, types.ErrInvalidDigest) {
		return nil, err
	}
	return err, nil
}

// passOver returns the candidate with the reason for which it is not chosen.
func passOver(c types.Candidate, why error) types.Candidate {
	c.Verdict, c.Reason = types.CANDIDATE_VERDICT_OPERATOR, why.Error() // jail, stake, bond, own listing
	for _, v := range verdicts {
		if errors.Is(why, v.err) {
			c.Verdict = v.verdict
			break
		}
	}
	return c
}

// noMatch tells what became of the offers that were read.
func (m match) noMatch(s search, left uint32) error {
	counts := make(map[types.CandidateVerdict]int)
	for _, c := range m.candidates {
		counts[c.Verdict]++
	}
	var parts []string
	for v := types.CANDIDATE_VERDICT_CHOSEN; v <= types.CANDIDATE_VERDICT_NOT_INTERRUPTIBLE; v++ {
		if n := counts[v]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.Words()))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "no offer at all")
	}
	if len(m.rentals) == s.gang && left > 0 {
		parts = append(parts, fmt.Sprintf("of which a request takes at most %d", s.gang))
	}
	if m.bounded {
		parts = append(parts, fmt.Sprintf("and more that were not read: at most %d are", s.scan))
	}
	return types.ErrNoMatch.Wrapf("%d of %d GPUs found; offers read: %s",
		s.req.GpuCount-left, s.req.GpuCount, strings.Join(parts, ", "))
}
