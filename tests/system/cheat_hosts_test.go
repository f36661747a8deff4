package system

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/testutil/localnet"
	stakingext "github.com/grafilab/grafi/x/staking-ext/types"
)

// agentOf makes an operator of the host's name, with the stake of every liar, and
// starts the real agent on a host of his.
func agentOf(t *testing.T, ctx context.Context, n *localnet.Network, o localnet.HostOptions) *localnet.Host {
	t.Helper()
	_, err := n.Tx(ctx, o.Name, "stakingext", "register-operator", o.Name, "contributor", fmt.Sprintf("%dugrafi", int64(bonded)))
	require.NoError(t, err)
	o.Operator, o.Engine, o.Unisolated = o.Name, "process", true
	h, err := localnet.NewHost(ctx, n, o)
	require.NoError(t, err)
	watch(t, h.Agent)
	require.NoError(t, h.Agent.Start())
	return h
}

// observed looks at a host that runs the real agent as one looks at a liar's.
func observed(t *testing.T, n *localnet.Network, h *localnet.Host, operator string, as *liar) *liar {
	t.Helper()
	id, err := strconv.ParseUint(h.ID, 10, 64)
	require.NoError(t, err)
	return &liar{hostID: id, operator: n.Accounts[operator], client: as.client, queries: as.queries}
}

// catch is when a host was first punished for a fault: what it had done until then,
// and what was left.
type catch struct {
	operator stakingext.Operator
	opened   map[uint32]int64
	missed   uint64
}

// look notes for what the host has been punished since.
func (l *liar) look(ctx context.Context) {
	operator, err := l.at(ctx)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range operator.FaultCounts {
		if _, known := l.catches[c.Fault]; !known {
			l.catches[c.Fault] = catch{operator: operator, opened: maps.Clone(l.opened), missed: l.missed}
		}
	}
}

// caughtFor returns when the host was first punished for the fault, if it was.
func (l *liar) caughtFor(fault stakingext.Fault) (catch, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.catches[fault]
	return c, ok
}
