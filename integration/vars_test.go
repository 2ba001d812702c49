package integration

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// vars expands the notation in which tests write lines, and remembers what patterns captured.
// testdata/README.md lists the notation for readers of conversation files; it is the same here.
type vars struct {
	values map[string]string
	since  int64 // the CLOCK_MONOTONIC second before which no event of this test can have happened
}

func newVars() *vars {
	return &vars{values: map[string]string{}, since: monotonicSecond()}
}

// set defines {name}.
func (v *vars) set(name, value string) { v.values[name] = value }

// get returns what {name} stands for, "" if nothing.
func (v *vars) get(name string) string { return v.values[name] }

// num returns a captured number.
func (v *vars) num(name string) int {
	n, err := strconv.Atoi(v.values[name])
	if err != nil {
		panic(fmt.Sprintf("{%s} is %q, no number", name, v.values[name]))
	}
	return n
}

// text expands a line to send: every {…} must stand for a known text.
func (v *vars) text(line string) string {
	return v.walk(line, func(literal string) string { return literal }, func(token string) string {
		text, ok := v.literal(token)
		if !ok {
			panic(fmt.Sprintf("nothing is known as {%s}", token))
		}
		return text
	})
}

// match reports whether line is what pattern describes, and stores the captures of a match.
func (v *vars) match(pattern, line string) bool {
	var captures []string // names by group, "" for none
	var instants []int    // groups that must lie between the test's start and now
	expr := v.walk(pattern, regexp.QuoteMeta, func(token string) string {
		kind, name, _ := strings.Cut(token, "=")
		shape, isKind := shapes[kind]
		if !isKind {
			text, ok := v.literal(token)
			if !ok {
				panic(fmt.Sprintf("nothing is known as {%s}", token))
			}
			return regexp.QuoteMeta(text)
		}
		captures = append(captures, name)
		if kind == "now" {
			instants = append(instants, len(captures))
		}
		return "(" + shape + ")"
	})
	groups := regexp.MustCompile(`(?s)\A` + expr + `\z`).FindStringSubmatch(line)
	if groups == nil {
		return false
	}
	for _, group := range instants {
		t, err := strconv.ParseInt(groups[group], 10, 64)
		if err != nil || t < v.since || t > monotonicSecond() {
			return false
		}
	}
	for i, name := range captures {
		if name != "" {
			v.values[name] = groups[i+1]
		}
	}
	return true
}

// shapes are the pattern tokens. {now} is a time between the test's start and the moment of the comparison.
var shapes = map[string]string{
	"pid": `[1-9][0-9]*`,
	"now": `[0-9]+`,
	"int": `-?[0-9]+`,
	"any": `.*`,
}

// walk replaces ⇥ by TAB, hands plain text to plain and the inside of each {…} to token.
func (v *vars) walk(line string, plain, token func(string) string) string {
	var out strings.Builder
	rest := strings.ReplaceAll(line, "⇥", "\t")
	for {
		before, after, found := strings.Cut(rest, "{")
		out.WriteString(plain(before))
		if !found {
			return out.String()
		}
		inside, tail, closed := strings.Cut(after, "}")
		if !closed {
			panic(fmt.Sprintf("{ without } in %q", line))
		}
		out.WriteString(token(inside))
		rest = tail
	}
}

// literal resolves {NAME}, {NAME+N}, {helper NAME}, {repeat N TEXT} and the bytes that can't be written plainly.
func (v *vars) literal(token string) (string, bool) {
	switch token {
	case "sp":
		return " ", true
	case "cr":
		return "\r", true
	case "lf":
		return "\n", true
	case "nul":
		return "\x00", true
	}
	if arg, ok := strings.CutPrefix(token, "repeat "); ok {
		count, text, _ := strings.Cut(arg, " ")
		n, err := strconv.Atoi(count)
		return strings.Repeat(text, max(n, 0)), err == nil
	}
	if name, ok := strings.CutPrefix(token, "helper "); ok {
		return helperArgs(name), true
	}
	name, plus, sum := strings.Cut(token, "+")
	value, ok := v.values[name]
	if name == "now" {
		value, ok = strconv.FormatInt(monotonicSecond(), 10), true
	}
	if !ok || !sum {
		return value, ok
	}
	a, errA := strconv.ParseInt(value, 10, 64)
	b, errB := strconv.ParseInt(plus, 10, 64)
	return strconv.FormatInt(a+b, 10), errA == nil && errB == nil
}

// monotonic is the clock of the wire.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

func monotonicSecond() int64 { return int64(monotonic() / time.Second) }

// signalNumber is for test code that has a name as the wire spells it.
func signalNumber(name string) syscall.Signal {
	sig := unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG"))
	if sig == 0 {
		panic("no signal is called " + name)
	}
	return sig
}

// setInt defines {name} as a number.
func (v *vars) setInt(name string, n int) { v.values[name] = strconv.Itoa(n) }
