package integration

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"daemonproxy/integration/model"

	"pgregory.net/rapid"
)

// TestModel runs random commands on real daemons beside a model of their state. MODEL_CHECKS=n makes n runs (make
// model); -rapid.seed repeats one. What fails is made as short as possible before it is shown.
func TestModel(t *testing.T) {
	checks := "120"
	if given := os.Getenv("MODEL_CHECKS"); given != "" {
		checks = given
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.nofailfile": "true", "rapid.shrinktime": "60s"} {
		if !flagGiven(name) {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	rapid.Check(t, func(r *rapid.T) { newModelled(t, r).play() })
}

// rapidTB lets the harness fail one run of rapid.
type rapidTB struct {
	testing.TB
	r *rapid.T
}

func (t rapidTB) Cleanup(f func())                  { t.r.Cleanup(f) }
func (t rapidTB) Error(args ...any)                 { t.r.Error(args...) }
func (t rapidTB) Errorf(format string, args ...any) { t.r.Errorf(format, args...) }
func (t rapidTB) Failed() bool                      { return t.r.Failed() }
func (t rapidTB) Fatal(args ...any)                 { t.r.Fatal(args...) }
func (t rapidTB) Fatalf(format string, args ...any) { t.r.Fatalf(format, args...) }
func (t rapidTB) Helper()                           {}
func (t rapidTB) Log(args ...any)                   { t.r.Log(args...) }
func (t rapidTB) Logf(format string, args ...any)   { t.r.Logf(format, args...) }

// programs are what services run there, and how each ends by itself.
var programs = map[string]string{
	"/bin/sleep\t1000": "", "/bin/true": "exit\t0", "true": "exit\t0", "/bin/sh\t-c\texit 300": "exit\t44",
	"/bin/sh\t-c\tkill -9 $$": "signal\tSIGKILL", "/bin/sh\t-c\tkill -34 $$": "signal\tSIG-?",
	"/nonexistent": "exit\t3", "/etc/passwd\tnot executable": "exit\t3",
}

// modelled is a daemon beside its model.
type modelled struct {
	*daemon
	r       *rapid.T
	m       *model.Model
	talkers []*talker
	joined  int
	script  []string // for the report
}

// talker is a connection that the model knows of.
type talker struct {
	*controller
	c     *model.Conn
	early []string // lines that were read before they were asked for
}

func newModelled(t *testing.T, r *rapid.T) *modelled {
	o := model.Options{Programs: programs, Filter: "info"}
	s := setup{args: []string{"-i", "-q", "-S", "{dir}/ctl"}}
	if rapid.IntRange(0, 3).Draw(r, "pools") == 3 {
		o.Services, o.ServiceBytes, o.Handles, o.HandleBytes = 3, 100, 11, 32
		s.args = append(s.args, "--service-pool", "3x100", "--fd-pool", "11x32")
	}
	d := s.start(rapidTB{t, r})
	o.Dir, o.Socket = d.dir, d.controlSocket()
	made := &modelled{daemon: d, r: r, m: model.New(o)}
	made.talkers = []*talker{{controller: d.i, c: made.m.Join("i")}}
	made.round(map[*talker]act{made.talkers[0]: {[]sent{{line: "chdir\t" + d.dir}}, everything}})
	for range rapid.IntRange(0, 2).Draw(r, "clients") {
		made.join()
	}
	return made
}

// play does things at random, and then looks whether all that had to happen has.
func (s *modelled) play() {
	for range rapid.IntRange(1, 25).Draw(s.r, "steps") {
		switch rapid.IntRange(0, 19).Draw(s.r, "step") {
		case 17:
			s.storm()
		case 18:
			s.arrive()
		case 19:
			if s.m.ControlSocket() != "" && len(s.talkers) < 5 {
				s.join()
			}
		default:
			s.burst()
		}
		s.slowDown()
	}
	s.settled()
	s.round(map[*talker]act{s.talkers[0]: {[]sent{{line: "statedump"}}, everything}})
	s.sameProcesses()
	if rapid.IntRange(0, 3).Draw(s.r, "end") == 3 {
		s.terminate()
	}
}

// slowDown stops what would soon fill all outboxes.
func (s *modelled) slowDown() {
	for _, name := range s.m.Spinning() {
		s.round(map[*talker]act{s.talkers[0]: {[]sent{{line: "service.auto_up\t" + name + "\t-"}}, everything}})
	}
}

// burst has one connection send some commands at once.
func (s *modelled) burst() {
	n := rapid.IntRange(0, len(s.talkers)-1).Draw(s.r, "who")
	who := s.talkers[n]
	g := generator{s.r, s.m, s.dir, serviceNames, handleNames, false, map[string]bool{}}
	var commands []sent
	for range rapid.IntRange(1, 6).Draw(s.r, "commands") {
		one := g.command()
		if _, _, ends := s.m.Ends(one.line); ends && strings.HasPrefix(one.line, "terminate") || one.pass != nil && !who.mayPass(commands) {
			continue
		}
		// What the commands before it change shows only after them.
		alone := strings.HasPrefix(one.line, "terminate") || strings.HasPrefix(one.line, "signal.clear") || exits(one.line)
		if alone && len(commands) > 0 || exits(one.line) && who.conn == nil {
			continue
		}
		commands = append(commands, one)
		if alone {
			break
		}
	}
	s.round(map[*talker]act{who: {commands, everything}})
}

// storm has all connections send at once, each about things of its own.
func (s *modelled) storm() {
	acts := map[*talker]act{}
	for n, who := range s.talkers {
		mine := func(kind, name string) bool {
			if i := slices.Index(serviceNames, name); kind == "service" && i >= 0 {
				return i%len(s.talkers) == n
			}
			return n == 0
		}
		g := generator{s.r, s.m, s.dir, slices.DeleteFunc(slices.Clone(serviceNames), func(name string) bool { return !mine("service", name) }), handleNames, n > 0, map[string]bool{}}
		var commands []sent
		for range rapid.IntRange(0, 6).Draw(s.r, "commands") {
			if one := g.peaceful(); one.pass == nil || who.mayPass(commands) {
				commands = append(commands, one)
			}
		}
		acts[who] = act{commands, mine}
	}
	if s.pooled() {
		return // the fullness of a pool is everybody's
	}
	s.round(acts)
}

func (s *modelled) pooled() bool { return s.m.Services > 0 }

// arrive sends the daemon a signal.
func (s *modelled) arrive() {
	name := rapid.SampledFrom([]string{"USR1", "HUP", "TERM"}).Draw(s.r, "signal")
	from := monotonicSecond()
	s.m.Arrives(model.Clock{From: from, To: from}, name)
	s.signal(name)
	parts := make([]model.Part, len(s.talkers))
	for i, t := range s.talkers {
		for !slices.ContainsFunc(t.early, func(line string) bool { return strings.HasPrefix(line, "signal\tSIG"+name) }) {
			t.early = append(t.early, t.line())
		}
		parts[i] = model.Part{Conn: t.c, Segments: []model.Segment{{Lines: t.segment(t.mark())}}}
	}
	s.check(from, parts)
}

// join opens another connection and asks it for a statedump.
func (s *modelled) join() {
	s.joined++
	t := &talker{c: s.m.Join(fmt.Sprintf("c%d", s.joined))}
	from := monotonicSecond()
	t.controller = s.dialAt(t.c.Name, s.m.ControlSocket())
	t.send("statedump")
	parts := []model.Part{{Conn: t.c, Segments: []model.Segment{{Command: "statedump", Lines: t.segment(t.mark())}}}}
	for i, other := range s.talkers {
		p := model.Part{Conn: other.c, Segments: []model.Segment{{Lines: other.segment(other.mark())}}}
		if i == 0 {
			p.Owns = everything
		}
		parts = append(parts, p)
	}
	slices.Reverse(parts) // what others have heard helps to understand what the new one sees
	s.talkers = append(s.talkers, t)
	s.check(from, parts)
}

func everything(string, string) bool { return true }
