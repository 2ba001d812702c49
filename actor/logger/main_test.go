package logger

import (
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loan is a Sink that knows whether it was returned.
type loan struct {
	fd       int
	returned atomic.Int32
	back     chan struct{}
}

func lend(fd int) *loan { return &loan{fd: fd, back: make(chan struct{})} }

func (s *loan) FD() int { return s.fd }

func (s *loan) Release() {
	if s.returned.Add(1) == 1 {
		close(s.back)
	}
}

func (s *loan) wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.back:
	case <-time.After(patience):
		t.Fatal("the loan was not returned")
	}
}

// start runs the log until the test, or the function it gives, ends it.
func start(t *testing.T, l *Log) (stop func()) {
	t.Helper()
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(quit)
	}()
	stop = sync.OnceFunc(func() {
		close(quit)
		<-ended
	})
	t.Cleanup(stop)
	return stop
}

func stderr() []byte { return []byte("stderr") }

// scratch is a new empty file.
func scratch(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func content(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (l *Log) waiting() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("got %q\nwant %q", got, want)
	}
}

// pipe gives a pipe whose write end blocks, as inherited ones do, and whose read end has deadlines.
func pipe(t *testing.T) (r *os.File, w int) {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(p[0], true); err != nil {
		t.Fatal(err)
	}
	r = os.NewFile(uintptr(p[0]), "pipe")
	t.Cleanup(func() {
		_ = r.Close()
		_ = unix.Close(p[1])
	})
	return r, p[1]
}

// fill writes to fd until that would block, and leaves it blocking.
func fill(t *testing.T, fd int) (n int) {
	t.Helper()
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	junk := []byte(strings.Repeat(".", 4096))
	for len(junk) > 0 {
		k, err := unix.Write(fd, junk)
		if err != nil {
			junk = junk[:len(junk)/2]
			continue
		}
		n += k
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return n
}

// readUntil reads until what was read ends in tail.
func readUntil(t *testing.T, r *os.File, tail string) string {
	t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var all []byte
	b := make([]byte, 64<<10)
	for !strings.HasSuffix(string(all), tail) {
		n, err := r.Read(b)
		if err != nil {
			t.Fatalf("after %d bytes: %v", len(all), err)
		}
		all = append(all, b[:n]...)
	}
	return string(all)
}

// fake is a kernel whose descriptors do as the test says, in the time of a synctest bubble.
type fake struct {
	mu     sync.Mutex
	born   time.Time
	calls  int
	naps   int
	wakers map[*waker]chan struct{}
	fds    map[int]*device
}

// device is a descriptor of fake.
type device struct {
	blocked chan struct{} // closed when it becomes writable; nil: it is
	err     error         // every write fails
	most    int           // every write is cut to that; 0: is not
	takes   time.Duration // a write that lasts
	hang    chan struct{} // a write that lasts until this is closed
	panics  bool          // the next write panics
	tries   []time.Duration
	sizes   []int
	out     string
}

func newFake(devices map[int]*device) (*Log, *fake) {
	k := &fake{born: time.Now(), wakers: map[*waker]chan struct{}{}, fds: devices}
	l := New()
	l.kernel = k
	return l, k
}

func (k *fake) device(fd int) *device {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	return k.fds[fd]
}

func (k *fake) ready(fd int) bool {
	d := k.device(fd)
	k.mu.Lock()
	defer k.mu.Unlock()
	if d.blocked == nil {
		return true
	}
	select {
	case <-d.blocked:
		return true
	default:
		return false
	}
}

func (k *fake) await(fd int, w *waker) {
	d := k.device(fd)
	k.mu.Lock()
	wake := k.wakers[w]
	blocked := d.blocked
	k.mu.Unlock()
	select {
	case <-blocked:
	case <-wake:
	}
}

func (k *fake) write(fd int, _ *way, b []byte) (int, error) {
	d := k.device(fd)
	k.mu.Lock()
	d.tries = append(d.tries, time.Since(k.born))
	d.sizes = append(d.sizes, len(b))
	hang, panics := d.hang, d.panics
	d.panics = false
	k.mu.Unlock()
	if panics {
		panic("torn")
	}
	if d.takes > 0 {
		<-time.After(d.takes)
	}
	if hang != nil {
		<-hang
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if d.err != nil {
		return -1, d.err
	}
	n := len(b)
	if d.most > 0 {
		n = min(n, d.most)
	}
	d.out += string(b[:n])
	return n, nil
}

func (k *fake) nap() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.naps++
}

func (k *fake) open(w *waker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wakers[w] = make(chan struct{}, 1)
}

func (k *fake) wake(w *waker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case k.wakers[w] <- struct{}{}:
	default:
	}
}

func (k *fake) close(w *waker) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.wakers, w)
}

// mend changes a device while it is in use.
func (k *fake) mend(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

// counting is the real kernel with a count of the write calls.
type counting struct {
	linux
	writes atomic.Int32
	sizes  [64]atomic.Int32
}

func (k *counting) write(fd int, w *way, b []byte) (int, error) {
	if n := k.writes.Add(1); int(n) <= len(k.sizes) {
		k.sizes[n-1].Store(int32(len(b)))
	}
	return k.linux.write(fd, w, b)
}

var errFull = syscall.ENOSPC
