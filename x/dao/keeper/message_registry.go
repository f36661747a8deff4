package keeper

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	msgv1 "cosmossdk.io/api/cosmos/msg/v1"

	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"github.com/grafilab/grafi/x/dao/types"
)

// authorityField is the name of the signer of every message that is
// governance's own, in the SDK and in this repository.
const authorityField = "authority"

// messageRegistry answers questions about messages by their type URL.
type messageRegistry struct {
	registry codectypes.InterfaceRegistry
}

// check refuses a name that is no message of this chain, which would be a typo
// found in an emergency, and a message of governance itself: a pause must not
// keep a vote from mending what is broken.
//
// Errors: ErrInvalidTypeURL, ErrNotPausable.
func (r messageRegistry) check(typeURL string) error {
	msg, err := r.registry.Resolve(typeURL)
	if err != nil {
		return types.ErrInvalidTypeURL.Wrapf("%s: no message of this chain", typeURL)
	}
	if !slices.Contains(r.registry.ListImplementations(sdk.MsgInterfaceProtoName), typeURL) {
		return types.ErrInvalidTypeURL.Wrapf("%s: a %T is not sent in transactions", typeURL, msg)
	}
	desc, err := r.registry.FindDescriptorByName(protoreflect.FullName(strings.TrimPrefix(typeURL, "/")))
	if err != nil {
		return types.ErrInvalidTypeURL.Wrapf("%s: %s", typeURL, err)
	}
	signers, _ := proto.GetExtension(desc.Options(), msgv1.E_Signer).([]string)
	if slices.Contains(signers, authorityField) {
		return types.ErrNotPausable.Wrapf("%s: a message of governance", typeURL)
	}
	return nil
}
