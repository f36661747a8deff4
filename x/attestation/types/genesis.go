package types

// DefaultGenesis returns an empty network with the default classes.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams(), Classes: DefaultClasses(), NextHostId: 1}
}
