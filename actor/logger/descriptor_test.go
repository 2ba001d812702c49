package logger

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func flags(t *testing.T, fd int) int {
	t.Helper()
	n, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFullPipeThatIsDrainedOnce(t *testing.T) {
	r, w := pipe(t)
	n := fill(t, w)
	before := flags(t, w)
	l := New()
	k := &counting{}
	l.kernel = k
	start(t, l)
	l.Dest([]byte("pipe"), lend(w))
	for range 80 {
		l.Line(Info, message(100, "m"))
	}
	if c := k.writes.Load(); c != 0 {
		t.Fatalf("%d attempts on a full pipe", c)
	}
	got := readUntil(t, r, " log messages\n")
	want(t, got[n:], strings.Repeat("info: "+message(100, "m")+"\n", 40)+"warning: lost 40 log messages\n")
	if c := k.writes.Load(); c >= 6 {
		t.Fatalf("%d attempts", c)
	}
	if flags(t, w) != before {
		t.Fatal("blocking mode changed")
	}
}

func TestChangeFromAFullPipe(t *testing.T) {
	r, w := pipe(t)
	n := fill(t, w)
	l := New()
	start(t, l)
	s := lend(w)
	l.Dest([]byte("pipe"), s)
	l.Line(Info, "1")
	awaitPlace(t, l, atPoll)
	f := scratch(t)
	l.Dest([]byte("file"), lend(int(f.Fd())))
	s.wait(t)
	l.Flush(patience)
	want(t, content(t, f), "info: 1\n")
	if got := readUntil(t, r, "."); len(got) != n {
		t.Fatalf("%d bytes instead of %d", len(got), n)
	}
}

// awaitPlace waits until the pen is in that place.
func awaitPlace(t *testing.T, l *Log, at place) {
	t.Helper()
	end := time.Now().Add(patience)
	tick := time.NewTicker(ms)
	defer tick.Stop()
	for time.Now().Before(end) {
		l.mu.Lock()
		there := l.pen != nil && l.pen.at == at
		l.mu.Unlock()
		if there {
			return
		}
		<-tick.C
	}
	t.Fatal("the pen did not get there")
}

func TestPipeWithoutReader(t *testing.T) {
	r, w := pipe(t)
	_ = r.Close()
	survives(t, w)
}

func TestBadDescriptors(t *testing.T) {
	t.Run("none", func(t *testing.T) { survives(t, -1) })
	t.Run("closed", func(t *testing.T) { survives(t, 1<<20-1) })
	t.Run("read-only", func(t *testing.T) {
		f, err := os.Open("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		survives(t, int(f.Fd()))
	})
}

// survives logs to a descriptor that cannot be written, then to one that can.
func survives(t *testing.T, fd int) {
	t.Helper()
	l := New()
	start(t, l)
	s := lend(fd)
	l.Dest([]byte("bad"), s)
	for range 3 {
		l.Line(Info, "text")
	}
	if l.Flush(100 * ms) {
		t.Fatal("flushed")
	}
	f := scratch(t)
	l.Dest([]byte("good"), lend(int(f.Fd())))
	s.wait(t)
	if !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	want(t, content(t, f), strings.Repeat("info: text\n", 3))
}

func TestSockets(t *testing.T) {
	for name, kind := range map[string]int{
		"stream": unix.SOCK_STREAM, "dgram": unix.SOCK_DGRAM, "seqpacket": unix.SOCK_SEQPACKET,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(p[1])
			if err := unix.SetNonblock(p[0], true); err != nil {
				t.Fatal(err)
			}
			r := os.NewFile(uintptr(p[0]), name)
			defer r.Close()
			fill(t, p[1])
			before := flags(t, p[1])
			l := New()
			stop := start(t, l)
			l.Dest([]byte("socket"), lend(p[1]))
			l.Line(Info, "1")
			l.Line(Info, "end")
			readUntil(t, r, "info: end\n")
			_ = r.Close()
			l.Line(Info, "nobody reads")
			if l.Flush(100 * ms) {
				t.Fatal("flushed")
			}
			stop()
			if flags(t, p[1]) != before {
				t.Fatal("blocking mode changed")
			}
		})
	}
}

// terminal gives a pty: its program's side blocks, its person's side has deadlines.
func terminal(t *testing.T) (person *os.File, program int) {
	t.Helper()
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	person = os.NewFile(uintptr(m), "ptmx")
	t.Cleanup(func() { _ = person.Close() })
	if err := unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = unix.Open("/dev/pts/"+strconv.Itoa(n), unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(program) })
	return person, program
}

func TestStoppedTerminal(t *testing.T) {
	person, program := terminal(t)
	if err := unix.IoctlSetInt(program, unix.TCXONC, unix.TCOOFF); err != nil {
		t.Fatal(err)
	}
	before := flags(t, program)
	l := New()
	k := &counting{}
	l.kernel = k
	start(t, l)
	l.Dest([]byte("tty"), lend(program))
	for range 80 {
		l.Line(Info, message(100, "m"))
	}
	awaitPlace(t, l, atPoll)
	if c := k.writes.Load(); c != 0 {
		t.Fatalf("%d attempts on a stopped terminal", c)
	}
	if err := unix.IoctlSetInt(program, unix.TCXONC, unix.TCOON); err != nil {
		t.Fatal(err)
	}
	got := readUntil(t, person, "warning: lost 40 log messages\r\n")
	if n := strings.Count(got, "info: "+message(100, "m")+"\r\n"); n != 40 {
		t.Fatalf("%d messages", n)
	}
	if flags(t, program) != before {
		t.Fatal("blocking mode changed")
	}
}

// crowded is a kernel on which another writer fills the pipe between poll and the first write.
type crowded struct {
	counting
	fill func()
}

func (k *crowded) write(fd int, w *way, b []byte) (int, error) {
	if k.writes.Load() == 0 {
		k.fill()
	}
	return k.counting.write(fd, w, b)
}

// A write to a pipe(2) does not hang even then.
func TestPipeThatFillsUpBeforeTheWrite(t *testing.T) {
	r, w := pipe(t)
	n := 0
	l := New()
	k := &crowded{fill: func() { n = fill(t, w) }}
	l.kernel = k
	start(t, l)
	l.Dest([]byte("pipe"), lend(w))
	l.Line(Info, "end")
	awaitPlace(t, l, atPace)
	if c := k.writes.Load(); c != 1 {
		t.Fatalf("%d attempts", c)
	}
	want(t, readUntil(t, r, "end\n")[n:], "info: end\n")
}

// fifo gives a named FIFO, on which no write is known not to block; other is one more of its writers.
func fifo(t *testing.T) (r *os.File, w, other int) {
	t.Helper()
	path := t.TempDir() + "/fifo"
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	open := func() int {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	return r, open(), open()
}

func TestFullFIFO(t *testing.T) {
	r, w, other := fifo(t)
	n := fill(t, other)
	l := New()
	start(t, l)
	l.Dest([]byte("fifo"), lend(w))
	l.Line(Info, "end")
	awaitPlace(t, l, atPoll)
	want(t, readUntil(t, r, "end\n")[n:], "info: end\n")
}

// A write that hangs in the kernel holds up neither a message, nor a change, nor the end of Run.
func TestFIFOThatFillsUpBeforeTheWrite(t *testing.T) {
	r, w, other := fifo(t)
	l := New()
	full := make(chan int, 1)
	l.kernel = &crowded{fill: func() { full <- fill(t, other) }}
	stop := start(t, l)
	s := lend(w)
	l.Dest([]byte("fifo"), s)
	l.Line(Info, "1")
	n := <-full
	l.Line(Info, "2")
	f := scratch(t)
	l.Dest([]byte("file"), lend(int(f.Fd())))
	if !l.Flush(patience) {
		t.Fatal("not flushed")
	}
	want(t, content(t, f), "info: 1\ninfo: 2\n")
	stop()
	if s.returned.Load() != 0 {
		t.Fatal("returned a loan that is in use")
	}
	want(t, readUntil(t, r, "info: 1\n")[n:], "info: 1\n")
	s.wait(t)
}

// Without an eventfd a change is noticed a little later.
func TestNoDescriptorsLeft(t *testing.T) {
	_, w := pipe(t)
	fill(t, w)
	l := New()
	l.kernel = &blind{}
	start(t, l)
	s := lend(w)
	l.Dest([]byte("pipe"), s)
	l.Line(Info, "1")
	awaitPlace(t, l, atPoll)
	f := scratch(t)
	l.Dest([]byte("file"), lend(int(f.Fd())))
	s.wait(t)
	l.Flush(patience)
	want(t, content(t, f), "info: 1\n")
}

// blind is a kernel that is out of descriptors.
type blind struct{ linux }

func (blind) open(w *waker) { w.fd = -1 }
