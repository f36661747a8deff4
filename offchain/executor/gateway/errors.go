package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/token"
)

// Error is the gateway's refusal, as it travels: {"error": {...}}.
type Error struct {
	// Status is the HTTP status.
	Status int `json:"-"`
	// Code is for programs, such as "digest_mismatch".
	Code string `json:"code"`
	// Message is for people and names the wrong value and what is allowed.
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message + " (" + e.Code + ")" }

// HasCode reports whether err is the gateway's refusal with this code.
func HasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// The codes that a client acts upon.
const (
	CodeUnknownRental  = "unknown_rental"
	CodeChainAway      = "chain_unreachable"
	CodeDigestMismatch = "digest_mismatch"
	CodeNoWorkload     = "no_workload"
	CodeRunning        = "workload_running"
)

func fail(status int, code, format string, args ...any) error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// known maps the errors of other packages.
var known = []struct {
	err    error
	status int
	code   string
}{
	{token.ErrMalformed, http.StatusUnauthorized, "token_malformed"},
	{token.ErrExpired, http.StatusUnauthorized, "token_expired"},
	{token.ErrNotYet, http.StatusUnauthorized, "token_not_yet_valid"},
	{token.ErrLifetime, http.StatusUnauthorized, "token_lives_too_long"},
	{token.ErrStale, http.StatusUnauthorized, "token_stale"},
	{token.ErrReplayed, http.StatusUnauthorized, "token_replayed"},
	{token.ErrSignature, http.StatusUnauthorized, "token_wrong_key"},
	{token.ErrAudience, http.StatusForbidden, "token_wrong_audience"},
	{token.ErrRenter, http.StatusForbidden, "token_foreign_renter"},
	{token.ErrScope, http.StatusForbidden, "token_missing_scope"},
	{token.ErrSeenFull, http.StatusServiceUnavailable, "busy"},
	{manifest.ErrInvalid, http.StatusUnprocessableEntity, "manifest_invalid"},
	{engine.ErrNotFound, http.StatusNotFound, CodeNoWorkload},
	{engine.ErrRunning, http.StatusConflict, CodeRunning},
	{engine.ErrNotRunning, http.StatusConflict, "workload_not_running"},
	{engine.ErrUnsupported, http.StatusNotImplemented, "unsupported"},
	{fs.ErrNotExist, http.StatusNotFound, "no_such_file"},
}

func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return &Error{Status: k.status, Code: k.code, Message: err.Error()}
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &Error{
			Status: http.StatusRequestEntityTooLarge, Code: "too_large",
			Message: fmt.Sprintf("body is larger than %d bytes", tooLarge.Limit),
		}
	}
	// What went wrong inside is in the log, not for strangers.
	return &Error{Status: http.StatusInternalServerError, Code: "internal", Message: "the gateway could not do this now"}
}

func writeError(w http.ResponseWriter, err error) {
	e := asError(err)
	if e.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, e.Status, map[string]*Error{"error": e})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the peer is gone: nobody to tell
}
