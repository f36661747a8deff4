package gateway

import (
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// Accepted answers a manifest.
type Accepted struct {
	RentalID uint64 `json:"rental_id"`
	// Digest is 64 hex digits, the chain's.
	Digest string `json:"digest"`
}

// putManifest takes the document whose digest the renter put on chain.
func (s *Server) putManifest(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	if rental.State == markettypes.RENTAL_STATE_CLOSED {
		return fail(http.StatusConflict, "rental_closed", "rental %d is closed (%s)", rental.Id, rental.CloseReason)
	}
	doc, err := io.ReadAll(http.MaxBytesReader(w, r.Body, manifest.MaxBytes))
	if err != nil {
		return err
	}
	m, err := manifest.Parse(doc)
	if err != nil {
		return err
	}
	got, err := m.DigestHex()
	if err != nil {
		return err
	}
	if want := hex.EncodeToString(rental.ManifestDigest); got != want {
		return fail(http.StatusConflict, CodeDigestMismatch,
			"the manifest has digest %s, rental %d has %s on chain", got, rental.Id, want)
	}
	share, err := s.Share(r.Context())
	if err != nil {
		s.Log.Warn("share of a GPU not known", "err", err)
		return fail(http.StatusServiceUnavailable, CodeChainAway, "the chain can't be asked for the host's GPUs now")
	}
	if err := share.check(m, rental); err != nil {
		return err
	}
	canonical, err := m.Canonical()
	if err != nil {
		return err
	}
	if err := s.Store.Update(rental.Id, func(rec *store.Record) { rec.Manifest, rec.GPUs = canonical, rental.Gpus }); err != nil {
		return err
	}
	s.Executor.Wake()
	writeJSON(w, http.StatusOK, Accepted{RentalID: rental.Id, Digest: got})
	return nil
}

// Status is what a renter sees of a rental on its host.
type Status struct {
	RentalID uint64 `json:"rental_id"`
	HostID   uint64 `json:"host_id"`
	// Chain is the rental's state on chain, such as "RENTAL_STATE_ACTIVE".
	Chain  string `json:"chain"`
	Engine string `json:"engine"`
	// Isolated is whether the engine keeps the workload from the host and from others.
	Isolated         bool   `json:"isolated"`
	ManifestReceived bool   `json:"manifest_received"`
	State            string `json:"state"` // empty while there is no workload
	// StartsAt is of a reserved rental whose time has not come.
	StartsAt  time.Time `json:"starts_at,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndsAt    time.Time `json:"ends_at,omitzero"`
	// NoticeEndsAt is when it ends by the operator's notice or a preemption.
	NoticeEndsAt time.Time `json:"notice_ends_at,omitzero"`
	ExitedAt     time.Time `json:"exited_at,omitzero"`
	ExitKnown    bool      `json:"exit_known"`
	ExitCode     int       `json:"exit_code"`
	Reason       string    `json:"reason,omitempty"`
	// Failed is whether the workload can never start.
	Failed bool `json:"failed"`
	// Message says what is waited for or what went wrong.
	Message string `json:"message,omitempty"`
}

func (s *Server) getStatus(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	st := Status{
		RentalID: rental.Id, HostID: s.HostID, Chain: rental.State.String(),
		Engine: s.Engine.Name(), Isolated: s.Isolated,
	}
	if rental.EndsAt != nil {
		st.EndsAt = *rental.EndsAt
	}
	if rental.NoticeEndsAt != nil {
		st.NoticeEndsAt = *rental.NoticeEndsAt
	}
	if rental.State == markettypes.RENTAL_STATE_RESERVED && rental.Reservation != nil {
		st.StartsAt = rental.Reservation.StartAt
	}
	rec, _, err := s.Store.Get(rental.Id)
	if err != nil {
		return err
	}
	st.ManifestReceived, st.Failed = len(rec.Manifest) > 0, rec.Failure != ""
	w1, err := s.Engine.Status(r.Context(), rental.Id)
	switch {
	case err == nil:
		st.State, st.StartedAt, st.ExitedAt = string(w1.State), w1.StartedAt, w1.ExitedAt
		st.ExitKnown, st.ExitCode, st.Reason, st.Message = w1.ExitKnown, w1.ExitCode, string(w1.Reason), w1.Message
	case !errors.Is(err, engine.ErrNotFound):
		return err
	case rec.Failure != "":
		st.Message = rec.Failure
	case rental.State == markettypes.RENTAL_STATE_CLOSED:
		st.Message = "rental is closed; its workload is wiped"
	case !st.ManifestReceived:
		st.Message = "waits for the manifest"
	default:
		st.Message = "starts"
		if !st.StartsAt.IsZero() {
			st.Message = "reserved from " + st.StartsAt.UTC().Format(time.RFC3339) + " on"
			if rec.Prepared {
				st.Message += "; its image is here"
			}
		}
		if obstacle := s.Executor.Obstacle(rental.Id); obstacle != nil {
			st.Message = "could not start yet: " + obstacle.Error()
		}
	}
	writeJSON(w, http.StatusOK, st)
	return nil
}

func (s *Server) getStats(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	stats, err := s.Engine.Stats(r.Context(), rental.Id)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, stats)
	return nil
}

// getLogs streams the log; with ?follow=true until the workload has ended.
func (s *Server) getLogs(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	opts := engine.LogOptions{Follow: r.URL.Query().Get("follow") == "true"}
	if v := r.URL.Query().Get("tail_bytes"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 0 {
			return fail(http.StatusBadRequest, "bad_tail", "got tail_bytes %q, want a number of bytes, 0 for all", v)
		}
		opts.TailBytes = n
	}
	done, err := s.stream(rental.Id)
	if err != nil {
		return err
	}
	defer done()
	log, err := s.Engine.Logs(r.Context(), rental.Id, opts)
	if err != nil {
		return err
	}
	defer log.Close()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	return copyStream(w, r, log)
}

// ResultFile is one file of a result.
type ResultFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // hex
	Bytes  int64  `json:"bytes"`
}

// Results answers with all result files; OutputDigest (hex) is what the agent
// reports to the chain for them.
type Results struct {
	Files        []ResultFile `json:"files"`
	OutputDigest string       `json:"output_digest"`
}

func (s *Server) getResults(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	list, err := s.Engine.Results(r.Context(), rental.Id)
	if err != nil {
		return err
	}
	out := Results{Files: make([]ResultFile, len(list)), OutputDigest: hex.EncodeToString(engine.OutputDigest(list))}
	for i, f := range list {
		out.Files[i] = ResultFile{Path: f.Path, SHA256: hex.EncodeToString(f.SHA256[:]), Bytes: f.Bytes}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

func (s *Server) getResultFile(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	done, err := s.stream(rental.Id)
	if err != nil {
		return err
	}
	defer done()
	file, err := s.Engine.OpenResult(r.Context(), rental.Id, r.URL.Query().Get("path"))
	if err != nil {
		return err
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	return copyStream(w, r, file)
}

// copyStream sends what comes as soon as it comes. A peer that takes nothing
// for ioTimeout is cut off.
func copyStream(w http.ResponseWriter, r *http.Request, from io.Reader) error {
	ctl := http.NewResponseController(w)
	w.Header().Set("Cache-Control", "no-store")
	if err := flush(ctl); err != nil {
		return nil
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, werr := w.Write(buf[:n]); werr != nil || flush(ctl) != nil {
				return nil // the peer is gone: the usual end of a followed log
			}
		}
		if errors.Is(err, io.EOF) && r.Context().Err() == nil {
			return nil
		}
		if err != nil {
			// The status is sent already: cutting the connection is the only way
			// to tell that this is not the end (the gateway stops, a disk fails).
			panic(http.ErrAbortHandler)
		}
	}
}

// flush sends what is buffered. The write deadline moves on before and after,
// so that it never runs out while the source is silent and the peer is there.
func flush(ctl *http.ResponseController) error {
	if err := ctl.SetWriteDeadline(time.Now().Add(ioTimeout)); err != nil {
		return err
	}
	if err := ctl.Flush(); err != nil {
		return err
	}
	return ctl.SetWriteDeadline(time.Time{})
}
