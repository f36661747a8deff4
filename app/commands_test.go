package app_test

import (
	"strings"
	"testing"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	runtimeservices "github.com/cosmos/cosmos-sdk/runtime/services"

	"github.com/grafilab/grafi/app/apptest"
	attestationtypes "github.com/grafilab/grafi/x/attestation/types"
	daotypes "github.com/grafilab/grafi/x/dao/types"
	gpumarkettypes "github.com/grafilab/grafi/x/gpumarket/types"
	rewardstypes "github.com/grafilab/grafi/x/rewards/types"
	stakingexttypes "github.com/grafilab/grafi/x/staking-ext/types"
)

// ownModules are the modules of this repository that are wired.
var ownModules = []string{
	stakingexttypes.ModuleName, attestationtypes.ModuleName, gpumarkettypes.ModuleName, rewardstypes.ModuleName, daotypes.ModuleName,
}

// TestEveryMethodIsACommand walks the methods of our services: each is a command
// with a usage, a description and an example, or is skipped on purpose.
func TestEveryMethodIsACommand(t *testing.T) {
	c := apptest.New(t, apptest.Options{})
	options := runtimeservices.ExtractAutoCLIOptions(c.ModuleManager.Modules)

	for _, name := range ownModules {
		opts := options[name]
		require.NotNil(t, opts, name)
		for kind, service := range map[string]*autocliv1.ServiceCommandDescriptor{"tx": opts.Tx, "query": opts.Query} {
			require.NotNil(t, service, "%s %s", kind, name)
			require.True(t, strings.HasPrefix(service.Service, ownPackage), service.Service)
			commands := map[string]*autocliv1.RpcCommandOptions{}
			for _, o := range service.RpcCommandOptions {
				commands[o.RpcMethod] = o
			}
			for _, method := range serviceMethods(t, service.Service) {
				o, ok := commands[method]
				require.True(t, ok, "%s %s: no command for %s", kind, name, method)
				if o.Skip {
					continue
				}
				require.NotEmpty(t, o.Use, "%s %s %s", kind, name, method)
				require.NotEmpty(t, o.Short, "%s %s %s", kind, name, method)
				require.NotEmpty(t, o.Example, "%s %s %s", kind, name, method)
			}
		}
	}
}

func serviceMethods(t *testing.T, service string) []string {
	t.Helper()
	found, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(service))
	require.NoError(t, err)
	desc, ok := found.(protoreflect.ServiceDescriptor)
	require.True(t, ok)
	methods := desc.Methods()
	out := make([]string, methods.Len())
	for i := range out {
		out[i] = string(methods.Get(i).Name())
	}
	return out
}
