package chainclient

import (
	"context"
	"fmt"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/protobuf/encoding/protowire"
)

// The two queries of SDK modules that every program needs are encoded here by
// hand: importing x/auth/types or x/bank/types would link the whole node, twice
// the memory of an agent. A test compares them with those types.

const (
	methodAccountInfo = "/cosmos.auth.v1beta1.Query/AccountInfo"
	methodBalance     = "/cosmos.bank.v1beta1.Query/Balance"
)

// account returns the number and sequence of an account.
func (c *Client) account(ctx context.Context, address string) (number, sequence uint64, err error) {
	// QueryAccountInfoRequest{address = 1}
	req := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), address)
	value, err := c.abciQuery(ctx, StageQuery, methodAccountInfo, req)
	if err != nil {
		return 0, 0, err
	}
	// QueryAccountInfoResponse{info = 1}, BaseAccount{account_number = 3, sequence = 4}
	info, _, err := field(value, 1)
	if err != nil {
		return 0, 0, fmt.Errorf("account info: %w", err)
	}
	if info == nil {
		return 0, 0, fmt.Errorf("account info: empty answer of %d bytes", len(value))
	}
	if _, number, err = field(info, 3); err != nil {
		return 0, 0, fmt.Errorf("account number: %w", err)
	}
	if _, sequence, err = field(info, 4); err != nil {
		return 0, 0, fmt.Errorf("account sequence: %w", err)
	}
	return number, sequence, nil
}

// Balance returns what an account has of a denom; zero when it is not on chain.
func (c *Client) Balance(ctx context.Context, address, denom string) (sdk.Coin, error) {
	// QueryBalanceRequest{address = 1, denom = 2}
	req := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), address)
	req = protowire.AppendString(protowire.AppendTag(req, 2, protowire.BytesType), denom)
	value, err := c.abciQuery(ctx, StageQuery, methodBalance, req)
	if err != nil {
		return sdk.Coin{}, fmt.Errorf("balance of %s: %w", address, err)
	}
	// QueryBalanceResponse{balance = 1}
	raw, _, err := field(value, 1)
	if err != nil {
		return sdk.Coin{}, fmt.Errorf("balance of %s: %w", address, err)
	}
	coin := sdk.NewInt64Coin(denom, 0)
	if raw == nil {
		return coin, nil
	}
	if err := proto.Unmarshal(raw, &coin); err != nil {
		return sdk.Coin{}, fmt.Errorf("balance of %s: %w", address, err)
	}
	return coin, nil
}

// field returns field n of an encoded message: its bytes, or its varint. An
// absent one is nil and 0.
func field(msg []byte, n protowire.Number) (bytes []byte, varint uint64, err error) {
	for len(msg) > 0 {
		num, kind, size := protowire.ConsumeTag(msg)
		if size < 0 {
			return nil, 0, protowire.ParseError(size)
		}
		msg = msg[size:]
		switch {
		case num == n && kind == protowire.BytesType:
			bytes, size = protowire.ConsumeBytes(msg)
		case num == n && kind == protowire.VarintType:
			varint, size = protowire.ConsumeVarint(msg)
		default:
			size = protowire.ConsumeFieldValue(num, kind, msg)
		}
		if size < 0 {
			return nil, 0, protowire.ParseError(size)
		}
		msg = msg[size:]
	}
	return bytes, varint, nil
}
