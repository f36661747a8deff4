package keeper

import (
	"bytes"
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"github.com/grafilab/grafi/x/attestation/types"
)

// msgServer parses, calls one keeper method and tells.
type msgServer struct{ k *Keeper }

var _ types.MsgServer = msgServer{}

// NewMsgServer returns the module's message handlers.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k: k} }

func (s msgServer) account(field, value string) (sdk.AccAddress, error) {
	addr, err := s.k.addressCodec.StringToBytes(value)
	if err != nil {
		return nil, sdkerrors.ErrInvalidAddress.Wrapf("%s %q: %s", field, value, err)
	}
	return addr, nil
}

func (s msgServer) checkAuthority(value string) error {
	addr, err := s.account("authority", value)
	if err != nil {
		return err
	}
	if !bytes.Equal(addr, s.k.authority) {
		want, err := s.k.addressCodec.BytesToString(s.k.authority)
		if err != nil {
			return err
		}
		return types.ErrUnauthorized.Wrapf("got %s, want %s", value, want)
	}
	return nil
}

// RegisterHost implements types.MsgServer.
func (s msgServer) RegisterHost(ctx context.Context, msg *types.MsgRegisterHost) (*types.MsgRegisterHostResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	host, err := s.k.RegisterHost(ctx, operator, Registration{
		Region: msg.Region, Endpoint: msg.Endpoint, ProbeEndpoint: msg.ProbeEndpoint, Capacity: msg.Capacity, GPUs: msg.Gpus,
		Binding: Binding{AgentKey: msg.AgentKey, EncryptionKey: msg.EncryptionKey, Signature: msg.AgentSignature},
	})
	if err != nil {
		return nil, err
	}
	return &types.MsgRegisterHostResponse{HostId: host.Id},
		emit(ctx, &types.EventHostRegistered{HostId: host.Id, Operator: host.Operator, Gpus: host.GpuCount})
}

// UpdateHost implements types.MsgServer.
func (s msgServer) UpdateHost(ctx context.Context, msg *types.MsgUpdateHost) (*types.MsgUpdateHostResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.UpdateHost(ctx, operator, msg.HostId, Reach{
		Region: msg.Region, Endpoint: msg.Endpoint, ProbeEndpoint: msg.ProbeEndpoint, EncryptionKey: msg.EncryptionKey,
	}); err != nil {
		return nil, err
	}
	return &types.MsgUpdateHostResponse{}, emit(ctx, &types.EventHostUpdated{HostId: msg.HostId})
}

// UpdateInventory implements types.MsgServer.
func (s msgServer) UpdateInventory(ctx context.Context, msg *types.MsgUpdateInventory) (*types.MsgUpdateInventoryResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	generation, err := s.k.UpdateInventory(ctx, operator, msg.HostId, msg.Gpus)
	if err != nil {
		return nil, err
	}
	return &types.MsgUpdateInventoryResponse{Generation: generation},
		emit(ctx, &types.EventInventoryChanged{HostId: msg.HostId, Generation: generation})
}

// RotateAgentKey implements types.MsgServer.
func (s msgServer) RotateAgentKey(ctx context.Context, msg *types.MsgRotateAgentKey) (*types.MsgRotateAgentKeyResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.RotateAgentKey(ctx, operator, msg.HostId, Binding{
		AgentKey: msg.AgentKey, EncryptionKey: msg.EncryptionKey, Signature: msg.AgentSignature,
	}); err != nil {
		return nil, err
	}
	return &types.MsgRotateAgentKeyResponse{},
		emit(ctx, &types.EventAgentKeyRotated{HostId: msg.HostId, AgentKey: msg.AgentKey})
}

// RevokeAgentKey implements types.MsgServer.
func (s msgServer) RevokeAgentKey(ctx context.Context, msg *types.MsgRevokeAgentKey) (*types.MsgRevokeAgentKeyResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	revoked, err := s.k.RevokeAgentKey(ctx, operator, msg.HostId)
	if err != nil {
		return nil, err
	}
	for _, key := range revoked {
		if err := emit(ctx, &types.EventAgentKeyRevoked{HostId: msg.HostId, AgentKey: key}); err != nil {
			return nil, err
		}
	}
	return &types.MsgRevokeAgentKeyResponse{}, nil
}

// RetireHost implements types.MsgServer.
func (s msgServer) RetireHost(ctx context.Context, msg *types.MsgRetireHost) (*types.MsgRetireHostResponse, error) {
	operator, err := s.account("operator", msg.Operator)
	if err != nil {
		return nil, err
	}
	if err := s.k.RetireHost(ctx, operator, msg.HostId); err != nil {
		return nil, err
	}
	return &types.MsgRetireHostResponse{}, emit(ctx, &types.EventHostRetired{HostId: msg.HostId})
}

// SubmitAttestations implements types.MsgServer. Anyone may submit: the agents'
// signatures are all that counts.
func (s msgServer) SubmitAttestations(ctx context.Context, msg *types.MsgSubmitAttestations) (*types.MsgSubmitAttestationsResponse, error) {
	if _, err := s.account("submitter", msg.Submitter); err != nil {
		return nil, err
	}
	result, err := s.k.SubmitAttestations(ctx, msg.Groups)
	if err != nil {
		return nil, err
	}
	for i := range result.Groups {
		if err := emit(ctx, &result.Groups[i]); err != nil {
			return nil, err
		}
	}
	for i := range result.NotRunning {
		if err := emit(ctx, &result.NotRunning[i]); err != nil {
			return nil, err
		}
	}
	return &types.MsgSubmitAttestationsResponse{Accepted: result.Accepted, Rejections: result.Rejections}, nil
}

// SubmitEquivocation implements types.MsgServer.
func (s msgServer) SubmitEquivocation(ctx context.Context, msg *types.MsgSubmitEquivocation) (*types.MsgSubmitEquivocationResponse, error) {
	submitter, err := s.account("submitter", msg.Submitter)
	if err != nil {
		return nil, err
	}
	if err := s.k.SubmitEquivocation(ctx, submitter, &msg.First, &msg.Second); err != nil {
		return nil, err
	}
	return &types.MsgSubmitEquivocationResponse{}, emit(ctx, &types.EventEquivocationProven{
		HostId: msg.First.Doc.HostId, Slot: msg.First.Doc.Slot, Reporter: msg.Submitter,
	})
}

// SetHardwareClass implements types.MsgServer.
func (s msgServer) SetHardwareClass(ctx context.Context, msg *types.MsgSetHardwareClass) (*types.MsgSetHardwareClassResponse, error) {
	if err := s.checkAuthority(msg.Authority); err != nil {
		return nil, err
	}
	appliesAt, err := s.k.SetHardwareClass(ctx, msg.Class)
	if err != nil {
		return nil, err
	}
	return &types.MsgSetHardwareClassResponse{AppliesAt: appliesAt},
		emit(ctx, &types.EventClassChangeScheduled{Class: msg.Class.Key, AppliesAt: appliesAt})
}

// UpdateParams implements types.MsgServer.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := s.checkAuthority(msg.Authority); err != nil {
		return nil, err
	}
	if err := s.k.UpdateParams(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority})
}
