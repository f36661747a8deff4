package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"

	"github.com/grafilab/grafi/testutil/localnet"
	rewards "github.com/grafilab/grafi/x/rewards/types"
)

// What is staked, in ugrafi. Those who stake at operators hold a good 41 % of
// all votes, so that they carry a proposal without the validator.
const (
	validatorStake = "5000000000ugrafi"
	ownStake       = "1000000000ugrafi"
	publicStake    = "2500000000ugrafi"
)

func (d *demo) delegate(ctx context.Context) (string, error) {
	if _, err := d.tx(ctx, "staker", "stakingext", "delegate", d.net.Accounts["operator"], publicStake); err != nil {
		return "", err
	}
	return "2,500 GRAFI: it backs the operator's GPUs, earns with them, and votes", nil
}

// claimMining waits until a day is closed in which the host was up, and claims it.
func (d *demo) claimMining(ctx context.Context) (string, error) {
	if err := localnet.Until(ctx, "a day with a reward", func() (bool, error) {
		var err error
		d.day, err = d.rewardedDay(ctx)
		return d.day != "", err
	}); err != nil {
		return "", err
	}
	tx, err := d.tx(ctx, "operator", "rewards", "claim-mining", d.day, d.host.ID)
	if err != nil {
		return "", err
	}
	reward := tx.Attribute("grafi.rewards.v1.EventMiningClaimed", "reward")
	var kept struct {
		Tranches []struct{ Amount string } `json:"tranches"`
	}
	if err := d.net.Query(ctx, &kept, "rewards", "tranches", d.net.Accounts["operator"]); err != nil {
		return "", err
	}
	if len(kept.Tranches) == 0 {
		return "", fmt.Errorf("day %s paid %s and nothing of it is released over time", d.day, reward)
	}
	return fmt.Sprintf("day %s: %s, of which %s is released over 30 days and can be slashed until then",
		d.day, grafi(reward), grafi(kept.Tranches[len(kept.Tranches)-1].Amount)), nil
}

// rewardedDay is the newest closed day for which the host's first GPU has a
// reward; empty when there is none yet.
func (d *demo) rewardedDay(ctx context.Context) (string, error) {
	q := rewards.NewQueryClient(d.net.Client())
	mining, err := q.Mining(ctx, &rewards.QueryMiningRequest{})
	if err != nil {
		return "", err
	}
	host, err := strconv.ParseUint(d.host.ID, 10, 64)
	if err != nil {
		return "", err
	}
	for next := mining.Mining.NextClose; next > mining.Mining.FirstDay; next-- {
		day := next - 1
		got, err := q.HostDay(ctx, &rewards.QueryHostDayRequest{Day: day, HostId: host})
		if err != nil {
			return "", err
		}
		if len(got.Gpus) > 0 && got.Gpus[0].Reward.IsPositive() {
			return strconv.FormatUint(day, 10), nil
		}
	}
	return "", nil
}

// explain saves the chain's answer and recomputes the reward from the file alone.
func (d *demo) explain(ctx context.Context) (string, error) {
	file := filepath.Join(d.dir, "reward.json")
	var answer json.RawMessage
	if err := d.net.Query(ctx, &answer, "rewards", "explain-gpu", d.day, d.host.ID, "0"); err != nil {
		return "", err
	}
	d.screen.command("grafid", "query", "rewards", "explain-gpu", d.day, d.host.ID, "0", "--output", "json", ">", file)
	if err := os.WriteFile(file, answer, 0o600); err != nil {
		return "", err
	}
	d.screen.command("grafid", "query", "rewards", "explain", file)
	out, err := localnet.Run(ctx, d.net.Program("grafid"), "query", "rewards", "explain", file)
	if err != nil {
		return "", err
	}
	d.screen.block(string(out))
	return "no node was asked for that", nil
}

func (d *demo) claimStaking(ctx context.Context) (string, error) {
	tx, err := d.tx(ctx, "staker", "rewards", "claim-staking-rewards", d.net.Accounts["operator"])
	if err != nil {
		return "", err
	}
	var value struct {
		Delegation struct {
			Tokens string `json:"tokens"`
		} `json:"delegation"`
	}
	if err := d.net.Query(ctx, &value, "stakingext", "delegation", d.net.Accounts["staker"], d.net.Accounts["operator"]); err != nil {
		return "", err
	}
	var earned []struct{ Amount string }
	raw := tx.Attribute("grafi.rewards.v1.EventStakingRewardsClaimed", "amount")
	if err := json.Unmarshal([]byte(raw), &earned); err != nil || len(earned) != 1 {
		return "", fmt.Errorf("staking rewards: got %q, want one coin: %w", raw, err)
	}
	return fmt.Sprintf("%s earned by rent and mining; the stake is still worth %s", grafi(earned[0].Amount), grafi(value.Delegation.Tokens)), nil
}

// grafi writes an amount of ugrafi, with or without its denom, as people read it.
func grafi(amount string) string {
	digits := amount
	for i, c := range amount {
		if c < '0' || c > '9' {
			digits = amount[:i]
			break
		}
	}
	n, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return amount
	}
	return new(big.Rat).SetFrac(n, big.NewInt(1_000_000)).FloatString(6) + " GRAFI"
}
