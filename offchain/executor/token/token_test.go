package token_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"

	"github.com/grafilab/grafi/offchain/executor/token"
)

const renter = "grafi1renter"

var (
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key = secp256k1.GenPrivKeyFromSecret([]byte("renter"))
)

func request() token.Request {
	return token.Request{
		Renter: renter, Audience: token.Audience("grafi-1", 4, 77),
		Scopes: []token.Scope{token.ScopeLogs, token.ScopeStatus}, IssuedAt: now, Lifetime: time.Minute,
	}
}

func expect() token.Expect {
	return token.Expect{
		Audience: token.Audience("grafi-1", 4, 77), Renter: renter, PubKey: key.PubKey(),
		Scope: token.ScopeLogs, Now: now.Add(time.Second), NotBefore: now.Add(-time.Hour),
	}
}

func TestVerify(t *testing.T) {
	tests := map[string]struct {
		change func(*token.Request, *token.Expect)
		signer *secp256k1.PrivKey
		want   error
	}{
		"good":                       {},
		"second scope":               {change: func(_ *token.Request, e *token.Expect) { e.Scope = token.ScopeStatus }},
		"longest life":               {change: func(r *token.Request, _ *token.Expect) { r.Lifetime = token.MaxLifetime }},
		"too long a life":            {change: func(r *token.Request, _ *token.Expect) { r.Lifetime = token.MaxLifetime + time.Second }, want: token.ErrLifetime},
		"no life":                    {change: func(r *token.Request, _ *token.Expect) { r.Lifetime = 0 }, want: token.ErrLifetime},
		"last second":                {change: func(_ *token.Request, e *token.Expect) { e.Now = now.Add(59 * time.Second) }},
		"expired":                    {change: func(_ *token.Request, e *token.Expect) { e.Now = now.Add(time.Minute) }, want: token.ErrExpired},
		"clock a little ahead":       {change: func(_ *token.Request, e *token.Expect) { e.Now = now.Add(-token.FutureSkew) }},
		"from the future":            {change: func(_ *token.Request, e *token.Expect) { e.Now = now.Add(-token.FutureSkew - time.Second) }, want: token.ErrNotYet},
		"before the gateway started": {change: func(_ *token.Request, e *token.Expect) { e.NotBefore = now.Add(time.Second) }, want: token.ErrStale},
		"another chain":              {change: func(r *token.Request, _ *token.Expect) { r.Audience = token.Audience("grafi-2", 4, 77) }, want: token.ErrAudience},
		"another host":               {change: func(r *token.Request, _ *token.Expect) { r.Audience = token.Audience("grafi-1", 5, 77) }, want: token.ErrAudience},
		"another rental":             {change: func(r *token.Request, _ *token.Expect) { r.Audience = token.Audience("grafi-1", 4, 78) }, want: token.ErrAudience},
		"another renter":             {change: func(r *token.Request, _ *token.Expect) { r.Renter = "grafi1other" }, want: token.ErrRenter},
		"another key":                {signer: secp256k1.GenPrivKeyFromSecret([]byte("other")), want: token.ErrSignature},
		"missing scope":              {change: func(_ *token.Request, e *token.Expect) { e.Scope = token.ScopeManifest }, want: token.ErrScope},
		"no scope":                   {change: func(r *token.Request, _ *token.Expect) { r.Scopes = nil }, want: token.ErrScope},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, method := range []token.Method{token.ES256K, token.ADR36} {
				req, exp := request(), expect()
				if tc.change != nil {
					tc.change(&req, &exp)
				}
				signer := key
				if tc.signer != nil {
					signer = tc.signer
				}
				raw, err := token.New(req, method, signer.Sign)
				require.NoError(t, err)

				_, err = token.Verify(raw, exp)

				if name == "another renter" && method == token.ADR36 {
					// The document names its signer, so the signature fails first.
					require.ErrorIs(t, err, token.ErrSignature)
					continue
				}
				require.ErrorIs(t, err, tc.want, method)
				if tc.want == nil {
					require.NoError(t, err)
				}
			}
		})
	}
}

func TestVerifyRefusesForgedForms(t *testing.T) {
	raw, err := token.New(request(), token.ES256K, key.Sign)
	require.NoError(t, err)
	parts := strings.Split(raw, ".")
	adr, err := token.New(request(), token.ADR36, key.Sign)
	require.NoError(t, err)

	tests := map[string]struct {
		raw  string
		want error
	}{
		"empty":                  {"", token.ErrMalformed},
		"no signature":           {parts[0] + "." + parts[1] + ".", token.ErrSignature},
		"algorithm none":         {"eyJhbGciOiJub25lIn0." + parts[1] + ".", token.ErrSignature},
		"changed claims":         {parts[0] + "." + strings.Split(adr, ".")[1] + "." + parts[2], token.ErrSignature},
		"signature of ADR-36":    {parts[0] + "." + parts[1] + "." + strings.Split(adr, ".")[2], token.ErrSignature},
		"larger than is allowed": {raw + strings.Repeat("A", token.MaxBytes), token.ErrMalformed},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := token.Verify(tc.raw, expect())
			require.ErrorIs(t, err, tc.want)
		})
	}
}

// The document is what Keplr's signArbitrary signs, byte for byte.
func TestSignDocADR36(t *testing.T) {
	require.Equal(t, `{"account_number":"0","chain_id":"","fee":{"amount":[],"gas":"0"},"memo":"",`+
		`"msgs":[{"type":"sign/MsgSignData","value":{"data":"aGVsbG8=","signer":"grafi1renter"}}],"sequence":"0"}`,
		string(token.SignDocADR36(renter, []byte("hello"))))
}

func TestSeen(t *testing.T) {
	claims := func() token.Claims {
		raw, err := token.New(request(), token.ES256K, key.Sign)
		require.NoError(t, err)
		c, err := token.Verify(raw, expect())
		require.NoError(t, err)
		return c
	}
	seen := token.NewSeen(2)
	a, b, c := claims(), claims(), claims()

	require.NoError(t, seen.Use(a, now))
	require.ErrorIs(t, seen.Use(a, now.Add(59*time.Second)), token.ErrReplayed)
	require.NoError(t, seen.Use(b, now))
	require.ErrorIs(t, seen.Use(c, now.Add(59*time.Second)), token.ErrSeenFull, "an unexpired one is never forgotten")
	require.NoError(t, seen.Use(c, now.Add(time.Minute)), "the others have expired")
}
