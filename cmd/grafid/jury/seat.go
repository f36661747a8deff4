package jury

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cosmos/cosmos-sdk/client"

	daotypes "github.com/grafilab/grafi/x/dao/types"
)

// seat is a juror's place in the panel of a dispute.
type seat struct {
	ctx     client.Context
	chainID string
	dispute uint64
	round   uint32
	// onChain is the commitment there; empty before the first.
	onChain []byte
	file    string
}

// ballot is a vote with its salt. All of a round are kept: a transaction that
// seems lost may still arrive.
type ballot struct {
	Vote string `json:"vote"`
	Salt []byte `json:"salt"`
}

// openSeat finds the seat of --from in the newest panel of the dispute.
func openSeat(cmd *cobra.Command, dispute string) (seat, error) {
	c, err := client.GetClientTxContext(cmd)
	if err != nil {
		return seat{}, err
	}
	if c.FromName == "" {
		return seat{}, errNoFrom
	}
	id, err := strconv.ParseUint(dispute, 10, 64)
	if err != nil {
		return seat{}, fmt.Errorf("dispute id: got %q, want a number", dispute)
	}
	resp, err := askDispute(cmd.Context(), c, id)
	if err != nil {
		return seat{}, err
	}
	node, err := c.GetNode()
	if err != nil {
		return seat{}, err
	}
	status, err := node.Status(cmd.Context())
	if err != nil {
		return seat{}, err
	}
	s := seat{ctx: c, chainID: status.NodeInfo.Network, dispute: id, round: resp.Dispute.Round}
	juror := c.FromAddress.String()
	s.file = filepath.Join(c.HomeDir, "jury", fmt.Sprintf("%s-%d-%d-%s.json", s.chainID, id, s.round, juror))
	for _, other := range resp.Seats {
		if other.Juror == juror && other.Round == s.round {
			s.onChain = other.Commitment
			return s, nil
		}
	}
	return seat{}, fmt.Errorf("%s has no seat in panel %d of dispute %d", juror, s.round, id)
}

func (s seat) commitment(vote daotypes.Verdict, salt []byte) [32]byte {
	return daotypes.Commitment(s.chainID, s.dispute, s.round, s.ctx.FromAddress, vote, salt)
}

// keep adds a ballot to the file, on disk when it returns.
func (s seat) keep(b ballot) error {
	all, err := s.read()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(append(all, b), "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(s.file), ".ballot-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // it is gone when all went well
	_, err = tmp.Write(raw)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), s.file)
}

func (s seat) read() ([]ballot, error) {
	raw, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []ballot
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	return all, nil
}

// find returns the ballot that the chain has the commitment of.
func (s seat) find() (ballot, error) {
	if len(s.onChain) == 0 {
		return ballot{}, fmt.Errorf("nothing was committed to in panel %d of dispute %d", s.round, s.dispute)
	}
	all, err := s.read()
	if err != nil {
		return ballot{}, err
	}
	for _, b := range all {
		if hash := s.commitment(verdicts[b.Vote], b.Salt); bytes.Equal(hash[:], s.onChain) {
			return b, nil
		}
	}
	return ballot{}, fmt.Errorf("none of the %d ballots in %s is the one on chain; was it made under another --home?", len(all), s.file)
}
