package keeper

import "context"

// ComputeProven tells whether the GPU passed a challenge within proof_max_age.
func (k *Keeper) ComputeProven(context.Context, uint64, uint32) (bool, error) { return false, nil }

// DeviceAttested tells whether the GPU has a live device registration.
func (k *Keeper) DeviceAttested(context.Context, uint64, uint32) (bool, error) { return false, nil }

// PerformanceOf returns the results of the GPU's challenges on the latest day before
// this one that has any.
func (k *Keeper) PerformanceOf(context.Context, uint64, uint32, uint64) (passed, missed, wrong uint32, known bool, err error) {
	return 0, 0, 0, false, nil
}
