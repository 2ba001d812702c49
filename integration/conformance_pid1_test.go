package integration

import "testing"

func init() {
	register(map[string]func(*testing.T){
		"C028_pid_1_survives_without_its_config": pid1SurvivesWithoutItsConfig,
		"C029_pid_1_is_guarded":                  pid1IsGuarded,
		"C172_pid_1_reports_power_and_keyboard":  pid1ReportsPowerAndKeyboard,
	})
}

// startPID1 starts the daemon as the first process of a pid namespace, without a config.
func startPID1(t *testing.T) *daemon {
	t.Helper()
	d := setup{args: []string{"-i"}, pid1: true, loose: true}.start(t)
	d.log.expect(
		`error: Failed to open config file "/etc/daemonproxy.conf": No such file or directory`,
		"fatal: (attempting to continue) Unable to process config file",
	)
	return d
}

func pid1SurvivesWithoutItsConfig(t *testing.T) {
	d := startPID1(t)
	d.i.sync()
	d.i.send("service.args⇥s⇥{helper exit}⇥3", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	// All orphans are its children.
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥sh -c 'exit 5' & exit 4", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥4⇥{int}⇥0")
	d.eventually("orphans are reaped", func() bool { return len(children(d.pid)) == 0 })
	d.expectRunning()
}

func pid1IsGuarded(t *testing.T) {
	d := startPID1(t)
	d.i.send("terminate⇥0")
	d.i.expect(`error⇥terminate guard code required, for command "terminate⇥0"`)
	d.i.send("terminate⇥0⇥1")
	d.i.expect(`error⇥cannot exit, and exec-on-exit is not configured, for command "terminate⇥0⇥1"`)
	d.i.send("terminate.guard⇥-⇥1", "terminate⇥6")
	d.expectExit(6)
}

func pid1ReportsPowerAndKeyboard(t *testing.T) {
	d := startPID1(t)
	for _, name := range []string{"PWR", "WINCH", "HUP"} {
		d.signal(name)
		d.i.expect("signal⇥SIG" + name + "⇥{now}⇥1")
	}
	d.i.sync()

	d = start(t, "-i")
	for _, name := range []string{"WINCH", "PWR", "XCPU", "VTALRM", "IO", "PROF"} {
		d.signal(name)
	}
	d.signal("USR1")
	d.i.expect("signal⇥SIGUSR1⇥{now}⇥1")
	d.i.sync()
}
