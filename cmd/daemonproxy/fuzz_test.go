package main

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"
)

// documentedEnds are the fatal texts that the command line can cause.
var documentedEnds = regexp.MustCompile(`(?s)\A(?:` + strings.Join([]string{
	`Unknown option --.*  \(see --help\)`, `Unknown option -.  \(see --help\)`, `Unexpected argument ".*"`,
	`Missing argument for --?.*`, `Cannot stat configfile ".*"`, badGuard, `exec-on-exit arguments exceed buffer size`,
	regexp.QuoteMeta(badPool), badClients, badGrace, badMap, `-i cannot be combined with --`, needsSource,
	`Expected poweroff, reboot or halt`, `--system needs PID 1`, `reboot: Operation not permitted`,
}, "|") + `)\z`)

// documentedWarnings are those of the pools.
var documentedWarnings = []string{
	fdPoolBounds.n.belowMin, fdPoolBounds.n.aboveMax, fdPoolBounds.m.belowMin, fdPoolBounds.m.aboveMax,
	servicePoolBounds.n.belowMin, servicePoolBounds.n.aboveMax, servicePoolBounds.m.belowMin,
}

// FuzzOptions: any command line, whose words are written on lines of their own, as process 1 or another.
func FuzzOptions(f *testing.F) {
	for _, words := range []string{
		"-i", "-ivv", "-i\n-S\nsock\n-D\n-M", "-S\n", "-c\n-", "-cS\n/dev/null\n-i", "-cFILE", "--config=x", "--foo", "-", "", "stray",
		"-i\n--exit-guard\n5\n-cFiv", "--exit-guard\nabc\n-i", "--exit-guard\n1\n-E\na\tb\n--help", "--version\n-i", "-h", "-qqqqqqqqi",
		"-i\n--fd-pool\n5x50M", "-i\n--service-pool\n70000x1", "-i\n--service-pool\nx5", "-i\n--max-clients\n1", "-i\n--max-clients\n1024",
		"--\ntrue\n-i\n--", "--", "-i\n--\ntrue", "-c\n--\n--\nx", "--grace\n0\n--signal-map\nTERM=QUIT\n--signal-map\nHUP=-\n--signal-group\n--\nx",
		"--signal-map\nFOO=TERM\n--\nx", "--grace\n2147483648\n--\nx", "--system\nhalt", "--system\nx", "-E\n" + strings.Repeat("x", 4096),
	} {
		f.Add(false, words)
		f.Add(true, words)
	}
	f.Fuzz(func(t *testing.T, pid1 bool, text string) {
		words := strings.Split(text, "\n")
		host := &recorder{refusal: 1}
		o, end := parseOptions(words, pid1, host)
		again, endAgain := parseOptions(words, pid1, silent{})
		if end == nil && (!reflect.DeepEqual(o, again) || endAgain != nil) {
			t.Errorf("a second reading differs: %+v %+v, %v", o, again, endAgain)
		}
		checkOptions(t, &o, words, pid1)
		checkEnd(t, &o, end, host.said)
	})
}

// checkOptions: what was accepted is within its limits, also if the reading ended early.
func checkOptions(t *testing.T, o *options, words []string, pid1 bool) {
	fd, service := o.fdPool, o.servicePool
	if fd.set && (fd.n < 7 || fd.n > 1024 || fd.m < 32 || fd.m > 4096) || service.set && (service.n < 1 || service.n > 65535 || service.m < 64) {
		t.Errorf("pools of %+v and %+v", fd, service)
	}
	if o.maxClients < 2 || o.maxClients > 1024 || o.grace < 0 || o.grace > math.MaxInt32 || o.filter > protocol.LevelFatal ||
		len(o.execArgs) > protocol.MaxExecArgs {
		t.Errorf("accepted %+v", o)
	}
	for _, m := range o.signalMap {
		if forwarded>>(m.from-1)&1 == 0 || m.to > protocol.MaxSignal {
			t.Errorf("accepted the signal map %+v", m)
		}
	}
	if o.program == nil {
		return
	}
	before := len(words) - len(o.program)
	if len(o.program) == 0 || before < 1 || words[before-1] != "--" || !slices.Equal(words[before:], o.program) || o.interactive {
		t.Errorf("of %q the program is %q", words, o.program)
	}
	if pid1 && (o.config == pid1Config || o.guard == pid1Guard) && !slices.Contains(words, pid1Config) && !slices.Contains(words, "--exit-guard") {
		t.Errorf("an entrypoint has the guard %d and the config %q", o.guard, o.config)
	}
}

// checkEnd: every text is a documented one, and a guard without exec-on-exit outlives all of them.
func checkEnd(t *testing.T, o *options, end *stop, said []string) {
	for _, line := range said {
		level, text, _ := strings.Cut(line, ": ")
		fatal, survived := strings.CutPrefix(text, continuing)
		switch {
		case level == "stdout", level == "system":
		case level == "warning" && slices.Contains(documentedWarnings, text):
		case level == "fatal" && survived && documentedEnds.MatchString(fatal):
		default:
			t.Errorf("the log says %q", line)
		}
	}
	switch {
	case end == nil:
		if o.config == "" && !o.interactive && !o.hasSocket && o.program == nil && o.guard == 0 {
			t.Errorf("nothing to do, but no end: %+v", o)
		}
		return
	case o.guard != 0 && o.execArgs == "":
		t.Errorf("under a guard it ends: %+v", end)
	case end.code == mainthread.ExitNothingToDo && end.text == "":
		return
	case end.code != mainthread.ExitBadOptions && end.code != mainthread.ExitEnvironment, !documentedEnds.MatchString(end.text):
		t.Errorf("it ends with %+v", end)
	}
}
