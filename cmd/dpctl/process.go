package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"daemonproxy/controller/client"
)

const (
	// killPatience is how long a process may take to die of SIGKILL. Only one that hangs in the kernel takes longer.
	killPatience = 5 * time.Second
	// settling is how long a program that was started is watched, so that one that can't be executed is noticed.
	settling = 100 * time.Millisecond
	// retryPause is how long something that daemonproxy refuses only for the moment is left alone.
	retryPause = 100 * time.Millisecond
)

// end ends the run of a service that is up: SIGTERM, and SIGKILL when --timeout has passed (0: never). It says how that
// went. What the service does then, its triggers decide.
func (p *program) end(ctx context.Context, c *client.Client, run client.Service) (string, error) {
	var exit client.Exit
	gone := func(state *client.State) bool {
		now := state.Services[run.Name]
		exit = now.LastExit
		return now.State != client.Up || now.PID != run.PID || now.Time != run.Time
	}
	if err := p.sendSignal(ctx, c, run.Name, "SIGTERM"); err != nil {
		return "", err
	}
	patient, cancel := within(ctx, p.timeout)
	defer cancel()
	err := c.Wait(patient, gone)
	if err == nil {
		return exit.String(), nil
	}
	if !isTime(err) || ctx.Err() != nil {
		return "", err
	}
	if err := p.sendSignal(ctx, c, run.Name, "SIGKILL"); err != nil {
		return "", err
	}
	patient, cancel = within(ctx, killPatience)
	defer cancel()
	if err = c.Wait(patient, gone); isTime(err) {
		err = fail(exitTimedOut, "%s: pid %d is still there %v after SIGKILL; it hangs in the kernel", run.Name, run.PID, killPatience)
	}
	return fmt.Sprintf("%v: it still ran %v after SIGTERM", exit, p.timeout), err
}

// sendSignal signals a service. That it does not run any more is no error, since that is what is wanted.
func (p *program) sendSignal(ctx context.Context, c *client.Client, name, signal string) error {
	limited, cancel := p.limitedIn(ctx)
	defer cancel()
	err := do(limited, c, "service.signal", name, signal)
	switch text := refusal(err); {
	case text == "service is not running", text == "No such service":
		return nil
	case strings.HasPrefix(text, "can't kill ") && strings.HasSuffix(text, ": No such process"): // it is being reaped
		return nil
	}
	return err
}

// launch starts a service at once, unless it runs, and waits until it does.
func launch(ctx context.Context, c *client.Client, name string) (string, error) {
	err := do(ctx, c, "service.start", name)
	s, ok := c.Service(name)
	if err != nil && (refusal(err) != "service is not startable" || !ok || s.State == client.Down) {
		return "", err
	}
	s, err = awaitState(ctx, c, name, func(s client.Service) bool { return s.State != client.Start })
	if isTime(err) {
		return "", fail(exitTimedOut, "%s: it has not started in time, and may still do so", name)
	}
	if err != nil {
		return "", err
	}
	if s.State == client.Up {
		run := s
		if s, err = settle(ctx, c, run); err != nil {
			return "", err
		}
		if s.State == client.Up && s.PID == run.PID {
			return fmt.Sprintf("%s started, pid %d", name, run.PID), nil
		}
	}
	switch {
	case s.Name == "":
		return "", fail(exitFailed, "%s: somebody has deleted it", name)
	case s.State == client.Down && s.PID == 0:
		return "", fail(exitFailed, "%s: somebody has cancelled its start", name)
	case s.LastExit.Reason == "exit" && s.LastExit.Status == 0:
		return name + " has run, and ended: exit 0", nil
	}
	return "", fail(exitFailed, "%s: it started, but ended at once: %v%s", name, s.LastExit, hint(s.LastExit))
}

// settle watches a run that has begun, and returns the service as it is then. That there is no time left to watch it is
// no failure of the start.
func settle(ctx context.Context, c *client.Client, run client.Service) (client.Service, error) {
	brief, cancel := within(ctx, settling)
	defer cancel()
	s, err := awaitState(brief, c, run.Name, func(s client.Service) bool { return s.State != client.Up || s.PID != run.PID })
	if isTime(err) {
		return run, nil
	}
	return s, err
}

// hint says where daemonproxy tells what a new service lacked.
func hint(e client.Exit) string {
	if e.Reason == "exit" && e.Status == 3 || e.Signal == "SIGABRT" {
		return " (the log of daemonproxy may say why)"
	}
	return ""
}

// awaitState returns the service as it was when the condition was met.
func awaitState(ctx context.Context, c *client.Client, name string, met func(client.Service) bool) (s client.Service, err error) {
	err = c.Wait(ctx, func(state *client.State) bool {
		s = state.Services[name]
		return met(s)
	})
	return s, err
}
