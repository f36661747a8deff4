package localnet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/grafilab/grafi/internal/chainclient"
	attestation "github.com/grafilab/grafi/x/attestation/types"
	market "github.com/grafilab/grafi/x/gpumarket/types"
)

// Client is a connection to node 0. What is asked in a loop goes over it, without
// a process for each question.
func (n *Network) Client() *chainclient.Client { return n.client }

// Rental asks the chain for a rental.
func (n *Network) Rental(ctx context.Context, id string) (market.Rental, error) {
	number, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return market.Rental{}, fmt.Errorf("rental id: %w", err)
	}
	resp, err := market.NewQueryClient(n.client).Rental(ctx, &market.QueryRentalRequest{RentalId: number})
	if err != nil {
		return market.Rental{}, err
	}
	return resp.Rental, nil
}

// Attested tells whether the host attested the slot.
func (n *Network) Attested(ctx context.Context, hostID string, slot uint64) (bool, error) {
	number, err := strconv.ParseUint(hostID, 10, 64)
	if err != nil {
		return false, fmt.Errorf("host id: %w", err)
	}
	resp, err := attestation.NewQueryClient(n.client).HostSlot(ctx, &attestation.QueryHostSlotRequest{HostId: number, Slot: slot})
	if err != nil {
		return false, err
	}
	return resp.Attested, nil
}

// LastClosedSlot returns the newest slot with a closing block.
func (n *Network) LastClosedSlot(ctx context.Context) (uint64, error) {
	resp, err := attestation.NewQueryClient(n.client).Clock(ctx, &attestation.QueryClockRequest{})
	if err != nil {
		return 0, err
	}
	return resp.LastClosedSlot, nil
}

// rpcTimeout bounds one question.
const rpcTimeout = 10 * time.Second

// lookup asks node 0 for a transaction; found is false while it is in no block.
func (n *Network) lookup(ctx context.Context, hash string) (got TxResult, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, rpcTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.HTTP(0)+"/tx?hash=0x"+hash, nil)
	if err != nil {
		return got, false, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return got, false, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return got, false, err
	}
	var answer struct {
		Result struct {
			TxResult struct {
				Code   uint32          `json:"code"`
				Log    string          `json:"log"`
				Events json.RawMessage `json:"events"`
			} `json:"tx_result"`
		} `json:"result"`
		Error json.RawMessage `json:"error"` // "not found" until it is indexed
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return got, false, fmt.Errorf("transaction %s: %w in %s", hash, err, raw)
	}
	if len(answer.Error) > 0 {
		return got, false, nil
	}
	got = TxResult{Hash: hash, Code: answer.Result.TxResult.Code, RawLog: answer.Result.TxResult.Log}
	if len(answer.Result.TxResult.Events) > 0 {
		err = json.Unmarshal(answer.Result.TxResult.Events, &got.Events)
	}
	return got, true, err
}
