// Bench measures the real daemonproxy binary, the static and stripped one that `make build` makes, from outside: what
// its users wait for, and what it takes of the machine.
//
// An absolute time means little on a machine that others share, so most figures have a floor beside them: what the
// kernel takes for the same without a supervisor, or the barest program that would do. Floor and daemonproxy take
// turns within each round, so that noise meets both, and what counts is the ratio.
//
// The services are a small static program that stamps the clock itself (c/stamp.c), into a file that all share
// (slots.go). The table is Markdown, to be pasted into docs/performance.md.
//
// BENCH=regexp measures only the figures that it matches, QUICK=1 fewer rounds.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// figures in the order of the table. Each is measured on daemons of its own.
var figures = []struct {
	name    string
	measure func(*bench) []row
}{
	{"start", measureLatency},
	{"restart", measureRestart},
	{"boot", measureBoot},
	{"rate", measureStarts},
	{"echo", measureEcho},
	{"commands", measureCommands},
	{"roundtrip", measureRoundTrip},
	{"broadcast", measureBroadcast},
	{"statedump", measureStatedump},
	{"size", measureSize},
	{"memory", measureMemory},
	{"handles", measureHandles},
	{"idle", measureIdle},
}

// bench is what all measurements share.
type bench struct {
	daemon   string // the binary under test
	empty    string // a Go program that does nothing
	programs programs
	slots    *slots
	quick    bool
}

// rounds is how often floor and daemonproxy take turns.
func (b *bench) rounds(usual int) int {
	if b.quick {
		return max(1, usual/5)
	}
	return usual
}

func main() {
	os.Exit(run())
}

func run() (code int) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		roles[os.Args[1]](os.Args[2:])
		return 0
	}
	if len(os.Args) != 3 && !(len(os.Args) == 4 && os.Args[3] == "peers") {
		fmt.Fprintln(os.Stderr, "usage: bench DAEMONPROXY EMPTY [peers]")
		return 2
	}
	chosen, err := regexp.Compile(os.Getenv("BENCH"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "BENCH:", err)
		return 2
	}
	defer func() {
		stopAll()
		if failed := recover(); failed != nil {
			fmt.Fprintln(os.Stderr, "bench:", failed)
			code = 1
		}
	}()
	// Services outlive their daemon, and then they are ours to end.
	check(unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	debug.SetGCPercent(-1) // nothing of ours may come between

	scratch, err := os.MkdirTemp("", "dpbench")
	check(err)
	defer os.RemoveAll(scratch)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	go func() {
		<-interrupted
		endFamily()
		os.RemoveAll(scratch)
		os.Exit(1)
	}()
	b := &bench{daemon: os.Args[1], empty: os.Args[2], quick: os.Getenv("QUICK") != ""}
	b.programs = compile(scratch)
	b.slots = newSlots(maxServices)

	if len(os.Args) == 4 {
		measurePeers(b, chosen)
		return 0
	}
	var rows []row
	for _, figure := range figures {
		if chosen.MatchString(figure.name) {
			fmt.Fprintln(os.Stderr, "measuring", figure.name)
			rows = append(rows, figure.measure(b)...)
			stopAll()
		}
	}
	printMachine()
	printTable(rows)
	return 0
}

// check ends the run: a measurement that something went wrong with is none.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[T any](v T, err error) T {
	check(err)
	return v
}
