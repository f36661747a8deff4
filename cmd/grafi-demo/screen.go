package main

import (
	"fmt"
	"io"
	"os"
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
	go func() {
		defer close(stopped)
		if !s.terminal {
			fmt.Fprintln(s.out, head)
			<-stop
			return
		}
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			fmt.Fprintf(s.out, "\r%s  %ds ", s.bold(head), int(time.Since(began).Seconds()))
			select {
			case <-stop:
				fmt.Fprint(s.out, "\r\033[K"+s.bold(head)+"\n")
				return
			case <-tick.C:
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
	fmt.Fprintf(s.out, "        $ %s\n", strings.Join(args, " "))
}

// block prints text under the current step.
func (s *screen) block(text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintln(s.out, "        "+line)
	}
}

// Write prints a stream, line by line, under the current step.
func (s *screen) Write(p []byte) (int, error) {
	text := strings.ReplaceAll(strings.TrimSuffix(string(p), "\n"), "\n", "\n        │ ")
	if _, err := fmt.Fprintln(s.out, "        │ "+text); err != nil {
		return 0, err
	}
	return len(p), nil
}
