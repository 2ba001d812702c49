package integration

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func init() {
	register(map[string]func(*testing.T){
		"C021_daemonize_prints_only_the_pid":             daemonizePrintsOnlyThePID,
		"C022_daemonized_socket_is_ready":                daemonizedSocketIsReady,
		"C023_failed_daemonize_prints_nothing":           failedDaemonizePrintsNothing,
		"C024_daemonized_survives_and_reports_signals":   daemonizedReportsSignals,
		"C025_daemonized_reports_an_exit_soon":           daemonizedReportsAnExitSoon,
		"C026_daemonized_has_its_descriptors_on_null":    daemonizedHasItsDescriptorsOnNull,
		"C027_daemonized_logs_to_a_new_handle_of_stderr": daemonizedLogsToANewHandle,
	})
}

// daemonize starts the daemon with -D and returns once the parent has exited and d.pid is the daemon's.
// It has become a child of this process.
func daemonize(t *testing.T, files map[string]string, args ...string) *daemon {
	t.Helper()
	return setup{args: append([]string{"-D"}, args...), files: files}.daemonize(t)
}

func (s setup) daemonize(t *testing.T) *daemon {
	t.Helper()
	d := s.launch(t)
	text := d.readAllOut()
	d.log.expectEOF()
	d.expectExit(0)
	pid, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(pid) != text {
		t.Fatalf("the parent printed %q", text)
	}
	d.pid, d.adopted = pid, true
	return d
}

func (d *daemon) readAllOut() string {
	d.t.Helper()
	for {
		if err := d.out.fill(d.limit); err != nil {
			return string(d.out.buf)
		}
	}
}

func daemonizePrintsOnlyThePID(t *testing.T) {
	d := daemonize(t, map[string]string{"conf": "service.args⇥s⇥{helper hang}{lf}service.start⇥s{lf}"}, "-c", "{dir}/conf")
	s, ok := readStat(d.pid)
	if !ok || s.session != d.pid || s.group != d.pid || s.comm != "daemonproxy" {
		t.Errorf("the daemon %d is %+v", d.pid, s)
	}
}

func daemonizedSocketIsReady(t *testing.T) {
	// -D is honoured wherever it stands.
	d := daemonize(t, nil, "-S", "{dir}/ctl", "-D")
	conn, err := net.Dial("unix", d.controlSocket())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	d.client("a").sync()
}

func failedDaemonizePrintsNothing(t *testing.T) {
	d := setup{args: []string{"-D", "-S", "{dir}/none/ctl"}}.start(t)
	d.log.expect("error: bind(control_socket, {dir}/none/ctl: No such file or directory", "fatal: Can't create controller socket")
	d.log.expectEOF()
	d.out.expectEOF()
	d.expectExit(3)
}

func daemonizedReportsSignals(t *testing.T) {
	d := daemonize(t, nil, "-S", "{dir}/ctl")
	a := d.client("a")
	for _, name := range []string{"HUP", "TERM", "INT", "QUIT", "USR1", "USR2"} {
		d.signal(name)
		a.expect("signal⇥SIG" + name + "⇥{now}⇥1")
	}
	a.sync()
}

// daemonizedReportsAnExitSoon takes the best of three: this machine may be busy, the daemon is not.
func daemonizedReportsAnExitSoon(t *testing.T) {
	d := daemonize(t, nil, "-S", "{dir}/ctl")
	a := d.client("a")
	a.send("service.args⇥s⇥{helper hang}")
	best := time.Hour
	for range 3 {
		a.send("service.start⇥s")
		a.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		d.kill(d.num("p"))
		killed := time.Now()
		a.expect("service.state⇥s⇥down⇥{now}⇥{p}⇥signal⇥SIGKILL⇥{int}⇥0")
		best = min(best, time.Since(killed))
	}
	if best > 500*time.Millisecond {
		t.Errorf("an exit is reported after %v", best)
	}
}

func daemonizedHasItsDescriptorsOnNull(t *testing.T) {
	d := daemonize(t, nil, "-S", "{dir}/ctl")
	for round := 0; round < 2; round++ {
		open := openDescriptors(d.pid)
		for fd := range 3 {
			if open[fd] != "/dev/null" {
				t.Errorf("descriptor %d of the daemon is %q", fd, open[fd])
			}
		}
		d.client("a").sync()
	}
}

func daemonizedLogsToANewHandle(t *testing.T) {
	conf := "fd.open⇥stderr⇥write,create⇥{dir}/log\nnosuch.after\n"
	d := daemonize(t, map[string]string{"conf": conf}, "-c", "{dir}/conf")
	d.awaitFile("log", "error: controller[0] sent unknown command nosuch.after\n")
}

// awaitFile polls a file below {dir} until it is exactly this text.
func (d *daemon) awaitFile(name, want string) {
	d.t.Helper()
	text := ""
	d.eventually(name, func() bool {
		b, err := os.ReadFile(filepath.Join(d.dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			d.t.Fatal(err)
		}
		text = string(b)
		if time.Until(d.limit) < time.Second || len(text) > len(want) {
			d.t.Fatalf("%s is\n%swant\n%s", name, text, want)
		}
		return text == want && (want == "" || strings.HasSuffix(want, "\n"))
	})
}
