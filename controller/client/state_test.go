package client_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"daemonproxy/controller/client"
)

// The mirror is what a statedump says, after any changes, and tells it in the same words.
func TestMirrorIsTheStatedump(t *testing.T) {
	d, c, ctx := connected(t)
	for _, command := range []string{
		"service.args|web|/bin/sh|-c||x", "service.tags|web|a=1|b", "service.fds|web|null|r|-",
		"service.auto_up|web|7|USR1|TERM", "service.tags|empty", "service.fds|none",
		"fd.pipe|r|w", "fd.pipe|p|q|unix,dgram,nonblock", "fd.open|f|write,create|" + d.socket + ".file",
		"fd.socket|s|tcp,listen|127.0.0.1:0", "fd.socket|u|unix", "fd.delete|w",
		"service.args|job|/bin/false", "service.start|job", "service.args|gone|/bin/x", "service.delete|gone",
	} {
		do(t, ctx, c, command)
	}
	if err := d.cmd.Process.Signal(userSignal); err != nil {
		t.Fatal(err)
	}
	err := c.Wait(ctx, func(s *client.State) bool {
		return s.Services["job"].Exit.Status == 1 && s.Signals["SIGUSR2"].Count == 1
	})
	if err != nil {
		t.Fatal(err)
	}
	var mirrored []string
	for event, err := range c.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if event == (client.Synced{}) {
			break
		}
		mirrored = append(mirrored, event.String())
	}
	dump := do(t, ctx, d.connect(t, ctx), "statedump").Lines
	dump = withoutDowntime(dump)
	if mirrored = withoutDowntime(mirrored); !slices.Equal(dump, mirrored) {
		t.Errorf("the dump\n%s\nthe mirror\n%s", strings.Join(dump, "\n"), strings.Join(mirrored, "\n"))
	}
	if web, _ := c.Service("web"); !slices.Equal(web.Args, []string{"/bin/sh", "-c", "", "x"}) || !web.Since.IsZero() {
		t.Errorf("web is %+v", web)
	}
	if job, _ := c.Service("job"); job.Since.IsZero() {
		t.Error("nobody knows since when job is down")
	}
}

// withoutDowntime drops the last field of a state, which tells how much time has passed.
func withoutDowntime(lines []string) (kept []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "service.state\tjob\tdown") {
			l = l[:strings.LastIndex(l, "\t")]
		}
		kept = append(kept, l)
	}
	return kept
}

// Two who change tags at once keep each other's and the ones that were there.
func TestUpdateTags(t *testing.T) {
	d, c, ctx := connected(t)
	do(t, ctx, c, "service.tags|x|first|second=2")
	var all sync.WaitGroup
	for i := range 4 {
		other := d.connect(t, ctx)
		all.Go(func() {
			for j := range 25 {
				tag := fmt.Sprintf("t%d-%d", i, j)
				err := other.UpdateTags(ctx, "x", func(tags []string) []string {
					if slices.Contains(tags, tag) {
						return tags
					}
					return append(tags, tag)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	do(t, ctx, c, "echo|all that came before has been seen")
	x, _ := c.Service("x")
	for _, tag := range []string{"first", "second=2"} {
		if !slices.Contains(x.Tags, tag) {
			t.Errorf("%s is missing", tag)
		}
	}
	for i := range 4 {
		for j := range 25 {
			if tag := fmt.Sprintf("t%d-%d", i, j); !slices.Contains(x.Tags, tag) {
				t.Errorf("%s is missing", tag)
			}
		}
	}
}

// A condition that holds for a moment only is not missed.
func TestWaitMissesNothing(t *testing.T) {
	_, c, ctx := connected(t)
	do(t, ctx, c, "service.args|x|/bin/true")
	waited := make(chan error)
	ready := make(chan struct{})
	go func() {
		first := true
		waited <- c.Wait(ctx, func(s *client.State) bool {
			if first {
				close(ready)
				first = false
			}
			return s.Services["x"].State == client.Up
		})
	}()
	<-ready
	do(t, ctx, c, "service.start|x")
	if err := <-waited; err != nil {
		t.Error(err)
	}
}
