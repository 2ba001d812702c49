package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSoakOfEverything keeps a daemon busy for a minute, or as long as SOAK_DURATION says (make soak DURATION=10m), with
// starts, ends, restarts, signals, commands, visitors and faults of all kinds, in an order that SOAK_SEED repeats. Now
// and then it lets all come to rest: then the ledger has to balance, and memory, threads and descriptors are looked at.
//
// The daemon is an entrypoint without pools: TestSoakInPoolMode is about their promise.
func TestSoakOfEverything(t *testing.T) {
	t.Parallel()
	duration := time.Minute
	if text := os.Getenv("SOAK_DURATION"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("SOAK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("SOAK_SEED=%d", seed)
	s := newChurn(t, duration, seed)
	const rests = 12
	var curve []sample
	for n := range rests {
		until := s.begun.Add(duration * time.Duration(n+1) / rests)
		for time.Now().Before(until) && !s.broken() {
			s.turn()
		}
		curve = append(curve, s.rest())
		t.Logf("%v", curve[n])
		if s.broken() {
			break
		}
	}
	for _, text := range s.ledger.wrong {
		t.Error(text)
	}
	expectFlat(t, curve)
	t.Logf("%d starts, %d ended by signals, %d failed; %d signals to the daemon, %d visitors, %d faults",
		s.ledger.ups, s.ledger.killed, s.ledger.failed, s.signals, s.visits, s.faults)
	if !t.Failed() {
		s.main.send("terminate⇥5")
		s.expectExit(5)
	}
	s.stopReading()
}

// churn drives one such run.
type churn struct {
	*daemon
	main    *controller
	ledger  *ledger
	rand    *rand.Rand
	begun   time.Time
	markers int
	sent    map[string]int // signals to the daemon, not cleared yet
	signals int
	visits  int
	faults  int
	held    int           // descriptors, at rest
	hostile []*controller // who stay for a while
	words   *os.File      // of the programs
	ended   chan struct{}
}

// kinds of services, by the beginning of their names: programs say their name and pid on descriptor 3 first.
var kinds = []struct{ name, script, fds string }{
	{"exit", `echo "$0 $$" >&3; exit $(($$ % 200))`, "null⇥null⇥null⇥fd_3"},
	{"sleep", `echo "$0 $$" >&3; exec sleep 10000`, "null⇥null⇥null⇥fd_3"},
	{"orphan", `echo "$0 $$" >&3; sleep 0.1 3>&- & exit $(($$ % 200))`, "null⇥null⇥null⇥fd_3"},
	{"talk", `echo "$0 $$" >&3; echo statedump; read -r line; exit $(($$ % 200))`, "control.event⇥control.cmd⇥null⇥fd_3"},
	{"auto", `echo "$0 $$" >&3; exit $(($$ % 200))`, "null⇥null⇥null⇥fd_3"},
	{"missing", "", "null⇥null⇥null⇥fd_3"},
	{"abort", "exit 0", "nowhere"},
}

const ofEach = 8 // services of a kind

func newChurn(t *testing.T, duration time.Duration, seed uint64) *churn {
	r, w := pipe(t)
	d := setup{
		args: append([]string{"-S", "{dir}/ctl", "-qq", "--max-clients", "40", "--signal-map", "HUP=-", "--signal-map", "USR1=-",
			"--"}, "/bin/sleep", "1000000"),
		wrap: program("limited", "160", "160"),
		fds:  map[int]*os.File{3: w},
		time: duration + patience,
	}.start(t)
	w.Close()
	s := &churn{
		daemon: d, ledger: newLedger(), rand: rand.New(rand.NewPCG(seed, 0)), begun: time.Now(),
		sent: map[string]int{}, words: r, ended: make(chan struct{}, 2),
	}
	s.main = d.dial("main")
	// Until its program runs, a start holds a descriptor that is not there at rest.
	d.eventually("the main program runs", func() bool { return s.main.services()["main"][2] == "up" })
	d.streams = d.streams[:2] // the ledger reads the others
	go func() { s.ledger.read(s.main.src); s.ended <- struct{}{} }()
	go func() { s.ledger.hear(r); s.ended <- struct{}{} }()
	for _, kind := range kinds {
		for n := range ofEach {
			name := fmt.Sprintf("%s%d", kind.name, n)
			args := "/bin/sh⇥-c⇥" + kind.script + "⇥" + name
			if kind.script == "" {
				args = "/nonexistent/program"
			}
			s.main.send("service.args⇥"+name+"⇥"+args, "service.fds⇥"+name+"⇥"+kind.fds)
			s.ledger.mu.Lock()
			s.ledger.account(name)
			s.ledger.mu.Unlock()
		}
	}
	s.main.send("conn.event_timeout⇥600⇥1200")
	s.settleCommands()
	s.held = held(openDescriptors(d.pid))
	s.automatic("always")
	return s
}

// turn is a handful of whatever comes.
func (s *churn) turn() {
	switch n := s.rand.IntN(100); {
	case n < 45:
		s.startSome()
	case n < 70:
		s.killSome()
	case n < 80:
		s.signalDaemon()
	case n < 90:
		s.visitOnce()
	default:
		s.fault()
	}
}

// settleCommands waits until all commands were carried out, and everything that they caused directly was read.
func (s *churn) settleCommands() {
	s.markers++
	marker := strconv.Itoa(s.markers)
	s.main.send("echo⇥marker⇥" + marker)
	s.until("an answer", func() bool { return s.ledger.marker == marker })
}

// until waits for something that the ledger can tell.
func (s *churn) until(what string, condition func() bool) {
	s.t.Helper()
	limit := time.Now().Add(patience)
	late := time.AfterFunc(patience+time.Second, s.ledger.changed.Broadcast)
	defer late.Stop()
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	for !condition() {
		if time.Now().After(limit) {
			s.t.Fatalf("never: %s\n%q\n%v", what, s.ledger.wrong, s.states())
		}
		s.ledger.changed.Wait()
	}
}

// states is for the report of a failure.
func (s *churn) states() (list []string) {
	for name, e := range s.ledger.services {
		if e.phase != "down" || len(e.begun) != len(e.up) {
			list = append(list, fmt.Sprintf("%s %+v", name, *e))
		}
	}
	slices.Sort(list)
	return list
}

func (s *churn) broken() bool {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	return len(s.ledger.wrong) > 0
}

// startSome starts services that are down.
func (s *churn) startSome() {
	var commands []string
	s.ledger.mu.Lock()
	for range 1 + s.rand.IntN(20) {
		name := fmt.Sprintf("%s%d", kinds[s.rand.IntN(len(kinds))].name, s.rand.IntN(ofEach))
		e := s.ledger.account(name)
		if e.phase == "down" && e.ordered <= e.started && !strings.HasPrefix(name, "auto") {
			e.ordered = e.started + 1
			commands = append(commands, "service.start⇥"+name)
		}
	}
	s.ledger.mu.Unlock()
	if commands != nil {
		s.main.send(commands...)
	}
	s.settleCommands()
}

// killSome ends programs that sleep, some by command and some behind the daemon's back.
func (s *churn) killSome() {
	var commands []string
	s.ledger.mu.Lock()
	for _, name := range s.sleepers() {
		if s.rand.IntN(2) == 0 {
			continue
		}
		e := s.ledger.services[name]
		e.kill = []string{"KILL", "TERM", "HUP", "INT", "USR1", "QUIT"}[s.rand.IntN(6)]
		if s.rand.IntN(2) == 0 {
			commands = append(commands, "service.signal⇥"+name+"⇥"+e.kill)
		} else if err := syscall.Kill(e.pid, signalNumber(e.kill)); err != nil {
			s.ledger.complain("%s %d: %v", name, e.pid, err)
		}
	}
	s.ledger.mu.Unlock()
	if commands != nil {
		s.main.send(commands...)
	}
	s.settleCommands()
}

// sleepers are those that have begun to sleep and that nobody has killed yet. It is called with the ledger locked.
func (s *churn) sleepers() (names []string) {
	for n := range ofEach {
		name := fmt.Sprintf("sleep%d", n)
		if e := s.ledger.services[name]; e.phase == "up" && e.kill == "" && len(e.begun) == len(e.up) {
			names = append(names, name)
		}
	}
	return names
}

// signalDaemon sends a signal, whose count has to be right, and sometimes clears it.
func (s *churn) signalDaemon() {
	name := []string{"HUP", "USR1"}[s.rand.IntN(2)]
	s.sent[name]++
	s.signals++
	s.signal(name)
	s.until(fmt.Sprintf("SIG%s, %d", name, s.sent[name]), func() bool { return s.ledger.signals["SIG"+name] == s.sent[name] })
	if s.rand.IntN(5) == 0 {
		s.main.send(fmt.Sprintf("signal.clear⇥%s⇥%d", name, s.sent[name]))
		s.settleCommands()
		s.ledger.mu.Lock()
		s.sent[name], s.ledger.signals["SIG"+name] = 0, 0
		s.ledger.mu.Unlock()
	}
}

// automatic sets the trigger of the services that restart by themselves.
func (s *churn) automatic(trigger string) {
	for n := range ofEach {
		s.main.send(fmt.Sprintf("service.auto_up⇥auto%d⇥1⇥%s", n, trigger))
	}
}

// stopReading ends the ledger's readers.
func (s *churn) stopReading() {
	s.main.close()
	s.words.Close()
	<-s.ended
	<-s.ended
}
