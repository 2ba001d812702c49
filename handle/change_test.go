package handle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"daemonproxy/actor/logger"
)

func TestDelete(t *testing.T) {
	b := newBench(t, 0, 0)
	b.fail("fd.delete|x", "No such file descriptor")
	b.fail("fd.delete|null", "File descriptor cannot be altered")
	count := openCount(t)
	b.step("fd.open|x||/dev/null", "x|file|read|/dev/null")
	if !b.registry.Exists([]byte("x")) {
		t.Error("x does not exist")
	}
	b.step("fd.delete|x", "x|deleted")
	if b.registry.Exists([]byte("x")) || openCount(t) != count {
		t.Error("something of x is left")
	}
	b.step("fd.open|y|write|/dev/null", "y|file|write|/dev/null")
	slots := 0
	for s := b.registry.all.Load(); s != nil; s = s.next {
		slots++
	}
	if slots != 1 {
		t.Error("the parked slot was not used again: ", slots)
	}
}

// A descriptor that is lent is closed by the last return.
func TestLoan(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.pipe|r|w", "r|pipe|from|w", "w|pipe|to|r")
	b.step("fd.socket|-|", "-|socket|unix,stream|")
	r, w := b.fd("r"), b.fd("w")
	one, two := b.registry.NewLoan(0), b.registry.NewLoan(9)
	var p places
	if !one.Borrow([]byte("r\t-\t\tw\tr"), &p) || !slices.Equal(p, places{r, -1, w, r}) {
		t.Error("lent: ", p)
	}
	p = p[:0]
	if two.Borrow([]byte("missing\tw"), &p) || !slices.Equal(p, places{-1, w}) {
		t.Error("lent: ", p)
	}
	b.step("fd.delete|w", "w|deleted", "r|pipe|from|?")
	one.Return()
	if !isOpen(w) || !isOpen(r) {
		t.Error("closed while lent")
	}
	two.Return()
	if isOpen(w) || !isOpen(r) {
		t.Error("not closed by the last return")
	}
	p = p[:0]
	if !one.Borrow(nil, &p) || len(p) != 0 {
		t.Error("the empty list has fields: ", p)
	}
	path := filepath.Join(t.TempDir(), "log")
	b.step("fd.open|stderr|write,create|"+path, "stderr|file|write,create|"+path)
	b.wantLog(path, "warning: ignoring zero-length file descriptor name\n"+
		"error: file descriptor \"missing\" does not exist\n")
}

func TestDumpOrder(t *testing.T) {
	b := newBench(t, 0, 0)
	for _, name := range []string{"b", "a.1", "a", "B", "-", "..", "a-"} {
		b.step("fd.socket|"+name+"|", name+"|socket|unix,stream|")
	}
	want := []string{"-", "..", "B", "a", "a-", "a.1", "b"}
	for i := range want {
		want[i] += "|socket|unix,stream|"
	}
	b.shows(want...)
	name, more := b.registry.Dump(b.call, []byte("a"), b.outbox)
	if string(name) != "a-" || !more {
		t.Errorf("after a: %q", name)
	}
	b.read()
	b.step("fd.delete|a-", "a-|deleted")
	name, more = b.registry.Dump(b.call, name, b.outbox)
	if string(name) != "a.1" || !more {
		t.Errorf("after the deleted a-: %q", name)
	}
}

// A question that comes late is answered "gone", also by the slot's next handle.
func TestGone(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.socket|x|", "x|socket|unix,stream|")
	old, _ := b.registry.find([]byte("x"))
	for range 2 {
		b.do("fd.delete|x")
		if old.slot.ask(&b.call.show, old.generation) != gone {
			t.Error("a deleted handle answered")
		}
		b.do("fd.socket|x|")
		if old.slot.ask(&b.call.lend, old.generation) != gone {
			t.Error("the next handle answered")
		}
	}
}

func TestTake(t *testing.T) {
	b := newBench(t, 0, 0)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"x", "x"} {
		if failed := b.registry.Take(b.call, []byte(name), fds[i]); failed.Code != 0 {
			t.Error(string(failed.Append(nil)))
		}
		b.saw("take", "x|socket|unix,dgram|unknown")
	}
	if isOpen(fds[0]) || b.fd("x") != fds[1] {
		t.Error("not replaced")
	}
	if flags, _ := unix.FcntlInt(uintptr(fds[1]), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
		t.Error("not close-on-exec")
	}
	if fileFlags(t, fds[1])&unix.O_NONBLOCK != 0 {
		t.Error("made non-blocking")
	}
}

func TestBindLog(t *testing.T) {
	b := newBench(t, 0, 0)
	dir := t.TempDir()
	if b.registry.BindLog(b.call, []byte("l")) {
		t.Error("there is no handle l")
	}
	b.log.Line(logger.Error, "early")
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	b.step("fd.open|l|write,create|"+one, "l|file|write,create|"+one)
	b.wantLog(one, "error: early\n")
	b.step("fd.open|l|write,create|"+two, "l|file|write,create|"+two)
	b.log.Line(logger.Error, "late")
	b.wantLog(two, "error: late\n")
	b.step("fd.open|m|write,append|"+one, "m|file|write,append|"+one)
	if !b.registry.BindLog(b.call, []byte("m")) {
		t.Error("there is a handle m")
	}
	b.log.Line(logger.Error, "more")
	b.wantLog(one, "error: early\nerror: more\n")
	fd := b.fd("m")
	b.step("fd.delete|m", "m|deleted")
	b.step("fd.delete|l", "l|deleted")
	if isOpen(fd) {
		t.Error("the log kept its loan")
	}
}

func TestPoolFull(t *testing.T) {
	b := newBench(t, 3, 0)
	dir := t.TempDir()
	b.step("fd.open|a||/dev/null", "a|file|read|/dev/null")
	b.step("fd.open|b||/dev/null", "b|file|read|/dev/null")
	full := "Unable to allocate new file descriptor object"
	b.fail("fd.pipe|p|q", "failed to create pipe")
	b.step("fd.pipe|a|c", "a|pipe|from|c", "c|pipe|to|a")
	b.fail("fd.pipe|a|q", "failed to create pipe")
	b.fail("fd.open|n|write,create|"+dir+"/f", full)
	b.fail("fd.socket|n|bind|"+dir+"/s", full)
	fd, _ := unix.Open("/dev/null", unix.O_RDONLY, 0)
	if failed := b.registry.Take(b.call, []byte("n"), fd); string(failed.Append(nil)) != full || isOpen(fd) {
		t.Error("take: ", failed, isOpen(fd))
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Error("a refused command left ", entries)
	}
	b.step("fd.open|b||/dev/zero", "b|file|read|/dev/zero")
	b.step("fd.socket|b|", "b|socket|unix,stream|")
	b.fail("fd.open|b||/none", "open failed: No such file or directory")
	b.step("fd.pipe|c|a", "c|pipe|from|a", "a|pipe|to|c")
	b.step("fd.delete|b", "b|deleted")
	for range 5 {
		b.fail("fd.open|n||/none", "open failed: No such file or directory")
	}
	b.step("fd.open|n||/dev/null", "n|file|read|/dev/null")
	b.fail("fd.open|o||/dev/null", full)
}

// Long paths are cut in what is shown only.
func TestDescriptionLimit(t *testing.T) {
	b := newBench(t, 3, 32)
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 60))
	b.step("fd.open|x|write,create|"+path, "x|file|write,create|"+path[:32]+"...")
	if target(t, b.fd("x")) != path {
		t.Error("not the file of that path")
	}
	exact := "/dev/" + strings.Repeat("/", 23) + "null" // 32 bytes
	b.step("fd.open|x||"+exact, "x|file|read|"+exact)
}

func TestPanic(t *testing.T) {
	b := newBench(t, 0, 0)
	texts := catchPanics()
	b.step("fd.socket|x|", "x|socket|unix,stream|")
	e, _ := b.registry.find([]byte("x"))
	bad := new(surprise)
	prepare(bad, b.call.lend.reply)
	if e.slot.ask(bad, e.generation) != panicked {
		t.Error("an abandoned step was not answered so")
	}
	if text := <-texts; text != "handle: unknown message" {
		t.Error(text)
	}
	b.shows("x|socket|unix,stream|")
}

type surprise struct{ request }
