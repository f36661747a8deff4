package app_test

import (
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/stretchr/testify/require"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	govkeeper "github.com/cosmos/cosmos-sdk/x/gov/keeper"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"github.com/grafilab/grafi/app"
	"github.com/grafilab/grafi/app/apptest"
	"github.com/grafilab/grafi/internal/chaininfo"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

const (
	modeDirect = signing.SignMode_SIGN_MODE_DIRECT
	modeAmino  = signing.SignMode_SIGN_MODE_LEGACY_AMINO_JSON // Keplr with a Ledger, and the Ledger itself
)

// electorate is a chain with an operator, a staker with it and a guardian.
type electorate struct {
	*apptest.Chain
	operator, staker, delegator, guardian *apptest.Account
}

func newElectorate(t *testing.T) electorate {
	t.Helper()
	c := apptest.New(t, apptest.Options{Genesis: func(a *app.App, state app.GenesisState) {
		cdc := a.AppCodec()
		bank := banktypes.GetGenesisStateFromAppState(cdc, state)
		bank.Balances = append(bank.Balances, banktypes.Balance{
			Address: authtypes.NewModuleAddress(daotypes.TreasuryAccount).String(), Coins: grafis(1_000),
		})
		bank.Balances = banktypes.SanitizeGenesisBalances(bank.Balances)
		state[banktypes.ModuleName] = cdc.MustMarshalJSON(bank)
		var dao daotypes.GenesisState
		cdc.MustUnmarshalJSON(state[daotypes.ModuleName], &dao)
		dao.Params.Guardian = apptest.NewAccount(string([]byte{0, 0, 0, 3})).Address.String()
		state[daotypes.ModuleName] = cdc.MustMarshalJSON(&dao)
	}})
	e := electorate{Chain: c, operator: c.Accounts[0], staker: c.Accounts[1], delegator: c.Accounts[2], guardian: c.Accounts[3]}
	operator, staker := e.operator.Address.String(), e.staker.Address.String()
	e.mustSend(t, modeDirect, e.operator, &stakingexttypes.MsgRegisterOperator{
		Operator: operator, Moniker: "olga", Kind: stakingexttypes.OPERATOR_KIND_CONTRIBUTOR, Bond: grafi(500_000),
	})
	e.mustSend(t, modeAmino, e.staker, &stakingexttypes.MsgDelegate{Delegator: staker, Operator: operator, Amount: grafi(900_000)})
	return e
}

func grafi(n int64) sdk.Coin {
	return sdk.NewInt64Coin(chaininfo.BaseDenom, n*chaininfo.BasePerDisplay)
}
func grafis(n int64) sdk.Coins { return sdk.NewCoins(grafi(n)) }

// mustSend takes one message through CheckTx, as a wallet's node does, and
// through a block.
func (e electorate) mustSend(t *testing.T, mode signing.SignMode, from *apptest.Account, msgs ...sdk.Msg) *abci.ExecTxResult {
	t.Helper()
	res := e.send(t, mode, from, msgs...)
	require.Zero(t, res.Code, res.Log)
	return res
}

func (e electorate) send(t *testing.T, mode signing.SignMode, from *apptest.Account, msgs ...sdk.Msg) *abci.ExecTxResult {
	t.Helper()
	tx := e.TxInMode(t, mode, from, msgs...)
	check, err := e.CheckTx(&abci.RequestCheckTx{Tx: tx})
	require.NoError(t, err)
	require.Zero(t, check.Code, check.Log)
	return e.NextBlock(t, time.Second, tx).TxResults[0]
}

// submit proposes messages and returns the proposal's id.
func (e electorate) submit(t *testing.T, mode signing.SignMode, from *apptest.Account, title string, deposit sdk.Coins, msgs ...sdk.Msg) uint64 {
	t.Helper()
	msg, err := govv1.NewMsgSubmitProposal(msgs, deposit, from.Address.String(), "ipfs://", title, "summary", false)
	require.NoError(t, err)
	res := e.mustSend(t, mode, from, msg)
	var data sdk.TxMsgData
	require.NoError(t, data.Unmarshal(res.Data))
	var out govv1.MsgSubmitProposalResponse
	require.NoError(t, out.Unmarshal(data.MsgResponses[0].Value))
	return out.ProposalId
}

func (e electorate) tallied(t *testing.T, id uint64) *govv1.TallyResult {
	t.Helper()
	resp, err := govkeeper.NewQueryServer(e.GovKeeper).TallyResult(e.Context(), &govv1.QueryTallyResultRequest{ProposalId: id})
	require.NoError(t, err)
	return resp.Tally
}

// TestGovernanceByPlainWallets: proposals, deposits and votes are messages of
// x/gov, signed by the SDK's own client code in the two modes that wallets have,
// and weigh what our electorate says.
func TestGovernanceByPlainWallets(t *testing.T) {
	e := newElectorate(t)
	params, err := e.GovKeeper.Params.Get(e.Context())
	require.NoError(t, err)
	half := sdk.NewCoins(sdk.NewCoin(params.MinDeposit[0].Denom, params.MinDeposit[0].Amount.QuoRaw(2)))
	rest := sdk.NewCoins(params.MinDeposit...).Sub(half...)
	recipient := e.delegator.Address.String()
	stream := &daotypes.MsgCreateStream{
		Authority: app.Authority().String(), Title: "maintenance", Recipient: recipient, Amount: grafi(100), Duration: 1_000 * time.Second,
	}
	id := e.submit(t, modeAmino, e.delegator, "pay for maintenance", half, stream)
	e.mustSend(t, modeDirect, e.operator, govv1.NewMsgDeposit(e.operator.Address, id, rest[:0].Add(sdk.NewCoin(rest[0].Denom, rest[0].Amount.QuoRaw(2)))))
	e.mustSend(t, modeAmino, e.operator, govv1.NewMsgDeposit(e.operator.Address, id, rest))

	// What the validator's delegators are silent about nobody votes for yet.
	e.mustSend(t, modeDirect, e.operator, govv1.NewMsgVote(e.operator.Address, id, govv1.OptionNo, ""))
	require.Equal(t, "500000000000", e.tallied(t, id).NoCount)
	e.mustSend(t, modeAmino, e.operator, govv1.NewMsgVote(e.operator.Address, id, govv1.OptionYes, "a better thought"))
	e.mustSend(t, modeAmino, e.staker, govv1.NewMsgVoteWeighted(e.staker.Address, id, govv1.WeightedVoteOptions{
		{Option: govv1.OptionYes, Weight: "0.7"}, {Option: govv1.OptionNo, Weight: "0.3"},
	}, ""))
	require.Equal(t, &govv1.TallyResult{
		YesCount: "1130000000000", NoCount: "270000000000", AbstainCount: "0", NoWithVetoCount: "0",
	}, e.tallied(t, id))
	e.mustSend(t, modeDirect, e.staker, govv1.NewMsgVoteWeighted(e.staker.Address, id, govv1.WeightedVoteOptions{
		{Option: govv1.OptionYes, Weight: "0.5"}, {Option: govv1.OptionAbstain, Weight: "0.5"},
	}, ""))

	// Unbonding stake votes no more, wherever it lay.
	e.mustSend(t, modeAmino, e.staker, &stakingexttypes.MsgUndelegate{
		Delegator: e.staker.Address.String(), Operator: e.operator.Address.String(), Amount: grafi(100_000),
	})
	require.Equal(t, &govv1.TallyResult{
		YesCount: "900000000000", NoCount: "0", AbstainCount: "400000000000", NoWithVetoCount: "0",
	}, e.tallied(t, id))
	// Who delegates to the validator besides has both.
	valoper := sdk.ValAddress(apptest.NewAccount("operator of the validator").Address).String()
	e.mustSend(t, modeDirect, e.staker, &stakingtypes.MsgDelegate{
		DelegatorAddress: e.staker.Address.String(), ValidatorAddress: valoper, Amount: grafi(200_000),
	})
	require.Equal(t, "1000000000000", e.tallied(t, id).YesCount)

	e.NextBlock(t, *params.VotingPeriod)
	e.NextBlock(t, time.Second)

	proposal, err := e.GovKeeper.Proposals.Get(e.Context(), id)
	require.NoError(t, err)
	require.Equal(t, govv1.StatusPassed, proposal.Status, proposal.FailedReason)
	s, err := e.DAOKeeper.Stream(e.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, recipient, s.Recipient)
	gs, err := e.DAOKeeper.ExportGenesis(e.Context())
	require.NoError(t, err)
	last := gs.Decisions[len(gs.Decisions)-1]
	require.Equal(t, daotypes.DECISION_KIND_PROPOSAL, last.Kind)
	require.Equal(t, daotypes.DECISION_OUTCOME_PASSED, last.Outcome)
	require.Equal(t, "pay for maintenance", last.Detail)
	before := e.BankKeeper.GetBalance(e.Context(), e.delegator.Address, chaininfo.BaseDenom).Amount
	e.NextBlock(t, 2_000*time.Second)
	e.mustSend(t, modeAmino, e.guardian, &daotypes.MsgWithdrawStream{Sender: e.guardian.Address.String(), StreamId: 1})
	after := e.BankKeeper.GetBalance(e.Context(), e.delegator.Address, chaininfo.BaseDenom).Amount
	require.Equal(t, grafi(100).Amount.String(), after.Sub(before).String())
	require.NoError(t, e.CheckInvariants(e.Context()))
}

// TestPauseInTheRealRouter: the circuit breaker is wired, also for messages
// inside MsgExec, and votes go on.
func TestPauseInTheRealRouter(t *testing.T) {
	e := newElectorate(t)
	url := sdk.MsgTypeURL(&stakingtypes.MsgDelegate{})
	delegate := &stakingtypes.MsgDelegate{
		DelegatorAddress: e.staker.Address.String(), Amount: grafi(1),
		ValidatorAddress: sdk.ValAddress(apptest.NewAccount("operator of the validator").Address).String(),
	}
	far := e.Time.Add(1_000 * time.Hour)
	grant, err := authz.NewMsgGrant(e.staker.Address, e.operator.Address, authz.NewGenericAuthorization(url), &far)
	require.NoError(t, err)
	e.mustSend(t, modeAmino, e.staker, grant)
	exec := authz.NewMsgExec(e.operator.Address, []sdk.Msg{delegate})

	e.mustSend(t, modeAmino, e.guardian, &daotypes.MsgPause{
		Sender: e.guardian.Address.String(), TypeUrls: []string{url}, Duration: time.Hour, Reason: "a bug in delegations",
	})
	until := e.Time.Add(time.Hour)

	for name, send := range map[string]func() *abci.ExecTxResult{
		"the message itself": func() *abci.ExecTxResult { return e.send(t, modeDirect, e.staker, delegate) },
		"inside MsgExec":     func() *abci.ExecTxResult { return e.send(t, modeDirect, e.operator, &exec) },
	} {
		res := send()
		require.Equal(t, daotypes.ModuleName, res.Codespace, name)
		require.Equal(t, daotypes.ErrPaused.ABCICode(), res.Code, name)
		require.Contains(t, res.Log, "a bug in delegations")
	}
	res := e.send(t, modeDirect, e.guardian, &daotypes.MsgPause{
		Sender: e.guardian.Address.String(), TypeUrls: daotypes.Exits()[:1], Duration: time.Hour, Reason: "no way out",
	})
	require.Equal(t, daotypes.ErrNotPausable.ABCICode(), res.Code)
	e.NextBlock(t, until.Sub(e.Time)-time.Second)
	require.Equal(t, daotypes.ErrPaused.ABCICode(), e.NextBlock(t, 0, e.Tx(t, e.staker, delegate)).TxResults[0].Code, "a second before")
	require.Zero(t, e.NextBlock(t, time.Second, e.Tx(t, e.operator, &exec)).TxResults[0].Code, "at the second")
	require.NoError(t, e.CheckInvariants(e.Context()))
}

// TestExitsExist: a message that only the authority may pause is one that exists.
func TestExitsExist(t *testing.T) {
	c := apptest.NewAtGenesis(t, apptest.Options{})
	messages := c.Encoding().Registry.ListImplementations(sdk.MsgInterfaceProtoName)
	for _, url := range daotypes.Exits() {
		require.Contains(t, messages, url)
	}
}
