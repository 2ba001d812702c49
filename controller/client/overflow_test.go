package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"daemonproxy/controller/client"
)

// gate lets reads through only while it is open.
type gate struct {
	net.Conn
	mu   sync.Mutex
	cond *sync.Cond
	shut bool
}

func newGate(t testing.TB, socket string) *gate {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Conn: conn}
	g.cond = sync.NewCond(&g.mu)
	return g
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	g.cond.Broadcast()
}

func (g *gate) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut {
		g.cond.Wait()
	}
	return n, err
}

var _ io.ReadWriteCloser = (*gate)(nil)

// flood makes more events than a connection that nobody reads can hold: in its outbox, or in the kernel.
func flood(t testing.TB, ctx context.Context, c *client.Client) {
	t.Helper()
	text := strings.Repeat("x", 4000)
	for i := range 200 {
		do(t, ctx, c, fmt.Sprintf("service.tags|flood|%d|%s", i, text))
	}
}

// After an overflow the mirror is right again, the loop over events is told everything anew, and a command whose
// answer was dropped says so.
func TestOverflow(t *testing.T) {
	d, other, ctx := connected(t)
	g := newGate(t, d.socket)
	c, err := client.New(ctx, g, g)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer g.set(false)
	do(t, ctx, c, "service.args|before|/bin/true")
	var lost, synced int
	for event, err := range c.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case client.Synced:
			if synced++; synced == 1 {
				g.set(true)
				flood(t, ctx, other)
				do(t, ctx, other, "service.delete|before")
				do(t, ctx, other, "service.args|after|/bin/true")
				g.set(false)
			}
		case client.Lost:
			lost++
			if !errors.Is(e.Err, client.ErrOverflow) {
				t.Errorf("lost for %v", e.Err)
			}
		}
		if synced > 1 && synced == lost+1 {
			break
		}
	}
	state := c.State()
	if _, there := state.Services["before"]; there {
		t.Error("a service that was deleted meanwhile is there")
	}
	if _, there := state.Services["after"]; !there {
		t.Error("a service that was made meanwhile is missing")
	}
	do(t, ctx, c, "echo|and it goes on")
}

// Commands under way during an overflow come to an end, with their answer or with ErrLost; none hangs.
func TestAnswersDuringOverflow(t *testing.T) {
	d, other, ctx := connected(t)
	g := newGate(t, d.socket)
	c, err := client.New(ctx, g, g)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer g.set(false)
	for range 5 {
		g.set(true)
		var commands sync.WaitGroup
		for i := range 20 {
			commands.Go(func() {
				text := fmt.Sprintf("%d %s", i, strings.Repeat("y", 3000))
				a, err := c.Do(ctx, "echo", text)
				if !errors.Is(err, client.ErrLost) && (err != nil || a.Lines[0] == "" || !contains(a.Lines, text)) {
					t.Errorf("echo %d: %v, %d lines", i, err, len(a.Lines))
				}
			})
		}
		flood(t, ctx, other)
		g.set(false)
		commands.Wait()
	}
}

func contains(lines []string, text string) bool {
	for _, l := range lines {
		if l == text {
			return true
		}
	}
	return false
}

// Who does not take events loses them, is told so, and holds up nobody.
func TestSlowConsumer(t *testing.T) {
	_, c, ctx := connected(t)
	lost, done := false, false
	for event, err := range c.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case client.Synced:
			if done = lost; !lost {
				for i := range 3000 { // not taken by this loop meanwhile
					do(t, ctx, c, fmt.Sprintf("service.tags|x|%d", i))
					do(t, ctx, c, "service.args|x|/bin/true")
				}
			}
		case client.Lost:
			if lost = true; !errors.Is(e.Err, client.ErrSlow) {
				t.Errorf("lost for %v", e.Err)
			}
		}
		if done {
			break
		}
	}
	if x, _ := c.Service("x"); len(x.Tags) != 1 || x.Tags[0] != "2999" {
		t.Errorf("the mirror has %v", x.Tags)
	}
}
