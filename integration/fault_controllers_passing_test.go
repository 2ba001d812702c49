package integration

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Controllers that pass descriptors, too many of them, or die meanwhile.

// lot is a number of pipes. Their writing ends are passed and closed here, so that each reading end tells when the daemon
// has let go of the other.
type lot struct{ readers, writers []*os.File }

func newLot(t *testing.T, n int) (l lot) {
	t.Helper()
	for range n {
		r, w := pipe(t)
		l.readers, l.writers = append(l.readers, r), append(l.writers, w)
	}
	return l
}

// pass sends text with the writing ends, and closes them here.
func (l lot) pass(t *testing.T, c *controller, text string) {
	t.Helper()
	fds := make([]int, len(l.writers))
	for i, w := range l.writers {
		fds[i] = int(w.Fd())
	}
	if _, _, err := c.conn.WriteMsgUnix([]byte(text), unix.UnixRights(fds...), nil); err != nil {
		t.Fatal(err)
	}
	for _, w := range l.writers {
		w.Close()
	}
}

// expectClosed requires that the daemon closes these.
func expectClosed(t *testing.T, d *daemon, readers []*os.File) {
	t.Helper()
	for n, r := range readers {
		if err := r.SetReadDeadline(d.limit); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("descriptor %d of %d: %v", n, len(readers), err)
		}
		r.Close()
	}
}

// TestReadsThatStopShort: a read stops behind a message with descriptors, also if there is no room for those, and before
// urgent data. What comes behind is read all the same, without another word from the client.
func TestReadsThatStopShort(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	was := setDescriptorLimit(t, d.pid, 3)
	for n := range 50 {
		newLot(t, 1).pass(t, a, "ec")
		a.raw(fmt.Sprintf("ho\tbehind %d\n", n))
		a.expect(fmt.Sprintf("behind %d", n))
		d.log.expect("error: No descriptor for what was passed")
	}
	setDescriptorLimit(t, d.pid, was)

	raw, err := a.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	d.signal("STOP")
	a.raw("ec")
	if err := raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), []byte("!"), unix.MSG_OOB, nil) }); err != nil {
		t.Fatal(err)
	}
	if err != nil && !errors.Is(err, unix.EOPNOTSUPP) { // before Linux 5.15
		t.Fatal(err)
	}
	a.raw("ho\tdone\n")
	d.signal("CONT")
	a.expect("done")
}

// setDescriptorLimit sets the soft limit and returns what it was.
func setDescriptorLimit(t *testing.T, pid int, n uint64) uint64 {
	t.Helper()
	var was unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	return was.Cur
}

// TestHundredDescriptorsInOneMessage: 16 wait for fd.take, in their order; the others are closed at once, each with a
// word in the log; what was not taken is closed when the client goes.
func TestHundredDescriptorsInOneMessage(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	const all, kept, taken = 100, 16, 10
	l := newLot(t, all)
	l.pass(t, a, "echo\there they are\n")
	a.expect("here they are")
	expectClosed(t, d, l.readers[kept:])
	for range all - kept {
		d.log.expect("error: No room for ancillary file descriptor {int}")
	}
	for n := range taken {
		a.send(fmt.Sprintf("fd.take⇥h%d", n))
		a.expect(fmt.Sprintf("fd.state⇥h%d⇥file⇥write⇥unknown", n))
	}
	a.close()
	expectClosed(t, d, l.readers[taken:kept])
	for range kept - taken {
		d.log.expect("warning: closing leftover ancillary file descriptor {int}")
	}
	for n := range taken { // they are the ones that came first
		d.i.send(fmt.Sprintf("service.args⇥say⇥{helper print}⇥1⇥%d", n), fmt.Sprintf("service.fds⇥say⇥null⇥h%d⇥stderr", n), "service.start⇥say")
		d.i.await("service.state⇥say⇥down⇥{any}⇥exit⇥0⇥{int}⇥0")
		d.i.send(fmt.Sprintf("fd.delete⇥h%d", n))
		if got, err := io.ReadAll(l.readers[n]); err != nil || string(got) != fmt.Sprintf("%d\n", n) {
			t.Errorf("descriptor %d got %q, %v", n, got, err)
		}
	}
}

// TestDescriptorWithEachCommand: a client need not wait between the commands that it passes descriptors with.
func TestDescriptorWithEachCommand(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	const many = 100
	for n := range many {
		newLot(t, 1).pass(t, a, fmt.Sprintf("fd.take\th%d\n", n))
	}
	for n := range many {
		a.expect(fmt.Sprintf("fd.state⇥h%d⇥file⇥write⇥unknown", n))
	}
	a.sync()
}

// TestClientsThatPassDescriptorsAndDie: five hundred of them, with any number of descriptors beside any part of a line.
func TestClientsThatPassDescriptorsAndDie(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(seedFor(t), 3))
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	d.i.send("log.filter⇥fatal")
	for range 500 {
		a := d.dial("a")
		text := "fd.take\th0\nfd.take\th1\nservice.args\ts\t/bin/true\nfd.take\tbad name\nfd.take\n" + strings.Repeat("echo\tx\n", random.IntN(3))
		l := newLot(t, 1+random.IntN(30))
		l.pass(t, a, text[:1+random.IntN(len(text))])
		a.close()
		d.clients, d.streams = d.clients[:0], d.streams[:3]
		d.i.skip()
		d.i.seen = nil
		expectClosed(t, d, l.readers[min(len(l.readers), 2):]) // two of them may have become handles
	}
}
