package localnet

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/gogoproto/proto"

	attestation "github.com/grafilab/grafi/x/attestation/types"
)

// Timing shortens the market's periods, so that minutes of it pass in seconds.
type Timing struct {
	// Slot is the length of a slot in whole seconds, and of the window after
	// its closing block.
	Slot time.Duration
	// StartTimeout is how long a host may take to start a rental.
	StartTimeout time.Duration
}

// Genesis returns a genesis patch with the timing and the sim class, which
// only local and test networks know.
func Genesis(t Timing) (map[string]any, error) {
	classes, err := jsonList(append(attestation.DefaultClasses(), attestation.SimClass()))
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"attestation": map[string]any{
			"classes": classes,
			"params": map[string]any{
				"slot_seconds":  int(t.Slot.Seconds()),
				"submit_window": seconds(t.Slot),
			},
		},
		"gpumarket": map[string]any{
			"params": map[string]any{
				"start_timeout":        seconds(t.StartTimeout),
				"min_duration_seconds": "30",
				"min_charge_seconds":   "10",
			},
		},
	}, nil
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
