package shim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// Logs implements engine.Engine.
func (s *Supervisor) Logs(ctx context.Context, rentalID uint64, opts engine.LogOptions) (io.ReadCloser, error) {
	if _, err := s.Status(ctx, rentalID); err != nil {
		return nil, err
	}
	log, err := openLog(ctx, s.dir(rentalID), opts)
	if err != nil {
		return nil, fmt.Errorf("rental %d: log: %w", rentalID, err)
	}
	return log, nil
}

// running returns ErrNotRunning for a workload that does not run.
func (s *Supervisor) running(ctx context.Context, rentalID uint64) error {
	status, err := s.Status(ctx, rentalID)
	if err != nil {
		return err
	}
	if status.State != engine.StateRunning {
		return fmt.Errorf("rental %d: %w: %s", rentalID, engine.ErrNotRunning, status.State)
	}
	return nil
}

func (s *Supervisor) askRunning(ctx context.Context, rentalID uint64, req request, files []*os.File, patience time.Duration) (reply, []*os.File, error) {
	if err := s.running(ctx, rentalID); err != nil {
		return reply{}, nil, err
	}
	rep, back, err := ask(s.dir(rentalID), req, files, ctx.Done(), patience)
	if err != nil {
		// It may have ended since; that is the better answer.
		if endErr := s.running(ctx, rentalID); errors.Is(endErr, engine.ErrNotRunning) {
			return reply{}, nil, endErr
		}
		return reply{}, nil, errors.Join(ctx.Err(), fmt.Errorf("rental %d: ask the shim: %w", rentalID, err))
	}
	if rep.Err != "" {
		closeAll(back)
		return reply{}, nil, fmt.Errorf("rental %d: %s: %s", rentalID, req.Op, rep.Err)
	}
	return rep, back, nil
}

// Stats implements engine.Engine.
func (s *Supervisor) Stats(ctx context.Context, rentalID uint64) (engine.Stats, error) {
	rep, _, err := s.askRunning(ctx, rentalID, request{Op: opStats}, nil, 10*time.Second)
	return rep.Stats, err
}

// Dial implements engine.Engine.
func (s *Supervisor) Dial(ctx context.Context, rentalID uint64, port uint16) (net.Conn, error) {
	_, files, err := s.askRunning(ctx, rentalID, request{Op: opDial, Port: port}, nil, 10*time.Second)
	if err != nil {
		return nil, err
	}
	defer closeAll(files)
	if len(files) != 1 {
		return nil, fmt.Errorf("rental %d: shim sent %d files, want 1", rentalID, len(files))
	}
	return net.FileConn(files[0])
}

// Exec implements engine.Engine.
func (s *Supervisor) Exec(ctx context.Context, rentalID uint64, p engine.ExecProcess) (int, error) {
	if len(p.Args) == 0 || p.Args[0] == "" {
		return 0, fmt.Errorf("rental %d: exec without a program", rentalID)
	}
	stdio, err := newStdio(p)
	if err != nil {
		return 0, err
	}
	rep, _, err := s.askRunning(ctx, rentalID, request{Op: opExec, Args: p.Args, Env: p.Env}, stdio.theirs[:], 0)
	return rep.ExitCode, errors.Join(err, stdio.finish())
}

// stdio joins the caller's streams to the files that the process gets.
type stdio struct {
	theirs [stdioFiles]*os.File
	input  *os.File // ours
	output errgroup.Group
}

func newStdio(p engine.ExecProcess) (*stdio, error) {
	s := &stdio{}
	if p.Stdin == nil {
		null, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		s.theirs[0] = null
	} else {
		read, write, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		s.theirs[0], s.input = read, write
		// The caller's reader may never end; the pipe's end is what stops this.
		go func() {
			_, _ = io.Copy(write, p.Stdin)
			_ = write.Close()
		}()
	}
	for i, to := range []io.Writer{p.Stdout, p.Stderr} {
		if i == 1 && sameWriter(p.Stdout, p.Stderr) {
			s.theirs[2] = s.theirs[1] // one pipe, so that one goroutine writes
			break
		}
		if to == nil {
			to = io.Discard
		}
		read, write, err := os.Pipe()
		if err != nil {
			return nil, errors.Join(err, s.finish())
		}
		s.theirs[1+i] = write
		s.output.Go(func() error {
			_, err := io.Copy(to, read)
			return errors.Join(err, read.Close())
		})
	}
	return s, nil
}

// sameWriter is false for writers that can't be compared.
func sameWriter(a, b io.Writer) (same bool) {
	defer func() { _ = recover() }()
	return a != nil && a == b
}

// finish waits for the output, which ends when the process's files are closed.
func (s *stdio) finish() error {
	closeAll(slices.DeleteFunc(slices.Clone(s.theirs[:]), func(f *os.File) bool { return f == nil }))
	if s.input != nil {
		_ = s.input.Close() // closed by the copy, unless that still waits for the caller
	}
	return s.output.Wait()
}

// Results implements engine.Engine.
func (s *Supervisor) Results(ctx context.Context, rentalID uint64) ([]engine.Result, error) {
	status, err := s.Status(ctx, rentalID)
	if err != nil {
		return nil, err
	}
	if status.State != engine.StateExited {
		return nil, fmt.Errorf("rental %d: %w: results are read at the end", rentalID, engine.ErrRunning)
	}
	workload, err := readRecord[engine.Workload](s.dir(rentalID), workloadFile)
	if err != nil {
		return nil, fmt.Errorf("rental %d: %w", rentalID, err)
	}
	results := make([]engine.Result, 0, len(workload.Manifest.Results))
	for _, path := range workload.Manifest.Results {
		f, err := s.OpenResult(ctx, rentalID, path)
		if err != nil {
			return nil, err
		}
		h := sha256.New()
		n, err := io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("rental %d: result %s: %w", rentalID, path, err)
		}
		results = append(results, engine.Result{Path: path, SHA256: [32]byte(h.Sum(nil)), Bytes: n})
	}
	return results, nil
}

// OpenResult implements engine.Engine. The workload wrote the volume, so a
// link in it must not lead out of it, and a pipe must not block.
func (s *Supervisor) OpenResult(_ context.Context, rentalID uint64, path string) (io.ReadCloser, error) {
	d := s.dir(rentalID)
	workload, err := readRecord[engine.Workload](d, workloadFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("rental %d: %w", rentalID, engine.ErrNotFound)
	} else if err != nil {
		return nil, fmt.Errorf("rental %d: %w", rentalID, err)
	}
	volume, rel, ok := workload.Manifest.VolumeOf(path)
	if !ok || !slices.Contains(workload.Manifest.Results, path) {
		return nil, fmt.Errorf("rental %d: %q is none of the results %q", rentalID, path, workload.Manifest.Results)
	}
	root, err := os.OpenRoot(d.Volume(volume.Name))
	if err != nil {
		return nil, fmt.Errorf("rental %d: result %s: %w", rentalID, path, err)
	}
	defer root.Close()
	f, err := root.OpenFile(rel, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("rental %d: result %s: %w", rentalID, path, err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("rental %d: result %s: not a regular file", rentalID, path), err, f.Close())
	}
	return f, nil
}
