package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	govtypes "github.com/cosmos/cosmos-sdk/x/gov/types"

	"github.com/grafilab/grafi/internal/chaininfo"
	"github.com/grafilab/grafi/testutil/localnet"
)

// newNotice is what the proposal asks for: interruptible renters get more time.
const newNotice = "90s"

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
	return fmt.Sprintf("proposal %s: interruptible rentals get %s of notice, not 60s; open for %s", d.proposalID, newNotice, voting), nil
}

// proposal writes the proposal's file.
func (d *demo) proposal(ctx context.Context) (path string, err error) {
	var market struct {
		Params map[string]any `json:"params"`
	}
	if err := d.net.Query(ctx, &market, "gpumarket", "params"); err != nil {
		return "", err
	}
	market.Params["preempt_notice"] = newNotice
	var gov struct {
		Params struct {
			MinDeposit []struct{ Amount, Denom string } `json:"min_deposit"`
		} `json:"params"`
	}
	if err := d.net.Query(ctx, &gov, "gov", "params"); err != nil {
		return "", err
	}
	if len(gov.Params.MinDeposit) != 1 {
		return "", fmt.Errorf("x/gov asks for %d deposits, want 1", len(gov.Params.MinDeposit))
	}
	authority, err := sdk.Bech32ifyAddressBytes(chaininfo.Bech32Prefix, authtypes.NewModuleAddress(govtypes.ModuleName))
	if err != nil {
		return "", err
	}
	raw, err := json.MarshalIndent(map[string]any{
		"messages": []any{map[string]any{
			"@type": "/grafi.gpumarket.v1.MsgUpdateParams", "authority": authority, "params": market.Params,
		}},
		"deposit": gov.Params.MinDeposit[0].Amount + gov.Params.MinDeposit[0].Denom,
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
	var got struct {
		Proposal struct {
			Status           string `json:"status"`
			FailedReason     string `json:"failed_reason"`
			FinalTallyResult struct {
				Yes string `json:"yes_count"`
			} `json:"final_tally_result"`
		} `json:"proposal"`
	}
	if err := localnet.Until(ctx, "the end of the vote", func() (bool, error) {
		err := d.net.Query(ctx, &got, "gov", "proposal", d.proposalID)
		return got.Proposal.Status != "PROPOSAL_STATUS_VOTING_PERIOD", err
	}); err != nil {
		return "", err
	}
	p := got.Proposal
	if p.Status != "PROPOSAL_STATUS_PASSED" {
		return "", fmt.Errorf("proposal %s ended as %s %s", d.proposalID, p.Status, p.FailedReason)
	}
	var market struct {
		Params struct {
			PreemptNotice string `json:"preempt_notice"`
		} `json:"params"`
	}
	d.screen.command("grafid", "query", "gpumarket", "params")
	if err := d.net.Query(ctx, &market, "gpumarket", "params"); err != nil {
		return "", err
	}
	if market.Params.PreemptNotice != newNotice {
		return "", fmt.Errorf("proposal %s passed and preempt_notice is %s, want %s", d.proposalID, market.Params.PreemptNotice, newNotice)
	}
	return fmt.Sprintf("passed with %s, without the validator's vote; preempt_notice is %s now", grafi(p.FinalTallyResult.Yes), newNotice), nil
}
