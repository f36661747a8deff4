package attest

import (
	"context"
	"encoding/hex"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
)

var _ Chain = (*Client)(nil)

// Challenge implements Chain.
func (c *Client) Challenge(ctx context.Context, hostID uint64, atLeast int64) (attestation.QueryChallengeResponse, error) {
	r, err := c.att.Challenge(chainclient.AtLeast(ctx, atLeast), &attestation.QueryChallengeRequest{HostId: hostID})
	if err != nil {
		return attestation.QueryChallengeResponse{}, err
	}
	return *r, nil
}

// Proofs tells how far a host is proven, GPU by GPU.
func (c *Client) Proofs(ctx context.Context, hostID uint64) (attestation.QueryProofsResponse, error) {
	r, err := c.att.Proofs(ctx, &attestation.QueryProofsRequest{HostId: hostID})
	if err != nil {
		return attestation.QueryProofsResponse{}, err
	}
	return *r, nil
}

// HostByID returns any host, with its agent keys and its probe endpoint.
func (c *Client) HostByID(ctx context.Context, hostID uint64) (attestation.Host, error) {
	r, err := c.att.Host(ctx, &attestation.QueryHostRequest{HostId: hostID})
	if err != nil {
		return attestation.Host{}, err
	}
	return r.Host, nil
}

// Probers tells who probes the host in the slot, and whom it probes.
func (c *Client) Probers(ctx context.Context, hostID, slot uint64) (attestation.QueryProbersResponse, error) {
	r, err := c.att.Probers(ctx, &attestation.QueryProbersRequest{HostId: hostID, Slot: slot})
	if err != nil {
		return attestation.QueryProbersResponse{}, err
	}
	return *r, nil
}

// Device returns a registered die.
func (c *Client) Device(ctx context.Context, serial []byte) (attestation.Device, error) {
	r, err := c.att.Device(ctx, &attestation.QueryDeviceRequest{Serial: hex.EncodeToString(serial)})
	if err != nil {
		return attestation.Device{}, err
	}
	return r.Device, nil
}

// DeviceNonce returns what a GPU's report must be about now.
func (c *Client) DeviceNonce(ctx context.Context, hostID uint64, ordinal uint32) (attestation.QueryDeviceNonceResponse, error) {
	r, err := c.att.DeviceNonce(ctx, &attestation.QueryDeviceNonceRequest{HostId: hostID, Ordinal: ordinal})
	if err != nil {
		return attestation.QueryDeviceNonceResponse{}, err
	}
	return *r, nil
}

// SubmitAll sends several messages in one transaction.
func (c *Client) SubmitAll(ctx context.Context, msgs ...sdk.Msg) (chainclient.Result, error) {
	return c.Client.Submit(ctx, c.fee, msgs...)
}
