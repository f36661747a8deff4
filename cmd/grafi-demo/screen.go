package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// screen prints the demo's progress. On a terminal the line of a running step
// shows its seconds; in a file each line is written once.
type screen struct {
	out      io.Writer
	terminal bool
	began    time.Time
	steps    int
	step     int
}

func newScreen(out *os.File, steps int) *screen {
	info, err := out.Stat()
	return &screen{
		out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0,
		began: time.Now(), steps: steps,
	}
}

func (s *screen) bold(text string) string {
	if !s.terminal {
		return text
	}
	return "\033[1m" + text + "\033[0m"
}

// begin announces a step and returns the function that ends it.
func (s *screen) begin(title string) (end func(note string, err error)) {
	s.step++
	began := time.Now()
	head := fmt.Sprintf("[%2d/%d] %s", s.step, s.steps, title)
	stop, stopped := make(chan struct{}), make(chan struct{})
	fmt.Fprintln(s.out, s.bold(head))
	go func() {
		defer close(stopped)
		if !s.terminal {
			<-stop
			return
		}
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				fmt.Fprint(s.out, "\r\033[K")
				return
			case <-tick.C:
				fmt.Fprintf(s.out, "\r        %d s ", int(time.Since(began).Seconds()))
			}
		}
	}()
	return func(note string, err error) {
		close(stop)
		<-stopped
		mark := "done"
		if err != nil {
			mark = "FAILED"
		}
		fmt.Fprintf(s.out, "        %s after %.1f s", mark, time.Since(began).Seconds())
		if note != "" && err == nil {
			fmt.Fprint(s.out, ": "+note)
		}
		fmt.Fprintln(s.out)
	}
}

// command shows what a user would type for the step.
func (s *screen) command(args ...string) {
	for i, arg := range args {
		if strings.ContainsAny(arg, " '\"") {
			args[i] = strconv.Quote(arg)
		}
	}
	s.line("$ " + strings.Join(args, " "))
}

// line prints one line under the current step.
func (s *screen) line(text string) {
	if s.terminal {
		fmt.Fprint(s.out, "\r\033[K") // the seconds
	}
	fmt.Fprintln(s.out, "        "+text)
}

// block prints text under the current step.
func (s *screen) block(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		s.line(line)
	}
}

// Write prints a stream, line by line, under the current step.
func (s *screen) Write(p []byte) (int, error) {
	for line := range strings.SplitSeq(strings.TrimRight(string(p), "\n"), "\n") {
		s.line("│ " + line)
	}
	return len(p), nil
}
