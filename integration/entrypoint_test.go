package integration

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTerminateDuringTheWait: it ends the entrypoint at once, with its own code, and leaves alive what still runs.
func TestTerminateDuringTheWait(t *testing.T) {
	t.Parallel()
	d, a := entryWithStubborn(t, "", "--grace", "1000")
	d.stdin.Close()
	d.out.expect("stubborn got SIGTERM")
	a.send("terminate⇥5")
	d.log.await("info: daemonproxy exiting")
	d.log.expect("warning: service 'stubborn' running as pid {stubborn}")
	d.expectExit(5)
	if s, ok := readStat(d.num("stubborn")); !ok || s.state == "Z" {
		t.Errorf("the service has become %+v", s)
	}
}

// TestDeletedMain is over, like one that is down.
func TestDeletedMain(t *testing.T) {
	t.Parallel()
	d := entryWith(t, "", words("--", program("hang"))...)
	a := d.client("a")
	d.openGate()
	a.await("service.state⇥main⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	a.send("service.delete⇥main")
	a.expect(`error⇥service is running, for command "service.delete⇥main"`)
	a.send("service.auto_up⇥main⇥1000⇥always")
	a.expect("service.auto_up⇥main⇥1000⇥always")
	d.kill(d.num("p"))
	a.expect("service.state⇥main⇥down⇥{now}⇥{p}⇥signal⇥SIGKILL⇥{int}⇥0", "service.state⇥main⇥start⇥{int}⇥-⇥-⇥-⇥-⇥-")
	a.send("service.delete⇥main")
	a.expect("service.state⇥main⇥deleted⇥-⇥-⇥-⇥-⇥-⇥-")
	a.expectEOF()
	d.expectExit(137)

	// Deleted by the config it never runs.
	d = setup{args: words("-c", "{dir}/conf", "--", program("exit", "9")), files: map[string]string{"conf": "service.delete\tmain\n"}}.start(t)
	d.expectExit(0)
}

// TestReconfiguredMain runs what it was changed to. If that is nothing, it is a program that is not found.
func TestReconfiguredMain(t *testing.T) {
	t.Parallel()
	for config, status := range map[string]int{
		"service.args\tmain\t{helper exit}\t4\n":                                  4,
		"service.args\tmain\t{helper exit}\t4\nexit\nservice.args\tmain\t/none\n": 4,
		"service.args\tmain\n":                                                    127,
		"service.fds\tmain\tnone\n":                                               134,
		"service.start\tmain\nservice.delete\tmain\n":                             0,
		"service.delete\tmain\nservice.args\tmain\t{helper exit}\t6\n":            6,
	} {
		d := setup{args: words("-c", "{dir}/conf", "--", program("exit", "9")), files: map[string]string{"conf": config}}.start(t)
		if got := d.wait(); got != status && (status != 0 || got != 9) {
			t.Errorf("%q: status %d, want %d", config, got, status)
		}
	}
}

// TestPendingStartsAreAnnouncedAsCancelled though there is nothing to wait for.
func TestPendingStartsAreAnnouncedAsCancelled(t *testing.T) {
	t.Parallel()
	config := ""
	for i := range 50 {
		config += fmt.Sprintf("service.args\ts%d\t/bin/true\nservice.start\ts%d\t999999999\n", i, i)
	}
	for range 10 {
		d := entryWith(t, config, "--", "/bin/true")
		a := d.client("a")
		d.openGate()
		downs := 0
		for _, line := range a.rest() {
			if strings.HasSuffix(line, "\tdown\t-\t-\t-\t-\t-\t-") {
				downs++
			}
		}
		if downs != 50 {
			t.Errorf("%d starts were announced as cancelled", downs)
		}
		d.expectExit(0)
	}
}

// TestEntrypointUnderAGuardOutlivesAFatalError: it has no main then, and so no end of main.
func TestEntrypointUnderAGuardOutlivesAFatalError(t *testing.T) {
	t.Parallel()
	d := entry(t, "--exit-guard", "5", "--service-pool", "1x64", "--", "/bin/echo", strings.Repeat("x", 100))
	d.log.expect(`fatal: (attempting to continue) Unable to define service "main"`)
	a := d.client("a")
	a.send("service.start⇥main")
	a.expect(`error⇥No such service, for command "service.start⇥main"`)
	d.signal("CONT")
	d.signal("TERM")
	a.expect("signal⇥SIGTERM⇥{now}⇥1")
	a.send("terminate.guard⇥-⇥5", "terminate⇥3")
	d.expectExit(3)
}

// TestMainGetsDefaultSignals: all that an entrypoint handles have their default actions in main, even if the entrypoint
// was started to ignore them.
func TestMainGetsDefaultSignals(t *testing.T) {
	t.Parallel()
	d := setup{
		args: []string{"--", "/bin/sh", "-c", `while read -r line; do echo "$line"; done </proc/self/status`},
		wrap: []string{"/bin/sh", "-c", `trap "" XFSZ HUP WINCH PIPE TTOU PWR; exec "$0" "$@"`},
	}.start(t)
	line := d.out.await("SigIgn:⇥{any}")
	mask, err := strconv.ParseUint(strings.TrimPrefix(line, "SigIgn:\t"), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	if want := uint64(1)<<(signalNumber("XFSZ")-1) | 1<<(signalNumber("PWR")-1); mask != want {
		t.Errorf("ignored are %#x, want %#x", mask, want)
	}
	d.expectExit(0)
}

// TestSignalDuringTheSetUp is kept for main, and does not end the entrypoint, which has only begun to set itself up.
func TestSignalDuringTheSetUp(t *testing.T) {
	t.Parallel()
	for _, pid1 := range []bool{false, true} {
		var once sync.Once
		w := watchCalls(t, "set-up", func(call *notification) response {
			once.Do(func() {
				if err := unix.Kill(int(call.pid), unix.SIGTERM); err != nil {
					t.Error(err)
				}
			})
			return response{flags: letItContinue}
		})
		d := setup{args: words("--", program("hang")), wrap: w.wrap, fds: map[int]*os.File{9: w.passed}, pid1: pid1}.start(t)
		d.log.expect("info: daemonproxy exiting")
		d.expectExit(143)
	}
}

// TestSignalThatMayNotBePassedOn is one for a main that has become somebody else, as a setuid program can.
func TestSignalThatMayNotBePassedOn(t *testing.T) {
	t.Parallel()
	w := watchCalls(t, "kills", func(*notification) response { return response{errno: -int32(unix.EPERM)} })
	d := setup{args: words("--", program("signals")), wrap: w.wrap, fds: map[int]*os.File{9: w.passed}}.start(t)
	d.out.expect("main is ready")
	d.signal("TERM")
	d.log.expect("warning: can't pass SIGTERM on to service 'main' running as pid {pid}: Operation not permitted")
	d.stdin.Close()
	d.expectExit(0)
}

// TestMainWaitsForTheConfigOnStdin.
func TestMainWaitsForTheConfigOnStdin(t *testing.T) {
	t.Parallel()
	d := setup{args: words("-S", "{dir}/ctl", "-c", "-", "--", program("exit", "2"))}.start(t)
	a := d.client("a")
	if _, err := d.stdin.WriteString("service.tags\tx\ty\nexit\nservice.tags\tx\tz\n"); err != nil {
		t.Fatal(err)
	}
	a.expect("service.tags⇥x⇥y", "service.state⇥main⇥start⇥{now}⇥-⇥-⇥-⇥-⇥-")
	d.expectExit(2)
}

// TestEntrypointUnderLoad ends again and again while services start and end as fast as they can.
func TestEntrypointUnderLoad(t *testing.T) {
	t.Parallel()
	config := ""
	for i := range 20 {
		config += fmt.Sprintf("service.args\ts%d\t/bin/true\nservice.auto_up\ts%d\t-\talways\n", i, i)
	}
	for range 10 {
		d := setup{args: words("-c", "{dir}/conf", "--grace", "5", "--", "/bin/sh", "-c", "sleep 0.05; exit 3"), files: map[string]string{"conf": config}}.start(t)
		d.log.await("info: daemonproxy exiting")
		d.log.expectEOF()
		d.expectExit(3)
		if left := children(d.pid); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}
