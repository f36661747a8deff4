package rent

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"

	"github.com/grafilab/grafi/offchain/executor/gateway"
	"github.com/grafilab/grafi/offchain/executor/token"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// tokenLifetime covers one call; a stream goes on when its token has expired.
const tokenLifetime = time.Minute

// getRental asks the chain.
func getRental(ctx context.Context, c client.Context, id uint64) (markettypes.QueryRentalResponse, error) {
	resp, err := markettypes.NewQueryClient(c).Rental(ctx, &markettypes.QueryRentalRequest{RentalId: id})
	if err != nil {
		return markettypes.QueryRentalResponse{}, fmt.Errorf("rental %d: %w", id, err)
	}
	return *resp, nil
}

// openGateway reads the host from the chain and returns a client of its gateway
// for the rental, as the key named by --from.
func openGateway(cmd *cobra.Command, c client.Context, hostID, rentalID uint64) (*gateway.Client, error) {
	ctx := cmd.Context()
	resp, err := attestationtypes.NewQueryClient(c).Host(ctx, &attestationtypes.QueryHostRequest{HostId: hostID})
	if err != nil {
		return nil, fmt.Errorf("host %d: %w", hostID, err)
	}
	endpoint := resp.Host.Endpoint
	if cmd.Flags().Lookup(flagGateway) != nil {
		if override, err := cmd.Flags().GetString(flagGateway); err != nil {
			return nil, err
		} else if override != "" {
			endpoint = override
		}
	}
	if endpoint == "" {
		return nil, fmt.Errorf("host %d has no gateway on chain", hostID)
	}
	keys, err := liveKeys(ctx, c, resp.Host)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("host %d has no live agent key on chain: its gateway can't be told from another", hostID)
	}
	chainID, err := chainOf(ctx, c)
	if err != nil {
		return nil, err
	}
	issue, err := issuer(c, token.Audience(chainID, hostID, rentalID))
	if err != nil {
		return nil, err
	}
	return gateway.NewClient(endpoint, rentalID, issue, keys...)
}

// liveKeys are the agent keys that may sign in the slot of the newest block. For
// the slot of a rotation there are two.
func liveKeys(ctx context.Context, c client.Context, h attestationtypes.Host) ([]ed25519.PublicKey, error) {
	clock, err := attestationtypes.NewQueryClient(c).Clock(ctx, &attestationtypes.QueryClockRequest{})
	if err != nil {
		return nil, err
	}
	var keys []ed25519.PublicKey
	for _, k := range h.AgentKeys {
		if !k.Revoked && (k.UntilSlot == 0 || k.UntilSlot >= clock.Slot) {
			keys = append(keys, k.PublicKey)
		}
	}
	return keys, nil
}

// chainOf returns the chain that the node is of.
func chainOf(ctx context.Context, c client.Context) (string, error) {
	node, err := c.GetNode()
	if err != nil {
		return "", err
	}
	st, err := node.Status(ctx)
	if err != nil {
		return "", err
	}
	if c.ChainID != "" && st.NodeInfo.Network != c.ChainID {
		return "", fmt.Errorf("--chain-id: got %q, the node is of %q", c.ChainID, st.NodeInfo.Network)
	}
	return st.NodeInfo.Network, nil
}

// issuer signs tokens with a key of the keyring. A Ledger signs the ADR-36 form.
func issuer(c client.Context, audience string) (gateway.Issue, error) {
	if c.FromName == "" || c.Keyring == nil {
		return nil, errNoFrom
	}
	record, err := c.Keyring.Key(c.FromName)
	if err != nil {
		return nil, err
	}
	method, mode := token.ES256K, signing.SignMode_SIGN_MODE_DIRECT
	if record.GetType() == keyring.TypeLedger {
		method, mode = token.ADR36, signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON
	}
	renter := c.FromAddress.String()
	sign := func(msg []byte) ([]byte, error) {
		sig, _, err := c.Keyring.Sign(c.FromName, msg, mode)
		return sig, err
	}
	return func(scope token.Scope) (string, error) {
		return token.New(token.Request{
			Renter: renter, Audience: audience, Scopes: []token.Scope{scope},
			IssuedAt: time.Now(), Lifetime: tokenLifetime,
		}, method, sign)
	}, nil
}

// rentalGateway is openGateway for an existing rental of the key.
func rentalGateway(cmd *cobra.Command, c client.Context, id uint64) (markettypes.Rental, *gateway.Client, error) {
	resp, err := getRental(cmd.Context(), c, id)
	if err != nil {
		return markettypes.Rental{}, nil, err
	}
	if c.FromName == "" {
		return resp.Rental, nil, errNoFrom
	}
	if got := c.FromAddress.String(); got != resp.Rental.Renter {
		return resp.Rental, nil, fmt.Errorf("rental %d is of %s, the key %q is %s", id, resp.Rental.Renter, c.FromName, got)
	}
	g, err := openGateway(cmd, c, resp.Rental.HostId, id)
	return resp.Rental, g, err
}

// session is a rental of the key with the gateway of its host.
type session struct {
	ctx     client.Context
	rental  markettypes.Rental
	gateway *gateway.Client
}

// openRental opens the rental that a command names.
func openRental(cmd *cobra.Command, rentalID string) (session, error) {
	c, err := client.GetClientTxContext(cmd)
	if err != nil {
		return session{}, err
	}
	id, err := parseID("rental", rentalID)
	if err != nil {
		return session{}, err
	}
	rental, g, err := rentalGateway(cmd, c, id)
	return session{ctx: c, rental: rental, gateway: g}, err
}

// pause waits between two tries.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// passing reports an error that may be gone in a moment: a node that has not seen
// the newest block, a gateway that restarts.
func passing(err error) bool {
	return errors.Is(err, gateway.ErrUnreachable) || gateway.HasCode(err, gateway.CodeUnknownRental) ||
		gateway.HasCode(err, gateway.CodeChainAway) || gateway.HasCode(err, "token_stale") ||
		gateway.HasCode(err, "no_account_key") || gateway.HasCode(err, "rate_limited")
}
