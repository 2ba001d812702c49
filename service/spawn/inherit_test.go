package spawn

import (
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"daemonproxy/actor"
)

// helperNested is a small daemon: it starts the given program, with its own
// descriptors, and waits for it.
func helperNested(args []string) {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGALRM, syscall.SIGTTOU)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGWINCH, syscall.SIGTSTP)
	poller, err := actor.NewPoller()
	if err != nil {
		panic(err)
	}
	go poller.Run()
	p := NewPool(poller, os.Environ(), 0, strerror)
	c := newClient()
	p.Acquire(&c.Ticket)
	s := <-c.granted
	s.Reset()
	s.SetArgv(args)
	for fd := range 3 {
		s.AddFD(fd)
	}
	s.Go(c)
	s = <-c.begun
	if _, err := syscall.Wait4(s.Outcome().PID, nil, 0, nil); err != nil {
		panic(err)
	}
}

// nested runs a shell script as a child of a small daemon that was started after
// another script.
func nested(t *testing.T, before, script string) string {
	t.Helper()
	c := exec.Command("/bin/sh", "-c", before+`; exec "$@"`, "sh", self, "helper:nested", "/bin/sh", "-c", script)
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// showSignals leaves it to a program that is no shell, since some shells ignore signals for themselves.
const showSignals = `exec grep -E '^(Sig|Shd)' /proc/self/status`

func signalSet(t *testing.T, text, name string) uint64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			return set
		}
	}
	t.Fatalf("no %s in %q", name, text)
	return 0
}

func set(signals ...syscall.Signal) (s uint64) {
	for _, sig := range signals {
		s |= 1 << (sig - 1)
	}
	return s
}

func TestIgnoredSignalsAreInherited(t *testing.T) {
	for _, c := range []struct {
		before string
		want   uint64
	}{
		{":", 0},
		{"trap '' XCPU USR1 TSTP URG PIPE", set(syscall.SIGXCPU, syscall.SIGTSTP, syscall.SIGURG)},
		{"trap '' HUP INT TERM CONT TTOU TTIN ALRM WINCH IO SYS VTALRM", set(syscall.SIGCONT, syscall.SIGTTIN, syscall.SIGWINCH, syscall.SIGIO, syscall.SIGSYS, syscall.SIGVTALRM)},
		{"trap '' CHLD QUIT PROF XFSZ", set(syscall.SIGPROF, syscall.SIGXFSZ)},
	} {
		text := nested(t, c.before, showSignals)
		if got := signalSet(t, text, "SigIgn"); got != c.want {
			t.Errorf("%s: ignored %#x, want %#x", c.before, got, c.want)
		}
		if got := signalSet(t, text, "SigBlk"); got != 0 {
			t.Errorf("%s: blocked %#x", c.before, got)
		}
	}
}

func TestAllSignalsIgnored(t *testing.T) {
	const before = `n=1; while [ $n -le 64 ]; do case $n in 9|19|32|33) ;; *) trap '' $n;; esac; n=$((n+1)); done`
	want := ^uint64(0) &^ (own | set(syscall.SIGKILL, syscall.SIGSTOP))
	if got := signalSet(t, nested(t, before, showSignals), "SigIgn"); got != want {
		t.Errorf("ignored %#x, want %#x", got, want)
	}
}

func TestLimitOnDescriptorsIsInherited(t *testing.T) {
	for _, before := range []string{
		"ulimit -Sn 100",
		"ulimit -n 500",
		"ulimit -n 500; ulimit -Sn 499",
		"ulimit -n 500; ulimit -Sn 64",
		":",
	} {
		const show = "ulimit -Sn; ulimit -Hn"
		want, err := exec.Command("/bin/sh", "-c", before+"; "+show).Output()
		if err != nil {
			t.Fatal(err)
		}
		// exec.Command restores the limit as well.
		if got := nested(t, before, show); got != string(want) {
			t.Errorf("%s: got %q, want %q", before, got, want)
		}
	}
}
