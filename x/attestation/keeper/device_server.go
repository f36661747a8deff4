package keeper

import (
	"context"

	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/attestation/types"
)

// RegisterDevice implements types.MsgServer.
func (s msgServer) RegisterDevice(context.Context, *types.MsgRegisterDevice) (*types.MsgRegisterDeviceResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// SubmitDoubleDevice implements types.MsgServer.
func (s msgServer) SubmitDoubleDevice(context.Context, *types.MsgSubmitDoubleDevice) (*types.MsgSubmitDoubleDeviceResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// SetRevocation implements types.MsgServer.
func (s msgServer) SetRevocation(context.Context, *types.MsgSetRevocation) (*types.MsgSetRevocationResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Device implements types.QueryServer.
func (s queryServer) Device(context.Context, *types.QueryDeviceRequest) (*types.QueryDeviceResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Devices implements types.QueryServer.
func (s queryServer) Devices(context.Context, *types.QueryDevicesRequest) (*types.QueryDevicesResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// DeviceNonce implements types.QueryServer.
func (s queryServer) DeviceNonce(context.Context, *types.QueryDeviceNonceRequest) (*types.QueryDeviceNonceResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Certificates implements types.QueryServer.
func (s queryServer) Certificates(context.Context, *types.QueryCertificatesRequest) (*types.QueryCertificatesResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}

// Revocations implements types.QueryServer.
func (s queryServer) Revocations(context.Context, *types.QueryRevocationsRequest) (*types.QueryRevocationsResponse, error) {
	return nil, sdkerrors.ErrNotSupported
}
