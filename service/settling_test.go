package service

import (
	"strings"
	"testing"
	"time"
)

// settle closes the gate and tells everybody.
func (h *house) settle() {
	h.left = make(chan struct{}, 1)
	h.registry.OnGone(func() {
		select {
		case h.left <- struct{}{}:
		default:
		}
	})
	h.world.Duties.CloseStarts()
	h.registry.Settle()
}

// gone waits until nobody is alive.
func (h *house) gone() {
	h.t.Helper()
	late := time.After(patience)
	for {
		running, others := h.registry.Alive()
		if running+others == 0 {
			return
		}
		select {
		case <-h.left:
		case <-late:
			h.t.Fatalf("%d run, %d others", running, others)
		}
	}
}

func TestSettle(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.define("later", "wait")
	h.define("runs", "wait")
	h.define("idle", "wait")
	h.must("service.start|later|9000000000")
	h.next()
	h.must("service.auto_up|runs|1|always")
	h.want("service.state|runs|start|*|-|-|-|-|-", "service.auto_up|runs|1|always", "service.state|runs|up|*|*|-|-|0|-")
	h.settle()
	seen := h.next() + "\n" + h.next()
	if !strings.Contains(seen, "service.state|later|down|-|-|-|-|-|-") || !strings.Contains(seen, "|signal|SIGTERM|") {
		t.Errorf("the events are\n%s", seen)
	}
	h.gone()
	// Nothing starts any more, though triggers may be set.
	h.fails("service.start|idle", "service is not startable")
	h.must("service.auto_up|idle|1|always")
	h.want("service.auto_up|idle|1|always")
	h.quiet()
}

// Starts that are under way at that moment end as well, whether they have got
// as far as a process or not.
func TestSettleDuringStarts(t *testing.T) {
	for range 20 {
		t.Run("", settleDuringStarts)
	}
}

func settleDuringStarts(t *testing.T) {
	h := newHouse(t, 0, 0)
	names := strings.Split("abcdefghij", "")
	for _, name := range names {
		h.must("service.args|" + name + "|/bin/sleep|1000")
		h.want("service.args|" + name + "|/bin/sleep|1000")
	}
	for _, name := range names {
		h.must("service.start|" + name)
	}
	h.settle()
	last := map[string]string{}
	for downs := 0; downs < len(names); {
		f := strings.Split(h.next(), "|")
		last[f[1]] = f[2]
		if f[2] == "down" {
			downs++
		}
	}
	h.gone()
	h.quiet()
	for name, state := range last {
		if state != "down" {
			t.Errorf("%s is left %s", name, state)
		}
	}
}

func TestSlay(t *testing.T) {
	h := newHouse(t, 0, 0)
	h.must("service.args|s|/bin/sh|-c|trap '' TERM; while :; do sleep 1; done", "service.start|s")
	h.want("service.args|s|/bin/sh|-c|trap '' TERM; while :; do sleep 1; done", "service.state|s|start|*|-|-|-|-|-", "service.state|s|up|*|*|-|-|0|-")
	h.world.Duties.CloseStarts()
	h.registry.Remind()
	h.registry.Slay()
	pid := h.want("service.state|s|down|*|*|signal|SIGKILL|*|0")[4]
	want := "info: waiting for service 's' running as pid " + pid + "\nwarning: killed service 's' running as pid " + pid + "\n"
	if log := h.logged(); log != want {
		t.Errorf("the log says %q, want %q", log, want)
	}
	h.gone()
}
