package integration

import (
	"fmt"
	"testing"
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
