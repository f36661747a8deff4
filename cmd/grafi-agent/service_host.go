package main

import (
	"context"
	"errors"
	"os"
	"time"

	system "github.com/kardianos/service"
)

// hosted runs the agent for Windows' service manager, which starts and stops a
// process by calls and not by signals. systemd needs none of it.
type hosted struct {
	ctx  context.Context
	stop context.CancelFunc
	done chan error
	run  func(context.Context) error
	fail func(error)
}

var _ system.Interface = hosted{}

// stopTimeout is how long a stop may take; Windows waits 20 s.
const stopTimeout = 15 * time.Second

// Start implements service.Interface. It returns at once, as the manager wants it.
func (h hosted) Start(system.Service) error {
	if h.run == nil {
		return errors.New("nothing to run")
	}
	go func() {
		err := h.run(h.ctx)
		h.done <- err
		if h.ctx.Err() == nil {
			// An end without a stop, whatever it is: the manager sees a crash, and
			// restarts the service.
			h.fail(err)
		}
	}()
	return nil
}

// Stop implements service.Interface.
func (h hosted) Stop(system.Service) error {
	h.stop()
	select {
	case err := <-h.done:
		return err
	case <-time.After(stopTimeout):
		return errors.New("the agent did not stop in time")
	}
}

// underManager tells whether a service manager that needs calls started this process.
func underManager() bool { return system.Platform() == "windows-service" && !system.Interactive() }

// host runs the agent until the manager stops it.
func host(ctx context.Context, run func(context.Context) error, fail func(error)) error {
	h := hosted{done: make(chan error, 1), run: run, fail: fail}
	h.ctx, h.stop = context.WithCancel(ctx)
	defer h.stop()
	s, err := system.New(h, &system.Config{Name: serviceName})
	if err != nil {
		return err
	}
	return s.Run()
}

// crash ends the process as a failure of the service.
func crash(error) { os.Exit(exitFailure) }
