package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"
)

// recorder is a host that notes what it is given, as the log would show it.
type recorder struct {
	said    []string
	refusal syscall.Errno
}

func (r *recorder) log(level protocol.Level, text string) {
	r.said = append(r.said, level.String()+": "+text)
}
func (r *recorder) print(text string) {
	first, _, _ := strings.Cut(text, "\n")
	r.said = append(r.said, "stdout: "+first)
}
func (r *recorder) system(action string) syscall.Errno {
	r.said = append(r.said, "system: "+action)
	return r.refusal
}

const (
	badPool      = "Expected 'N' or 'NxM' where N and M are integers and M has an optional size suffix"
	badGuard     = "Terminate guard must be an integer"
	badClients   = "Maximum clients must be an integer from 2 to 1024"
	needsSource  = "require -i or -c or -S"
	badGrace     = "Grace period must be a number of seconds"
	badMap       = "Expected FROM=TO where FROM and TO are signals"
	versionShown = "stdout: daemonproxy version 0.1.0"
)

// noGrace stands for a grace of 0 seconds.
const noGrace = -1

func bad(text string) *stop { return &stop{mainthread.ExitBadOptions, text} }

func TestOptions(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := config + ".missing"
	full := strings.Repeat("x", 4095)

	tests := []struct {
		name string
		args []string
		pid1 bool
		want options // zero maxClients and grace stand for the defaults
		said []string
		end  *stop
	}{
		{name: "nothing", end: bad(needsSource), want: options{filter: protocol.LevelDebug}},
		{name: "only daemonize", args: []string{"-D"}, end: bad(needsSource),
			want: options{daemonize: true, filter: protocol.LevelDebug}},
		{name: "short", args: []string{"-i", "-S", "sock", "-D", "-M"},
			want: options{interactive: true, socket: "sock", hasSocket: true, daemonize: true, mlockall: true, filter: protocol.LevelDebug}},
		{name: "long", args: []string{"--interactive", "--socket", "sock", "--daemonize", "--mlockall", "--config", "-", "--max-clients", "2",
			"--exit-guard", "5", "--exit-exec", "a\tb", "--verbose", "--quiet"},
			want: options{interactive: true, socket: "sock", hasSocket: true, daemonize: true, mlockall: true, config: "-", maxClients: 2,
				guard: 5, execArgs: "a\tb", filter: protocol.LevelDebug}},
		{name: "combined", args: []string{"-ivv"}, want: options{interactive: true, filter: protocol.LevelNone}},
		{name: "combined with an argument", args: []string{"-ic", config}, want: options{interactive: true, config: config, filter: protocol.LevelDebug}},
		{name: "two arguments for one word", args: []string{"-cS", config, "-i"},
			want: options{config: config, socket: "-i", hasSocket: true, filter: protocol.LevelDebug}},
		{name: "argument from the next word", args: []string{"-civ", config},
			want: options{config: config, interactive: true, filter: protocol.LevelTrace}},
		{name: "argument not from the same word", args: []string{"-cFILE", config}, end: bad("Unknown option -F  (see --help)"),
			want: options{config: config, filter: protocol.LevelDebug}},
		{name: "same as last word", args: []string{"-cFILE"}, end: bad("Missing argument for -c"), want: options{filter: protocol.LevelDebug}},
		{name: "same under a guard", args: []string{"-i", "--exit-guard", "1", "-cFiv"},
			said: []string{"fatal: (attempting to continue) Missing argument for -c", "fatal: (attempting to continue) Unknown option -F  (see --help)"},
			want: options{interactive: true, guard: 1, filter: protocol.LevelTrace}},

		{name: "filter lowest", args: []string{"-ivvvv"}, want: options{interactive: true, filter: protocol.LevelNone}},
		{name: "filter highest", args: []string{"-iqqqqqqq"}, want: options{interactive: true, filter: protocol.LevelFatal}},
		{name: "filter clamps first", args: []string{"-ivvvvq"}, want: options{interactive: true, filter: protocol.LevelTrace}},

		{name: "empty socket", args: []string{"-S", ""}, want: options{hasSocket: true, filter: protocol.LevelDebug}},
		{name: "last config wins", args: []string{"-c", config, "-c", "-"}, want: options{config: "-", filter: protocol.LevelDebug}},
		{name: "last config is missing", args: []string{"-c", config, "-c", missing},
			end: bad(`Cannot stat configfile "` + missing + `"`), want: options{config: config, filter: protocol.LevelDebug}},
		{name: "empty config", args: []string{"-c", ""}, end: bad(`Cannot stat configfile ""`), want: options{filter: protocol.LevelDebug}},
		{name: "last exec wins", args: []string{"-i", "-E", "a", "-E", ""}, want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "long exec", args: []string{"-i", "-E", full}, want: options{interactive: true, execArgs: full, filter: protocol.LevelDebug}},
		{name: "overlong exec", args: []string{"-i", "-E", full + "x"}, end: bad("exec-on-exit arguments exceed buffer size"),
			want: options{interactive: true, filter: protocol.LevelDebug}},

		{name: "unknown long", args: []string{"--foo"}, end: bad("Unknown option --foo  (see --help)"), want: options{filter: protocol.LevelDebug}},
		{name: "unknown with value", args: []string{"--config=x"}, end: bad("Unknown option --config=x  (see --help)"), want: options{filter: protocol.LevelDebug}},
		{name: "unknown short", args: []string{"-ix"}, end: bad("Unknown option -x  (see --help)"), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "one dash", args: []string{"-"}, end: bad(`Unexpected argument "-"`), want: options{filter: protocol.LevelDebug}},
		{name: "empty word", args: []string{""}, end: bad(`Unexpected argument ""`), want: options{filter: protocol.LevelDebug}},
		{name: "stray word", args: []string{"-i", "foo", "-v"}, end: bad(`Unexpected argument "foo"`), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "missing argument", args: []string{"-i", "--config"}, end: bad("Missing argument for --config"), want: options{interactive: true, filter: protocol.LevelDebug}},

		{name: "guard disabled", args: []string{"-i", "--exit-guard", "5", "--exit-guard", "0"}, want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "guard emptied", args: []string{"-i", "--exit-guard", "5", "--exit-guard", ""}, want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "guard negative", args: []string{"-i", "--exit-guard", "-7"}, want: options{interactive: true, guard: -7, filter: protocol.LevelDebug}},
		{name: "guard saturates", args: []string{"-i", "--exit-guard", "99999999999999999999"}, want: options{interactive: true, guard: 1<<63 - 1, filter: protocol.LevelDebug}},
		{name: "guard saturates below", args: []string{"-i", "--exit-guard", "-99999999999999999999"}, want: options{interactive: true, guard: -1 << 63, filter: protocol.LevelDebug}},
		{name: "guard bad", args: []string{"-i", "--exit-guard", "abc"}, end: bad(badGuard), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "guard with more", args: []string{"-i", "--exit-guard", "3x"}, end: bad(badGuard), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "guard with plus", args: []string{"-i", "--exit-guard", "+3"}, end: bad(badGuard), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "guard stays", args: []string{"--exit-guard", "3", "-i", "--exit-guard", "abc"},
			said: []string{"fatal: (attempting to continue) " + badGuard},
			want: options{interactive: true, guard: 3, filter: protocol.LevelDebug}},
		{name: "guard at the end", args: []string{"--exit-guard", "3", "-i", "-c"},
			said: []string{"fatal: (attempting to continue) Missing argument for -c"},
			want: options{interactive: true, guard: 3, filter: protocol.LevelDebug}},
		{name: "guard keeps values", args: []string{"--exit-guard", "3", "-c", "-", "-c", missing, "--max-clients", "9", "--max-clients", "1",
			"--fd-pool", "9", "--fd-pool", "x", "foo", "--bar"},
			said: []string{
				`fatal: (attempting to continue) Cannot stat configfile "` + missing + `"`,
				"fatal: (attempting to continue) " + badClients,
				"fatal: (attempting to continue) " + badPool,
				`fatal: (attempting to continue) Unexpected argument "foo"`,
				"fatal: (attempting to continue) Unknown option --bar  (see --help)",
			},
			want: options{config: "-", guard: 3, maxClients: 9, fdPool: poolSize{true, 9, 96}, filter: protocol.LevelDebug}},
		{name: "guard and no source", args: []string{"--exit-guard", "3"},
			said: []string{"fatal: (attempting to continue) " + needsSource},
			want: options{guard: 3, filter: protocol.LevelDebug}},
		{name: "guard and exec", args: []string{"--exit-guard", "3", "-E", "prog", "--foo"}, end: bad("Unknown option --foo  (see --help)"),
			want: options{guard: 3, execArgs: "prog", filter: protocol.LevelDebug}},
		{name: "guard, exec disabled", args: []string{"--exit-guard", "3", "-i", "-E", "prog", "-E", "", "--foo"},
			said: []string{"fatal: (attempting to continue) Unknown option --foo  (see --help)"},
			want: options{interactive: true, guard: 3, filter: protocol.LevelDebug}},
		{name: "guard and silence", args: []string{"--exit-guard", "3", "-i", "-qqqq", "--foo", "-v", "--bar"},
			said: []string{"fatal: (attempting to continue) Unknown option --bar  (see --help)"},
			want: options{interactive: true, guard: 3, filter: protocol.LevelError}},

		{name: "max-clients low", args: []string{"-i", "--max-clients", "1"}, end: bad(badClients), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "max-clients high", args: []string{"-i", "--max-clients", "1025"}, end: bad(badClients), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "max-clients huge", args: []string{"-i", "--max-clients", "18446744073709551620"}, end: bad(badClients), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "max-clients text", args: []string{"-i", "--max-clients", "x"}, end: bad(badClients), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "max-clients most", args: []string{"-i", "--max-clients", "1024"}, want: options{interactive: true, maxClients: 1024, filter: protocol.LevelDebug}},

		{name: "fd-pool small", args: []string{"-i", "--fd-pool", "5"},
			said: []string{"warning: At least 7 fd objects required; using minimum"},
			want: options{interactive: true, fdPool: poolSize{true, 7, 96}, filter: protocol.LevelDebug}},
		{name: "fd-pool both", args: []string{"-i", "--fd-pool", "5x50M"},
			said: []string{"warning: At least 7 fd objects required; using minimum", "warning: fd obj size limited to maximum of 4096"},
			want: options{interactive: true, fdPool: poolSize{true, 7, 4096}, filter: protocol.LevelDebug}},
		{name: "fd-pool large", args: []string{"-i", "--fd-pool", "1025x31"},
			said: []string{"warning: fd pool size exceeds max number of allowed file descriptors; limiting to 1024", "warning: fd obj size increased to minimum of 32"},
			want: options{interactive: true, fdPool: poolSize{true, 1024, 32}, filter: protocol.LevelDebug}},
		{name: "fd-pool terabytes", args: []string{"-i", "--fd-pool", "8x1T"},
			said: []string{"warning: fd obj size limited to maximum of 4096"},
			want: options{interactive: true, fdPool: poolSize{true, 8, 4096}, filter: protocol.LevelDebug}},
		{name: "fd-pool silent", args: []string{"-i", "--fd-pool", "20x1K"}, want: options{interactive: true, fdPool: poolSize{true, 20, 1024}, filter: protocol.LevelDebug}},
		{name: "fd-pool no M", args: []string{"-i", "--fd-pool", "8x"}, want: options{interactive: true, fdPool: poolSize{true, 8, 96}, filter: protocol.LevelDebug}},
		{name: "fd-pool no N", args: []string{"-i", "--fd-pool", "x5"}, end: bad(badPool), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "fd-pool hidden warning", args: []string{"-iqq", "--fd-pool", "5", "-v", "--fd-pool", "6"},
			said: []string{"warning: At least 7 fd objects required; using minimum"},
			want: options{interactive: true, fdPool: poolSize{true, 7, 96}, filter: protocol.LevelInfo}},
		{name: "service-pool small", args: []string{"-i", "--service-pool", "0x0"},
			said: []string{"warning: At least 1 service objects required; using minimum", "warning: servce obj size increased to minimum of 64"},
			want: options{interactive: true, servicePool: poolSize{true, 1, 64}, filter: protocol.LevelDebug}},
		{name: "service-pool large", args: []string{"-i", "--service-pool", "70000"},
			said: []string{"warning: service pool size exceeds maximum; limiting to 65535"},
			want: options{interactive: true, servicePool: poolSize{true, 65535, 512}, filter: protocol.LevelDebug}},
		{name: "service-pool bad", args: []string{"-i", "--service-pool", "4 "}, end: bad(badPool), want: options{interactive: true, filter: protocol.LevelDebug}},

		{name: "version", args: []string{"-i", "--version", "-v"}, said: []string{versionShown}, end: &stop{mainthread.ExitNothingToDo, ""},
			want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "help", args: []string{"-hv"}, said: []string{versionShown}, end: &stop{mainthread.ExitNothingToDo, ""},
			want: options{filter: protocol.LevelDebug}},
		{name: "help after exec", args: []string{"-E", "prog", "-h"}, said: []string{versionShown}, end: &stop{mainthread.ExitNothingToDo, ""},
			want: options{execArgs: "prog", filter: protocol.LevelDebug}},
		{name: "help under a guard", args: []string{"--exit-guard", "3", "-h", "--version", "-i"}, said: []string{versionShown, versionShown},
			want: options{guard: 3, interactive: true, filter: protocol.LevelDebug}},
		{name: "help under a guard with exec", args: []string{"--exit-guard", "3", "-E", "prog", "-h", "-i"}, said: []string{versionShown},
			end: &stop{mainthread.ExitNothingToDo, ""}, want: options{guard: 3, execArgs: "prog", filter: protocol.LevelDebug}},

		{name: "system elsewhere", args: []string{"--system", "poweroff"}, end: bad("--system needs PID 1"), want: options{filter: protocol.LevelDebug}},
		{name: "system nonsense", args: []string{"--system", "off"}, end: bad("Expected poweroff, reboot or halt"), want: options{filter: protocol.LevelDebug}},
		{name: "system no action", args: []string{"--system"}, end: bad("Missing argument for --system"), want: options{filter: protocol.LevelDebug}},
		{name: "system refused", args: []string{"--exit-guard", "0", "--system", "halt"}, pid1: true, said: []string{"system: halt"},
			end: &stop{mainthread.ExitEnvironment, "reboot: Operation not permitted"}, want: options{config: pid1Config, filter: protocol.LevelDebug}},
		{name: "system refused under a guard", args: []string{"--system", "reboot", "-i"}, pid1: true,
			said: []string{"system: reboot", "fatal: (attempting to continue) reboot: Operation not permitted"},
			want: options{guard: pid1Guard, config: pid1Config, interactive: true, filter: protocol.LevelDebug}},

		{name: "program", args: []string{"--", "prog", "-i", "--", ""},
			want: options{program: []string{"prog", "-i", "--", ""}, filter: protocol.LevelDebug}},
		{name: "program after options", args: []string{"-vS", "--", "--signal-group", "--grace", "0", "--", "prog"},
			want: options{program: []string{"prog"}, socket: "--", hasSocket: true, signalGroup: true, grace: noGrace, filter: protocol.LevelTrace}},
		{name: "no program", args: []string{"-S", "sock", "--"}, end: bad("Missing argument for --"),
			want: options{socket: "sock", hasSocket: true, filter: protocol.LevelDebug}},
		{name: "interactive program", args: []string{"-i", "--", "prog"}, end: bad("-i cannot be combined with --"),
			want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "interactive program under a guard", args: []string{"-i", "--exit-guard", "1", "--", "prog", "-q"},
			said: []string{"fatal: (attempting to continue) -i cannot be combined with --"},
			want: options{interactive: true, guard: 1, filter: protocol.LevelDebug}},
		{name: "grace", args: []string{"-i", "--grace", "2147483647"}, want: options{interactive: true, grace: 2147483647, filter: protocol.LevelDebug}},
		{name: "grace too long", args: []string{"-i", "--grace", "2147483648"}, end: bad(badGrace), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "grace negative", args: []string{"-i", "--grace", "-1"}, end: bad(badGrace), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "grace text", args: []string{"-i", "--grace", "1.5"}, end: bad(badGrace), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "signal map", args: []string{"-i", "--signal-map", "TERM=QUIT", "--signal-map", "SIGHUP=-", "--signal-map", "USR1=SIGKILL"},
			want: options{interactive: true, signalMap: []remap{{15, 3}, {1, 0}, {10, 9}}, filter: protocol.LevelDebug}},
		{name: "signal map, unknown", args: []string{"-i", "--signal-map", "FOO=TERM"}, end: bad(badMap), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "signal map, not forwarded", args: []string{"-i", "--signal-map", "ALRM=TERM"}, end: bad(badMap), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "signal map, number", args: []string{"-i", "--signal-map", "TERM=3"}, end: bad(badMap), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "signal map, one side", args: []string{"-i", "--signal-map", "TERM"}, end: bad(badMap), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "signal map, nothing", args: []string{"-i", "--signal-map", ""}, end: bad(badMap), want: options{interactive: true, filter: protocol.LevelDebug}},
		{name: "signal map under a guard", args: []string{"-i", "--exit-guard", "1", "--signal-map", "TERM=INT", "--signal-map", "-=INT", "--grace", "x"},
			said: []string{"fatal: (attempting to continue) " + badMap, "fatal: (attempting to continue) " + badGrace},
			want: options{interactive: true, guard: 1, signalMap: []remap{{15, 2}}, filter: protocol.LevelDebug}},

		{name: "process 1 as entrypoint", args: []string{"-c", "-", "-vE", "--", "--", "prog"}, pid1: true,
			want: options{config: "-", execArgs: "--", program: []string{"prog"}, filter: protocol.LevelTrace}},
		{name: "process 1 without program", args: []string{"--"}, pid1: true, end: bad("Missing argument for --"), want: options{filter: protocol.LevelDebug}},
		{name: "process 1, dashes as argument", args: []string{"-S", "--"}, pid1: true,
			want: options{guard: pid1Guard, config: pid1Config, socket: "--", hasSocket: true, filter: protocol.LevelDebug}},
		{name: "process 1", pid1: true, want: options{guard: pid1Guard, config: pid1Config, filter: protocol.LevelDebug}},
		{name: "process 1, another config and guard", args: []string{"-c", "-", "--exit-guard", "7"}, pid1: true,
			want: options{guard: 7, config: "-", filter: protocol.LevelDebug}},
		{name: "process 1, unknown option", args: []string{"--foo", "-D"}, pid1: true,
			said: []string{"fatal: (attempting to continue) Unknown option --foo  (see --help)"},
			want: options{guard: pid1Guard, config: pid1Config, daemonize: true, filter: protocol.LevelDebug}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want.maxClients == 0 {
				tt.want.maxClients = defaultMaxClients
			}
			switch tt.want.grace {
			case 0:
				tt.want.grace = defaultGrace
			case noGrace:
				tt.want.grace = 0
			}
			h := &recorder{refusal: syscall.EPERM}
			got, end := parseOptions(slices.Clone(tt.args), tt.pid1, h)
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("options\n got %+v\nwant %+v", got, tt.want)
			}
			if !slices.Equal(h.said, tt.said) {
				t.Errorf("said\n got %q\nwant %q", h.said, tt.said)
			}
			if (end == nil) != (tt.end == nil) || end != nil && *end != *tt.end {
				t.Errorf("end\n got %+v\nwant %+v", end, tt.end)
			}
		})
	}
}

func TestWantsBackground(t *testing.T) {
	tests := []struct {
		args string
		pid1 bool
		want bool
	}{
		{args: "-D -c -", want: true},
		{args: "-c - -D", want: true},
		{args: "-c -"},
		{args: "-D"},
		{args: "-D --exit-guard 1", want: true},
		{args: "-i -D"},
		{args: "-D -i"},
		{args: "-D -c -", pid1: true},
		{args: "-D -c - --version"},
		{args: "-D -c - --foo"},
		{args: "--exit-guard 1 -D -c - --foo", want: true},
		{args: "-D -c - -- prog"},
		{args: "-D -S -- -c -", want: true},
	}
	for _, tt := range tests {
		if got := wantsBackground(strings.Fields(tt.args), tt.pid1); got != tt.want {
			t.Errorf("%s (PID 1: %v): got %v, want %v", tt.args, tt.pid1, got, tt.want)
		}
	}
}

const help = `daemonproxy version 0.1.0
options:
  -c, --config FILENAME       run the commands in the file; - is stdin
  -i, --interactive           take commands from stdin, send events to stdout
  -S, --socket PATH           create the control socket
  -D, --daemonize             run in the background, print the daemon's PID
      --exit-guard INTEGER    refuse to end without this code; 0 disables
  -E, --exit-exec TSV_ARGS    execute this program (TAB separated words) at exit
      --fd-pool N[xM]         preallocate N handles with descriptions of M bytes
      --service-pool N[xM]    preallocate N services of M bytes
      --max-clients N         number of controllers, 2 to 1024 (default 16)
      --grace SECONDS         entrypoint: wait so long before SIGKILL (default 10)
      --signal-map FROM=TO    entrypoint: forward TO in place of FROM; - is nothing
      --signal-group          entrypoint: forward to the whole process group
      --system ACTION         as process 1: poweroff, reboot or halt the machine
  -M, --mlockall              lock memory
  -v, --verbose               log more, one level for each -v
  -q, --quiet                 log less, one level for each -q
  -h, --help                  show this help
      --version               show version, build and licence
  -- PROGRAM [ARGS...]        entrypoint: run the program as service main, end with its status

`

func TestDeliver(t *testing.T) {
	o := options{signalMap: []remap{{15, 3}, {1, 0}, {15, 2}}}
	for received, want := range map[protocol.Signal]protocol.Signal{1: 0, 2: 2, 3: 3, 10: 10, 12: 12, 15: 2, 28: 28, 14: 0, 30: 0, 64: 0} {
		if got := o.deliver(received); got != want {
			t.Errorf("%v: got %v, want %v", received, got, want)
		}
	}
}

func TestHelp(t *testing.T) {
	if got := helpText(optionTable); got != help {
		t.Errorf("got\n%s\nwant\n%s", got, help)
	}
}

func TestVersion(t *testing.T) {
	defer func(v, e, h, d string) { version, buildEpoch, gitHead, gitDirty = v, e, h, d }(version, buildEpoch, gitHead, gitDirty)
	version, buildEpoch, gitHead, gitDirty = "1.2.3-rc1", "1700000000", "0123abc", "yes"
	text := versionText()
	const start = "daemonproxy version 1.2.3-rc1\n" +
		" build timestamp: 1700000000 (2023-11-14 22:13:20)\n" +
		" git HEAD: 0123abc (dirty)\n"
	if !strings.HasPrefix(text, start) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", text, start)
	}
	if !regexp.MustCompile(`(?m)^Copyright.*\b\d{4}-\d{4}\b`).MatchString(text) || !strings.Contains(text, "LICENSE") {
		t.Errorf("no copyright or no licence in\n%s", text)
	}
	buildEpoch, gitDirty = "now", ""
	if text := versionText(); !strings.Contains(text, " build timestamp: 0 (1970-01-01 00:00:00)\n git HEAD: 0123abc\n") {
		t.Errorf("got\n%s", text)
	}
}
