package keeper

import (
	"context"
	"encoding/hex"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"cosmossdk.io/collections"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"

	"github.com/grafilab/grafi/x/attestation/types"
)

// Device implements types.QueryServer.
func (s queryServer) Device(ctx context.Context, req *types.QueryDeviceRequest) (*types.QueryDeviceResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	serial, err := hex.DecodeString(req.Serial)
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "serial %q is no hex", req.Serial)
	}
	d, err := s.k.device.devices.Get(ctx, serial)
	if isNotFound(err) {
		return nil, status.Errorf(codes.NotFound, "device %x is not registered", serial)
	}
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryDeviceResponse{Device: d}, nil
}

// Devices implements types.QueryServer.
func (s queryServer) Devices(ctx context.Context, req *types.QueryDevicesRequest) (*types.QueryDevicesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	devices, page, err := query.CollectionPaginate(ctx, s.k.device.devices, req.Pagination,
		func(_ []byte, d types.Device) (types.Device, error) { return d, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryDevicesResponse{Devices: devices, Pagination: page}, nil
}

// DeviceNonce implements types.QueryServer.
func (s queryServer) DeviceNonce(ctx context.Context, req *types.QueryDeviceNonceRequest) (*types.QueryDeviceNonceResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if _, err := s.k.GPU(ctx, req.HostId, req.Ordinal); err != nil {
		return nil, asStatus(err)
	}
	host, err := s.k.Host(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	keys := host.SigningKeys(params.SlotAt(blockTime(ctx)))
	if len(keys) == 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "host %d has no live agent key", host.Id)
	}
	block, err := s.k.latestBlock(ctx)
	if err != nil {
		return nil, err
	}
	report := types.DeviceReport{HostId: host.Id, Ordinal: req.Ordinal, AgentKey: keys[0], NonceHeight: block.Height, BlockHash: block.Hash}
	nonce, err := s.k.nonceOf(ctx, &host, &report)
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryDeviceNonceResponse{Nonce: nonce[:], Height: block.Height, BlockHash: block.Hash, AgentKey: keys[0]}, nil
}

// latestBlock returns the newest block that a nonce may name.
func (k *Keeper) latestBlock(ctx context.Context) (types.RecentBlock, error) {
	var found *types.RecentBlock
	newest := new(collections.Range[uint64]).EndInclusive(uint64(sdk.UnwrapSDKContext(ctx).BlockHeight())).Descending()
	if err := k.device.recent.Walk(ctx, newest, func(_ uint64, b types.RecentBlock) (bool, error) {
		found = &b
		return true, nil
	}); err != nil {
		return types.RecentBlock{}, asStatus(err)
	}
	if found == nil {
		return types.RecentBlock{}, status.Error(codes.Unavailable, "no block is known yet")
	}
	return *found, nil
}

// Certificates implements types.QueryServer.
func (s queryServer) Certificates(ctx context.Context, req *types.QueryCertificatesRequest) (*types.QueryCertificatesResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	certificates, page, err := query.CollectionPaginate(ctx, s.k.device.certificates, req.Pagination,
		func(_ []byte, c types.Certificate) (types.Certificate, error) { return c, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryCertificatesResponse{Certificates: certificates, Pagination: page}, nil
}

// Revocations implements types.QueryServer.
func (s queryServer) Revocations(ctx context.Context, req *types.QueryRevocationsRequest) (*types.QueryRevocationsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	revocations, page, err := query.CollectionPaginate(ctx, s.k.device.revocations, req.Pagination,
		func(_ []byte, r types.Revocation) (types.Revocation, error) { return r, nil })
	if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryRevocationsResponse{Revocations: revocations, Pagination: page}, nil
}
