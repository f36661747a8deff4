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

	ErrSelfDelegation         = errorsmod.Register(ModuleName, 17, "an operator can't delegate to itself")
	ErrNoDelegation           = errorsmod.Register(ModuleName, 18, "no delegation")
	ErrTooManyDelegations     = errorsmod.Register(ModuleName, 19, "too many delegations")
	ErrEmptyPool              = errorsmod.Register(ModuleName, 20, "the pool has shares but no tokens")
	ErrInsufficientDelegation = errorsmod.Register(ModuleName, 21, "not enough delegated stake that is free")
	ErrInvalidRedelegation    = errorsmod.Register(ModuleName, 22, "invalid redelegation")
	ErrCommissionChange       = errorsmod.Register(ModuleName, 23, "commission changes too much or too soon")
	ErrAlreadySlashed         = errorsmod.Register(ModuleName, 24, "fault was punished already")
	ErrEvidenceTooOld         = errorsmod.Register(ModuleName, 25, "evidence is older than the unbonding time")
	ErrSlashNotFound          = errorsmod.Register(ModuleName, 26, "slash record not found")
)
