package handle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenFlags(t *testing.T) {
	b := newBench(t, 0, 0)
	path := filepath.Join(t.TempDir(), "f")
	for _, c := range []struct {
		flags, shown string
		mode         int
	}{
		{"mkdir,nonblock,trunc,create,append,write,read", "read,write,append,create,trunc,nonblock,mkdir",
			unix.O_RDWR | unix.O_APPEND | unix.O_NONBLOCK},
		{"", "read", unix.O_RDONLY},
		{"append", "read,append", unix.O_RDONLY | unix.O_APPEND},
		{"write,,nonblock", "write,nonblock", unix.O_WRONLY | unix.O_NONBLOCK},
		{"read", "read", unix.O_RDONLY},
	} {
		b.step("fd.open|x|"+c.flags+"|"+path, "x|file|"+c.shown+"|"+path)
		mask := unix.O_ACCMODE | unix.O_APPEND | unix.O_NONBLOCK
		if mode := fileFlags(t, b.fd("x")) & mask; mode != c.mode {
			t.Errorf("%s: open with %#x", c.flags, mode)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("file: ", info.Mode(), err)
	}
}

func TestOpenTruncates(t *testing.T) {
	b := newBench(t, 0, 0)
	path := filepath.Join(t.TempDir(), "f")
	os.WriteFile(path, []byte("text"), 0o600)
	b.step("fd.open|x|write|"+path, "x|file|write|"+path)
	if text, _ := os.ReadFile(path); string(text) != "text" {
		t.Error("truncated unasked")
	}
	b.step("fd.open|x|write,trunc|"+path, "x|file|write,trunc|"+path)
	if text, _ := os.ReadFile(path); len(text) != 0 {
		t.Error("not truncated")
	}
}

func TestOpenMkdir(t *testing.T) {
	b := newBench(t, 0, 0)
	top := t.TempDir()
	path := top + "/d1//d2/f"
	b.fail("fd.open|x|write,create|"+path, "open failed: No such file or directory")
	b.step("fd.open|x|write,create,mkdir|"+path, "x|file|write,create,mkdir|"+path)
	for _, dir := range []string{"/d1", "/d1/d2"} {
		if info, err := os.Stat(top + dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Error(dir, info, err)
		}
	}
	t.Chdir(top)
	b.step("fd.open|y|create,mkdir|r/g", "y|file|read,create,mkdir|r/g")
}

func TestOpenErrors(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.open|x||/dev/null", "x|file|read|/dev/null")
	fd := b.fd("x")
	b.fail("fd.open|x||", "open failed: No such file or directory")
	b.fail("fd.open|x|write|/", "open failed: Is a directory")
	b.fail("fd.open|x||/"+strings.Repeat("n", 300), "open failed: File name too long")
	b.fail("fd.open|null||/", "File descriptor cannot be altered")
	if b.fd("x") != fd || !isOpen(fd) {
		t.Error("the old handle suffered")
	}
}

// Who opens a FIFO waits for its other end alone.
func TestOpenWaits(t *testing.T) {
	b := newBench(t, 0, 0)
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	begun, opened := make(chan struct{}), make(chan string)
	go func() {
		close(begun)
		opened <- do(b.registry, NewCall(), "fd.open|in|read|"+path)
	}()
	<-begun
	b.step("fd.pipe|a|b", "a|pipe|from|b", "b|pipe|to|a")
	b.step("fd.delete|a", "a|deleted", "b|pipe|to|?")
	b.fds("b")
	b.shows("b|pipe|to|?")
	if failed := b.do("fd.open|out|write|" + path); failed != "" {
		t.Error(failed)
	}
	if failed := <-opened; failed != "" {
		t.Error(failed)
	}
	if b.read(); !carries(b.fd("out"), b.fd("in")) {
		t.Error("not the same FIFO")
	}
}

func TestReplaceClosesOld(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.open|x||/dev/null", "x|file|read|/dev/null")
	fd, count := b.fd("x"), openCount(t)
	b.step("fd.open|x||/dev/zero", "x|file|read|/dev/zero")
	if b.fd("x") == fd || isOpen(fd) || openCount(t) != count {
		t.Error("the old descriptor was not closed after the new one was opened")
	}
}
