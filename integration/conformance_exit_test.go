package integration

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

func init() {
	register(map[string]func(*testing.T){
		"C170_fatal_signals_end_or_exec":              fatalSignalsEndOrExec,
		"C171_fatal_signals_under_a_guard":            fatalSignalsUnderAGuard,
		"C184_terminate_codes":                        terminateCodes,
		"C185_nothing_runs_after_terminate":           nothingRunsAfterTerminate,
		"C188_exec_on_exit":                           execOnExit,
		"C189_failed_exec_on_exit":                    failedExecOnExit,
		"C191_running_services_are_listed_and_remain": runningServicesRemain,
	})
}

var fatalSignals = []string{"SEGV", "ABRT", "ILL", "FPE", "BUS", "TRAP"}

func fatalSignalsEndOrExec(t *testing.T) {
	for _, name := range fatalSignals {
		d := start(t, "-i")
		d.i.send("service.args⇥s⇥{helper hang}", "service.start⇥s")
		d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		d.signal(name)
		d.log.expect(fmt.Sprintf("fatal: Received signal SIG%s (%d)", name, signalNumber(name)))
		d.log.expect("warning: service 's' running as pid {p}")
		d.expectExit(4)

		d = start(t, "-i", "-E", helperArgs("exit")+"\t9")
		d.signal(name)
		d.log.expect("warning: daemonproxy exec_on_exit to '{self}'")
		d.expectExit(9)
	}
}

func fatalSignalsUnderAGuard(t *testing.T) {
	d := start(t, "-i", "--exit-guard", "5")
	for round := range 2 {
		for _, name := range fatalSignals {
			d.signal(name)
			d.log.await(fmt.Sprintf("fatal: (attempting to continue) Received signal SIG%s (%d)", name, signalNumber(name)))
			d.i.send(fmt.Sprintf("echo⇥%s %d", name, round))
			d.i.expect(fmt.Sprintf("%s %d", name, round))
		}
	}
	d.expectRunning()
}

func terminateCodes(t *testing.T) {
	for code, status := range map[string]int{"0": 0, "7": 7, "255": 255, "256": 0, "300": 44, "-1": 255, "-300": 212} {
		d := start(t, "-i")
		d.i.send("terminate⇥+1", "terminate⇥", "terminate⇥1x")
		for range 3 {
			d.i.expect("error⇥Expected integer, for command {any}")
		}
		d.i.send("terminate⇥" + code)
		d.log.await("info: daemonproxy exiting")
		d.expectExit(status)
	}
}

func nothingRunsAfterTerminate(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	burst := ""
	for n := range 30 {
		burst += fmt.Sprintf("echo\tanswer %d\n", n)
	}
	a.raw(burst + "terminate\t3\nservice.tags\ts\tlate\nfd.open\tf\twrite,create\t" + d.dir + "/late\necho\tlate\n")
	for n := range 30 {
		a.expect(fmt.Sprintf("answer %d", n))
	}
	a.expectEOF()
	d.i.expectEOF()
	d.expectExit(3)
	expectGone(t, d.dir+"/late")
}

func execOnExit(t *testing.T) {
	d := start(t, "-i")
	d.i.send("terminate.exec_args⇥{helper env}⇥DAEMONPROXY_EXITCODE⇥DAEMONPROXY_ERROR", "echo⇥last")
	d.i.expect("last")
	d.i.send("terminate⇥300")
	d.log.expect("warning: daemonproxy exec_on_exit to '{self}'")
	d.i.expect("DAEMONPROXY_EXITCODE=300", "DAEMONPROXY_ERROR=terminated normally")
	d.expectExit(0) // that of the helper, under the daemon's pid

	stdout, log, code := run(t, "-E", helperArgs("env")+"\tDAEMONPROXY_EXITCODE\tDAEMONPROXY_ERROR", "--bogus")
	if want := "DAEMONPROXY_EXITCODE=2\nDAEMONPROXY_ERROR=Unknown option --bogus  (see --help)\n"; stdout != want || code != 0 {
		t.Errorf("got  %q, status %d, log %q\nwant %q", stdout, code, log, want)
	}

	r, w := pipe(t)
	d = setup{args: []string{"-i", "-S", "{dir}/ctl"}, fds: map[int]*os.File{3: w}}.start(t)
	d.client("a")
	out := d.stream("out", r)
	d.i.send("terminate.exec_args⇥{helper descriptors}⇥3", "terminate⇥0")
	out.expect(" 0 1 2 3 {int}") // the standard ones, fd_3 and null, but no connection, socket or epoll
	d.expectExit(0)
}

func failedExecOnExit(t *testing.T) {
	d := start(t, "-i")
	d.i.send("terminate.exec_args⇥{dir}/none⇥arg", "terminate⇥6")
	d.log.expect(
		"warning: daemonproxy exec_on_exit to '{dir}/none'",
		`error: Unable to exec "{dir}/none": No such file or directory`,
		"fatal: terminated normally",
	)
	d.expectExit(6)

	d = start(t, "-i", "--exit-guard", "5")
	d.i.send("terminate.exec_args⇥{dir}/none", "terminate⇥6⇥5")
	d.log.expect(
		"warning: daemonproxy exec_on_exit to '{dir}/none'",
		`error: Unable to exec "{dir}/none": No such file or directory`,
		"fatal: (attempting to continue) terminated normally",
		"info: daemonproxy exiting",
	)
	d.expectExit(6)
}

func runningServicesRemain(t *testing.T) {
	d := start(t, "-i")
	for _, name := range []string{"b", "a"} {
		d.i.send("service.args⇥"+name+"⇥{helper hang}", "service.start⇥"+name)
		d.i.await("service.state⇥" + name + "⇥up⇥{now}⇥{pid=" + name + "}⇥-⇥-⇥0⇥-")
	}
	d.i.send("terminate⇥0")
	d.log.expect(
		"info: daemonproxy exiting",
		"warning: service 'a' running as pid {a}",
		"warning: service 'b' running as pid {b}",
	)
	d.expectExit(0)
	for _, name := range []string{"a", "b"} {
		// This process, a subreaper, has inherited them.
		if s, ok := readStat(d.num(name)); !ok || s.state == "Z" || s.parent != syscall.Getpid() {
			t.Errorf("service %s has become %+v", name, s)
		}
	}
}
