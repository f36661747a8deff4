// Package chain reads from the chain what an executor acts upon.
package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/cosmos/gogoproto/proto"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"

	"github.com/grafilab/grafi/internal/chainclient"
	"github.com/grafilab/grafi/offchain/executor/reconcile"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// pageSize is how many rentals are asked for at a time.
const pageSize = 100

// ErrNoKey says that an account has no usable public key on chain.
var ErrNoKey = errors.New("account has no secp256k1 public key on chain")

// Reader answers over a chain client. Construct it with NewReader.
type Reader struct{ client *chainclient.Client }

var _ reconcile.Chain = (*Reader)(nil)

// NewReader returns a Reader.
func NewReader(c *chainclient.Client) *Reader { return &Reader{client: c} }

// Tip implements reconcile.Chain.
func (r *Reader) Tip(ctx context.Context) (reconcile.Tip, error) {
	st, err := r.client.Status(ctx)
	if err != nil {
		return reconcile.Tip{}, err
	}
	return reconcile.Tip{Height: st.Height, Time: st.BlockTime, CatchingUp: st.CatchingUp}, nil
}

// OpenRentals implements reconcile.Chain.
func (r *Reader) OpenRentals(ctx context.Context, hostID uint64) ([]markettypes.Rental, error) {
	q := markettypes.NewQueryClient(r.client)
	var all []markettypes.Rental
	var next []byte
	for {
		resp, err := q.OpenRentalsByHost(ctx, &markettypes.QueryOpenRentalsByHostRequest{
			HostId: hostID, Pagination: &query.PageRequest{Key: next, Limit: pageSize},
		})
		if err != nil {
			return nil, err
		}
		all = append(all, resp.Rentals...)
		if resp.Pagination == nil || len(resp.Pagination.NextKey) == 0 {
			return all, nil
		}
		next = resp.Pagination.NextKey
	}
}

// Rental implements reconcile.Chain.
func (r *Reader) Rental(ctx context.Context, rentalID uint64) (markettypes.Rental, bool, error) {
	resp, err := markettypes.NewQueryClient(r.client).Rental(ctx, &markettypes.QueryRentalRequest{RentalId: rentalID})
	if chainclient.IsNotFound(err) {
		return markettypes.Rental{}, false, nil
	}
	if err != nil {
		return markettypes.Rental{}, false, err
	}
	return resp.Rental, true, nil
}

// PubKey returns the account key that a renter's tokens are checked against.
//
// Errors: ErrNoKey when the account never sent a transaction, or has another
// kind of key (a multisig can't sign tokens).
func (r *Reader) PubKey(ctx context.Context, address string) (cryptotypes.PubKey, error) {
	resp, err := authtypes.NewQueryClient(r.client).AccountInfo(ctx, &authtypes.QueryAccountInfoRequest{Address: address})
	if err != nil {
		return nil, err
	}
	if resp.Info == nil || resp.Info.PubKey == nil {
		return nil, fmt.Errorf("%w: %s has none", ErrNoKey, address)
	}
	pub := &secp256k1.PubKey{}
	if want := "/" + proto.MessageName(pub); resp.Info.PubKey.TypeUrl != want {
		return nil, fmt.Errorf("%w: %s has a %s, want %s", ErrNoKey, address, resp.Info.PubKey.TypeUrl, want)
	}
	if err := proto.Unmarshal(resp.Info.PubKey.Value, pub); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoKey, address, err)
	}
	if len(pub.Key) != secp256k1.PubKeySize {
		return nil, fmt.Errorf("%w: %s: %d bytes, want %d", ErrNoKey, address, len(pub.Key), secp256k1.PubKeySize)
	}
	return pub, nil
}

// Host returns a host with its GPUs.
func (r *Reader) Host(ctx context.Context, hostID uint64) (attestationtypes.Host, []attestationtypes.Gpu, error) {
	resp, err := attestationtypes.NewQueryClient(r.client).Host(ctx, &attestationtypes.QueryHostRequest{HostId: hostID})
	if err != nil {
		return attestationtypes.Host{}, nil, err
	}
	return resp.Host, resp.Gpus, nil
}
