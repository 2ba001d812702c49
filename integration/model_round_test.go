package integration

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"daemonproxy/integration/model"

	"golang.org/x/sys/unix"
)

// sent is a command, with the descriptors that go along with it.
type sent struct {
	line string
	pass []passed
}

// act is what one connection does in a round.
type act struct {
	commands []sent
	owns     func(kind, name string) bool
}

// round has connections send commands, all at once, and asks the model about all that is heard.
func (s *modelled) round(acts map[*talker]act) {
	from := monotonicSecond()
	marks := map[*talker][]string{}
	for _, t := range s.talkers {
		marks[t] = t.sends(acts[t].commands)
	}
	parts := make([]model.Part, len(s.talkers))
	for i, t := range s.talkers {
		parts[i] = model.Part{Conn: t.c, Owns: acts[t].owns}
		for n, command := range acts[t].commands {
			segment := model.Segment{Command: command.line}
			for _, p := range command.pass {
				segment.Passed = append(segment.Passed, p.shown)
			}
			if exits(command.line) {
				segment.Lines = t.last()
			} else {
				segment.Lines = t.segment(marks[t][n])
			}
			parts[i].Segments = append(parts[i].Segments, segment)
		}
	}
	for i, t := range s.talkers {
		if t.w != nil {
			parts[i].Segments = append(parts[i].Segments, model.Segment{Lines: t.segment(t.mark())})
		}
	}
	s.check(from, parts)
	for _, t := range slices.Clone(s.talkers) {
		if t.w == nil {
			s.leave(t)
		}
	}
}

func (s *modelled) check(from int64, parts []model.Part) {
	for i, p := range parts {
		for _, segment := range p.Segments {
			s.script = append(s.script, p.Conn.Name+" > "+short(segment.Command))
			for _, line := range segment.Lines {
				s.script = append(s.script, p.Conn.Name+" <     "+short(line))
			}
		}
		parts[i] = p
	}
	s.script = append(s.script, "---")
	if err := s.m.Round(model.Clock{From: from, To: monotonicSecond()}, parts); err != nil {
		s.r.Fatalf("%v\n%s", err, strings.Join(s.script[max(0, len(s.script)-300):], "\n"))
	}
}

func short(line string) string {
	if len(line) > 200 {
		line = line[:200] + "…"
	}
	return strings.ReplaceAll(line, "\t", "⇥")
}

func (s *modelled) leave(t *talker) {
	s.m.Leave(t.c)
	t.close()
	s.talkers = slices.DeleteFunc(s.talkers, func(other *talker) bool { return other == t })
}

// sends writes commands, each followed by a marker, without reading.
func (t *talker) sends(commands []sent) (marks []string) {
	for _, c := range commands {
		if len(c.pass) == 0 {
			t.raw(c.line + "\n")
		} else {
			t.passes(c)
		}
		if exits(c.line) {
			return marks
		}
		marks = append(marks, t.mark())
	}
	return marks
}

func exits(line string) bool { return line == "exit" || strings.HasPrefix(line, "exit\t") }

// mayPass tells whether descriptors may go along with the next command. The kernel hands them over with the bytes before
// them that were not read yet, so nothing else may be under way.
func (t *talker) mayPass(before []sent) bool { return t.conn != nil && len(before) == 0 }

// passes sends a command with descriptors.
func (t *talker) passes(c sent) {
	fds := make([]int, len(c.pass))
	for i, p := range c.pass {
		fds[i] = p.open(t)
		defer unix.Close(fds[i])
	}
	if _, _, err := t.conn.WriteMsgUnix([]byte(c.line+"\n"), unix.UnixRights(fds...), nil); err != nil {
		t.t.Fatal(err)
	}
}

// line reads one.
func (t *talker) line() string {
	line, err := t.next(t.deadline())
	if err != nil {
		t.t.Fatalf("%s: %v", t.name, err)
	}
	return line
}

// segment reads up to a marker.
func (t *talker) segment(mark string) []string {
	lines := t.early
	t.early = nil
	for {
		line := t.line()
		if line == mark {
			return lines
		}
		lines = append(lines, line)
	}
}

// last reads to the end of the connection.
func (t *talker) last() []string {
	lines := t.early
	for {
		line, err := t.next(t.deadline())
		if errors.Is(err, io.EOF) {
			t.w = nil
			return lines
		}
		if err != nil {
			t.t.Fatalf("%s: %v", t.name, err)
		}
		lines = append(lines, line)
	}
}

// dialAt is dial for a control socket at another path.
func (s *modelled) dialAt(name, path string) *controller {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		s.r.Fatal(err)
	}
	c := &controller{lines: s.stream(name, conn), w: conn, conn: conn}
	s.clients = append(s.clients, c)
	return c
}

// settled waits until everything that must happen by itself has happened, at least once.
func (s *modelled) settled() {
	now := func() model.Clock { return model.Clock{From: monotonicSecond(), To: monotonicSecond()} }
	owed := s.m.Owes(now())
	for {
		still := s.m.Owes(now())
		waits := false
		for name, events := range owed {
			n, owes := still[name]
			waits = waits || owes && n == events
		}
		if !waits {
			return
		}
		i := s.talkers[0]
		line, err := i.next(time.Now().Add(patience))
		if err != nil {
			s.r.Fatalf("waiting for something to happen to %v: %v\n%s", owed, err, strings.Join(s.script[max(0, len(s.script)-300):], "\n"))
		}
		i.early = append(i.early, line)
		s.round(nil)
	}
}

// sameProcesses requires that the daemon's children are the services that run.
func (s *modelled) sameProcesses() {
	pids, settled := s.m.Running()
	if !settled {
		return
	}
	slices.Sort(pids)
	s.eventually("the children that there should be", func() bool {
		var there []string
		for _, child := range children(s.pid) {
			there = append(there, strconv.Itoa(child.pid))
		}
		slices.Sort(there)
		if time.Until(s.limit) < time.Second {
			s.r.Fatalf("the services are %v, the children %v\n%s", pids, there, strings.Join(s.script[max(0, len(s.script)-300):], "\n"))
		}
		return slices.Equal(pids, there)
	})
}

// terminate ends the daemon.
func (s *modelled) terminate() {
	i := s.talkers[0]
	lines := []sent{{line: "terminate.exec_args"}}
	if s.m.Guard() != 0 {
		lines = append(lines, sent{line: "terminate.guard\t-\t" + strconv.FormatInt(s.m.Guard(), 10)})
	}
	s.round(map[*talker]act{i: {lines, everything}})
	line := "terminate\t300"
	status, execs, ends := s.m.Ends(line)
	if !ends || execs || status != 44 {
		s.r.Fatal("the model does not end")
	}
	i.raw("echo\tlast\n" + line + "\necho\tafter the end\n")
	if got := i.rest(); !slices.Contains(got, "last") || slices.Contains(got, "after the end") {
		s.r.Fatalf("got %q at the end", got)
	}
	for _, other := range s.talkers[1:] {
		other.rest()
	}
	s.expectExit(status)
	if path := s.m.ControlSocket(); path != "" {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			s.r.Fatalf("the control socket is still there: %v", err)
		}
	}
}
