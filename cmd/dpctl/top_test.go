package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"daemonproxy/controller/client"
)

// screen is a terminal of tmux in which dpctl top runs; then it shows the exit status.
type screen struct {
	d      *daemon
	server string
}

func showTop(d *daemon) *screen {
	d.t.Helper()
	s := &screen{d: d, server: filepath.Join(d.dir, "tmux")}
	s.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "12", "/bin/sh", "-c", s.program())
	d.t.Cleanup(func() { s.tmux("kill-server") })
	s.await(`(?m)^NAME +STATE +PID +UPTIME +RESTARTS +CPU% +MEM +LAST EXIT$`)
	return s
}

func (s *screen) program() string {
	return fmt.Sprintf("DAEMONPROXY_SOCKET=%s %s top; echo \"status $?\"; exec cat", s.d.socket, dpctlBinary)
}

func (s *screen) tmux(args ...string) string {
	s.d.t.Helper()
	out, err := exec.CommandContext(s.d.ctx, "tmux", append([]string{"-S", s.server}, args...)...).CombinedOutput()
	if err != nil {
		s.d.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (s *screen) keys(keys ...string) {
	s.d.t.Helper()
	s.tmux(append([]string{"send-keys"}, keys...)...)
}

// await waits until the screen fits a pattern; the deadline of the test only fails.
func (s *screen) await(pattern string) {
	s.d.t.Helper()
	s.awaitThat(pattern, regexp.MustCompile(pattern).MatchString)
}

// awaitNot waits until the screen does not fit it.
func (s *screen) awaitNot(pattern string) {
	s.d.t.Helper()
	s.awaitThat("no "+pattern, func(shown string) bool { return !regexp.MustCompile(pattern).MatchString(shown) })
}

func (s *screen) awaitThat(what string, met func(shown string) bool) {
	s.d.t.Helper()
	for {
		shown := s.tmux("capture-pane", "-p")
		if met(shown) {
			return
		}
		select {
		case <-s.d.ctx.Done():
			s.d.t.Fatalf("the screen never showed %s, but\n%s", what, shown)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func topServices(t *testing.T) *daemon {
	d := startDaemon(t)
	d.send("service.args|busy|/bin/sh|-c|while :; do :; done", "service.start|busy",
		"service.args|job|/bin/sh|-c|exit 4", "service.start|job",
		"service.args|web|/bin/sleep|100", "service.auto_up|web|1|always")
	d.await("busy", client.Up)
	d.await("web", client.Up)
	d.await("job", client.Down)
	return d
}

// The screen shows what runs and what it uses, and follows what others do.
func TestTopShows(t *testing.T) {
	d := topServices(t)
	s := showTop(d)
	busy, _ := d.Service("busy")
	s.await(fmt.Sprintf(`(?m)^busy +up +%d +\d+s +0 +\d*[1-9]\d*\.\d +(\d+K|\d+\.\dM) +-$`, busy.PID))
	s.await(`(?m)^job +down +- +- +0 +- +- +exit 4$`)
	s.await(`3 services, 2 up`)
	d.send("service.signal|web|KILL")
	s.await(`(?m)^web +up +\d+ +\d+s +1 +\S+ +\S+ +SIGKILL$`)
	d.send("service.tags|fresh|x")
	s.await(`(?m)^fresh +down +- +- +0`)
	d.send("service.delete|fresh")
	s.awaitNot(`(?m)^fresh`)
	s.keys("q")
	s.await(`(?m)^status 0$`)
}

// Keys stop, start and restart what is chosen, once that is confirmed, and say what came of it.
func TestTopActs(t *testing.T) {
	d := topServices(t)
	s := showTop(d)
	s.keys("Down", "Down", "x")
	s.await(`stop web\?`)
	s.keys("n")
	s.await(`s: start`)
	if d.service("web").State != client.Up {
		t.Fatal("it was stopped without a yes")
	}
	s.keys("x", "y")
	s.await(`(?m)^web +down .*SIGTERM$`)
	s.await(`web stopped \(SIGTERM\); dpctl start gives its triggers back: always`)
	s.keys("s")
	s.await(`(?m)^web +up `)
	s.await(`web started, pid \d+; it has its triggers again: always`)
	s.keys("r", "y")
	s.await(`(?m)^web +up +\d+ +\d+s +2 `)
	s.await(`web started, pid \d+ \(before: SIGTERM\)`)
	s.keys("k", "s")
	s.await(`error: job: it started, but ended at once: exit 4`)
	s.keys("C-c")
	s.await(`(?m)^status 0$`)
}

// A message that is wider than the terminal leaves what is asked in sight.
func TestTopOnNarrowTerminal(t *testing.T) {
	d := topServices(t)
	s := showTop(d)
	s.tmux("resize-window", "-x", "45")
	s.keys("Down", "Down", "x", "y")
	s.await(`(?m)^web stopped \(SIGTERM\); dpctl start`)
	s.keys("x")
	s.await(`(?m)^stop web\?`)
}

func TestTopFilters(t *testing.T) {
	d := topServices(t)
	s := showTop(d)
	s.keys("/", "w", "x", "BSpace", "e")
	s.await(`filter: we_`)
	s.awaitNot(`(?m)^(busy|job) `)
	s.keys("Enter")
	s.await(`showing \*we\*`)
	s.keys("x")
	s.await(`stop web\?`)
	s.keys("n", "/", "z")
	s.awaitNot(`(?m)^web `)
	s.keys("s") // a letter of the filter
	s.await(`filter: zs_`)
	s.keys("Enter", "x", "r", "s", "/", "Escape")
	s.await(`(?m)^job `)
	s.awaitNot(`showing|filter:|(stop|restart) \S+\?`)
}

// The end of the daemon ends top, with the terminal as it was, and a word about it; likewise a signal.
func TestTopEnds(t *testing.T) {
	d := topServices(t)
	s := showTop(d)
	s.showTopAgain()
	pid := strings.TrimSpace(s.tmux("display-message", "-p", "-t", "1", "#{pane_pid}"))
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Sscan(string(children), &child); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(child, syscall.SIGTERM)
	s.await(`dpctl: top was ended by a signal\nstatus 1\n`)
	s.tmux("select-window", "-t", "0")
	d.cmd.Process.Kill()
	s.await(`dpctl: the connection to daemonproxy broke: .*\nstatus 4\n`)
}

// showTopAgain runs a second one, in a window of its own that is the current one from then on.
func (s *screen) showTopAgain() {
	s.d.t.Helper()
	s.tmux("new-window", "/bin/sh", "-c", s.program())
	s.await(`(?m)^web +up`)
}

func TestTopNeedsTerminal(t *testing.T) {
	d := startDaemon(t)
	d.expect(exitFailed, []string{"top needs a terminal"}, "top")
	cmd := exec.CommandContext(d.ctx, "script", "-qec", dpctlBinary+" top -S "+d.socket, "/dev/null")
	cmd.Env = append(os.Environ(), "TERM=nonesuch")
	runCommand(t, cmd).expect(t, exitFailed, "top cannot use this terminal")
}
