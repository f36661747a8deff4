package agentapi_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/grafilab/grafi/internal/agentapi"
)

// fakeAgent remembers what came and answers what the test says.
type fakeAgent struct {
	workloads []agentapi.Workloads
	err       error
}

func (f *fakeAgent) SetWorkloads(_ context.Context, w agentapi.Workloads) error {
	f.workloads = append(f.workloads, w)
	return f.err
}

func (f *fakeAgent) Started(_ context.Context, s agentapi.Started) (agentapi.Report, error) {
	return agentapi.Report{RentalID: s.RentalID, State: agentapi.ReportQueued}, f.err
}

func (f *fakeAgent) Result(_ context.Context, r agentapi.Result) (agentapi.Report, error) {
	return agentapi.Report{RentalID: r.RentalID, State: agentapi.ReportDelivered}, f.err
}

func (f *fakeAgent) Certificate(context.Context, agentapi.CertificateRequest) (agentapi.Certificate, error) {
	return agentapi.Certificate{DER: []byte{1}}, f.err
}

func (f *fakeAgent) Status(context.Context) (agentapi.Status, error) {
	return agentapi.Status{HostID: 7, Simulated: true}, f.err
}

func (f *fakeAgent) Simulated() bool { return true }

func serve(t *testing.T, h agentapi.Handler) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run", "agent.sock")
	l, err := agentapi.Listen(path)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- agentapi.Serve(ctx, l, h, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return path
}

func TestCallsArrive(t *testing.T) {
	agent := &fakeAgent{}
	path := serve(t, agent)
	fi, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), fi.Mode().Perm())
	c := agentapi.NewClient(path)

	w := agentapi.Workloads{Workloads: []agentapi.Workload{{RentalID: 5, State: agentapi.WorkloadRunning}}}
	require.NoError(t, c.SetWorkloads(t.Context(), w))
	require.Equal(t, []agentapi.Workloads{w}, agent.workloads)

	r, err := c.Started(t.Context(), agentapi.Started{RentalID: 5, ManifestDigest: make([]byte, 32)})
	require.NoError(t, err)
	require.Equal(t, agentapi.Report{RentalID: 5, State: agentapi.ReportQueued}, r)

	r, err = c.Result(t.Context(), agentapi.Result{RentalID: 5, ExitCode: -1})
	require.NoError(t, err)
	require.Equal(t, agentapi.ReportDelivered, r.State)

	st, err := c.Status(t.Context())
	require.NoError(t, err)
	require.True(t, st.Simulated)
}

func TestErrorsKeepTheirIdentity(t *testing.T) {
	agent := &fakeAgent{}
	c := agentapi.NewClient(serve(t, agent))
	for _, want := range []error{agentapi.ErrConflict, agentapi.ErrNotReady, agentapi.ErrInvalid} {
		agent.err = fmt.Errorf("rental 5: %w", want)
		_, err := c.Result(t.Context(), agentapi.Result{RentalID: 5})
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, "rental 5")
	}
	agent.err = errors.New("disk is full")
	_, err := c.Result(t.Context(), agentapi.Result{RentalID: 5})
	require.ErrorContains(t, err, "disk is full")

	_, err = agentapi.NewClient(filepath.Join(t.TempDir(), "none.sock")).Status(t.Context())
	require.ErrorIs(t, err, agentapi.ErrUnreachable)
}

func TestBadRequestsNeverReachTheAgent(t *testing.T) {
	tests := map[string]struct{ method, path, body string }{
		"no JSON":             {"PUT", "/v1/workloads", "hello"},
		"unknown field":       {"PUT", "/v1/workloads", `{"workloads":[],"more":1}`},
		"two values":          {"PUT", "/v1/workloads", `{"workloads":[]}{}`},
		"rental zero":         {"PUT", "/v1/workloads", `{"workloads":[{"rental_id":0,"state":"running"}]}`},
		"rental twice":        {"PUT", "/v1/workloads", `{"workloads":[{"rental_id":1,"state":"running"},{"rental_id":1,"state":"down"}]}`},
		"unknown state":       {"PUT", "/v1/workloads", `{"workloads":[{"rental_id":1,"state":"fine"}]}`},
		"too large":           {"PUT", "/v1/workloads", `{"workloads":[` + strings.Repeat(" ", agentapi.MaxBody) + `]}`},
		"negative rental":     {"POST", "/v1/started", `{"rental_id":-1}`},
		"no digest":           {"POST", "/v1/started", `{"rental_id":1}`},
		"short output digest": {"POST", "/v1/result", `{"rental_id":1,"output_digest":"AAA="}`},
		"exit code overflow":  {"POST", "/v1/result", `{"rental_id":1,"exit_code":4294967296}`},
		"known and unknown":   {"POST", "/v1/result", `{"rental_id":1,"exit_code":1,"unknown_exit":true}`},
		"no key":              {"POST", "/v1/certificate", `{}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			agent := &fakeAgent{}
			w := httptest.NewRecorder()
			agentapi.NewMux(agent, slog.New(slog.DiscardHandler)).ServeHTTP(w,
				httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body)))
			require.Equal(t, http.StatusBadRequest, w.Code, w.Body.String())
			require.Equal(t, "SIM", w.Header().Get(agentapi.SimulatedHeader))
			require.Empty(t, agent.workloads)
		})
	}
}

func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "agent.sock")
	first, err := agentapi.Listen(path)
	require.NoError(t, err)
	_, err = agentapi.Listen(path)
	require.ErrorContains(t, err, "another agent answers")

	require.NoError(t, first.Close()) // as after a SIGKILL: the file stays
	second, err := agentapi.Listen(path)
	require.NoError(t, err)
	require.NoError(t, second.Close())

	plain := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	_, err = agentapi.Listen(plain)
	require.ErrorContains(t, err, "no socket")
}
