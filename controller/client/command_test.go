package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"

	"daemonproxy/controller/client"
)

// Each of many concurrent commands gets its own answer, while events of others pass.
func TestAnswersBelongToTheirCommands(t *testing.T) {
	_, c, ctx := connected(t)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			name := fmt.Sprintf("no-%d", i)
			if i%2 == 0 {
				if _, err := c.Do(ctx, "service.args", name, "/bin/true"); err != nil {
					t.Error(err)
				}
				if known, ok := c.Service(name); !ok || len(known.Args) != 1 {
					t.Errorf("%s is answered, but not mirrored: %+v", name, known)
				}
				return
			}
			_, err := c.Do(ctx, "service.start", name)
			var refused *client.Error
			if !errors.As(err, &refused) || refused.Text != "No such service" || refused.Command != "service.start\t"+name {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
}

// A refusal's text is whole and without the command's beginning, however long either is.
func TestErrorTexts(t *testing.T) {
	_, c, ctx := connected(t)
	long := strings.Repeat("x", 200)
	for command, want := range map[string]string{
		"bogus|x":                          "Unknown command: bogus",
		"service.start|x":                  "No such service",
		"service.args|" + long + "|/bin/x": "Invalid service name",
		"fd.pipe|a|b|" + long:              `unknown flag "` + long + `"`,
		"fd.open|a|read|/no/such/" + long:  "open failed: No such file or directory",
		"terminate":                        "Expected integer",
	} {
		_, err := c.DoLine(ctx, strings.ReplaceAll(command, "|", "\t"))
		var refused *client.Error
		if !errors.As(err, &refused) || refused.Text != want {
			t.Errorf("%q: got %v, want %q", command, err, want)
		}
	}
}

// What an echo answers is its answer even if it looks like an event.
func TestEchoIsNoEvent(t *testing.T) {
	_, c, ctx := connected(t)
	for _, text := range []string{"service.state|x|up|1|2|-|-|0|-", "error|x", "a||b|", "|"} {
		answer := do(t, ctx, c, "echo|"+text)
		if want := strings.ReplaceAll(text, "|", "\t"); len(answer.Lines) != 1 || answer.Lines[0] != want {
			t.Errorf("echo %q answered %q", want, answer.Lines)
		}
	}
	if _, err := c.Do(ctx, "echo", "overflow"); !errors.Is(err, client.ErrLost) {
		t.Errorf("an echo that can't be told from an overflow: %v", err)
	}
	if state := c.State(); len(state.Services) != 0 {
		t.Errorf("an echo made services: %v", state.Services)
	}
}

func TestWarningsAndQueries(t *testing.T) {
	_, c, ctx := connected(t)
	if a := do(t, ctx, c, "service.fds|x|nix|null"); len(a.Warnings) != 1 || a.Warnings[0] != `fd "nix" is not yet defined` {
		t.Errorf("warnings %q", a.Warnings)
	}
	if a := do(t, ctx, c, "log.dest|fd|nix"); len(a.Warnings) != 1 || a.Warnings[0] != `fd "nix" does not exist` {
		t.Errorf("warnings %q", a.Warnings)
	}
	if a := do(t, ctx, c, "log.filter"); len(a.Lines) != 1 || a.Lines[0] != "log.filter\tdebug" {
		t.Errorf("log.filter answered %q", a.Lines)
	}
	if a := do(t, ctx, c, "# a comment"); len(a.Lines) != 0 {
		t.Errorf("a comment answered %q", a.Lines)
	}
}

// What can't be one command is refused before anything is sent.
func TestUnsendable(t *testing.T) {
	_, c, ctx := connected(t)
	for want, fields := range map[error][]string{
		client.ErrField:   {"echo", "a\tb"},
		client.ErrTooLong: {"echo", strings.Repeat("x", 4091)},
	} {
		if _, err := c.Do(ctx, fields...); !errors.Is(err, want) {
			t.Errorf("%.20q: %v", fields, err)
		}
	}
	if _, err := c.DoLine(ctx, "echo\ta\nterminate\t0"); !errors.Is(err, client.ErrLine) {
		t.Error(err)
	}
	if a, err := c.Do(ctx, "echo", strings.Repeat("x", 4090)); err != nil || len(a.Lines[0]) != 4090 {
		t.Errorf("the longest command: %v", err)
	}
}

// exit and terminate are answered by the end, and a refused terminate by its error.
func TestLastCommands(t *testing.T) {
	_, c, ctx := connected(t)
	do(t, ctx, c, "terminate.guard|+|5")
	if _, err := c.Do(ctx, "terminate", "0"); err == nil {
		t.Error("terminate against a guard succeeded")
	}
	do(t, ctx, c, "terminate.guard|-|5")
	d2, other, _ := connected(t)
	do(t, ctx, other, "exit")
	if _, err := other.Do(ctx, "echo", "x"); !errors.Is(err, client.ErrDisconnected) {
		t.Errorf("after exit: %v", err)
	}
	do(t, ctx, d2.connect(t, ctx), "terminate|0")
	<-d2.ended
}

// A daemon that does not answer holds nobody beyond the context, neither Do, nor Dial, nor Close.
func TestStoppedDaemon(t *testing.T) {
	d, c, ctx := connected(t)
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithCancelCause(ctx)
	gone := errors.New("changed my mind")
	go cancel(gone)
	if _, err := c.Do(short, "echo", "x"); !errors.Is(err, gone) {
		t.Errorf("Do: %v", err)
	}
	var notServed *client.NotServedError
	if _, err := client.Dial(short, d.socket); !errors.As(err, &notServed) || !errors.Is(err, gone) {
		t.Errorf("Dial: %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := c.Do(ctx, "echo", "y")
		waiting <- err
	}()
	go c.Close()
	if err := <-waiting; !errors.Is(err, client.ErrClosed) {
		t.Errorf("a command at Close: %v", err)
	}
}

// More commands than fit into any buffer wait for room, and all are carried out.
func TestManyCommandsAtOnce(t *testing.T) {
	_, c, ctx := connected(t)
	text := strings.Repeat("x", 4000)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if a, err := c.Do(ctx, "echo", text); err != nil || len(a.Lines) != 1 || a.Lines[0] != text {
				t.Errorf("%v, %d lines", err, len(a.Lines))
			}
		})
	}
	all.Wait()
}
