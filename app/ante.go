package app

import (
	"context"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/auth/ante"
	"github.com/cosmos/cosmos-sdk/x/auth/posthandler"
	bankkeeper "github.com/cosmos/cosmos-sdk/x/bank/keeper"
)

// virtualFees collects fees in x/bank's object store. A plain transfer makes
// every transaction of a block write the one balance of the fee collector,
// which serialises the parallel executor; here each writes its own entry, and
// bank's EndBlocker adds them up. Gas differs from plain collection, so this is
// fixed at genesis and the same under every executor.
type virtualFees struct{ bankkeeper.BaseKeeper }

// SendCoinsFromAccountToModule implements the ante handler's bank keeper.
func (k virtualFees) SendCoinsFromAccountToModule(ctx context.Context, from sdk.AccAddress, module string, amt sdk.Coins) error {
	return k.SendCoinsFromAccountToModuleVirtual(ctx, from, module, amt)
}

// afterRestart gives the mempool's state the height and the time of the last block.
// BaseApp starts it at height 0, where the signature check takes every account for one
// of genesis with number 0, and at no time, where no agent key may sign: from a restart
// to its next block a node would refuse honest transactions.
func (app *App) afterRestart(next sdk.AnteHandler) sdk.AnteHandler {
	return func(ctx sdk.Context, tx sdk.Tx, simulate bool) (sdk.Context, error) {
		if ctx.BlockHeight() > 0 { // LastBlockHeight is too dear to ask for each transaction
			return next(ctx, tx, simulate)
		}
		if last := app.LastBlockHeight(); last > 0 {
			at, err := app.AttestationKeeper.LastBlockTime(ctx)
			if err != nil {
				return ctx, err
			}
			info := ctx.HeaderInfo()
			info.Height, info.Time, info.ChainID = last, at, ctx.ChainID()
			ctx = ctx.WithBlockHeight(last).WithBlockTime(at).WithHeaderInfo(info)
		}
		return next(ctx, tx, simulate)
	}
}

// setHandlers installs what runs before and after the messages of a
// transaction.
func (app *App) setHandlers() {
	anteHandler, err := ante.NewAnteHandler(ante.HandlerOptions{
		AccountKeeper:   app.AccountKeeper,
		BankKeeper:      virtualFees{app.BankKeeper},
		FeegrantKeeper:  app.FeeGrantKeeper,
		SignModeHandler: app.enc.TxConfig.SignModeHandler(),
		SigGasConsumer:  ante.DefaultSigVerificationGasConsumer,
	})
	if err != nil {
		panic(err)
	}
	app.SetAnteHandler(app.afterRestart(anteHandler))

	postHandler, err := posthandler.NewPostHandler(posthandler.HandlerOptions{})
	if err != nil {
		panic(err)
	}
	app.SetPostHandler(postHandler)
}
