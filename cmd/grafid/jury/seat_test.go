package jury

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/client"

	daotypes "github.com/grafilab/grafi/x/dao/types"
)

func newSeat(t *testing.T) seat {
	t.Helper()
	return seat{
		ctx: client.Context{}.WithFromAddress(bytes.Repeat([]byte{7}, 20)), chainID: "grafi-1", dispute: 7, round: 1,
		file: filepath.Join(t.TempDir(), "jury", "seat.json"),
	}
}

func TestTheBallotOnChainIsTheOneShown(t *testing.T) {
	s := newSeat(t)
	_, err := s.find()
	require.ErrorContains(t, err, "nothing was committed to")

	first := ballot{Vote: "upheld", Salt: bytes.Repeat([]byte{1}, daotypes.SaltSize)}
	second := ballot{Vote: "dismissed", Salt: bytes.Repeat([]byte{2}, daotypes.SaltSize)}
	require.NoError(t, s.keep(first))
	require.NoError(t, s.keep(second))
	info, err := os.Stat(s.file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	// The second transaction never arrived.
	hash := s.commitment(daotypes.VERDICT_UPHELD, first.Salt)
	s.onChain = hash[:]
	got, err := s.find()
	require.NoError(t, err)
	require.Equal(t, first, got)

	hash = s.commitment(daotypes.VERDICT_DISMISSED, second.Salt)
	s.onChain = hash[:]
	got, err = s.find()
	require.NoError(t, err)
	require.Equal(t, second, got)

	s.round = 2 // a vote of one panel opens nothing in another
	_, err = s.find()
	require.ErrorContains(t, err, "none of the 2 ballots")
}

func TestCommands(t *testing.T) {
	cmd := Command()
	require.Len(t, cmd.Commands(), 2)
	for _, c := range append(cmd.Commands(), cmd) {
		require.NotEmpty(t, c.Example, c.Name())
	}
}
