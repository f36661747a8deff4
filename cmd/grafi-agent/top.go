package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/grafilab/grafi/agent/config"
	"github.com/grafilab/grafi/internal/agentapi"
)

func topCmd() *cobra.Command {
	c := command(&cobra.Command{
		Use:   "top",
		Short: "Watch the running agent in the terminal",
		Long: `Shows the GPUs, what is attested, challenges, probes and what waits, and draws itself
anew. Ctrl-C ends it. Without a terminal, or with --once, it shows one picture. It uses
colour on a terminal unless NO_COLOR is set.`,
		Example: `  grafi-agent top
  grafi-agent top --every 5s
  grafi-agent top --once --output json`,
	}, runTop)
	c.Flags().Bool("once", false, "show one picture and end")
	c.Flags().Duration("every", 2*time.Second, "time between two pictures")
	return c
}

func runTop(cmd *cobra.Command, cfg config.Config, output string) error {
	once, err := cmd.Flags().GetBool("once")
	if err != nil {
		return err
	}
	every, err := cmd.Flags().GetDuration("every")
	if err != nil {
		return err
	}
	if every < 200*time.Millisecond {
		return usageError{fmt.Errorf("--every: got %s, want at least 200ms", every)}
	}
	client := agentapi.NewClient(cfg.Socket)
	out, isFile := cmd.OutOrStdout().(*os.File)
	terminal := isFile && term.IsTerminal(int(out.Fd()))
	if once || output == "json" || !terminal {
		st, err := client.Status(cmd.Context())
		if errors.Is(err, agentapi.ErrUnreachable) {
			return fmt.Errorf("%w on %s: is \"grafi-agent run\" running? (%w)", errNoAgent, cfg.Socket, err)
		}
		if err != nil {
			return err
		}
		return show(cmd, output, st, func(w *strings.Builder) { printTop(w, st, time.Now(), painter(false)) })
	}
	return watch(cmd.Context(), out, client, cfg.Socket, every)
}

// watch draws until ctx ends. The alternate screen leaves what was on the terminal.
func watch(ctx context.Context, out *os.File, client *agentapi.Client, socket string, every time.Duration) (err error) {
	paint := painter(os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
	if err := enableANSI(out); err != nil {
		return err
	}
	const enter, leave = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
	if _, err := out.WriteString(enter); err != nil {
		return err
	}
	defer func() {
		_, lerr := out.WriteString(leave)
		err = errors.Join(err, lerr)
	}()
	for {
		var b strings.Builder
		st, err := client.Status(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			fmt.Fprintf(&b, "%s\n%s\n", paint("no agent answers on "+socket, red), err)
		} else {
			printTop(&b, st, time.Now(), paint)
		}
		width, height, terr := term.GetSize(int(out.Fd()))
		if terr != nil {
			width, height = 80, 24
		}
		if _, err := out.WriteString(frame(b.String(), width, height)); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

// frame puts the picture at the top left, cut to the terminal's size, and clears the rest.
func frame(picture string, width, height int) string {
	var b strings.Builder
	b.WriteString("\x1b[H")
	lines := strings.Split(strings.TrimRight(picture, "\n"), "\n")
	for i, line := range lines {
		if i >= height-1 {
			break
		}
		b.WriteString(cut(line, width) + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	return b.String()
}

// cut shortens a line to width columns; colours take none.
func cut(line string, width int) string {
	var b strings.Builder
	columns, escape := 0, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		case columns >= width:
			continue
		default:
			columns++
		}
		b.WriteRune(r)
	}
	return b.String()
}

// colour is an SGR code.
type colour string

const (
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	bold   colour = "1"
	dim    colour = "2"
)

// painter returns what colours a text, or leaves it.
func painter(colours bool) func(string, colour) string {
	return func(s string, c colour) string {
		if !colours || s == "" {
			return s
		}
		return "\x1b[" + string(c) + "m" + s + "\x1b[0m"
	}
}

// bar draws a share of width cells, in ASCII where the terminal may know no other.
func bar(part, whole uint64, width int) string {
	full, empty := "█", "░"
	if runtime.GOOS == "windows" {
		full, empty = "#", "."
	}
	n := 0
	if whole > 0 {
		n = int(min(part, whole) * uint64(width) / whole)
	}
	return strings.Repeat(full, n) + strings.Repeat(empty, width-n)
}
