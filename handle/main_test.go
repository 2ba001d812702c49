package handle

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"daemonproxy/actor"
	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
)

func TestMain(m *testing.M) {
	if name := os.Getenv("HANDLE_TEST_HELPER"); name != "" {
		os.Exit(runHelper(name))
	}
	goleak.VerifyTestMain(m)
}

// bench is a registry with one requester, who also listens.
type bench struct {
	t        testing.TB
	registry *Registry
	call     *Call
	bus      *actor.Bus
	log      *logger.Log
	outbox   *actor.Outbox
	events   int // where what the outbox writes is read
}

func newBench(t testing.TB, max, limit int) *bench {
	t.Helper()
	b := &bench{t: t, bus: new(actor.Bus), log: logger.New(), call: NewCall(), outbox: new(actor.Outbox)}
	b.registry = NewRegistry(b.bus, b.log, max, limit)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.events = fds[0]
	b.outbox.Init(actor.NewClock(nil), b)
	b.outbox.Open(fds[1])
	b.bus.Subscribe(b.outbox, nil)
	t.Cleanup(func() {
		b.registry.Close()
		unix.Close(fds[0])
		unix.Close(fds[1])
	})
	return b
}

func (b *bench) OutboxChanged() {}

// read gives what was offered since the last read, with | for TAB. Offers are
// written before the command that caused them returns.
func (b *bench) read() string {
	b.t.Helper()
	var text []byte
	buffer := make([]byte, 64<<10)
	for {
		n, err := unix.Read(b.events, buffer)
		if n <= 0 {
			if err != unix.EAGAIN {
				b.t.Fatal("events: ", n, err)
			}
			return strings.ReplaceAll(string(text), "\t", "|")
		}
		text = append(text, buffer[:n]...)
	}
}

// do carries out a command line, with | for TAB, and gives its error text.
func (b *bench) do(line string) string {
	b.t.Helper()
	return do(b.registry, b.call, line)
}

func do(r *Registry, c *Call, line string) string {
	var cmd protocol.Command
	protocol.Parse([]byte(strings.ReplaceAll(line, "|", "\t")), &cmd)
	failed := cmd.Err
	if failed.Code == protocol.OK {
		switch cmd.Verb {
		case protocol.FDPipe:
			failed = r.Pipe(c, &cmd)
		case protocol.FDOpen:
			failed = r.Open(c, &cmd)
		case protocol.FDSocket:
			failed = r.Socket(c, &cmd)
		case protocol.FDDelete:
			failed = r.Delete(c, cmd.Name)
		default:
			return "not a command of handles: " + line
		}
	}
	return string(failed.Append(nil))
}

// step carries out a command that succeeds with just these events.
func (b *bench) step(line string, events ...string) {
	b.t.Helper()
	if failed := b.do(line); failed != "" {
		b.t.Fatalf("%s: %s", line, failed)
	}
	b.saw(line, events...)
}

// fail carries out a command that fails with this text and does nothing.
func (b *bench) fail(line, text string) {
	b.t.Helper()
	before := b.dump()
	fds := openCount(b.t)
	if failed := b.do(line); failed != text {
		b.t.Fatalf("%s: got error %q, want %q", line, failed, text)
	}
	b.saw(line)
	if after := b.dump(); after != before {
		b.t.Fatalf("%s: changed\n%sto\n%s", line, before, after)
	}
	if n := openCount(b.t); n != fds {
		b.t.Fatalf("%s: %d descriptors were open, now %d", line, fds, n)
	}
}

func (b *bench) saw(what string, events ...string) {
	b.t.Helper()
	want := ""
	for _, e := range events {
		want += "fd.state|" + e + "\n"
	}
	if got := b.read(); got != want {
		b.t.Fatalf("%s: got events\n%swant\n%s", what, got, want)
	}
}

// dump gives the lines of a statedump.
func (b *bench) dump() string {
	b.t.Helper()
	if rest := b.read(); rest != "" {
		b.t.Fatalf("unread events:\n%s", rest)
	}
	text := ""
	for name, more := b.registry.Dump(b.call, nil, b.outbox); more; name, more = b.registry.Dump(b.call, name, b.outbox) {
		text += b.read()
	}
	return text
}

func (b *bench) shows(lines ...string) {
	b.t.Helper()
	want := ""
	for _, l := range lines {
		want += "fd.state|" + l + "\n"
	}
	if got := b.dump(); got != want {
		b.t.Fatalf("got dump\n%swant\n%s", got, want)
	}
}

// places records what a loan lends; controls are -2.
type places []int

func (p *places) Place(fd int)  { *p = append(*p, fd) }
func (p *places) PlaceControl() { *p = append(*p, -2) }

// fds borrows the descriptors of a list, which must be complete.
func (b *bench) fds(list string) []int {
	b.t.Helper()
	var p places
	loan := b.registry.NewLoan(4)
	if !loan.Borrow([]byte(strings.ReplaceAll(list, "|", "\t")), &p) {
		b.t.Fatalf("a handle of %q is missing", list)
	}
	loan.Return()
	return p
}

func (b *bench) fd(name string) int {
	b.t.Helper()
	return b.fds(name)[0]
}

func openCount(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}

func fileFlags(t testing.TB, fd int) int {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return flags
}

// target is what a descriptor refers to.
func target(t testing.TB, fd int) string {
	t.Helper()
	link, err := os.Readlink("/proc/self/fd/" + string(protocol.AppendInt(nil, int64(fd))))
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// carries tells whether what is written to one descriptor is read from another.
func carries(write, read int) bool {
	sent := []byte{byte(write), byte(read), 'x'}
	if n, _ := unix.Write(write, sent); n != len(sent) {
		return false
	}
	poll := []unix.PollFd{{Fd: int32(read), Events: unix.POLLIN}}
	if n, _ := unix.Poll(poll, 0); n != 1 {
		return false
	}
	got := make([]byte, 8)
	n, _ := unix.Read(read, got)
	return string(got[:max(n, 0)]) == string(sent)
}
