package keeper

import (
	"context"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/dao/types"
)

// initDisputes stores the disputes, jurors and seats of a genesis that was
// validated.
func (k *Keeper) initDisputes(ctx context.Context, gs types.GenesisState) error {
	for _, d := range gs.Disputes {
		if err := k.disputes.Set(ctx, d.Id, d); err != nil {
			return err
		}
	}
	for _, j := range gs.Jurors {
		account, err := k.parse("juror", j.Address)
		if err != nil {
			return err
		}
		if err := k.jurors.Set(ctx, account, j); err != nil {
			return err
		}
	}
	for _, s := range gs.Seats {
		account, err := k.parse("juror", s.Juror)
		if err != nil {
			return err
		}
		if err := k.seats.Set(ctx, collections.Join(s.DisputeId, account), s); err != nil {
			return err
		}
	}
	return nil
}

// exportDisputes adds the disputes, jurors and seats to an exported state.
func (k *Keeper) exportDisputes(ctx context.Context, gs *types.GenesisState) (err error) {
	if gs.Disputes, err = all(ctx, k.disputes.Walk); err != nil {
		return err
	}
	if gs.Jurors, err = all(ctx, k.jurors.Walk); err != nil {
		return err
	}
	gs.Seats, err = all(ctx, k.seats.Walk)
	return err
}
