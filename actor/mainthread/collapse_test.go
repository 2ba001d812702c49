//go:build linux && (amd64 || arm64 || arm.6 || riscv64)

package mainthread

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

func TestCollapse(t *testing.T) {
	e := carryOut(t, plan{How: "Collapse", Args: self(t) + "\tone\t\ttwo words\t"}, "")
	e.want(t, 77, fmt.Sprintf("argv %q\nDAEMONPROXY_EXITCODE=4\nDAEMONPROXY_ERROR=internal error: \n%s=show\nKEPT=1\nDAEMONPROXY_TRACEBACK=\n",
		[]string{self(t), "one", "", "two words", ""}, roleVariable), "")
}

func TestCollapseByPanic(t *testing.T) {
	e := carryOut(t, plan{How: "PanicCollapse", Text: "\x00 two\nlines", Args: self(t)}, "")
	if e.code != 77 || e.stderr != "" ||
		!strings.Contains(e.stdout, "\nDAEMONPROXY_ERROR=internal error: ? two\n") ||
		!strings.Contains(e.stdout, "\nDAEMONPROXY_TRACEBACK=panic: ? two\n\tlines\n\ngoroutine ") {
		t.Errorf("%+v", e)
	}
}

// TestCollapseInChange finds one of the texts whole, whenever it comes.
func TestCollapseInChange(t *testing.T) {
	for range 20 {
		e := carryOut(t, plan{How: "CollapseInChange"}, "")
		argv, _, _ := strings.Cut(e.stdout, "\n")
		whole := false
		for i := range 3 {
			word := fmt.Sprintf(" %q", strings.Repeat(string(rune('a'+i)), 10*(i+1)))
			whole = whole || argv == fmt.Sprintf("argv [%q%s]", "/proc/self/exe", strings.Repeat(word, 30*(i+1)))
		}
		if e.code != 77 || !whole {
			t.Fatalf("%+v", e)
		}
	}
}

// TestCollapseExecutesLikeAnyEnd compares it with the exec of an ordinary end.
func TestCollapseExecutesLikeAnyEnd(t *testing.T) {
	for _, c := range execs(t) {
		t.Run(c.name, func(t *testing.T) {
			p := plan{How: "Collapse", Args: c.prog + "\targ", Path: &c.path}
			e := carryOut(t, p, c.dir)
			if c.errno != "" {
				if e.code != -1 || !strings.Contains(e.stderr, "SIGABRT: abort") {
					t.Fatalf("%+v", e)
				}
				return
			}
			if stdout := strings.Replace(c.stdout, " 9", " 4", 1); e.code != c.code || !strings.HasPrefix(e.stdout, stdout) || e.stderr != "" {
				t.Fatalf("%+v", e)
			}
		})
	}
}

func TestCollapseKeepsThreeAndResets(t *testing.T) {
	path := "/bin:/usr/bin"
	e := carryOut(t, plan{How: "KeptCollapse", Path: &path, Args: "grep\t-E\t^(Pid|SigBlk|SigIgn):\t/proc/self/status"}, "")
	if want := fmt.Sprintf("Pid:\t%d\nSigBlk:\t%016x\nSigIgn:\t%016x\n", e.pid, 0, 0); e.stdout != want {
		t.Fatalf("%+v", e)
	}
	e = carryOut(t, plan{How: "KeptCollapse", Args: self(t)}, "")
	if strings.Contains(e.stdout, "open ") || e.code != 77 {
		t.Fatalf("%+v", e)
	}
}

// TestCollapseOfALargeEnvironment leaves the traceback out where the kernel would
// refuse the rest with it: it allows 128 kB at least, whatever the limit of the stack.
func TestCollapseOfALargeEnvironment(t *testing.T) {
	e := carryOut(t, plan{How: "PanicCollapse", Text: strings.Repeat("x", 30<<10), Args: "/bin/sh\t-c\texit 6", Swell: 100 << 10, Stack: 256 << 10}, "")
	if e.code != 6 {
		t.Fatalf("%d %.300s", e.code, e.stderr)
	}
}

// TestLastWords is about what is kept of a long text.
func TestLastWords(t *testing.T) {
	var w words
	copy(w.text[:], tracebackVariable)
	keep := func(s string) {
		b := []byte(s)
		w.keep(unsafe.Pointer(unsafe.SliceData(b)), len(b))
	}
	text := func() string {
		b := w.text[len(tracebackVariable):]
		return string(b[:bytes.IndexByte(b, 0)])
	}
	keep("runtime: of no use\n")
	keep("fatal error: ")
	keep("first")
	keep("\npanic: ")
	if got := text(); got != "runtime: of no use\nfatal error: first\npanic: " || w.text[w.headline()] != 'f' || w.text[w.headline()+1] != 'i' {
		t.Fatalf("%q, headline at %d", got, w.headline())
	}
	keep(strings.Repeat("y", maxTraceback))
	if n := len(text()); n != maxTraceback {
		t.Fatalf("%d bytes", n)
	}
	w = words{}
	keep(strings.Repeat("gc 1 @0.1s\n", maxTraceback))
	keep("panic: ")
	keep("late")
	if got := text(); got != "panic: late" || w.text[w.headline()] != 'l' {
		t.Fatalf("%q", got)
	}
}
