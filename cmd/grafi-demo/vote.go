package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"
	gov "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/testutil/localnet"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// newNotice is what the proposal asks for: interruptible renters get more time.
const newNotice = 90 * time.Second

// propose submits a proposal to change one param and votes with the stake at
// operators; the validator stays silent.
func (d *demo) propose(ctx context.Context) (string, error) {
	file, err := d.proposal(ctx)
	if err != nil {
		return "", err
	}
	tx, err := d.tx(ctx, "staker", "gov", "submit-proposal", file)
	if err != nil {
		return "", err
	}
	if d.proposalID = tx.Attribute("submit_proposal", "proposal_id"); d.proposalID == "" {
		return "", fmt.Errorf("transaction %s has no proposal", tx.Hash)
	}
	for _, voter := range []string{"staker", "operator"} {
		if _, err := d.tx(ctx, voter, "gov", "vote", d.proposalID, "yes"); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("proposal %s: interruptible rentals get %s of notice, not 1m0s; open for %s", d.proposalID, newNotice, voting), nil
}

// proposal writes the proposal's file.
func (d *demo) proposal(ctx context.Context) (path string, err error) {
	var current struct {
		Params map[string]any `json:"params"`
	}
	if err := d.net.Query(ctx, &current, "gpumarket", "params"); err != nil {
		return "", err
	}
	current.Params["preempt_notice"] = fmt.Sprintf("%gs", newNotice.Seconds())
	var voting struct {
		Params struct {
			MinDeposit []struct{ Amount, Denom string } `json:"min_deposit"`
		} `json:"params"`
	}
	if err := d.net.Query(ctx, &voting, "gov", "params"); err != nil {
		return "", err
	}
	if len(voting.Params.MinDeposit) != 1 {
		return "", fmt.Errorf("x/gov asks for %d deposits, want 1", len(voting.Params.MinDeposit))
	}
	authority, err := sdk.Bech32ifyAddressBytes(chaininfo.Bech32Prefix, authtypes.NewModuleAddress(govtypes.ModuleName))
	if err != nil {
		return "", err
	}
	raw, err := json.MarshalIndent(map[string]any{
		"messages": []any{map[string]any{
			"@type": "/grafi.gpumarket.v1.MsgUpdateParams", "authority": authority, "params": current.Params,
		}},
		"deposit": voting.Params.MinDeposit[0].Amount + voting.Params.MinDeposit[0].Denom,
		"title":   "More notice for interruptible rentals",
		"summary": "A minute is short to save a model's weights.",
	}, "", "  ")
	if err != nil {
		return "", err
	}
	path = filepath.Join(d.dir, "proposal.json")
	return path, os.WriteFile(path, raw, 0o600)
}

// showVote waits for the end of the vote and looks at what it changed.
func (d *demo) showVote(ctx context.Context) (string, error) {
	d.screen.command("grafid", "query", "gov", "proposal", d.proposalID)
	id, err := strconv.ParseUint(d.proposalID, 10, 64)
	if err != nil {
		return "", err
	}
	var p *gov.Proposal
	if err := localnet.Until(ctx, "the end of the vote", func() (bool, error) {
		got, err := gov.NewQueryClient(d.net.Client()).Proposal(ctx, &gov.QueryProposalRequest{ProposalId: id})
		p = got.GetProposal()
		return p.GetStatus() != gov.StatusVotingPeriod, err
	}); err != nil {
		return "", err
	}
	if p.Status != gov.StatusPassed {
		return "", fmt.Errorf("proposal %s ended as %s %s", d.proposalID, p.Status, p.FailedReason)
	}
	d.screen.command("grafid", "query", "gpumarket", "params")
	params, err := market.NewQueryClient(d.net.Client()).Params(ctx, &market.QueryParamsRequest{})
	if err != nil {
		return "", err
	}
	if got := params.Params.PreemptNotice.String(); got != newNotice.String() {
		return "", fmt.Errorf("proposal %s passed and preempt_notice is %s, want %s", d.proposalID, got, newNotice)
	}
	return fmt.Sprintf("passed with %s, without the validator's vote; preempt_notice is %s now", grafi(p.FinalTallyResult.YesCount), newNotice), nil
}
