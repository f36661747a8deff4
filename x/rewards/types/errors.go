package types

import "cosmossdk.io/errors"

// Errors of the module. Codes are never renumbered.
var (
	ErrInvalidParams      = errors.Register(ModuleName, 2, "invalid params")
	ErrInvalidGenesis     = errors.Register(ModuleName, 3, "invalid genesis")
	ErrUnauthorized       = errors.Register(ModuleName, 4, "not the authority")
	ErrDayNotFound        = errors.Register(ModuleName, 5, "day without mining")
	ErrDayOpen            = errors.Register(ModuleName, 6, "day not closed yet")
	ErrDayExpired         = errors.Register(ModuleName, 7, "day no longer claimable")
	ErrNotOwner           = errors.Register(ModuleName, 8, "not the host's operator")
	ErrInvalidOrdinals    = errors.Register(ModuleName, 9, "invalid GPU ordinals")
	ErrAlreadyClaimed     = errors.Register(ModuleName, 10, "reward already claimed")
	ErrNothingEarned      = errors.Register(ModuleName, 11, "nothing was earned")
	ErrCapReached         = errors.Register(ModuleName, 12, "operator cap reached")
	ErrOverflow           = errors.Register(ModuleName, 13, "weight out of range")
	ErrNothingToClaim     = errors.Register(ModuleName, 14, "nothing to claim")
	ErrInvalidClaim       = errors.Register(ModuleName, 15, "invalid claim")
	ErrNothingToWithdraw  = errors.Register(ModuleName, 16, "nothing to withdraw")
	ErrInvalidExplanation = errors.Register(ModuleName, 17, "invalid explanation")
	ErrExplanationDiffers = errors.Register(ModuleName, 18, "explanation differs")
)
