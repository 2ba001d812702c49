package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The promise of the pool mode: once it runs, the daemon asks the system for no more memory, whatever clients,
// services and signals do. SOAK=n makes n times as many rounds (make soak).

const (
	soakRounds   = 50
	soakCommands = 200 // of each client, ten clients a round
	soakClients  = 10
	soakStarts   = 50 // by command, a round; and as many automatic restarts
	soakSignals  = 40
)

// figures are what must not grow.
type figures struct{ mallocs, mapped, resident, threads, descriptors int }

// soak is one run of it.
type soak struct {
	*daemon
	main      *controller
	sleeper   *controller // does not read
	commands  int
	starts    int
	restarts  int
	clients   int
	signals   int
	overflows int
	held      int // descriptors, without anything to do
}

func TestSoakInPoolMode(t *testing.T) {
	rounds := soakRounds
	if n, err := strconv.Atoi(os.Getenv("SOAK")); err == nil {
		rounds *= n
	}
	d := setup{
		args: []string{"-S", "{dir}/ctl", "-q", "--service-pool", "64", "--fd-pool", "64"},
		time: patience + time.Duration(rounds)*5*time.Second,
	}.start(t)
	s := &soak{daemon: d, main: d.client("main"), held: held(openDescriptors(d.pid))}
	s.furnish()
	// Five rounds of the same come first: they meet all code for the first time, so that pages of the program's file
	// and of the threads' stacks become resident.
	for range soakRounds / 10 {
		s.round()
	}
	before := s.measure()
	*s = soak{daemon: s.daemon, main: s.main, held: s.held}
	start := time.Now()
	for range rounds {
		s.round()
	}
	after := s.measure()
	t.Logf("%d commands, %d starts, %d automatic restarts, %d clients, %d signals, %d overflows in %v",
		s.commands, s.starts, s.restarts, s.clients, s.signals, s.overflows, time.Since(start).Round(time.Second))
	t.Logf("at first %+v", before)
	t.Logf("at last  %+v", after)
	if s.commands < rounds*2000 || s.starts < rounds*50 || s.restarts < rounds*50 || s.clients < rounds*10 ||
		s.signals < rounds*40 || s.overflows < rounds/10 {
		t.Error("that is less than was to be done")
	}
	if grown := after.since(before); !grown.promised() {
		t.Errorf("it has grown by %+v", grown)
	}
}

// since is by how much the figures have grown.
func (f figures) since(before figures) figures {
	return figures{f.mallocs - before.mallocs, f.mapped - before.mapped, f.resident - before.resident,
		f.threads - before.threads, f.descriptors - before.descriptors}
}

// heapOfApplet is by how many bytes the daemon's memory grows where each start allocates, through the applet: the
// collector takes its time to begin, as the smallest heap that it cares for is one of 4 MiB.
const heapOfApplet = 8 << 20

// promised tells whether docs/pools.md allows this growth.
func (f figures) promised() bool {
	if startPath == "applet" {
		return f.mapped <= heapOfApplet && f.resident <= heapOfApplet && f.threads == 0 && f.descriptors == 0
	}
	resident := f.resident <= 64<<10 || raceBuild // the race detector remembers
	return f.mallocs == 0 && f.mapped == 0 && resident && f.threads == 0 && f.descriptors == 0
}

// furnish makes services that stay: 40 that rest, so that a statedump has something to say, ten to be started, and
// two that are restarted whenever they end.
func (s *soak) furnish() {
	for i := range 40 {
		s.main.send(fmt.Sprintf("service.tags⇥rest%d⇥some⇥tags⇥of⇥a⇥service", i))
	}
	for i := range 9 {
		s.main.send(fmt.Sprintf("service.args⇥run%d⇥/bin/true", i))
	}
	s.main.send("service.args⇥run9⇥{dir}/missing", "service.args⇥loop0⇥/bin/true", "service.args⇥loop1⇥/bin/true",
		"service.fds⇥loop1⇥control.event⇥control.cmd⇥null")
	s.main.skip()
}

func (s *soak) round() {
	if s.sleeper == nil {
		s.sleeper = s.dial("sleeper")
		s.sleeper.send("conn.event_timeout⇥1000⇥2000")
	}
	s.main.send("socket.delete", "socket.create⇥mode=0660⇥{dir}/ctl")
	s.main.skip() // a client must not wait at the socket that goes away
	restarts := s.restarts + soakStarts
	for i := range soakClients {
		if i == soakClients-1 {
			s.main.send("service.auto_up⇥loop0⇥-⇥always", "service.auto_up⇥loop1⇥-⇥always")
		}
		s.visit()
	}
	s.runAll()
	s.signalAll()
	s.await("restarts", func(string) bool { return s.restarts >= restarts })
	s.main.send("service.auto_up⇥loop0⇥-", "service.auto_up⇥loop1⇥-", "service.start⇥loop0⇥-", "service.start⇥loop1⇥-")
	s.main.skip()
	if s.clients%100 == 0 {
		s.wakeSleeper()
	}
	s.streams = s.streams[:3]
	for _, l := range append(s.streams, s.main.lines) {
		l.seen = nil
	}
}

// await reads what the main client gets until enough says so, and counts what has run.
func (s *soak) await(what string, enough func(line string) bool) {
	s.t.Helper()
	for {
		line, err := s.main.next(s.limit)
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", what, err)
		}
		if name, ended := strings.CutPrefix(line, "service.state\t"); ended && strings.Contains(name, "\tdown\t") {
			if strings.HasPrefix(name, "loop") {
				s.restarts++
			} else {
				s.starts++
			}
		}
		if enough(line) {
			return
		}
	}
}

// runAll starts services by command, which end by themselves; one has no program.
func (s *soak) runAll() {
	for range soakStarts / 10 {
		ended := s.starts + 10
		for i := range 10 {
			s.main.send(fmt.Sprintf("service.start⇥run%d", i))
		}
		s.await("services to end", func(line string) bool { return s.starts == ended || line == "overflow" })
		for s.starts < ended && s.anyRuns() {
			// Some of the ends were lost.
		}
	}
}

func (s *soak) anyRuns() bool {
	for name, state := range s.main.services() {
		if strings.HasPrefix(name, "run") && state[2] != "down" {
			return true
		}
	}
	return false
}

func (s *soak) signalAll() {
	for i := range soakSignals {
		name := []string{"USR1", "HUP"}[i%2]
		s.signal(name)
		s.await("a signal", func(line string) bool {
			return strings.HasPrefix(line, "signal\tSIG"+name+"\t") || line == "overflow"
		})
		s.signals++
	}
	s.main.send("signal.clear⇥USR1⇥1000", "signal.clear⇥HUP⇥1000")
}

// soakBatch is every command there is, but for those of the socket, which round sends, and those that end the daemon.
const soakBatch = `echo⇥text
unknown⇥command
service.tags⇥t{n}⇥a⇥b⇥c
service.args⇥t{n}⇥/bin/true⇥with⇥arguments
service.fds⇥t{n}⇥null⇥p{n}⇥nowhere
service.auto_up⇥t{n}⇥1⇥SIGUSR2
service.start⇥t{n}⇥9999999
service.signal⇥t{n}⇥TERM
service.start⇥t{n}⇥-
service.start⇥t{n}⇥-
fd.pipe⇥r{n}⇥p{n}
fd.pipe⇥r{n}⇥p{n}⇥unix,stream
fd.open⇥f{n}⇥read⇥/etc/passwd
fd.open⇥f{n}⇥write,create,mkdir⇥{dir}/made/file
fd.open⇥missing⇥read⇥/nonexistent/file
fd.socket⇥s{n}⇥inet,stream,bind⇥127.0.0.1:0
fd.socket⇥u{n}⇥unix,stream,bind,listen=5⇥{dir}/u{n}
fd.delete⇥u{n}
fd.take⇥nothing
log.filter⇥-
log.filter⇥+
log.dest⇥p{n}
log.dest⇥stderr
conn.event_timeout⇥5⇥10
terminate.exec_args⇥/bin/false⇥argument
terminate.exec_args
terminate.guard⇥+⇥77
terminate⇥1
terminate.guard⇥-⇥77
chdir⇥{dir}
chdir⇥/nonexistent
signal.clear⇥USR2⇥1
memory
statedump
fd.delete⇥r{n}
fd.delete⇥p{n}
fd.delete⇥f{n}
fd.delete⇥s{n}
service.delete⇥t{n}
`

// visit connects, sends a batch of commands, reads to their end and leaves: in an orderly way, by exit, or without
// having read.
func (s *soak) visit() {
	c := s.dial("visitor")
	batch := s.text(strings.ReplaceAll(soakBatch, "{n}", strconv.Itoa(s.clients%10)))
	for range soakCommands/strings.Count(batch, "\n") + 1 {
		c.raw(batch)
		s.commands += strings.Count(batch, "\n")
		if s.clients%10 != 0 {
			c.skip()
		}
	}
	if s.clients%10 == 1 {
		c.send("exit")
	}
	c.close()
	s.daemon.clients = s.daemon.clients[:2]
	s.clients++
	// What the main client gets meanwhile is counted, and does not pile up. If it overflowed, the answer may be lost.
	s.main.send("echo⇥caught up")
	s.await("an answer", func(line string) bool {
		if line == "overflow" {
			s.main.send("echo⇥caught up")
		}
		return line == "caught up"
	})
}

// wakeSleeper reads all that there is for the client that did not read.
func (s *soak) wakeSleeper() {
	s.sleeper.until("overflow")
	s.overflows++
	s.sleeper.close()
	s.sleeper, s.daemon.clients = nil, s.daemon.clients[:1]
}

// measure waits for peace and then asks the daemon, and the kernel.
func (s *soak) measure() figures {
	s.t.Helper()
	if s.sleeper != nil {
		s.wakeSleeper()
	}
	s.eventually("no children, and no descriptors but those of the beginning", func() bool {
		return len(children(s.pid)) == 0 && held(openDescriptors(s.pid)) == s.held
	})
	s.main.send("memory")
	fields := strings.Split(s.main.await("memory⇥{any}"), "\t")
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	f := figures{number(fields[1]), number(fields[2]), s.resident(), number(fields[4]), number(fields[5])}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", s.pid))
	if err != nil || len(tasks) != f.threads {
		s.t.Errorf("%d threads, the daemon says %d: %v", len(tasks), f.threads, err)
	}
	if n := len(openDescriptors(s.pid)); n != f.descriptors {
		s.t.Errorf("%d descriptors, the daemon says %d", n, f.descriptors)
	}
	return f
}

// resident is counted page by page: VmRSS adds up what each processor has told so far, and some 30 pages of each
// may be missing.
func (d *daemon) resident() (bytes int) { return d.rollup("Rss") }

// rollup is a figure of smaps_rollup, in bytes.
func (d *daemon) rollup(name string) (bytes int) {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", d.pid))
	if err != nil {
		d.t.Fatal(err)
	}
	_, figure, _ := strings.Cut(string(text), "\n"+name+":")
	if _, err := fmt.Sscan(figure, &bytes); err != nil {
		d.t.Fatal(name, err)
	}
	return bytes << 10
}
