package gateway

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/grafilab/grafi/offchain/executor/chain"
	"github.com/grafilab/grafi/offchain/executor/token"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// authorize finds the rental of the request and checks its token. The order is
// from cheap to dear, and a token is used up only when everything else is right.
func (s *Server) authorize(r *http.Request, scope token.Scope) (markettypes.Rental, error) {
	none := markettypes.Rental{}
	if !s.peers.allow(peer(r)) {
		return none, fail(http.StatusTooManyRequests, "rate_limited", "too many requests from %s", peer(r))
	}
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil || id == 0 {
		return none, fail(http.StatusBadRequest, "bad_rental_id", "got rental id %q, want a positive number", r.PathValue("id"))
	}
	raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return none, fail(http.StatusUnauthorized, "token_missing", "want the header Authorization: Bearer <token>")
	}
	rental, found, err := s.lookup.rental(r.Context(), id)
	switch {
	case err != nil:
		s.Log.Warn("rental not looked up", "rental", id, "err", err)
		return none, fail(http.StatusServiceUnavailable, CodeChainAway, "the chain can't be asked for rental %d now", id)
	case !found || rental.HostId != s.HostID:
		return none, fail(http.StatusNotFound, CodeUnknownRental, "rental %d is not known on host %d", id, s.HostID)
	}
	// A stranger is told so before the renter's key is looked for.
	issuer, err := token.Issuer(raw)
	if err != nil {
		return none, err
	}
	if issuer != rental.Renter {
		return none, fail(http.StatusForbidden, "token_foreign_renter", "token is of %q, who is not the renter of rental %d", issuer, id)
	}
	pub, err := s.lookup.pubKey(r.Context(), rental.Renter)
	if errors.Is(err, chain.ErrNoKey) {
		return none, fail(http.StatusForbidden, "no_account_key", "%s", err)
	}
	if err != nil {
		s.Log.Warn("key not looked up", "account", rental.Renter, "err", err)
		return none, fail(http.StatusServiceUnavailable, CodeChainAway, "the chain can't be asked for the key of %s now", rental.Renter)
	}
	now := s.Now()
	claims, err := token.Verify(raw, token.Expect{
		Audience: token.Audience(s.ChainID, s.HostID, id), Renter: rental.Renter, PubKey: pub,
		Scope: scope, Now: now, NotBefore: s.started,
	})
	if err != nil {
		return none, err
	}
	if !s.rentals.allow(strconv.FormatUint(id, 10)) {
		return none, fail(http.StatusTooManyRequests, "rate_limited", "too many requests for rental %d", id)
	}
	return rental, s.seen.Use(claims, now)
}

// peer is the address without the port: the unit of the first rate limit.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
