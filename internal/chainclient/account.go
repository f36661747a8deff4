package chainclient

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	"github.com/cosmos/cosmos-sdk/types/bech32"

	"github.com/grafilab/grafi/internal/chaininfo"
)

// Address returns the bech32 account address of a key.
func Address(key cryptotypes.PubKey) (string, error) {
	return bech32.ConvertAndEncode(chaininfo.Bech32Prefix, key.Address())
}

// sender is one account's sequence. Its lock is held from signing until the
// transaction is in a block, so that one account's transactions keep their order.
type sender struct {
	mu       sync.Mutex
	known    bool
	number   uint64
	sequence uint64
}

func (c *Client) sender(address string) *sender {
	c.sendersMu.Lock()
	defer c.sendersMu.Unlock()
	s := c.senders[address]
	if s == nil {
		s = &sender{}
		c.senders[address] = s
	}
	return s
}

// load reads the account's number and sequence from the chain.
func (s *sender) load(ctx context.Context, c *Client, address string) error {
	number, sequence, err := c.account(ctx, address)
	if IsNotFound(err) {
		return fmt.Errorf("account %s is not on chain yet: send it some coins or a fee grant first: %w", address, err)
	}
	if err != nil {
		return fmt.Errorf("account %s: %w", address, err)
	}
	s.number, s.sequence, s.known = number, sequence, true
	return nil
}

// expectedSequence is in the log of the SDK's code 32
// ("account sequence mismatch, expected 7, got 5", x/auth/ante/sigverify.go). It
// counts what waits in the node's mempool, which the account query does not.
var expectedSequence = regexp.MustCompile(`expected (\d+), got (\d+)`)

// correct learns the sequence from a mismatch, or forgets what it knew.
func (s *sender) correct(r *RejectedError) {
	s.known = false
	m := expectedSequence.FindStringSubmatch(r.Log)
	if r.Code != codeWrongSequence || m == nil {
		return
	}
	if want, err := strconv.ParseUint(m[1], 10, 64); err == nil {
		s.sequence, s.known = want, true
	}
}
