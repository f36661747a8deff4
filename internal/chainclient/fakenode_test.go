package chainclient_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/gogoproto/proto"
)

// fakeChain is one account and a list of blocks. Several fakeNodes may serve it.
type fakeChain struct {
	mu        sync.Mutex
	id        string
	pub       *secp256k1.PubKey
	number    uint64
	committed uint64 // sequence of the account query
	mempool   uint64 // sequence that CheckTx expects
	hold      bool   // accepted transactions are never put in a block
	deliver   uint32 // code of the next delivery
	simCode   uint32 // code of the next simulation
	blocks    [][][]byte
	codes     map[string]uint32
	sent      []txtypes.TxRaw
	blockTime time.Time
}

// fakeNode is a JSON-RPC server with faults.
type fakeNode struct {
	chain     *fakeChain
	url       string
	noIndex   bool
	loseReply bool // takes the next broadcast and cuts the connection
	calls     map[string]int
}

func newChain(key *secp256k1.PrivKey) *fakeChain {
	return &fakeChain{
		id: "grafi-test-1", pub: key.PubKey().(*secp256k1.PubKey), number: 7, committed: 3, mempool: 3,
		codes: map[string]uint32{}, blockTime: time.Now(), blocks: [][][]byte{nil, nil, nil},
	}
}

func (c *fakeChain) node(t *testing.T) *fakeNode {
	t.Helper()
	n := &fakeNode{chain: c, calls: map[string]int{}}
	srv := httptest.NewServer(n)
	t.Cleanup(srv.Close)
	n.url = srv.URL
	return n
}

func (n *fakeNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Method string                     `json:"method"`
		Params map[string]json.RawMessage `json:"params"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	n.calls[req.Method]++
	result, err := n.answer(req.Method, req.Params)
	if n.loseReply && req.Method == "broadcast_tx_sync" {
		n.loseReply = false
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		fmt.Fprintf(w, `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error","data":%q}}`, err.Error())
		return
	}
	out, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "result": result})
	_, _ = w.Write(out)
}

type obj = map[string]any

func (n *fakeNode) answer(method string, p map[string]json.RawMessage) (any, error) {
	c := n.chain
	height := len(c.blocks)
	switch method {
	case "status":
		return obj{"node_info": obj{"network": c.id}, "sync_info": obj{
			"latest_block_height": strconv.Itoa(height), "latest_block_time": c.blockTime, "earliest_block_height": "1", "catching_up": false}}, nil
	case "blockchain":
		h, _ := strconv.Atoi(str(p["minHeight"]))
		if h < 1 || h > height {
			return nil, fmt.Errorf("min height %d can't be greater than max height %d", h, height)
		}
		return obj{"block_metas": []obj{{"block_id": obj{"hash": hex.EncodeToString(blockHash(h))},
			"header": obj{"height": strconv.Itoa(h), "time": c.blockTime}}}}, nil
	case "abci_query":
		data, _ := hex.DecodeString(str(p["data"]))
		return n.query(str(p["path"]), data)
	case "broadcast_tx_sync":
		return c.checkTx(bytesOf(p["tx"]))
	case "tx":
		if n.noIndex {
			return nil, fmt.Errorf("transaction indexing is disabled")
		}
		hash := bytesOf(p["hash"])
		for i, b := range c.blocks {
			for _, tx := range b {
				if h := sha256.Sum256(tx); string(h[:]) == string(hash) {
					return obj{"height": strconv.Itoa(i + 1), "tx_result": c.result(tx)}, nil
				}
			}
		}
		return nil, fmt.Errorf("tx (%X) not found", hash)
	case "block":
		h, _ := strconv.Atoi(str(p["height"]))
		return obj{"block": obj{"data": obj{"txs": c.blocks[h-1]}}}, nil
	case "block_results":
		h, _ := strconv.Atoi(str(p["height"]))
		var rs []obj
		for _, tx := range c.blocks[h-1] {
			rs = append(rs, c.result(tx))
		}
		return obj{"txs_results": rs}, nil
	}
	return nil, fmt.Errorf("no method %s", method)
}

func (n *fakeNode) query(path string, data []byte) (any, error) {
	ok := func(v []byte) any { return obj{"response": obj{"code": 0, "value": v, "height": "3"}} }
	no := func(code uint32, space, log string) any {
		return obj{"response": obj{"code": code, "codespace": space, "log": log, "height": "3"}}
	}
	switch path {
	case "/cosmos.auth.v1beta1.Query/AccountInfo":
		var req authtypes.QueryAccountInfoRequest
		if err := proto.Unmarshal(data, &req); err != nil {
			return nil, err
		}
		if req.Address != addressOf(n.chain.pub) {
			return no(22, "sdk", "account "+req.Address+" not found"), nil
		}
		v, err := proto.Marshal(&authtypes.QueryAccountInfoResponse{Info: &authtypes.BaseAccount{
			Address: req.Address, AccountNumber: n.chain.number, Sequence: n.chain.committed}})
		return ok(v), err
	case "/cosmos.bank.v1beta1.Query/Balance":
		var req banktypes.QueryBalanceRequest
		if err := proto.Unmarshal(data, &req); err != nil {
			return nil, err
		}
		coin := sdk.NewInt64Coin(req.Denom, 0)
		if req.Address == addressOf(n.chain.pub) {
			coin.Amount = math.NewInt(12345)
		}
		v, err := proto.Marshal(&banktypes.QueryBalanceResponse{Balance: &coin})
		return ok(v), err
	case "/app/simulate":
		if n.chain.simCode != 0 {
			return no(n.chain.simCode, "gpumarket", "listing is busy"), nil
		}
		return ok([]byte(`{"gas_info":{"gas_wanted":"0","gas_used":"100001"},"result":{}}`)), nil
	}
	return no(6, "sdk", "unknown query path"), nil
}

// checkTx checks sequence and signature as the SDK does, and includes the
// transaction in the next block at once unless hold is set.
func (c *fakeChain) checkTx(tx []byte) (any, error) {
	var raw txtypes.TxRaw
	var auth txtypes.AuthInfo
	if err := proto.Unmarshal(tx, &raw); err != nil {
		return nil, err
	}
	if err := proto.Unmarshal(raw.AuthInfoBytes, &auth); err != nil {
		return nil, err
	}
	if got := auth.SignerInfos[0].Sequence; got != c.mempool {
		return obj{"code": 32, "codespace": "sdk", "log": fmt.Sprintf("account sequence mismatch, expected %d, got %d", c.mempool, got)}, nil
	}
	doc, err := proto.Marshal(&txtypes.SignDoc{BodyBytes: raw.BodyBytes, AuthInfoBytes: raw.AuthInfoBytes, ChainId: c.id, AccountNumber: c.number})
	if err != nil {
		return nil, err
	}
	if !c.pub.VerifySignature(doc, raw.Signatures[0]) {
		return obj{"code": 4, "codespace": "sdk", "log": "signature verification failed"}, nil
	}
	c.mempool++
	c.sent = append(c.sent, raw)
	if !c.hold {
		c.committed = c.mempool
		c.blocks = append(c.blocks, [][]byte{tx})
		c.codes[string(tx)] = c.deliver
	}
	return obj{"code": 0}, nil
}

func (c *fakeChain) result(tx []byte) obj {
	data, _ := proto.Marshal(&sdk.TxMsgData{})
	return obj{"code": c.codes[string(tx)], "codespace": "gpumarket", "log": "", "gas_used": "90000", "data": data,
		"events": []obj{{"type": "tx", "attributes": []obj{{"key": "fee", "value": "1", "index": true}}}}}
}

func blockHash(h int) []byte { s := sha256.Sum256([]byte{byte(h)}); return s[:] }

func str(raw json.RawMessage) (s string) { _ = json.Unmarshal(raw, &s); return }

func bytesOf(raw json.RawMessage) (b []byte) { _ = json.Unmarshal(raw, &b); return }
