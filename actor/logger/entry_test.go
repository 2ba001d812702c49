package logger

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
)

func TestFilterIsStrict(t *testing.T) {
	l := New()
	if l.Filter() != Debug {
		t.Fatalf("default filter is %s", l.Filter())
	}
	levels := []Level{Trace, Debug, Info, Warning, Error, Fatal}
	for filter := None; filter <= Fatal; filter++ {
		l := New()
		l.SetFilter(filter)
		var all strings.Builder
		for _, v := range levels {
			l.Line(v, "x")
			if l.Enabled(v) != (v > filter) {
				t.Errorf("filter %s: Enabled(%s) = %t", filter, v, l.Enabled(v))
			}
			if v > filter {
				all.WriteString(v.String() + ": x\n")
			}
		}
		want(t, l.waiting(), all.String())
	}
}

func TestLevelNames(t *testing.T) {
	var names []string
	for v := None; v <= Fatal; v++ {
		names = append(names, v.String())
	}
	want(t, strings.Join(names, " "), "none trace debug info warning error fatal")
	want(t, Level(200).String(), "fatal")
}

func TestEntryAppendsVerbatim(t *testing.T) {
	l := New()
	e := l.Entry(Warning).Str("a\tb ").Bytes([]byte("two\nlines\x00\xff ")).Int(-9223372036854775808)
	e.Text = append(e.Text, " end"...)
	e.Send()
	want(t, l.waiting(), "warning: a\tb two\nlines\x00\xff -9223372036854775808 end\n")
}

func TestFilteredEntryIsNil(t *testing.T) {
	l := New()
	e := l.Entry(Debug)
	if e != nil {
		t.Fatal("not nil")
	}
	e.Str("x").Bytes([]byte("x")).Int(1).Send()
	want(t, l.waiting(), "")
}

// An entry that is out must not keep anybody from logging: its arguments may log or panic.
func TestEntriesAreIndependent(t *testing.T) {
	l := New()
	inner := func() string {
		l.Line(Info, "inner")
		return "outer"
	}
	l.Entry(Info).Str(inner()).Send()
	func() {
		defer func() { _ = recover() }()
		var none *os.PathError
		l.Entry(Info).Str(none.Path).Send()
	}()
	for range 2 * entryCount {
		l.Entry(Info).Str("abandoned")
	}
	l.Line(Info, "last")
	want(t, l.waiting(), "info: inner\ninfo: outer\ninfo: last\n")
}

func TestMessagesOfGoroutinesStayWhole(t *testing.T) {
	l := New()
	f := scratch(t)
	l.Dest([]byte("out"), lend(int(f.Fd())))
	start(t, l)
	const writers, each = 8, 300
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				l.Entry(Info).Str("one").Str(" two\n").Str("three").Send()
			}
		})
	}
	all.Wait()
	if !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	got := content(t, f)
	whole := strings.Count(got, "info: one two\nthree\n")
	lost := 0
	rest := strings.ReplaceAll(got, "info: one two\nthree\n", "")
	for line := range strings.Lines(rest) {
		n, err := lostIn(line)
		if err != nil {
			t.Fatal(err)
		}
		lost += n
	}
	if whole+lost != writers*each {
		t.Fatalf("%d whole, %d lost of %d", whole, lost, writers*each)
	}
}

func lostIn(line string) (n int, err error) {
	digits, ok := strings.CutPrefix(line, "warning: lost ")
	digits, ok2 := strings.CutSuffix(digits, " log messages\n")
	if !ok || !ok2 {
		return 0, errors.New("unexpected line: " + line)
	}
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n, nil
}

func TestLoggingDoesNotAllocate(t *testing.T) {
	null, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	l := New()
	l.Dest([]byte("null"), lend(int(null.Fd())))
	start(t, l)
	l.Line(Info, "first")
	if !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	text := []byte("some bytes")
	if n := testing.AllocsPerRun(2000, func() {
		l.Entry(Info).Str("text ").Bytes(text).Int(123456789).Send()
		l.Entry(Trace).Str("text ").Bytes(text).Int(123456789).Send()
		l.Line(Error, "text")
	}); n != 0 {
		t.Fatalf("%v allocations per message", n)
	}
}
