package keeper

import codectypes "github.com/cosmos/cosmos-sdk/codec/types"

// messageRegistry answers questions about messages by their type URL.
type messageRegistry struct {
	registry codectypes.InterfaceRegistry
}
