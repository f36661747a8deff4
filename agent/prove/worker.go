package prove

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/grafilab/grafi/x/attestation/compute"
)

// Worker proves in child processes, one for each Prove and Open. A driver that
// crashes, or that no longer works after a failed kernel, ends with the child,
// and so does the memory that a loaded driver takes.
type Worker struct {
	// Command makes the command that runs Serve on its standard input and output,
	// and is killed when ctx ends.
	Command func(ctx context.Context) *exec.Cmd
}

// NewWorker returns a Worker whose children are this program with the arguments.
func NewWorker(args ...string) (*Worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("prover process: %w", err)
	}
	return &Worker{Command: func(ctx context.Context) *exec.Cmd {
		return exec.CommandContext(ctx, self, args...)
	}}, nil
}

// request is what a child is asked: to prove, or to open what was proven.
type request struct {
	Device   string       `json:"device"`
	Work     compute.Work `json:"work"`
	Roots    [][]byte     `json:"roots,omitempty"` // of the proof to open
	WalkRoot []byte       `json:"walk_root,omitempty"`
	Sample   []byte       `json:"sample,omitempty"`
	Samples  int          `json:"samples,omitempty"` // 0: prove
}

// response is what a child answers.
type response struct {
	Roots    [][]byte `json:"roots,omitempty"`
	WalkRoot []byte   `json:"walk_root,omitempty"`
	Opening  []byte   `json:"opening,omitempty"`
	Error    string   `json:"error,omitempty"`
	Kind     string   `json:"kind,omitempty"`
}

// kinds are the errors that keep their meaning across the pipe.
var kinds = map[string]error{
	"no_driver": ErrNoDriver, "driver_too_old": ErrDriverTooOld, "no_device": ErrNoDevice,
	"memory": ErrMemory, "invalid_work": compute.ErrInvalidWork,
}

// Prove implements Prover.
func (w *Worker) Prove(ctx context.Context, device string, work compute.Work) (Proof, error) {
	if err := work.Validate(); err != nil {
		return nil, err
	}
	r, err := w.ask(ctx, request{Device: device, Work: work})
	if err != nil {
		return nil, err
	}
	p := &workerProof{worker: w, device: device}
	if p.proof, err = restore(work, r.Roots, r.WalkRoot); err != nil {
		return nil, fmt.Errorf("prover process: %w", err)
	}
	p.proof.seal(ctx)
	return p, nil
}

// Close implements Prover.
func (w *Worker) Close() error { return nil }

// ask runs one child. It ends when the child ends, or is killed with ctx.
func (w *Worker) ask(ctx context.Context, req request) (response, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	line, err := json.Marshal(req)
	if err != nil {
		return response{}, err
	}
	cmd := w.Command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &tail{to: &stderr}
	stdin, err := cmd.StdinPipe() // stays open: its end tells the child that we are gone
	if err != nil {
		return response{}, err
	}
	if err := cmd.Start(); err != nil {
		return response{}, fmt.Errorf("prover process: %w", err)
	}
	_, writeErr := stdin.Write(append(line, '\n'))
	err = cmd.Wait()
	if ctxErr := ctx.Err(); ctxErr != nil {
		return response{}, ctxErr
	}
	var r response
	if jsonErr := json.Unmarshal(stdout.Bytes(), &r); jsonErr != nil {
		return response{}, fmt.Errorf("prover process: %w: %s", errors.Join(err, writeErr, jsonErr), bytes.TrimSpace(stderr.Bytes()))
	}
	if r.Error != "" {
		return response{}, &workerError{text: r.Error, kind: kinds[r.Kind]}
	}
	return r, nil
}

// workerError is an error of the child.
type workerError struct {
	text string
	kind error // nil: none of kinds
}

func (e *workerError) Error() string { return e.text }
func (e *workerError) Unwrap() error { return e.kind }

// tail keeps the last 4 KiB or so.
type tail struct{ to *bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	if t.to.Len() > 4096 {
		t.to.Reset()
	}
	t.to.Write(p[max(0, len(p)-4096):])
	return len(p), nil
}

// workerProof opens in another child.
type workerProof struct {
	*proof
	worker *Worker
	device string
}

// Open implements Proof.
func (p *workerProof) Open(sample [32]byte, t int) ([]byte, error) {
	if err := checkSamples(t); err != nil {
		return nil, err
	}
	req := request{Device: p.device, Work: p.work, Sample: sample[:], Samples: t}
	for i := range p.roots {
		req.Roots = append(req.Roots, p.roots[i][:])
	}
	if p.walkRoot != nil {
		req.WalkRoot = p.walkRoot[:]
	}
	r, err := p.worker.ask(p.ctx, req)
	return r.Opening, err
}

// restore makes a proof from its roots.
func restore(w compute.Work, roots [][]byte, walkRoot []byte) (*proof, error) {
	if len(roots) != int(w.Rounds) || (len(walkRoot) > 0) != w.HasWalk() {
		return nil, fmt.Errorf("%d roots and %d bytes of the walk's, want %d roots and a walk %t", len(roots), len(walkRoot), w.Rounds, w.HasWalk())
	}
	p := &proof{work: w}
	for _, root := range roots {
		if len(root) != 32 {
			return nil, fmt.Errorf("a root of %d bytes, want 32", len(root))
		}
		p.roots = append(p.roots, compute.Hash(root))
	}
	if w.HasWalk() {
		if len(walkRoot) != 32 {
			return nil, fmt.Errorf("a root of %d bytes, want 32", len(walkRoot))
		}
		root := compute.Hash(walkRoot)
		p.walkRoot = &root
	}
	return p, nil
}

// Local is a prover of this process, that Serve answers with.
type Local interface {
	Prover
	opener(device string) (opener, error)
}

// Serve answers the one request of a Worker. It gives up when in ends, for then
// the parent is gone. The answer holds the error, if the request has one.
func Serve(ctx context.Context, in io.Reader, out io.Writer, local func() (Local, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	decoder := json.NewDecoder(in)
	var req request
	if err := decoder.Decode(&req); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	r, err := answer(ctx, req, local)
	if err != nil {
		r = response{Error: err.Error()}
		for kind, of := range kinds {
			if errors.Is(err, of) {
				r.Kind = kind
			}
		}
	}
	return json.NewEncoder(out).Encode(r)
}

func answer(ctx context.Context, req request, local func() (Local, error)) (response, error) {
	l, err := local()
	if err != nil {
		return response{}, err
	}
	if req.Samples == 0 {
		p, err := l.Prove(ctx, req.Device, req.Work)
		if err != nil {
			return response{}, err
		}
		defer p.Close()
		var r response
		done := p.(*proof)
		for i := range done.roots {
			r.Roots = append(r.Roots, done.roots[i][:])
		}
		if done.walkRoot != nil {
			r.WalkRoot = done.walkRoot[:]
		}
		return r, nil
	}
	if err := req.Work.Validate(); err != nil {
		return response{}, err
	}
	p, err := restore(req.Work, req.Roots, req.WalkRoot)
	if err != nil {
		return response{}, err
	}
	if len(req.Sample) != 32 {
		return response{}, fmt.Errorf("sample has %d bytes, want 32", len(req.Sample))
	}
	if p.open, err = l.opener(req.Device); err != nil {
		return response{}, err
	}
	p.ctx, p.cancel = context.WithCancel(ctx)
	p.commitment = compute.Commitment(p.roots, p.walkRoot)
	defer p.Close()
	opening, err := p.Open([32]byte(req.Sample), req.Samples)
	return response{Opening: opening}, err
}
