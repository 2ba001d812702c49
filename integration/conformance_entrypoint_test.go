package integration

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	register(map[string]func(*testing.T){
		"C192_exit_status_is_that_of_main":         exitStatusIsThatOfMain,
		"C193_program_that_cannot_be_executed":     programThatCannotBeExecuted,
		"C194_clients_see_the_failed_exec":         clientsSeeTheFailedExec,
		"C195_program_is_needed":                   programIsNeeded,
		"C196_words_reach_the_program_unchanged":   wordsReachTheProgramUnchanged,
		"C197_main_has_the_standard_streams":       mainHasTheStandardStreams,
		"C198_services_of_the_config_start_first":  servicesOfTheConfigStartFirst,
		"C199_term_reaches_main_and_clients":       termReachesMainAndClients,
		"C200_signals_reach_main":                  signalsReachMain,
		"C201_signals_are_mapped":                  signalsAreMapped,
		"C202_early_signal_is_kept":                earlySignalIsKept,
		"C203_signals_reach_the_group":             signalsReachTheGroup,
		"C205_orphans_of_main_are_reaped":          orphansOfMainAreReaped,
		"C209_main_that_is_restarted_does_not_end": mainThatIsRestartedDoesNotEnd,
		"C210_terminate_ends_at_once":              terminateEndsAtOnce,
		"C211_end_of_main_execs":                   endOfMainExecs,
		"C212_entrypoint_as_pid_1_has_no_guard":    entrypointAsPID1HasNoGuard,
	})
}

// entry starts an entrypoint with a control socket.
func entry(t *testing.T, words ...string) *daemon {
	t.Helper()
	return setup{args: append([]string{"-S", "{dir}/ctl"}, words...)}.start(t)
}

// entryWith is entry with a config that has a gate: it goes on only when the test opens that. So the test can connect
// before main starts.
func entryWith(t *testing.T, config string, words ...string) *daemon {
	t.Helper()
	d := setup{
		args:  append([]string{"-S", "{dir}/ctl", "-c", "{dir}/conf"}, words...),
		files: map[string]string{"conf": "fd.open\tgate\tread\t{dir}/gate\n" + config},
		wrap:  []string{"/bin/sh", "-c", `mkfifo "$DAEMONPROXY_TEST/gate"; exec "$0" "$@"`},
	}.start(t)
	return d
}

// openGate lets the config go on.
func (d *daemon) openGate() {
	d.t.Helper()
	d.eventually("the config is at its gate", func() bool {
		gate, err := os.OpenFile(d.dir+"/gate", os.O_WRONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			return false
		}
		gate.Close()
		return true
	})
}

// words is a command line.
func words(parts ...any) (all []string) {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			all = append(all, part)
		case []string:
			all = append(all, part...)
		}
	}
	return all
}

func exitStatusIsThatOfMain(t *testing.T) {
	for script, status := range map[string]int{"exit 0": 0, "exit 7": 7, "exit 255": 255, "kill -KILL $$": 137, "kill -TERM $$": 143, "kill -SEGV $$": 139} {
		_, log, code := run(t, "--", "/bin/sh", "-c", script)
		if code != status || !slices.Equal(log, []string{"info: daemonproxy exiting"}) {
			t.Errorf("%s: status %d, want %d; log %q", script, code, status, log)
		}
	}
	// A guard does not prevent it, and pools are large enough for a short program.
	if _, log, code := run(t, "--exit-guard", "5", "--fd-pool", "7", "--service-pool", "1", "--", "/bin/sh", "-c", "exit 8"); code != 8 {
		t.Errorf("with guard and pools: status %d, log %q", code, log)
	}
}

func programThatCannotBeExecuted(t *testing.T) {
	d := setup{args: []string{"--", "nosuchprogram"}}.start(t)
	d.log.awaitAll("error: exec(nosuchprogram, ...) failed: No such file or directory", "error: exec(nosuchprogram, ...) failed: No such file or directory")
	d.expectExit(127)

	d = setup{args: []string{"--", "{dir}/script"}, files: map[string]string{"script": "#!/no/such/interpreter\n"}}.start(t)
	d.expectExit(127)
	d = setup{args: []string{"--", ""}}.start(t)
	d.expectExit(127)

	for _, name := range []string{"/etc/passwd", "/etc", "/etc/passwd/x"} {
		d = setup{args: []string{"--", name}}.start(t)
		d.expectExit(126)
	}
}

func clientsSeeTheFailedExec(t *testing.T) {
	for name, status := range map[string]int{"nosuchprogram": 127, "/etc/passwd": 126} {
		d := entryWith(t, "", "--", name)
		a := d.client("a")
		d.openGate()
		a.await("service.state⇥main⇥start⇥{now}⇥-⇥-⇥-⇥-⇥-")
		a.expect("service.state⇥main⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-", "service.state⇥main⇥down⇥{now}⇥{p}⇥exit⇥3⇥0⇥0")
		a.expectEOF()
		d.expectExit(status)
	}
}

func programIsNeeded(t *testing.T) {
	expectRefusal(t, "Missing argument for --", "--")
	expectRefusal(t, "Missing argument for --", "-S", "{dir}/ctl", "--")
	expectRefusal(t, "-i cannot be combined with --", "-i", "--", "true")
	expectRefusal(t, "Grace period must be a number of seconds", "--grace", "-1", "--", "true")
	expectRefusal(t, "Grace period must be a number of seconds", "--grace", "x", "--", "true")

	d := setup{args: []string{"--service-pool", "4x64", "--", "/bin/sh", "-c", "exit " + strings.Repeat("0", 60)}}.start(t)
	d.log.expect(`fatal: Unable to define service "main"`)
	d.log.expectEOF()
	d.expectExit(3)

	d = setup{args: []string{"-D", "--", "/bin/sh", "-c", "exit 4"}}.start(t)
	d.log.expect("warning: Ignoring --daemonize (see manual)")
	d.expectExit(4)
}

func wordsReachTheProgramUnchanged(t *testing.T) {
	d := entryWith(t, "", words("--", program("args", "a\tb\nc", "", "⇥", "-i", "--"))...)
	a := d.client("a")
	if dump := strings.Join(a.ask("statedump"), "\n"); !strings.Contains(dump, "\nservice.args\tmain\t"+helperArgs("args")+"\ta b c\t\t \t-i\t--\n") {
		t.Errorf("the dump is\n%s", dump)
	}
	d.openGate()
	d.out.expect("5", `"a\tb\nc"`, `""`, `"\t"`, `"-i"`, `"--"`)
	d.expectExit(0)

	long := strings.Repeat("x", 100_000)
	d = entryWith(t, "", words("--", program("args", long, "last"))...)
	a = d.client("a")
	for _, line := range a.ask("statedump") {
		if text, ok := strings.CutPrefix(line, "service.args\tmain\t"); ok && (len(text) != 4003 || !strings.HasSuffix(text, "xxx...")) {
			t.Errorf("%d bytes of args are shown", len(text))
		}
	}
	d.openGate()
	d.out.expect("2", `"`+long+`"`, `"last"`)
	d.expectExit(0)
}

func mainHasTheStandardStreams(t *testing.T) {
	d := setup{args: words("--", program("cat"))}.start(t)
	if _, err := d.stdin.WriteString("a line\n"); err != nil {
		t.Fatal(err)
	}
	d.out.expect("a line")
	d.stdin.Close()
	d.out.expect("end of input")
	d.expectExit(0)

	d = setup{args: words("--", program("print", "2", "to stderr"))}.start(t)
	d.log.expect("to stderr")
	d.expectExit(0)

	d = setup{args: words("-c", "-", "--", program("cat"))}.start(t)
	if _, err := d.stdin.WriteString("service.tags\tmain\tx\n"); err != nil {
		t.Fatal(err)
	}
	d.stdin.Close()
	d.out.expect("end of input")
	d.expectExit(0)
}

func servicesOfTheConfigStartFirst(t *testing.T) {
	d := entryWith(t, "service.args\tb\t{helper hang}\nservice.start\tb\nservice.args\tz\t{helper hang}\nservice.auto_up\tz\t1\talways\n",
		words("--", program("hang"))...)
	a := d.client("a")
	d.openGate()
	var order []string
	for len(order) < 3 {
		line, err := a.next(d.limit)
		if err != nil {
			t.Fatal(err)
		}
		if f := strings.Split(line, "\t"); f[0] == "service.state" && f[2] == "start" {
			order = append(order, f[1])
		}
	}
	if !slices.Equal(order, []string{"b", "z", "main"}) {
		t.Errorf("started in the order %q", order)
	}

	// A main that the config has started is not started again.
	d = entryWith(t, "service.start\tmain\n", words("--", program("hang"))...)
	a = d.client("a")
	d.openGate()
	a.await("service.state⇥main⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.kill(d.num("p"))
	a.expect("service.state⇥main⇥down⇥{now}⇥{p}⇥signal⇥SIGKILL⇥{int}⇥0")
	a.expectEOF()
	d.expectExit(137)
}

func termReachesMainAndClients(t *testing.T) {
	d := entry(t, words("--", program("signals"))...)
	a := d.client("a")
	d.out.expect("main is ready")
	a.skip()
	for n := range 3 {
		d.signal("TERM")
		d.out.expect("main got SIGTERM")
		a.await("signal⇥SIGTERM⇥{now}⇥" + string(rune('1'+n)))
	}
	d.stdin.Close()
	d.expectExit(0)
}

func signalsReachMain(t *testing.T) {
	d := entry(t, words("--", program("signals"))...)
	a := d.client("a")
	d.out.expect("main is ready")
	a.skip()
	for _, name := range passedOn {
		d.signal(name)
		d.out.expect("main got SIG" + name)
		a.expect("signal⇥SIG" + name + "⇥{now}⇥1")
	}
	// Nothing else is, nor is it counted.
	for _, name := range []string{"ALRM", "PIPE", "PWR", "IO", "CONT"} {
		d.signal(name)
	}
	d.signal("USR1")
	d.out.expect("main got SIGUSR1")
	a.expect("signal⇥SIGUSR1⇥{now}⇥2")
	d.stdin.Close()
	d.expectExit(0)
}

func signalsAreMapped(t *testing.T) {
	d := entry(t, words("--signal-map", "TERM=INT", "--signal-map", "HUP=-", "--signal-map", "SIGTERM=QUIT", "--signal-map", "USR2=SIGKILL",
		"--", program("signals"))...)
	a := d.client("a")
	d.out.expect("main is ready")
	a.skip()
	d.signal("TERM")
	d.out.expect("main got SIGQUIT")
	d.signal("HUP")
	a.await("signal⇥SIGHUP⇥{now}⇥1")
	d.signal("INT")
	d.out.expect("main got SIGINT")
	d.signal("USR2")
	d.expectExit(137)

	for _, bad := range []string{"FOO=TERM", "TERM=FOO", "TERM", "ALRM=TERM", "=", "-=TERM", "TERM=15", "term=quit"} {
		expectRefusal(t, "Expected FROM=TO where FROM and TO are signals", "--signal-map", bad, "--", "true")
	}
}

func earlySignalIsKept(t *testing.T) {
	d := entryWith(t, "", words("--", program("hang"))...)
	a := d.client("a")
	for range 2 {
		d.signal("TERM")
		a.expect("signal⇥SIGTERM⇥{now}⇥{int}")
	}
	d.openGate()
	a.await("service.state⇥main⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥0⇥0")
	d.expectExit(143)

	// Also while it waits for a restart.
	d = entryWith(t, "service.auto_up\tmain\t2\talways\n", words("--", program("hang"))...)
	a = d.client("a")
	d.openGate()
	a.await("service.state⇥main⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.kill(d.num("p"))
	a.await("service.state⇥main⇥start⇥{int}⇥-⇥-⇥-⇥-⇥-")
	d.signal("TERM")
	a.await("service.state⇥main⇥up⇥{now}⇥{pid=q}⇥-⇥-⇥0⇥-")
	a.await("service.state⇥main⇥down⇥{now}⇥{q}⇥signal⇥SIGTERM⇥{int}⇥0")
}

func signalsReachTheGroup(t *testing.T) {
	d := setup{args: words("--signal-group", "--", program("pair"))}.start(t)
	d.out.awaitAll("main is ready", "member is ready")
	d.signal("USR1")
	d.out.awaitAll("main got SIGUSR1", "member got SIGUSR1")
	d.stdin.Close()
	d.expectExit(0)

	d = setup{args: words("--", program("pair"))}.start(t)
	d.out.awaitAll("main is ready", "member is ready")
	for range 2 {
		d.signal("USR1")
		d.out.expect("main got SIGUSR1")
	}
	d.stdin.Close()
	d.expectExit(0)
}

func orphansOfMainAreReaped(t *testing.T) {
	d := setup{args: []string{"--", "/bin/sh", "-c", "(sleep 1000 & echo $!); read x"}}.start(t)
	d.out.expect("{pid=p}")
	d.eventually("the orphan has daemonproxy as its parent", func() bool { s, ok := readStat(d.num("p")); return ok && s.parent == d.pid })
	d.kill(d.num("p"))
	d.eventually("it leaves no zombie", func() bool { _, ok := readStat(d.num("p")); return !ok })
	d.expectRunning()
	d.stdin.Close()
	d.expectExit(1) // read's
}

func mainThatIsRestartedDoesNotEnd(t *testing.T) {
	d := entryWith(t, "service.auto_up\tmain\t1\talways\n", words("--", program("hang"))...)
	a := d.client("a")
	d.openGate()
	for range 2 {
		a.await("service.state⇥main⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
		d.kill(d.num("p"))
		a.expect("service.state⇥main⇥down⇥{now}⇥{p}⇥signal⇥SIGKILL⇥{int}⇥0", "service.state⇥main⇥start⇥{int}⇥-⇥-⇥-⇥-⇥-")
	}
	// Without its trigger it runs once more, and then it is over.
	a.send("service.args⇥main⇥{helper exit}⇥6", "service.auto_up⇥main⇥-")
	a.await("service.state⇥main⇥down⇥{now}⇥{pid}⇥exit⇥6⇥{int}⇥0")
	a.expectEOF()
	d.expectExit(6)
}

func terminateEndsAtOnce(t *testing.T) {
	d := entry(t, words("--", program("hang"))...)
	a := d.client("a")
	a.send("statedump")
	a.await("service.state⇥main⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥{int}⇥-")
	a.send("terminate⇥5")
	d.log.expect("info: daemonproxy exiting", "warning: service 'main' running as pid {p}")
	d.expectExit(5)
	if s, ok := readStat(d.num("p")); !ok || s.state == "Z" {
		t.Errorf("main has become %+v", s)
	}
}

func endOfMainExecs(t *testing.T) {
	d := setup{args: words("-E", helperArgs("env")+"\tDAEMONPROXY_EXITCODE\tDAEMONPROXY_ERROR", "--", "/bin/sh", "-c", "kill -KILL $$")}.start(t)
	d.out.expect("DAEMONPROXY_EXITCODE=137", "DAEMONPROXY_ERROR=terminated normally")
	d.expectExit(0)
}

func entrypointAsPID1HasNoGuard(t *testing.T) {
	d := setup{args: words("-S", "{dir}/ctl", "--", program("signals")), pid1: true}.start(t)
	d.out.expect("main is ready")
	a := d.client("a")
	d.signal("TERM")
	d.out.expect("main got SIGTERM")
	a.send("terminate⇥0")
	d.log.expect("info: daemonproxy exiting", "warning: service 'main' running as pid {pid}")
	d.expectExit(0)

	d = setup{args: words("--", "/bin/sh", "-c", "exit 9"), pid1: true}.start(t)
	d.log.expect("info: daemonproxy exiting") // and no config was missing
	d.expectExit(9)
}
