package agentapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// errorBody is how an error travels.
type errorBody struct {
	Kind  string `json:"kind"`
	Error string `json:"error"`
}

// kinds are the errors that keep their identity over the socket.
var kinds = []struct {
	err    error
	kind   string
	status int
}{
	{ErrInvalid, "invalid", http.StatusBadRequest},
	{ErrConflict, "conflict", http.StatusConflict},
	{ErrNotReady, "not_ready", http.StatusServiceUnavailable},
}

// Serve answers on l until ctx ends, which is a clean stop.
func Serve(ctx context.Context, l net.Listener, h Handler, log *slog.Logger) error {
	srv := &http.Server{
		Handler: NewMux(h, log), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		timeout, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(timeout)
	})
	err := srv.Serve(l)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("agent API: %w", err)
}

// SimulatedHeader is set on every answer of an agent whose GPUs do not exist.
const SimulatedHeader = "Grafi-Simulated"

// NewMux returns the API's routes.
func NewMux(h Handler, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	marked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Simulated() {
			w.Header().Set(SimulatedHeader, "SIM")
		}
		mux.ServeHTTP(w, r)
	})
	mux.HandleFunc("PUT /v1/workloads", route(log, func(ctx context.Context, w Workloads) (struct{}, error) {
		return struct{}{}, h.SetWorkloads(ctx, w)
	}))
	mux.HandleFunc("POST /v1/started", route(log, h.Started))
	mux.HandleFunc("POST /v1/result", route(log, h.Result))
	mux.HandleFunc("POST /v1/certificate", route(log, h.Certificate))
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) {
		st, err := h.Status(r.Context())
		answer(w, log, st, err)
	})
	return marked
}

// route decodes strictly, validates, calls and answers.
func route[In interface{ Validate() error }, Out any](log *slog.Logger, fn func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		var out Out
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBody))
		dec.DisallowUnknownFields()
		err := dec.Decode(&in)
		if err == nil {
			if _, more := dec.Token(); more != io.EOF {
				err = errors.New("more than one JSON value")
			}
		}
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrInvalid, err)
		} else if err = in.Validate(); err == nil {
			out, err = fn(r.Context(), in)
		}
		answer(w, log, out, err)
	}
}

func answer(w http.ResponseWriter, log *slog.Logger, out any, err error) {
	status, body := http.StatusOK, out
	if err != nil {
		status = http.StatusInternalServerError
		e := errorBody{Kind: "internal", Error: err.Error()}
		for _, k := range kinds {
			if errors.Is(err, k.err) {
				status, e.Kind = k.status, k.kind
				break
			}
		}
		body = e
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Debug("answer not written", "err", err)
	}
}
