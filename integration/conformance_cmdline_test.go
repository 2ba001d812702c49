package integration

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	register(map[string]func(*testing.T){
		"C001_version_is_the_first_line":     versionIsTheFirstLine,
		"C002_version_tells_its_origin":      versionTellsItsOrigin,
		"C003_help":                          help,
		"C004_nothing_to_do":                 refused("require -i or -c or -S"),
		"C005_unknown_long_option":           refused("Unknown option --foo  (see --help)", "--foo"),
		"C006_unknown_short_option":          unknownShortOption,
		"C007_stray_word":                    refused(`Unexpected argument "foo"`, "-i", "foo"),
		"C008_missing_option_argument":       missingOptionArgument,
		"C009_config_does_not_exist":         refused(`Cannot stat configfile "{dir}/none"`, "-c", "{dir}/none"),
		"C010_short_options_combine":         shortOptionsCombine,
		"C014_bad_pool_size":                 badPoolSize,
		"C016_exit_guard_is_an_integer":      exitGuardIsAnInteger,
		"C017_exec_arguments_have_a_limit":   execArgumentsHaveALimit,
		"C018_socket_in_a_missing_directory": socketInAMissingDirectory,
		"C019_max_clients_has_limits":        maxClientsHasLimits,
		"C217_poweroff_needs_pid_1":          poweroffNeedsPID1,
	})
}

// refused is the test of options that end in one fatal line and status 2.
func refused(text string, args ...string) func(*testing.T) {
	return func(t *testing.T) { expectRefusal(t, text, args...) }
}

func expectRefusal(t *testing.T, text string, args ...string) {
	t.Helper()
	d := setup{args: args, fresh: true}.start(t)
	d.stdin.Close()
	d.log.expect("fatal: " + text)
	d.log.expectEOF()
	d.out.expectEOF()
	d.expectExit(2)
}

func versionIsTheFirstLine(t *testing.T) {
	stdout, log, code := run(t, "--version")
	if !regexp.MustCompile(`\Adaemonproxy version [0-9]+\.[0-9]+\.[0-9]+\S*\n`).MatchString(stdout) {
		t.Errorf("--version prints %q", stdout)
	}
	if code != 1 || len(log) > 0 {
		t.Errorf("status %d, log %q", code, log)
	}
}

func versionTellsItsOrigin(t *testing.T) {
	stdout, _, _ := run(t, "--version")
	for _, line := range []string{
		`(?m)^ build timestamp: [0-9]+ \([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\)$`,
		`(?m)^ git HEAD: \S+( \(dirty\))?$`,
		`(?m)^Copyright.*[0-9]{4}-[0-9]{4}`,
		`LICENSE`,
	} {
		if !regexp.MustCompile(line).MatchString(stdout) {
			t.Errorf("no %s in\n%s", line, stdout)
		}
	}
}

func help(t *testing.T) {
	stdout, log, code := run(t, "--help")
	if code != 1 || len(log) > 0 {
		t.Errorf("status %d, log %q", code, log)
	}
	lines := strings.Split(stdout, "\n")
	if !strings.HasPrefix(lines[0], "daemonproxy version ") || !slices.Contains(lines, "options:") || !strings.HasSuffix(stdout, "\n\n") {
		t.Errorf("--help prints\n%s", stdout)
	}
	for _, option := range []string{
		"--config", "--interactive", "--socket", "--daemonize", "--exit-guard", "--exit-exec", "--fd-pool", "--service-pool",
		"--max-clients", "--system", "--mlockall", "--verbose", "--quiet", "--help", "--version",
	} {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, option) }) {
			t.Errorf("--help does not mention %s", option)
		}
	}
	short, _, code := run(t, "-h")
	if short != stdout || code != 1 {
		t.Errorf("-h differs from --help, status %d", code)
	}
}

func unknownShortOption(t *testing.T) {
	expectRefusal(t, "Unknown option -x  (see --help)", "-x")
	expectRefusal(t, "Unknown option -x  (see --help)", "-ix")
	expectRefusal(t, "Unknown option --config=x  (see --help)", "--config=x")
}

func missingOptionArgument(t *testing.T) {
	for _, option := range []string{"-c", "--config", "-S", "--socket", "--exit-guard", "-E", "--exit-exec", "--max-clients", "--system"} {
		expectRefusal(t, "Missing argument for "+option, "-i", option)
	}
	expectRefusal(t, "Missing argument for -c", "-cFIL")
	expectRefusal(t, "Missing argument for -c", "-ic")
}

func shortOptionsCombine(t *testing.T) {
	for _, args := range [][]string{{"-ivv"}, {"-i", "-v", "-v"}, {"-vi", "-v"}} {
		start(t, args...).expectFilter("none")
	}
	start(t, "-iq").expectFilter("info")
	start(t, "-iqqqqqq").expectFilter("fatal")
	start(t, "-iqvv", "--verbose", "--quiet").expectFilter("trace")
}

func (d *daemon) expectFilter(level string) {
	d.t.Helper()
	d.i.send("log.filter")
	d.i.expect("log.filter⇥" + level)
}

func badPoolSize(t *testing.T) {
	const text = "Expected 'N' or 'NxM' where N and M are integers and M has an optional size suffix"
	for _, size := range []string{"x5", "", "7x5y", "7x5k5", "7 ", "7xk", "7x1.5k"} {
		expectRefusal(t, text, "-i", "--fd-pool", size)
	}
	expectRefusal(t, text, "-i", "--service-pool", "x5")
}

func exitGuardIsAnInteger(t *testing.T) {
	expectRefusal(t, "Terminate guard must be an integer", "-i", "--exit-guard", "abc")
	for _, none := range []string{"0", ""} {
		d := start(t, "-i", "--exit-guard", "9", "--exit-guard", none)
		d.i.send("terminate⇥7")
		d.expectExit(7)
	}
}

func execArgumentsHaveALimit(t *testing.T) {
	args := helperArgs("exit") + "\t23\t"
	args += strings.Repeat("x", 4095-len(args))
	_, log, code := run(t, "-i", "-E", args)
	if code != 23 {
		t.Errorf("4095 bytes: status %d, log %q", code, log)
	}
	expectRefusal(t, "exec-on-exit arguments exceed buffer size", "-i", "-E", args+"x")
}

func socketInAMissingDirectory(t *testing.T) {
	d := setup{args: []string{"-S", "{dir}/none/ctl"}}.start(t)
	d.log.expect("error: bind(control_socket, {dir}/none/ctl: No such file or directory", "fatal: Can't create controller socket")
	d.log.expectEOF()
	d.expectExit(3)
}

func maxClientsHasLimits(t *testing.T) {
	for _, bad := range []string{"1", "1025", "x", "", "-5", "16x"} {
		expectRefusal(t, "Maximum clients must be an integer from 2 to 1024", "-i", "--max-clients", bad)
	}
	for _, good := range []string{"2", "1024"} {
		if _, log, code := run(t, "-i", "--max-clients", good); code != 0 {
			t.Errorf("--max-clients %s: status %d, log %q", good, code, log)
		}
	}
}

// poweroffNeedsPID1 runs the daemon without the capability, lest a mistake ends the machine.
func poweroffNeedsPID1(t *testing.T) {
	d := setup{wrap: strings.Split(helperArgs("bootless"), "\t"), args: []string{"--system", "poweroff"}}.start(t)
	d.log.expect("fatal: --system needs PID 1")
	d.log.expectEOF()
	d.expectExit(2)
	d = setup{wrap: strings.Split(helperArgs("bootless"), "\t"), args: []string{"--system", "sleep"}}.start(t)
	d.log.expect("fatal: {any}")
	d.expectExit(2)
}

func init() { helpers["bootless"] = helperBootless }

// bootless PROGRAM ARG…: becomes PROGRAM, unable to call reboot(2) with effect.
func helperBootless(args []string) int {
	// Refused to an ordinary user, who can't reboot anyway.
	_ = unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_BOOT, 0, 0, 0)
	return becomes(args)
}
