package actor

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// await receives from a channel that must deliver.
func await[T any](t testing.TB, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
	}
	return v
}

// bell is a Watcher, a Ringer and an OutboxOwner: each call leaves a token.
type bell chan uint32

func newBell() bell { return make(bell, 1) }

func (b bell) ring(v uint32) {
	select {
	case b <- v:
	default:
	}
}

func (b bell) OutboxChanged()      { b.ring(0) }
func (b bell) Ring()               { b.ring(0) }
func (b bell) Ready(events uint32) { b.ring(events) }

// until waits until ok, looking again at each stroke of the bell.
func (b bell) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		await(t, b, what)
	}
}

// pair is a socketpair of the given kind: ours is non-blocking.
func pair(t testing.TB, kind int) (ours, theirs int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, p[0])
	closing(t, p[1])
	if err := unix.SetNonblock(p[0], true); err != nil {
		t.Fatal(err)
	}
	return p[0], p[1]
}

// closed are the descriptors that a test has closed itself.
var closed sync.Map

func closing(t testing.TB, fd int) {
	closed.Delete(fd)
	t.Cleanup(func() { closeFD(fd) })
}

func closeFD(fd int) {
	if _, was := closed.Swap(fd, true); !was {
		_ = unix.Close(fd)
	}
}

func isClosed(fd int) bool {
	_, was := closed.Load(fd)
	return was
}

// drain reads what is there, without waiting.
func drain(t testing.TB, fd int) []byte {
	t.Helper()
	var all []byte
	b := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, b, unix.MSG_DONTWAIT)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return all
		}
		all = append(all, b[:n]...)
	}
}
