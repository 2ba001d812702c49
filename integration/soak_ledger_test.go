package integration

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// ledger keeps what the daemon reports beside what is known without it: each program's own word that it has begun, and
// how each is bound to end. Its readers are goroutines of their own, so that the daemon is never kept waiting.
type ledger struct {
	mu       sync.Mutex
	changed  sync.Cond
	services map[string]*account
	signals  map[string]int // the counts that the daemon reported last
	marker   string
	memory   []string // the answer to that command
	wrong    []string // that which must not be
	ups      int
	killed   int // by signals
	failed   int // to be executed, or to be given descriptors
}

// account is that of one service.
type account struct {
	phase   string // as reported last
	pid     int
	begun   []int  // pids, by the programs' word
	up      []int  // pids, as reported, but for programs that can't have begun
	kill    string // what the driver kills the present process by
	ordered int    // starts
	started int    // reported
}

func newLedger() *ledger {
	l := &ledger{services: map[string]*account{}, signals: map[string]int{}}
	l.changed.L = &l.mu
	return l
}

func (l *ledger) account(name string) *account {
	e := l.services[name]
	if e == nil {
		e = &account{phase: "down"}
		l.services[name] = e
	}
	return e
}

// read enters the daemon's lines until the end of the stream.
func (l *ledger) read(r io.Reader) {
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		l.mu.Lock()
		l.report(strings.TrimSuffix(line, "\n"))
		l.changed.Broadcast()
		l.mu.Unlock()
	}
}

func (l *ledger) report(line string) {
	fields := strings.Split(line, "\t")
	switch fields[0] {
	case "service.state":
		l.state(fields)
	case "signal":
		l.signals[fields[1]], _ = strconv.Atoi(fields[3])
	case "marker":
		l.marker = fields[1]
	case "memory":
		l.memory = fields
	case "error":
		if !strings.HasPrefix(fields[1], "no service.start pending") {
			l.wrong = append(l.wrong, line)
		}
	case "overflow":
		l.wrong = append(l.wrong, line)
	}
}

// state checks one step in the life of a service, and the end that it came to.
func (l *ledger) state(fields []string) {
	name, phase := fields[1], fields[2]
	if !ours(name) {
		return
	}
	e := l.account(name)
	pid, _ := strconv.Atoi(fields[4])
	before := e.phase
	e.phase = phase
	switch {
	case phase == "start":
		e.started++
		if before == "up" {
			l.complain("%q while it was up", fields)
		}
	case phase == "up":
		if before != "start" {
			l.complain("%q while it was %s", fields, before)
		}
		e.pid = pid
		l.ups++
		if begins(name) {
			e.up = append(e.up, pid)
		}
	case phase == "down" && fields[4] != "-":
		if before != "up" || pid != e.pid {
			l.complain("%q while it was %s with pid %d", fields, before, e.pid)
		}
		if got, want := fields[5]+" "+fields[6], l.end(name, e); got != want {
			l.complain("%q, want %s", fields, want)
		}
		e.kill = ""
	}
}

func (l *ledger) complain(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// end is how a service's process has to end: by what it was killed by, or with a status that its pid makes, or as its
// name says.
func (l *ledger) end(name string, e *account) string {
	switch {
	case strings.HasPrefix(name, "missing"):
		l.failed++
		return "exit 3"
	case strings.HasPrefix(name, "abort"):
		l.failed++
		return "signal SIGABRT"
	case e.kill != "":
		l.killed++
		return "signal SIG" + e.kill
	}
	return fmt.Sprintf("exit %d", e.pid%200)
}

// ours are the services that the ledger is kept for; those of visitors have one letter and a number.
func ours(name string) bool { return len(name) > 3 && name != "main" }

// begins tells whether the program of a service comes so far as to say so.
func begins(name string) bool {
	return !strings.HasPrefix(name, "missing") && !strings.HasPrefix(name, "abort")
}

// hear enters what programs say of themselves.
func (l *ledger) hear(r io.Reader) {
	for in := bufio.NewScanner(r); in.Scan(); {
		name, text, _ := strings.Cut(in.Text(), " ")
		pid, err := strconv.Atoi(text)
		l.mu.Lock()
		if err != nil {
			l.complain("a program says %q", in.Text())
		}
		e := l.account(name)
		e.begun = append(e.begun, pid)
		l.changed.Broadcast()
		l.mu.Unlock()
	}
}

// down tells whether all are at rest and everybody has had their say.
func (l *ledger) down() bool {
	for _, e := range l.services {
		if e.phase != "down" || len(e.begun) < len(e.up) {
			return false
		}
	}
	return true
}

// balance compares both sides, service by service, when all are down, and begins a new page.
func (l *ledger) balance() {
	for name, e := range l.services {
		if fmt.Sprint(e.begun) != fmt.Sprint(e.up) {
			l.complain("%s: the processes %v began, and %v were reported", name, e.begun, e.up)
		}
		if e.ordered > 0 && e.started < e.ordered {
			l.complain("%s: %d starts ordered, %d reported", name, e.ordered, e.started)
		}
		e.begun, e.up, e.ordered, e.started = nil, nil, 0, 0
	}
}
