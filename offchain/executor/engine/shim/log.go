package shim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

const (
	// LogBytes bounds a workload's log. The oldest segment is dropped first.
	LogBytes    = 32 << 20
	logSegments = 4
	logPrefix   = "log."
	followEvery = 100 * time.Millisecond
)

func segmentName(n int) string { return fmt.Sprintf("%s%08d", logPrefix, n) }

// segments returns the numbers of the log's segments, oldest first.
func (d Dir) segments() ([]int, error) {
	names, err := filepath.Glob(d.Path(logPrefix + "????????"))
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, name := range names {
		var n int
		if _, err := fmt.Sscanf(strings.TrimPrefix(filepath.Base(name), logPrefix), "%08d", &n); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// logWriter appends to the newest segment and begins a new one when it is full.
type logWriter struct {
	dir     Dir
	segment int64 // bytes of one segment
	number  int
	size    int64
	file    *os.File
}

func newLogWriter(d Dir, limit int64) (*logWriter, error) {
	w := &logWriter{dir: d, segment: limit / logSegments}
	return w, w.next()
}

func (w *logWriter) next() error {
	w.number++
	f, err := os.OpenFile(w.dir.Path(segmentName(w.number)), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if w.file != nil {
		err = w.file.Close()
	}
	w.file, w.size = f, 0
	if old := w.number - logSegments; old > 0 {
		err = errors.Join(err, os.Remove(w.dir.Path(segmentName(old))))
	}
	return err
}

// Write implements io.Writer. A single write is never split, so that a line
// stays in one segment.
func (w *logWriter) Write(p []byte) (int, error) {
	if w.size > 0 && w.size+int64(len(p)) > w.segment {
		if err := w.next(); err != nil {
			return 0, err
		}
	}
	n, err := w.file.Write(p)
	w.size += int64(n)
	return n, err
}

func (w *logWriter) Close() error { return errors.Join(w.file.Sync(), w.file.Close()) }

// pump copies what the workload prints until every writer has closed the pipe.
// A full disk loses log lines and never blocks the workload.
func pump(from *os.File, w *logWriter) error {
	var lost int64
	buf := make([]byte, 64<<10)
	for {
		n, readErr := from.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				lost += int64(n)
			}
		}
		if readErr != nil {
			if lost > 0 {
				return fmt.Errorf("%d bytes of the log could not be written", lost)
			}
			return nil
		}
	}
}

// logReader reads the segments in order; with follow it waits for more until
// the workload has ended.
type logReader struct {
	ctx    context.Context
	cancel context.CancelFunc
	dir    Dir
	follow bool
	number int
	file   *os.File
}

func openLog(ctx context.Context, d Dir, opts engine.LogOptions) (io.ReadCloser, error) {
	numbers, err := d.segments()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &logReader{ctx: ctx, cancel: cancel, dir: d, follow: opts.Follow}
	if len(numbers) == 0 {
		return r, nil
	}
	first, skip := 0, int64(0)
	if opts.TailBytes > 0 {
		left := opts.TailBytes
		for first = len(numbers) - 1; ; first-- {
			info, err := os.Stat(d.Path(segmentName(numbers[first])))
			if err != nil {
				return nil, errors.Join(err, r.Close())
			}
			if info.Size() >= left {
				skip = info.Size() - left
				break
			}
			if left -= info.Size(); first == 0 {
				break
			}
		}
	}
	if err := r.open(numbers[first]); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if _, err := r.file.Seek(skip, io.SeekStart); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *logReader) open(number int) error {
	f, err := os.Open(r.dir.Path(segmentName(number)))
	if err != nil {
		return err
	}
	if r.file != nil {
		err = r.file.Close()
	}
	r.file, r.number = f, number
	return err
}

// Read implements io.Reader.
func (r *logReader) Read(p []byte) (int, error) {
	for {
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		// Both are asked before reading: what was written before them is read below.
		ended, err := r.ended()
		if err != nil {
			return 0, err
		}
		next, err := r.newer()
		if err != nil {
			return 0, err
		}
		if r.file != nil {
			if n, err := r.file.Read(p); n > 0 || (err != nil && !errors.Is(err, io.EOF)) {
				return n, err
			}
		}
		switch {
		case next > 0:
			if err := r.open(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return 0, err // a segment dropped meanwhile is passed over
			}
		case !r.follow || ended:
			return 0, io.EOF
		default:
			select {
			case <-r.ctx.Done():
			case <-time.After(followEvery):
			}
		}
	}
}

func (r *logReader) newer() (int, error) {
	numbers, err := r.dir.segments()
	if err != nil {
		return 0, err
	}
	for _, n := range numbers {
		if n > r.number {
			return n, nil
		}
	}
	return 0, nil
}

// ended says that nothing more will be written: there is an exit record, or
// the directory is gone.
func (r *logReader) ended() (bool, error) {
	if !r.follow {
		return false, nil
	}
	if _, err := os.Stat(r.dir.Path(exitFile)); err == nil {
		return true, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	_, err := os.Stat(string(r.dir))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// Close implements io.Closer. A Read that waits ends soon.
func (r *logReader) Close() error {
	r.cancel()
	if r.file != nil {
		return r.file.Close()
	}
	return nil
}
