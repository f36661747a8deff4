package localnet

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/gogoproto/proto"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Timing shortens the market's periods, so that minutes of it pass in seconds.
// What is zero stays at the chain's default, except for Slot and StartTimeout.
type Timing struct {
	// Slot is the length of a slot in whole seconds.
	Slot time.Duration
	// Window is how long attestations of a slot are taken after its closing block;
	// zero is the length of a slot.
	Window time.Duration
	// StartTimeout is how long a host may take to start a rental.
	StartTimeout time.Duration
	// SlotsPerDay is the length of a day of mining.
	SlotsPerDay int
	// Evidence is the wait between the end of a day and its rewards.
	Evidence time.Duration
	// Voting is how long a proposal is voted on.
	Voting time.Duration
	// DrawEvery challenges every operator once in so long, with certainty; a GPU
	// then earns with proven compute only, as on the main network.
	DrawEvery time.Duration
	// Classes are known besides the sim class; nil for those of a new network.
	Classes []attestation.HardwareClass
}

// SimWindow is how long a simulated GPU's commitment is taken where DrawEvery is set.
const SimWindow = 10 * time.Second

// Genesis returns a genesis patch with the timing and the sim class, which
// only local and test networks know.
func Genesis(t Timing) (map[string]any, error) {
	sim := attestation.SimClass()
	if t.DrawEvery > 0 {
		sim.Profile.WindowMs = uint64(SimWindow.Milliseconds())
	}
	known := t.Classes
	if known == nil {
		known = attestation.DefaultClasses()
	}
	classes, err := jsonList(append(slices.Clone(known), sim))
	if err != nil {
		return nil, err
	}
	slots := map[string]any{
		"slot_seconds":  int(t.Slot.Seconds()),
		"submit_window": seconds(cmp.Or(t.Window, t.Slot)),
	}
	patch := map[string]any{
		"attestation": map[string]any{"classes": classes, "params": slots},
		"gpumarket": map[string]any{
			"params": map[string]any{
				"start_timeout":        seconds(t.StartTimeout),
				"min_duration_seconds": "30",
				"min_charge_seconds":   "10",
			},
		},
	}
	if t.SlotsPerDay > 0 {
		slots["slots_per_day"] = t.SlotsPerDay
		rules := map[string]any{
			// One simulated GPU is as much as this network needs.
			"contributor_target_weight_ppm": fmt.Sprint(attestation.SimClass().WeightPpm),
		}
		if t.DrawEvery > 0 {
			rules["min_trust_tier"], rules["unchallenged_performance_ppm"] = attestation.TierComputed, "0"
		}
		patch["rewards"] = map[string]any{"params": map[string]any{"evidence_window": seconds(t.Evidence), "rules": rules}}
	}
	if t.DrawEvery > 0 {
		slots["challenge"] = map[string]any{
			"draw_every_ms": fmt.Sprint(t.DrawEvery.Milliseconds()), "draw_ppm": fmt.Sprint(attestation.PPM),
			"open_window_ms": fmt.Sprint(SimWindow.Milliseconds()),
		}
	}
	if t.Voting > 0 {
		patch["gov"] = map[string]any{"params": map[string]any{
			"voting_period": seconds(t.Voting), "expedited_voting_period": seconds(t.Voting / 2),
		}}
	}
	return patch, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%gs", d.Seconds()) }

// jsonList encodes messages as genesis files do.
func jsonList(classes []attestation.HardwareClass) ([]any, error) {
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	list := make([]any, len(classes))
	for i := range classes {
		raw, err := cdc.MarshalJSON(proto.Message(&classes[i]))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}
