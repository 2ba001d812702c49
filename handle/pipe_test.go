package handle

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestPipe(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.pipe|r|w", "r|pipe|from|w", "w|pipe|to|r")
	fds := b.fds("r|w")
	if !carries(fds[1], fds[0]) {
		t.Error("the ends do not belong together")
	}
	for _, fd := range fds {
		if fileFlags(t, fd)&unix.O_NONBLOCK != 0 {
			t.Error("non-blocking unasked")
		}
		if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
			t.Error("not close-on-exec")
		}
	}
	b.step("fd.pipe|r|w|nonblock", "r|pipe|nonblock,from|w", "w|pipe|nonblock,to|r")
	for _, fd := range b.fds("r|w") {
		if fileFlags(t, fd)&unix.O_NONBLOCK == 0 {
			t.Error("blocking in spite of nonblock")
		}
	}
}

func TestSocketpair(t *testing.T) {
	b := newBench(t, 0, 0)
	for flags, shown := range map[string]string{
		"unix":              "unix,stream,to",
		"stream":            "unix,stream,to",
		"dgram":             "unix,dgram,to",
		"seqpacket":         "unix,seqpacket,to",
		"nonblock,unix":     "unix,stream,nonblock,to",
		"-,seqpacket,dgram": "unix,dgram,to",
	} {
		b.step("fd.pipe|x|y|"+flags, "x|pipe|"+shown+"|y", "y|pipe|"+shown+"|x")
		fds := b.fds("x|y")
		if !carries(fds[0], fds[1]) || !carries(fds[1], fds[0]) {
			t.Errorf("%s: the ends do not belong together", flags)
		}
	}
}

func TestPipeErrors(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.pipe|a|b", "a|pipe|from|b", "b|pipe|to|a")
	b.fail("fd.pipe|p|p", "read and write names must differ")
	b.fail("fd.pipe|a|b|nope", `unknown flag "nope"`)
	b.fail("fd.pipe|a|null", "File descriptor cannot be altered")
	for _, domain := range []string{"inet", "inet6", "tcp", "udp", "inet,seqpacket"} {
		b.fail("fd.pipe|a|b|"+domain, "socketpair() failed: Operation not supported")
	}
	fds := b.fds("a|b")
	if !carries(fds[1], fds[0]) {
		t.Error("the old pipe suffered")
	}
}

func TestPipePeers(t *testing.T) {
	b := newBench(t, 0, 0)
	ab := []string{"a|pipe|from|b", "b|pipe|to|a"}
	b.step("fd.pipe|a|b", ab...)
	b.step("fd.pipe|a|b", ab...) // nobody is left alone
	b.step("fd.pipe|b|a", "b|pipe|from|a", "a|pipe|to|b")
	b.step("fd.pipe|c|d", "c|pipe|from|d", "d|pipe|to|c")
	b.step("fd.pipe|a|c", "a|pipe|from|c", "c|pipe|to|a", "b|pipe|from|?", "d|pipe|to|?")
	b.step("fd.delete|b", "b|deleted") // nobody is left alone twice
	b.step("fd.pipe|d|e", "d|pipe|from|e", "e|pipe|to|d")
	b.step("fd.open|e||/dev/null", "e|file|read|/dev/null", "d|pipe|from|?")
	b.step("fd.socket|a|unix", "a|socket|unix,stream|", "c|pipe|to|?")
	b.shows("a|socket|unix,stream|", "c|pipe|to|?", "d|pipe|from|?", "e|file|read|/dev/null")
}

// The closing of one end is seen at the other.
func TestDeletePipe(t *testing.T) {
	b := newBench(t, 0, 0)
	b.step("fd.pipe|r|w", "r|pipe|from|w", "w|pipe|to|r")
	r, w := b.fd("r"), b.fd("w")
	b.step("fd.delete|w", "w|deleted", "r|pipe|from|?")
	if isOpen(w) {
		t.Error("the deleted end is open")
	}
	if n, err := unix.Read(r, make([]byte, 1)); n != 0 || err != nil {
		t.Error("no end of file: ", n, err)
	}
	b.fail("fd.delete|w", "No such file descriptor")
	b.step("fd.delete|r", "r|deleted")
	b.shows()
}
