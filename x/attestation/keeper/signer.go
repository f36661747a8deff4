package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	"github.com/grafilab/grafi/x/attestation/types"
)

// setHost writes a host, and its signer when that changed.
func (k *Keeper) setHost(ctx context.Context, host types.Host) error {
	number, position := types.SignerPosition(host.Id)
	page, err := k.signerPage(ctx, number)
	if err != nil {
		return err
	}
	if signer := types.SignerOf(&host); page.Get(position) != signer {
		if err := k.signers.Set(ctx, number, page.With(position, signer)); err != nil {
			return err
		}
	}
	return k.hosts.Set(ctx, host.Id, host)
}

// signerPage returns a page of signers; an absent one is empty.
func (k *Keeper) signerPage(ctx context.Context, number uint64) (types.SignerPage, error) {
	page, err := k.signers.Get(ctx, number)
	if errors.Is(err, collections.ErrNotFound) {
		return nil, nil
	}
	return page, err
}
