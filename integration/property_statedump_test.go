package integration

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// picture is what a controller knows of the daemon from its events: the last line about each thing, by the thing.
type picture map[string]string

// apply takes one event into the picture.
func (p picture) apply(t *testing.T, line string) {
	t.Helper()
	fields := strings.Split(line, "\t")
	switch event := fields[0]; event {
	case "service.state", "service.tags", "service.args", "service.fds", "service.auto_up":
		name := fields[1]
		if event == "service.state" && fields[2] == "deleted" {
			for _, key := range []string{"service.state", "service.tags", "service.args", "service.fds", "service.auto_up"} {
				delete(p, key+" "+name)
			}
			return
		}
		if p["service.state "+name] == "" { // a new service: what no event tells is as it always is at first
			p["service.state "+name] = "service.state\t" + name + "\tdown\t-\t-\t-\t-\t-\t*"
			p["service.tags "+name] = "service.tags\t" + name + "\t"
			p["service.args "+name] = "service.args\t" + name + "\t"
			p["service.fds "+name] = "service.fds\t" + name + "\tnull\tnull\tnull"
			p["service.auto_up "+name] = "service.auto_up\t" + name + "\t-"
		}
		p[event+" "+name] = timeless(line)
	case "fd.state":
		if len(fields) == 3 && fields[2] == "deleted" {
			delete(p, "fd.state "+fields[1])
			return
		}
		p["fd.state "+fields[1]] = line
	case "signal":
		p["signal "+fields[1]] = line
	case "overflow":
		t.Error("an overflow, though everybody reads")
	default:
		if fields[0] != "error" && !strings.HasPrefix(line, "warning: fd ") {
			t.Errorf("what is %q?", line)
		}
	}
}

func (p picture) applyAll(t *testing.T, lines []string) {
	t.Helper()
	for _, line := range lines {
		p.apply(t, line)
	}
}

// differences lists what is not the same in two pictures.
func (p picture) differences(other picture) (list []string) {
	keys := slices.Concat(slices.Collect(maps.Keys(p)), slices.Collect(maps.Keys(other)))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		if p[key] != other[key] {
			list = append(list, fmt.Sprintf("%q, but a dump says %q", p[key], other[key]))
		}
	}
	return list
}

// commander invents commands over a few names, some of them wrong.
type commander struct{ *rand.Rand }

func (c commander) pick(from ...string) string { return from[c.IntN(len(from))] }

func (c commander) service() string { return c.pick("s0", "s1", "s2", "s3", "S4", "s.5") }

func (c commander) handle() string { return c.pick("h0", "h1", "h2", "h3", "H4", "h.5", "h-6") }

func (c commander) command() string {
	s := c.service()
	switch c.IntN(15) {
	case 0:
		return "service.tags⇥" + s + c.pick("", "⇥", "⇥a⇥b", fmt.Sprintf("⇥%d", c.IntN(1000)), "⇥{repeat 900 t}")
	case 1:
		return "service.args⇥" + s + c.pick("", "⇥", "⇥{helper exit}⇥3", "⇥{helper hang}", "⇥{helper hang}", "⇥{helper die}⇥9", "⇥/nonexistent")
	case 2:
		return "service.fds⇥" + s + c.pick("", "⇥null⇥null⇥null", "⇥null⇥-⇥-", "⇥"+c.handle()+"⇥null⇥null", "⇥null⇥⇥"+c.handle(), "⇥bad name")
	case 3:
		return "service.auto_up⇥" + s + c.pick("", "⇥-", "⇥1", "⇥1⇥always", "⇥2⇥USR1", "⇥3⇥USR1⇥USR2", "⇥1⇥bogus", "⇥0⇥always")
	case 4, 5, 6:
		return "service.start⇥" + s + c.pick("", "", "", "⇥-", "⇥{now+1}", "⇥{now+2}", "⇥{now+100000}", "⇥x")
	case 7, 8:
		return "service.signal⇥" + s + c.pick("⇥KILL", "⇥TERM", "⇥KILL⇥group", "⇥0", "⇥bogus")
	case 9:
		return "service.delete⇥" + s
	case 10:
		return "fd.pipe⇥" + c.handle() + "⇥" + c.handle() + c.pick("", "", "⇥nonblock", "⇥unix", "⇥unix,dgram", "⇥inet", "⇥bogus")
	case 11:
		return "fd.open⇥" + c.handle() + c.pick("⇥read⇥/dev/null", "⇥write,append⇥/dev/null", "⇥read⇥/nonexistent", "⇥write,create,trunc⇥{dir}/file")
	case 12:
		return "fd.socket⇥" + c.handle() + c.pick("⇥unix", "⇥udp,nonblock", "⇥tcp,listen⇥127.0.0.1", "⇥unix,bind⇥{dir}/no/such")
	case 13:
		return "fd.delete⇥" + c.handle()
	default:
		return c.pick("statedump", "chdir⇥/", "bogus", "", "# comment", "log.filter⇥none", "log.filter⇥debug", "conn.event_timeout⇥10⇥20")
	}
}

// storm is two controllers that change everything at random.
type storm struct {
	*daemon
	commander
	clients [2]*controller
}

func newStorm(t *testing.T) *storm {
	t.Helper()
	seed := seedFor(t)
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	return &storm{d, commander{rand.New(rand.NewPCG(seed, 0))}, [2]*controller{d.client("a"), d.client("b")}}
}

// gust has each of the two send some commands without waiting. Around them comes meanwhile, with 0, 1 and 2.
func (s *storm) gust(meanwhile func(moment int)) {
	s.t.Helper()
	var marks [2]string
	for n, c := range s.clients {
		meanwhile(n)
		var burst strings.Builder
		for range 1 + s.IntN(25) {
			burst.WriteString(s.text(s.command()) + "\n")
		}
		c.raw(burst.String())
		marks[n] = c.mark()
	}
	meanwhile(2)
	if s.IntN(20) == 0 {
		s.signal(s.pick("USR1", "USR2", "HUP"))
	}
	for n, c := range s.clients {
		c.until(marks[n])
	}
	s.i.skip()
	s.log.take()
}

// expectTruth calms the daemon and requires that what these controllers know is what a fresh dump says.
func (s *storm) expectTruth(t *testing.T, pictures map[*controller]picture) {
	t.Helper()
	s.calm(s.clients[0])
	// Signals and exits take their time, so that the comparison may have to be repeated; it can't go wrong by that.
	var wrong []string
	for range 100 {
		wrong = nil
		fresh, dump := picture{}, s.client("fresh")
		fresh.applyAll(t, dump.ask("statedump"))
		dump.close()
		for c, known := range pictures {
			known.applyAll(t, c.until(c.mark()))
			for _, difference := range known.differences(fresh) {
				wrong = append(wrong, c.name+" knows "+difference)
			}
		}
		if len(wrong) == 0 {
			t.Logf("%d lines are the same", len(fresh))
			return
		}
	}
	t.Error(strings.Join(wrong, "\n"))
}

// TestStatedumpIsConsistent has a third controller re-sync at random moments of a storm: it forgets all it knows, asks
// for a dump and takes in what comes, dump lines and events alike. A fourth one never asks. In the end both know
// exactly what a fresh dump says.
func TestStatedumpIsConsistent(t *testing.T) {
	t.Parallel()
	s := newStorm(t)
	dumper, listener := s.client("dumper"), s.client("listener")
	dumped, heard := picture{}, picture{}
	heard.applyAll(t, listener.ask("statedump"))
	for range 120 {
		dumpAt, mark := s.IntN(3), ""
		s.gust(func(moment int) {
			if moment == dumpAt {
				clear(dumped)
				dumper.send("statedump")
				mark = dumper.mark()
			}
		})
		dumped.applyAll(t, dumper.until(mark))
		heard.applyAll(t, listener.until(listener.mark()))
	}
	s.expectTruth(t, map[*controller]picture{dumper: dumped, listener: heard})
}

// TestStatedumpAfterOverflow has a controller sleep through a storm. Once it is told of the overflow, a dump in the
// midst of the storm sets everything right.
func TestStatedumpAfterOverflow(t *testing.T) {
	t.Parallel()
	s := newStorm(t)
	sleepy := s.client("sleepy")
	sleepy.send("conn.event_timeout⇥1000⇥2000")
	sleepy.sync()
	nothing := func(int) {}
	known := picture{}
	for range 3 {
		for range 10 {
			s.gust(nothing)
		}
		for range 100 { // more than its outbox and the buffers of a socket hold
			s.clients[0].send("service.tags⇥s0⇥{repeat 4000 x}")
			s.clients[0].skip()
			s.clients[1].skip()
			s.i.skip()
		}
		for range 10 {
			s.gust(nothing)
		}
		sleepy.await("overflow")
		clear(known)
		mark := ""
		s.gust(func(moment int) {
			if moment == 1 {
				sleepy.send("statedump")
				mark = sleepy.mark()
			}
		})
		known.applyAll(t, sleepy.until(mark))
	}
	s.gust(nothing)
	s.expectTruth(t, map[*controller]picture{sleepy: known})
}

// take reads what is there already.
func (l *lines) take() {
	for {
		if _, err := l.next(time.Now().Add(time.Millisecond)); err != nil {
			return
		}
	}
}

// calm ends all that happens by itself. What runs for ever goes on running, and what starts in a far future does not
// start.
func (d *daemon) calm(c *controller) {
	d.t.Helper()
	for name := range c.services() {
		c.send("service.auto_up⇥" + name + "⇥-")
	}
	d.eventually("a calm daemon", func() bool {
		for _, state := range c.services() {
			switch {
			case state[2] == "start":
				var due int64
				fmt.Sscan(state[3], &due)
				if due < monotonicSecond()+1000 {
					return false
				}
			case state[2] == "up":
				command, err := os.ReadFile("/proc/" + state[4] + "/cmdline")
				if err != nil || !strings.Contains(string(command), "\x00hang\x00") {
					return false
				}
			}
		}
		return true
	})
}
