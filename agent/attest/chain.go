package attest

import (
	"context"
	"errors"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// ErrNotRegistered means that no host on chain has one of the agent's keys.
var ErrNotRegistered = errors.New("agent key is not registered on chain")

// Chain is what the agent asks of the chain. An error is either the chain's own
// refusal (chainclient.AsRejected) or says that nothing is known.
type Chain interface {
	ChainID() string
	Params(ctx context.Context) (attestation.Params, error)
	Clock(ctx context.Context) (attestation.QueryClockResponse, error)
	// HostByKey answers ErrNotRegistered when the chain says that there is none.
	HostByKey(ctx context.Context, agentKey []byte) (attestation.QueryHostResponse, error)
	Anchor(ctx context.Context, slot uint64) (attestation.Anchor, error)
	Attested(ctx context.Context, hostID, slot uint64) (bool, error)
	OpenRentals(ctx context.Context, hostID uint64) ([]market.Rental, error)
	Rental(ctx context.Context, id uint64) (market.Rental, error)
	// Challenge returns the host's challenge, with IsNotFound when it has none. The
	// answer is from the state of this height or a later one.
	Challenge(ctx context.Context, hostID uint64, atLeast int64) (attestation.QueryChallengeResponse, error)
	// Sender is the account that Submit sends from.
	Sender() string
	Submit(ctx context.Context, msg sdk.Msg) (chainclient.Result, error)
}

// Client is Chain, and what the proofs ask (chain_proofs.go), over the shared
// chain access.
type Client struct {
	*chainclient.Client
	att    attestation.QueryClient
	market market.QueryClient
	fee    cryptotypes.PrivKey
	sender string
}

// NewChain returns the chain as seen through c; fee signs and pays transactions.
func NewChain(c *chainclient.Client, fee cryptotypes.PrivKey) (*Client, error) {
	sender, err := chainclient.Address(fee.PubKey())
	if err != nil {
		return nil, err
	}
	return &Client{Client: c, att: attestation.NewQueryClient(c), market: market.NewQueryClient(c), fee: fee, sender: sender}, nil
}

// Params returns the params of x/attestation.
func (c *Client) Params(ctx context.Context) (attestation.Params, error) {
	r, err := c.att.Params(ctx, &attestation.QueryParamsRequest{})
	if err != nil {
		return attestation.Params{}, err
	}
	return r.Params, nil
}

// Clock returns block time, and the slots that it stands for.
func (c *Client) Clock(ctx context.Context) (attestation.QueryClockResponse, error) {
	r, err := c.att.Clock(ctx, &attestation.QueryClockRequest{})
	if err != nil {
		return attestation.QueryClockResponse{}, err
	}
	return *r, nil
}

// HostByKey returns the host of an agent key. Errors: ErrNotRegistered.
func (c *Client) HostByKey(ctx context.Context, agentKey []byte) (attestation.QueryHostResponse, error) {
	found, err := c.att.HostByAgentKey(ctx, &attestation.QueryHostByAgentKeyRequest{AgentKey: agentKey})
	if chainclient.IsNotFound(err) {
		return attestation.QueryHostResponse{}, ErrNotRegistered
	}
	if err != nil {
		return attestation.QueryHostResponse{}, err
	}
	r, err := c.att.Host(ctx, &attestation.QueryHostRequest{HostId: found.Host.Id})
	if err != nil {
		return attestation.QueryHostResponse{}, err
	}
	return *r, nil
}

// Anchor returns the anchor of a closed slot.
func (c *Client) Anchor(ctx context.Context, slot uint64) (attestation.Anchor, error) {
	r, err := c.att.Anchor(ctx, &attestation.QueryAnchorRequest{Slot: slot})
	if err != nil {
		return attestation.Anchor{}, err
	}
	return r.Anchor, nil
}

// Attested tells whether the chain has an attestation of the host for the slot.
func (c *Client) Attested(ctx context.Context, hostID, slot uint64) (bool, error) {
	r, err := c.att.HostSlot(ctx, &attestation.QueryHostSlotRequest{HostId: hostID, Slot: slot})
	if err != nil {
		return false, err
	}
	return r.Attested, nil
}

// maxOpenRentals bounds what the agent reads of its host: each open rental holds a GPU.
const maxOpenRentals = 4096

// OpenRentals returns the rentals of the host that are not closed.
func (c *Client) OpenRentals(ctx context.Context, hostID uint64) ([]market.Rental, error) {
	var out []market.Rental
	page := &query.PageRequest{Limit: 100}
	for len(out) < maxOpenRentals {
		r, err := c.market.OpenRentalsByHost(ctx, &market.QueryOpenRentalsByHostRequest{HostId: hostID, Pagination: page})
		if err != nil {
			return nil, err
		}
		out = append(out, r.Rentals...)
		if r.Pagination == nil || len(r.Pagination.NextKey) == 0 {
			break
		}
		page.Key = r.Pagination.NextKey
	}
	return out, nil
}

// Rental returns a rental.
func (c *Client) Rental(ctx context.Context, id uint64) (market.Rental, error) {
	r, err := c.market.Rental(ctx, &market.QueryRentalRequest{RentalId: id})
	if err != nil {
		return market.Rental{}, err
	}
	return r.Rental, nil
}

// Sender returns the address that pays the fees.
func (c *Client) Sender() string { return c.sender }

// Submit signs, sends and waits for a message; see chainclient.Client.Submit.
func (c *Client) Submit(ctx context.Context, msg sdk.Msg) (chainclient.Result, error) {
	return c.Client.Submit(ctx, c.fee, msg)
}
