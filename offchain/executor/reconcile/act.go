package reconcile

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/grafilab/grafi/internal/agentapi"
	"github.com/grafilab/grafi/offchain/executor/engine"
	"github.com/grafilab/grafi/offchain/executor/manifest"
	"github.com/grafilab/grafi/offchain/executor/store"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// resultPatience is how long result files that can't be read are tried again,
// after which the result is reported without their digest.
const resultPatience = time.Minute

// errClosedMeanwhile says that a rental ended while its image was pulled.
var errClosedMeanwhile = errors.New("rental is no longer open")

// act carries out one action. Each case may be repeated after a crash anywhere.
func (l *Loop) act(ctx context.Context, a Action) error {
	switch a.Kind {
	case KindPrepare:
		return l.prepare(ctx, a)
	case KindStart:
		return l.start(ctx, a)
	case KindStop:
		return l.stop(ctx, a)
	case KindSetDeadline:
		return ignoreNotFound(l.engine.SetDeadline(ctx, a.RentalID, a.Deadline))
	case KindHandStart:
		return l.handStart(ctx, a)
	case KindHandResult:
		return l.handResult(ctx, a)
	case KindRemove:
		return l.engine.Remove(ctx, a.RentalID)
	case KindForget:
		return l.store.Delete(a.RentalID)
	}
	return fmt.Errorf("unknown action %q", a.Kind)
}

// prepare pulls the image, so that a reserved rental starts on time.
func (l *Loop) prepare(ctx context.Context, a Action) error {
	if _, _, err := l.pull(ctx, a); err != nil {
		return err
	}
	return l.store.Update(a.RentalID, func(r *store.Record) { r.Prepared = true })
}

// pull makes the image of the rental's manifest available.
func (l *Loop) pull(ctx context.Context, a Action) (m manifest.Manifest, img engine.Image, err error) {
	rec, ok, err := l.store.Get(a.RentalID)
	if err != nil {
		return m, img, err
	}
	if !ok {
		return m, img, fmt.Errorf("rental %d has no record", a.RentalID)
	}
	if m, err = manifest.Parse(rec.Manifest); err != nil {
		return m, img, fmt.Errorf("stored manifest: %w", err)
	}
	digest, err := m.DigestHex()
	if err != nil {
		return m, img, err
	}
	if want := hex.EncodeToString(a.Digest); digest != want {
		return m, img, fmt.Errorf("stored manifest has digest %s, the chain wants %s", digest, want)
	}
	if img, err = l.images.Pull(ctx, m.Image); err != nil {
		return m, img, fmt.Errorf("pull %s: %w", m.Image, err)
	}
	return m, img, nil
}

func (l *Loop) start(ctx context.Context, a Action) error {
	m, img, err := l.pull(ctx, a)
	if err != nil {
		return err
	}
	// A pull takes minutes at times: the GPUs may be another renter's by now.
	r, found, err := l.chain.Rental(ctx, a.RentalID)
	if err != nil {
		return fmt.Errorf("look again before the start: %w", err)
	}
	if !found || r.State == markettypes.RENTAL_STATE_CLOSED {
		return errClosedMeanwhile
	}
	devices, err := l.devices(ctx, a.GPUs, m.Resources.GPUs)
	if err != nil {
		return fmt.Errorf("devices of GPUs %v: %w", a.GPUs, err)
	}
	err = l.engine.Start(ctx, engine.Workload{
		RentalID: a.RentalID, Manifest: m, Image: img, GPUs: devices, Deadline: a.Deadline,
	})
	if errors.Is(err, engine.ErrStartFailed) {
		return errors.Join(err, l.store.Update(a.RentalID, func(r *store.Record) { r.Failure = err.Error() }))
	}
	return err
}

func (l *Loop) stop(ctx context.Context, a Action) error {
	grace := manifest.DefaultStopGrace
	rec, ok, err := l.store.Get(a.RentalID)
	if err != nil {
		return err
	}
	if ok && len(rec.Manifest) > 0 {
		m, err := manifest.Parse(rec.Manifest)
		if err != nil {
			return fmt.Errorf("stored manifest: %w", err)
		}
		grace = m.StopGrace()
	}
	return ignoreNotFound(l.engine.Stop(ctx, a.RentalID, grace))
}

func (l *Loop) handStart(ctx context.Context, a Action) error {
	rep, err := l.agent.Started(ctx, agentapi.Started{RentalID: a.RentalID, ManifestDigest: a.Digest})
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	l.handed(rep, "start")
	return l.store.Update(a.RentalID, func(r *store.Record) { r.StartHandedAt = l.now().UTC() })
}

func (l *Loop) handResult(ctx context.Context, a Action) error {
	rec, _, err := l.store.Get(a.RentalID)
	if err != nil {
		return err
	}
	if rec.Result == nil {
		result, err := l.result(ctx, a.RentalID)
		if err != nil {
			return err
		}
		if err := l.store.Update(a.RentalID, func(r *store.Record) { r.Result = &result }); err != nil {
			return err
		}
		rec.Result = &result
	}
	rep, err := l.agent.Result(ctx, *rec.Result)
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	l.handed(rep, "result")
	return l.store.Update(a.RentalID, func(r *store.Record) { r.ResultHandedAt = l.now().UTC() })
}

func (l *Loop) handed(rep agentapi.Report, what string) {
	if rep.State == agentapi.ReportRefused {
		l.log.Error("chain refused a report", "rental", rep.RentalID, "report", what, "detail", rep.Detail)
	}
}

// result computes the result of an ended workload.
func (l *Loop) result(ctx context.Context, rentalID uint64) (agentapi.Result, error) {
	st, err := l.engine.Status(ctx, rentalID)
	if err != nil {
		return agentapi.Result{}, err
	}
	if st.State != engine.StateExited {
		return agentapi.Result{}, fmt.Errorf("rental %d: workload is %s", rentalID, st.State)
	}
	files, err := l.engine.Results(ctx, rentalID)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) || l.now().Sub(st.ExitedAt) > resultPatience:
		// A job that wrote no result has still ended: no digest says so.
		l.log.Warn("result files can't be read", "rental", rentalID, "err", err)
		files = nil
	default:
		return agentapi.Result{}, fmt.Errorf("result files: %w", err)
	}
	result := agentapi.Result{RentalID: rentalID, UnknownExit: !st.ExitKnown || cutShort(st), OutputDigest: engine.OutputDigest(files)}
	if !result.UnknownExit {
		result.ExitCode = int32(st.ExitCode)
	}
	if d := st.ExitedAt.Sub(st.StartedAt); !st.StartedAt.IsZero() && d > 0 {
		result.Seconds = uint64(d / time.Second)
	}
	return result, nil
}

func ignoreNotFound(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}
