// Command workload is what the engines' tests run inside a workload: a static
// program whose arguments are steps, done in order.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 1 {
		fmt.Println("no steps")
	}
	for _, step := range os.Args[1:] {
		name, arg, _ := strings.Cut(step, "=")
		do, ok := steps[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "unknown step", step)
			os.Exit(2)
		}
		if err := do(arg); err != nil {
			fmt.Printf("%s: %s\n", step, err)
			os.Exit(1)
		}
	}
}

var steps = map[string]func(string) error{
	"print":  func(text string) error { fmt.Println(text); return nil },
	"stderr": func(text string) error { fmt.Fprintln(os.Stderr, text); return nil },
	"env":    func(name string) error { fmt.Printf("%s=%s\n", name, os.Getenv(name)); return nil },
	"exit":   exit,
	"sleep":  sleep,
	"ignore": func(string) error { signal.Ignore(syscall.SIGTERM); return nil },
	"onterm": onTerm,
	"ids": func(string) error {
		fmt.Printf("uid %d gid %d pid %d\n", os.Getuid(), os.Getgid(), os.Getpid())
		return nil
	},
	"status":   status,
	"write":    write,
	"link":     link,
	"stat":     stat,
	"memory":   memory,
	"children": children,
	"syscalls": syscalls,
	"net":      network,
	"listen":   listen,
	"count":    count,
	"flood":    flood,
	"fill":     fill,
	"stdin":    stdin,
	"devices":  devices,
}

func exit(code string) error {
	n, err := strconv.Atoi(code)
	if err != nil {
		return err
	}
	os.Exit(n)
	return nil
}

func sleep(d string) error {
	wait, err := time.ParseDuration(d)
	time.Sleep(wait)
	return err
}

// onTerm waits for SIGTERM and then prints.
func onTerm(text string) error {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	fmt.Println("waiting for SIGTERM")
	<-term
	fmt.Println(text)
	return nil
}

// status prints one field of /proc/self/status.
func status(field string) error {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, field+":") {
			fmt.Println(strings.Join(strings.Fields(line), " "))
		}
	}
	return nil
}

// path gives the file "volume:NAME/rest" where the engine put that volume.
func path(p string) string {
	volume, ok := strings.CutPrefix(p, "volume:")
	if !ok {
		return p
	}
	name, rest, _ := strings.Cut(volume, "/")
	return filepath.Join(os.Getenv("GRAFI_VOLUME_"+strings.ToUpper(name)), rest)
}

func write(arg string) error {
	p, text, _ := strings.Cut(arg, ",")
	if err := os.WriteFile(path(p), []byte(text), 0o644); err != nil {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			fmt.Printf("write %s: %s\n", p, errno)
			return nil
		}
		return err
	}
	fmt.Println("wrote", p)
	return nil
}

func link(arg string) error {
	p, target, _ := strings.Cut(arg, ",")
	return os.Symlink(target, path(p))
}

func stat(p string) error {
	info, err := os.Stat(p)
	if err != nil {
		fmt.Printf("stat %s: missing\n", p)
		return nil
	}
	s := info.Sys().(*syscall.Stat_t)
	fmt.Printf("stat %s: %s uid %d\n", p, info.Mode(), s.Uid)
	return nil
}

// memory touches that many MiB.
func memory(mib string) error {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return err
	}
	var held [][]byte
	for range n {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		held = append(held, block)
	}
	fmt.Println("held", len(held), "MiB")
	return nil
}

// children starts processes until it can't, at most that many.
func children(limit string) error {
	n, err := strconv.Atoi(limit)
	if err != nil {
		return err
	}
	for i := range n {
		cmd := exec.Command("/proc/self/exe", "sleep=60s")
		if err := cmd.Start(); err != nil {
			fmt.Printf("limit after %t children\n", i > 0)
			return nil
		}
	}
	fmt.Println("no limit")
	return nil
}

func network(string) error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		fmt.Println("interface", i.Name, i.Flags&net.FlagUp != 0)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	fmt.Println("loopback works")
	return errors.Join(conn.Close(), l.Close())
}

// listen answers every connection on a port with one line.
func listen(port string) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintln(conn, "answer from inside")
		_ = conn.Close()
	}
}

// count prints a number every 20 ms, up to n.
func count(n string) error {
	last, err := strconv.Atoi(n)
	for i := 1; i <= last; i++ {
		fmt.Println("count", i)
		time.Sleep(20 * time.Millisecond)
	}
	return err
}

// flood prints that many MiB of numbered lines.
func flood(mib string) error {
	n, err := strconv.Atoi(mib)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	for i := range n << 20 / 64 {
		fmt.Fprintf(out, "%062d\n", i)
	}
	return out.Flush()
}

// fill writes files of 1 MiB until it fails.
func fill(dir string) error {
	for i := 0; ; i++ {
		if err := os.WriteFile(filepath.Join(path(dir), strconv.Itoa(i)), make([]byte, 1<<20), 0o644); err != nil {
			fmt.Println("full:", err)
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func stdin(string) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println("read", lines.Text())
	}
	return lines.Err()
}

func devices(p string) error {
	f, err := os.OpenFile(p, os.O_RDWR, 0)
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		fmt.Printf("open %s: %s\n", p, errno)
		return nil
	}
	fmt.Println("opened", p)
	return f.Close()
}
