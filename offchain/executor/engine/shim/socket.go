package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/grafilab/grafi/offchain/executor/engine"
)

// The executor asks a live shim over a socket in the workload's directory, one
// request for each connection: one JSON request with files beside it, one JSON
// reply with files beside it. A closed connection ends an exec.
type request struct {
	Op   string   `json:"op"`
	Args []string `json:"args,omitempty"` // exec
	Env  []string `json:"env,omitempty"`  // exec
	Port uint16   `json:"port,omitempty"` // dial
}

type reply struct {
	Err      string       `json:"err,omitempty"`
	ExitCode int          `json:"exit_code,omitempty"`
	Stats    engine.Stats `json:"stats,omitzero"`
}

const (
	opNudge = "nudge" // read control.json now
	opExec  = "exec"
	opStats = "stats"
	opDial  = "dial"

	maxMessage = 256 << 10
	stdioFiles = 3
)

// listen serves until Close. The path goes through /proc, because a socket's
// path has at most 107 bytes and a directory's may have more.
func listen(s *shim) (*net.UnixListener, error) {
	dirFD, err := os.Open(string(s.dir))
	if err != nil {
		return nil, err
	}
	defer dirFD.Close()
	l, err := net.ListenUnix("unixpacket", socketAddr(dirFD))
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // by then the /proc path is another's; Remove takes the directory
	go func() {
		for {
			conn, err := l.AcceptUnix()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return l, nil
}

func socketAddr(dir *os.File) *net.UnixAddr {
	return &net.UnixAddr{Net: "unixpacket", Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), socketFile)}
}

func (s *shim) serve(conn *net.UnixConn) {
	defer conn.Close()
	var req request
	files, err := receive(conn, &req)
	defer closeAll(files)
	if err != nil {
		return
	}
	var rep reply
	var back []*os.File
	switch req.Op {
	case opNudge:
		select {
		case s.nudge <- struct{}{}:
		default: // one is waiting already
		}
	case opExec:
		rep.ExitCode, err = s.exec(conn, req, files)
	case opStats:
		rep.Stats, err = s.runner.Stats()
		if err == nil {
			rep.Stats.DiskBytes, err = diskUse(s.dir.Path("volumes"))
		}
	case opDial:
		back, err = s.dial(req.Port)
		defer closeAll(back)
	default:
		err = fmt.Errorf("unknown request %q", req.Op)
	}
	if err != nil {
		rep.Err = err.Error()
	}
	_ = send(conn, rep, back) // the asker may be gone, and nobody else wants to know
}

func (s *shim) exec(conn *net.UnixConn, req request, files []*os.File) (int, error) {
	if len(files) != stdioFiles {
		return 0, fmt.Errorf("exec with %d files, want %d", len(files), stdioFiles)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = conn.Read(make([]byte, 1)) // nothing is ever sent: this returns when the asker goes
	}()
	code, err := s.runner.Exec(req.Args, req.Env, [stdioFiles]*os.File(files), gone)
	closeAll(files) // so that the asker sees the end of the output
	return code, err
}

func (s *shim) dial(port uint16) ([]*os.File, error) {
	conn, err := s.runner.Dial(port)
	if err != nil {
		return nil, err
	}
	f, err := conn.File()
	if err = errors.Join(err, conn.Close()); err != nil {
		return nil, err
	}
	return []*os.File{f}, nil
}

// ask sends one request to the shim of a directory. An error means that no
// answer came; the shim's own error is in the reply.
func ask(d Dir, req request, files []*os.File, done <-chan struct{}, patience time.Duration) (reply, []*os.File, error) {
	dirFD, err := os.Open(string(d))
	if err != nil {
		return reply{}, nil, err
	}
	conn, err := net.DialUnix("unixpacket", nil, socketAddr(dirFD))
	if err = errors.Join(err, dirFD.Close()); err != nil {
		return reply{}, nil, err
	}
	var once sync.Once
	closeConn := func() { once.Do(func() { _ = conn.Close() }) }
	defer closeConn()
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-done:
			closeConn()
		case <-finished:
		}
	}()
	if patience > 0 {
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return reply{}, nil, err
		}
	}
	if err := send(conn, req, files); err != nil {
		return reply{}, nil, err
	}
	var rep reply
	back, err := receive(conn, &rep)
	if err != nil {
		closeAll(back)
		return reply{}, nil, err
	}
	return rep, back, nil
}

func send(conn *net.UnixConn, message any, files []*os.File) error {
	raw, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(raw) > maxMessage {
		return fmt.Errorf("message of %d bytes, at most %d are allowed", len(raw), maxMessage)
	}
	var oob []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			fds[i] = int(f.Fd())
		}
		oob = unix.UnixRights(fds...)
	}
	_, _, err = conn.WriteMsgUnix(raw, oob, nil)
	return err
}

func receive(conn *net.UnixConn, message any) ([]*os.File, error) {
	raw := make([]byte, maxMessage)
	oob := make([]byte, unix.CmsgSpace(4*stdioFiles))
	n, oobn, _, _, err := conn.ReadMsgUnix(raw, oob)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	controls, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return nil, err
	}
	for _, control := range controls {
		fds, err := unix.ParseUnixRights(&control)
		if err != nil {
			return files, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	if n == 0 {
		return files, net.ErrClosed
	}
	return files, json.Unmarshal(raw[:n], message)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close() // a second close of an exec's files is expected
	}
}
