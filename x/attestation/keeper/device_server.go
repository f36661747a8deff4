package keeper

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/attestation/types"
)

// RegisterDevice implements types.MsgServer. Anyone may submit: the signatures of the
// agent and the die are all that counts.
func (s msgServer) RegisterDevice(ctx context.Context, msg *types.MsgRegisterDevice) (*types.MsgRegisterDeviceResponse, error) {
	if _, err := s.account("submitter", msg.Submitter); err != nil {
		return nil, err
	}
	outcome, err := s.k.RegisterDevice(ctx, &msg.Report, msg.Signature)
	if err != nil {
		return nil, err
	}
	if outcome.Forged != "" {
		return &types.MsgRegisterDeviceResponse{Detail: outcome.Forged},
			emit(ctx, &types.EventDeviceForged{HostId: msg.Report.HostId, Ordinal: msg.Report.Ordinal, Detail: outcome.Forged})
	}
	d := &outcome.Device
	return &types.MsgRegisterDeviceResponse{Accepted: true, Serial: d.Serial}, emit(ctx, &types.EventDeviceRegistered{
		HostId: d.HostId, Ordinal: d.Ordinal, Serial: hexOf(d.Serial), Architecture: d.Architecture, Renewed: outcome.Renewed,
	})
}

// SubmitDoubleDevice implements types.MsgServer.
func (s msgServer) SubmitDoubleDevice(ctx context.Context, msg *types.MsgSubmitDoubleDevice) (*types.MsgSubmitDoubleDeviceResponse, error) {
	submitter, err := s.account("submitter", msg.Submitter)
	if err != nil {
		return nil, err
	}
	serial, err := s.k.SubmitDoubleDevice(ctx, submitter,
		SignedReport{Report: &msg.First, Signature: msg.FirstSignature},
		SignedReport{Report: &msg.Second, Signature: msg.SecondSignature})
	if err != nil {
		return nil, err
	}
	return &types.MsgSubmitDoubleDeviceResponse{}, emit(ctx, &types.EventDoubleDeviceProven{
		Serial: hexOf(serial), HostId: msg.First.HostId, OtherHostId: msg.Second.HostId, Reporter: msg.Submitter,
	})
}

// SetRevocation implements types.MsgServer.
func (s msgServer) SetRevocation(ctx context.Context, msg *types.MsgSetRevocation) (*types.MsgSetRevocationResponse, error) {
	if err := s.checkAuthority(msg.Authority); err != nil {
		return nil, err
	}
	if err := s.k.SetRevocation(ctx, msg.Serial, msg.Revoked, msg.Reason); err != nil {
		return nil, err
	}
	return &types.MsgSetRevocationResponse{}, emit(ctx, &types.EventRevocationSet{Serial: hexOf(msg.Serial), Revoked: msg.Revoked})
}

// SetRevocation revokes the certificates with this serial number, or lifts it. What
// they vouch for counts no more from this block on.
//
// Errors: ErrInvalidRevocation.
func (k *Keeper) SetRevocation(ctx context.Context, serial []byte, revoked bool, reason string) error {
	row := types.Revocation{Serial: serial, Reason: reason, RevokedAt: sdk.UnwrapSDKContext(ctx).BlockTime()}
	if err := row.Validate(); err != nil {
		return err
	}
	stands, err := k.device.revocations.Has(ctx, serial)
	if err != nil {
		return err
	}
	if stands == revoked {
		return types.ErrInvalidRevocation.Wrapf("of %x: it is revoked: %t, and stays so", serial, stands)
	}
	if !revoked {
		return k.device.revocations.Remove(ctx, serial)
	}
	return k.device.revocations.Set(ctx, serial, row)
}
