package types

import errorsmod "cosmossdk.io/errors"

// Errors of the module. Each use names the wrong value and what is allowed.
var (
	ErrOperatorNotFound    = errorsmod.Register(ModuleName, 2, "operator is not registered")
	ErrOperatorExists      = errorsmod.Register(ModuleName, 3, "operator is already registered")
	ErrInvalidOperator     = errorsmod.Register(ModuleName, 4, "invalid operator description")
	ErrInvalidAmount       = errorsmod.Register(ModuleName, 5, "invalid amount")
	ErrInsufficientStake   = errorsmod.Register(ModuleName, 6, "not enough free stake")
	ErrTooManyUnbondings   = errorsmod.Register(ModuleName, 7, "too many unbonding entries")
	ErrBelowRequirement    = errorsmod.Register(ModuleName, 8, "own stake is under the requirement")
	ErrJailed              = errorsmod.Register(ModuleName, 9, "operator is jailed")
	ErrNotJailed           = errorsmod.Register(ModuleName, 10, "operator is not jailed")
	ErrTombstoned          = errorsmod.Register(ModuleName, 11, "operator is tombstoned")
	ErrGPUNotFound         = errorsmod.Register(ModuleName, 12, "GPU has no requirement")
	ErrInvalidSlash        = errorsmod.Register(ModuleName, 13, "invalid slash request")
	ErrInvalidParams       = errorsmod.Register(ModuleName, 14, "invalid params")
	ErrInvalidGenesis      = errorsmod.Register(ModuleName, 15, "invalid genesis")
	ErrUnbondingIncomplete = errorsmod.Register(ModuleName, 16, "unbonding entry can't complete")
)
