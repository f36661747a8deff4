// Package token makes and checks the tokens with which a renter speaks to a
// host's gateway: short-lived JWTs (RFC 7519) signed by the renter's account
// key. The gateway needs no account of its own and no shared secret: the chain
// says who rents and which public key that account has.
package token

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
)

const (
	// MaxLifetime is the most that may lie between iat and exp.
	MaxLifetime = 15 * time.Minute
	// FutureSkew is how far the renter's clock may run ahead of the gateway's.
	FutureSkew = 10 * time.Second
	// MaxBytes bounds a token.
	MaxBytes = 4096
)

// Scope is what a token allows. A token has one or more.
type Scope string

// The scopes, one per verb of the gateway.
const (
	ScopeManifest Scope = "manifest:write"
	ScopeStatus   Scope = "status:read"
	ScopeLogs     Scope = "logs:read"
	ScopeStats    Scope = "stats:read"
	ScopeResults  Scope = "results:read"
	ScopeExec     Scope = "exec"
)

// Why a token was refused. Each is wrapped with the value that was wrong.
var (
	ErrMalformed = errors.New("token is malformed")
	ErrExpired   = errors.New("token has expired")
	ErrNotYet    = errors.New("token is not valid yet")
	ErrLifetime  = errors.New("token lives too long")
	ErrStale     = errors.New("token was issued before this gateway started")
	ErrAudience  = errors.New("token is for another audience")
	ErrRenter    = errors.New("token is not of the rental's renter")
	ErrSignature = errors.New("token signature does not match the renter's account key")
	ErrScope     = errors.New("token lacks the scope")
)

// Audience names one rental on one host of one chain.
func Audience(chainID string, hostID, rentalID uint64) string {
	return fmt.Sprintf("grafi://%s/hosts/%d/rentals/%d", chainID, hostID, rentalID)
}

// Claims are what a token says.
type Claims struct {
	jwt.RegisteredClaims
	// Scope is a list with blanks between (RFC 8693 §4.2).
	Scope string `json:"scope"`
}

// Has reports whether the token allows s.
func (c Claims) Has(s Scope) bool { return slices.Contains(strings.Fields(c.Scope), string(s)) }

// Request is what a renter asks to be signed.
type Request struct {
	Renter   string // bech32
	Audience string
	Scopes   []Scope
	IssuedAt time.Time
	Lifetime time.Duration
}

// New returns a token signed by method and signer. The jti is random, so two
// calls never give the same token.
func New(req Request, method Method, signer Signer) (string, error) {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return "", fmt.Errorf("token id: %w", err)
	}
	scopes := make([]string, len(req.Scopes))
	for i, s := range req.Scopes {
		scopes[i] = string(s)
	}
	claims := Claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    req.Renter,
			Audience:  jwt.ClaimStrings{req.Audience},
			IssuedAt:  jwt.NewNumericDate(req.IssuedAt),
			ExpiresAt: jwt.NewNumericDate(req.IssuedAt.Add(req.Lifetime)),
			ID:        base64.RawURLEncoding.EncodeToString(id),
		},
		Scope: strings.Join(scopes, " "),
	}
	raw, err := jwt.NewWithClaims(method, claims).SignedString(signKey{address: req.Renter, sign: signer})
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return raw, nil
}

// Expect is what a token must fit.
type Expect struct {
	Audience string
	Renter   string
	PubKey   cryptotypes.PubKey
	Scope    Scope
	Now      time.Time
	// NotBefore refuses tokens issued earlier (to the second). It is when the
	// gateway started: its memory of seen tokens goes back no further.
	NotBefore time.Time
}

// Verify checks everything but the replay, which needs a memory (see Seen).
// The signature is checked first, so that a stranger learns nothing else.
func Verify(raw string, e Expect) (Claims, error) {
	var claims Claims
	if len(raw) > MaxBytes {
		return Claims{}, fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrMalformed, len(raw), MaxBytes)
	}
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithStrictDecoding(),
		jwt.WithValidMethods([]string{string(ES256K), string(ADR36)}))
	_, err := parser.ParseWithClaims(raw, &claims, func(*jwt.Token) (any, error) {
		return verifyKey{address: e.Renter, pub: e.PubKey}, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return Claims{}, fmt.Errorf("%w: want one by %s with %s or %s", ErrSignature, e.Renter, ES256K, ADR36)
	case err != nil:
		return Claims{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return claims, claims.check(e)
}

// Issuer reads the claimed issuer of a token that is not verified yet.
func Issuer(raw string) (string, error) {
	var claims Claims
	if len(raw) > MaxBytes {
		return "", fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrMalformed, len(raw), MaxBytes)
	}
	if _, _, err := jwt.NewParser().ParseUnverified(raw, &claims); err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return claims.Issuer, nil
}

func (c Claims) check(e Expect) error {
	if c.Issuer != e.Renter {
		return fmt.Errorf("%w: got %q, want %q", ErrRenter, c.Issuer, e.Renter)
	}
	if len(c.Audience) != 1 || c.Audience[0] != e.Audience {
		return fmt.Errorf("%w: got %q, want %q", ErrAudience, c.Audience, e.Audience)
	}
	if c.IssuedAt == nil || c.ExpiresAt == nil || c.ID == "" || len(c.ID) > 64 {
		return fmt.Errorf("%w: iat, exp and a jti of 1 to 64 bytes are required", ErrMalformed)
	}
	life := c.ExpiresAt.Sub(c.IssuedAt.Time)
	switch {
	case life <= 0 || life > MaxLifetime:
		return fmt.Errorf("%w: got %s, want more than 0 and at most %s", ErrLifetime, life, MaxLifetime)
	case !e.Now.Before(c.ExpiresAt.Time):
		return fmt.Errorf("%w: at %s, now %s", ErrExpired, stamp(c.ExpiresAt.Time), stamp(e.Now))
	case c.IssuedAt.After(e.Now.Add(FutureSkew)):
		return fmt.Errorf("%w: issued %s, now %s", ErrNotYet, stamp(c.IssuedAt.Time), stamp(e.Now))
	case c.NotBefore != nil && c.NotBefore.After(e.Now):
		return fmt.Errorf("%w: not before %s, now %s", ErrNotYet, stamp(c.NotBefore.Time), stamp(e.Now))
	case c.IssuedAt.Before(e.NotBefore.Truncate(time.Second)):
		return fmt.Errorf("%w: issued %s, started %s; sign a new one", ErrStale, stamp(c.IssuedAt.Time), stamp(e.NotBefore))
	case !c.Has(e.Scope):
		return fmt.Errorf("%w: got %q, want %q", ErrScope, c.Scope, e.Scope)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
