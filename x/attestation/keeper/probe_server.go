package keeper

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grafilab/grafi/x/attestation/types"
)

// SubmitProbes implements types.MsgServer. Anyone may submit: the agents'
// signatures are all that counts.
func (s msgServer) SubmitProbes(ctx context.Context, msg *types.MsgSubmitProbes) (*types.MsgSubmitProbesResponse, error) {
	if _, err := s.account("submitter", msg.Submitter); err != nil {
		return nil, err
	}
	result, err := s.k.SubmitProbes(ctx, msg.Receipts)
	if err != nil {
		return nil, err
	}
	return &types.MsgSubmitProbesResponse{Accepted: result.Accepted, Rejections: result.Rejections},
		emit(ctx, &types.EventProbesAccepted{Accepted: result.Accepted, Rejected: uint32(len(result.Rejections))})
}

// SubmitContradiction implements types.MsgServer.
func (s msgServer) SubmitContradiction(ctx context.Context, msg *types.MsgSubmitContradiction) (*types.MsgSubmitContradictionResponse, error) {
	submitter, err := s.account("submitter", msg.Submitter)
	if err != nil {
		return nil, err
	}
	if err := s.k.SubmitContradiction(ctx, submitter, msg.HostId, &msg.First, &msg.Second); err != nil {
		return nil, err
	}
	return &types.MsgSubmitContradictionResponse{}, emit(ctx, &types.EventContradictionProven{
		HostId: msg.HostId, Slot: msg.First.Doc.Slot, Reporter: msg.Submitter,
	})
}

// Probers implements types.QueryServer.
func (s queryServer) Probers(ctx context.Context, req *types.QueryProbersRequest) (*types.QueryProbersResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if _, err := s.k.Host(ctx, req.HostId); err != nil {
		return nil, asStatus(err)
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	beacon, err := s.k.ProbeBeacon(ctx, req.Slot)
	if errors.Is(err, types.ErrNoProbeBeacon) {
		return nil, status.Error(codes.NotFound, err.Error())
	} else if err != nil {
		return nil, asStatus(err)
	}
	return &types.QueryProbersResponse{
		Probers: beacon.ProbersOf(req.HostId, params.Probe), Targets: beacon.TargetsOf(req.HostId, params.Probe), Beacon: beacon,
	}, nil
}

// Connection implements types.QueryServer.
func (s queryServer) Connection(ctx context.Context, req *types.QueryConnectionRequest) (*types.QueryConnectionResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	if _, err := s.k.Host(ctx, req.HostId); err != nil {
		return nil, asStatus(err)
	}
	record, err := s.k.connection(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	params, err := s.k.params.Get(ctx)
	if err != nil {
		return nil, asStatus(err)
	}
	c, err := s.k.connectionOn(ctx, params.Probe, &record, params.DayOf(params.SlotAt(blockTime(ctx))))
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryConnectionResponse{
		Connection: record, MedianDay: c.Day, UpMbps: c.UpMbps, DownMbps: c.DownMbps, Operators: c.Operators,
	}
	for _, operator := range record.Voices() {
		_, score, err := s.k.score(ctx, operator)
		if err != nil {
			return nil, asStatus(err)
		}
		resp.Scores = append(resp.Scores, score)
	}
	return resp, nil
}

// Proofs implements types.QueryServer.
func (s queryServer) Proofs(ctx context.Context, req *types.QueryProofsRequest) (*types.QueryProofsResponse, error) {
	if req == nil {
		return nil, errEmpty
	}
	facts, err := s.k.factsOfToday(ctx, req.HostId)
	if err != nil {
		return nil, asStatus(err)
	}
	resp := &types.QueryProofsResponse{TrustTier: facts.Tier()}
	for i := range facts.GPUs {
		g := &facts.GPUs[i]
		proofs := types.GpuProofs{
			Ordinal: g.Gpu.Ordinal, Class: g.Gpu.Class, TrustTier: g.Proofs.Tier(), ComputeProven: g.Proofs.Compute,
			Witnessed: g.Proofs.Witnessed, Bonded: g.Proofs.Bonded, DeviceAttested: g.Proofs.Devices, Compute: g.Compute,
		}
		device, live, err := s.k.deviceOf(ctx, req.HostId, g.Gpu.Ordinal)
		if err != nil {
			return nil, asStatus(err)
		}
		if live {
			proofs.DeviceSerial = hexOf(device.Serial)
		}
		resp.Gpus = append(resp.Gpus, proofs)
	}
	return resp, nil
}
