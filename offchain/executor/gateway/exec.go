package gateway

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/grafilab/grafi/offchain/executor/engine"
	markettypes "github.com/grafilab/grafi/x/gpumarket/types"
)

// ExecRequest is a command to run inside the workload.
type ExecRequest struct {
	Args []string `json:"args"`
	Env  []string `json:"env,omitempty"`
}

// The answer to an exec is a stream of frames: one byte that says what it is,
// the length of the rest (4 bytes, big-endian), the rest.
const (
	frameStdout byte = 1
	frameStderr byte = 2
	frameExit   byte = 3 // 4 bytes, big-endian: the exit code
	frameError  byte = 4 // text; the command's fate is not known
)

const maxFrame = 1 << 20

func (s *Server) postExec(w http.ResponseWriter, r *http.Request, rental markettypes.Rental) error {
	var req ExecRequest
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxExecBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&req); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return fail(http.StatusBadRequest, "bad_exec", "%s; want {\"args\": [\"program\", …]}", err)
	}
	if len(req.Args) == 0 || req.Args[0] == "" {
		return fail(http.StatusBadRequest, "bad_exec", "args is empty, want a program and its arguments")
	}
	st, err := s.Engine.Status(r.Context(), rental.Id)
	if err != nil {
		return err
	}
	if st.State != engine.StateRunning {
		return engine.ErrNotRunning
	}
	done, err := s.stream(rental.Id)
	if err != nil {
		return err
	}
	defer done()

	out := &frames{w: w, ctl: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "application/vnd.grafi.exec-stream")
	if err := flush(out.ctl); err != nil {
		return nil
	}
	code, err := s.Engine.Exec(r.Context(), rental.Id, engine.ExecProcess{
		Args: req.Args, Env: req.Env, Stdout: out.writer(frameStdout), Stderr: out.writer(frameStderr),
	})
	if err != nil {
		_, _ = out.writer(frameError).Write([]byte(asError(err).Message))
		return nil
	}
	_, _ = out.writer(frameExit).Write(binary.BigEndian.AppendUint32(nil, uint32(int32(code))))
	return nil
}

// frames writes two streams into one, a frame at a time.
type frames struct {
	mu  sync.Mutex
	w   io.Writer
	ctl *http.ResponseController
}

type frameWriter struct {
	frames *frames
	kind   byte
}

func (f *frames) writer(kind byte) io.Writer { return frameWriter{f, kind} }

// Write implements io.Writer.
func (w frameWriter) Write(p []byte) (int, error) {
	w.frames.mu.Lock()
	defer w.frames.mu.Unlock()
	for sent := 0; sent < len(p); {
		part := p[sent:min(len(p), sent+maxFrame)]
		head := binary.BigEndian.AppendUint32([]byte{w.kind}, uint32(len(part)))
		if _, err := w.frames.w.Write(append(head, part...)); err != nil {
			return sent, err
		}
		sent += len(part)
	}
	return len(p), flush(w.frames.ctl)
}

// readFrames is the other side; it returns the command's exit code.
func readFrames(from io.Reader, stdout, stderr io.Writer) (int, error) {
	var head [5]byte
	for {
		if _, err := io.ReadFull(from, head[:]); err != nil {
			return 0, errors.Join(errors.New("stream ended before the command"), err)
		}
		n := binary.BigEndian.Uint32(head[1:])
		if n > maxFrame {
			return 0, errors.New("frame is too large")
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(from, body); err != nil {
			return 0, err
		}
		var err error
		switch head[0] {
		case frameStdout:
			_, err = stdout.Write(body)
		case frameStderr:
			_, err = stderr.Write(body)
		case frameExit:
			if len(body) != 4 {
				return 0, errors.New("malformed exit frame")
			}
			return int(int32(binary.BigEndian.Uint32(body))), nil
		case frameError:
			return 0, errors.New(string(body))
		}
		if err != nil {
			return 0, err
		}
	}
}
