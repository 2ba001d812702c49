package spawn

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// helperFDs writes which descriptors it has, and what they are, to a file.
func helperFDs(args []string) {
	var list strings.Builder
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	var have [1 << 16]string
	for _, e := range entries {
		var n int
		fmt.Sscan(e.Name(), &n)
		have[n], _ = os.Readlink("/proc/self/fd/" + e.Name()) // gone: it was the directory
	}
	for n, target := range have {
		if target != "" && !strings.HasPrefix(target, "anon_inode:") { // those are the runtime's own
			fmt.Fprintf(&list, "%d %s\n", n, target)
		}
	}
	if err := os.WriteFile(args[0], []byte(list.String()), 0o600); err != nil {
		panic(err)
	}
}

// sources opens files that can be told apart by name.
func sources(t *testing.T, n int) (fds []int, names map[int]string) {
	t.Helper()
	names = map[int]string{-1: ""}
	for i := range n {
		fd, err := unix.MemfdCreate(fmt.Sprint("source", i), unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		fds = append(fds, fd)
		names[fd] = fmt.Sprintf("/memfd:source%d (deleted)", i)
	}
	return fds, names
}

func TestPlaceAnyPermutation(t *testing.T) {
	p := newPool(t)
	fds, names := sources(t, 24)
	random := rand.New(rand.NewPCG(1, 2))
	report := filepath.Join(t.TempDir(), "fds")
	for range 80 {
		list := make([]int, random.IntN(32))
		for i := range list {
			list[i] = append(fds, -1)[random.IntN(len(fds)+1)]
		}
		checkPlaced(t, p, report, list, names)
	}
	checkPlaced(t, p, report, fds, names)
	many := make([]int, 2048)
	for i := range many {
		many[i] = fds[i%len(fds)]
	}
	checkPlaced(t, p, report, many, names)
}

func checkPlaced(t *testing.T, p *Pool, report string, list []int, names map[int]string) {
	t.Helper()
	s, out := newClient().start(t, p, self+"\thelper:fds\t"+report, list...)
	s.Release()
	status := reap(t, out.PID)
	if status != 0 {
		t.Fatalf("%v: status %#x, %+v", list, status, out)
	}
	got, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for n := range max(len(list), 3) {
		name := ""
		if n < len(list) {
			name = names[list[n]]
		}
		if name == "" && n < 3 {
			name = "/dev/null" // Go's runtime opens that where nothing is
		}
		if name != "" {
			fmt.Fprintf(&want, "%d %s\n", n, name)
		}
	}
	if string(got) != want.String() {
		t.Errorf("%v: got\n%swant\n%s", list, got, want.String())
	}
}

func TestClosedStandardDescriptors(t *testing.T) {
	p := newPool(t)
	r, w := pipe(t)
	s, out := newClient().start(t, p, "/bin/sh\t-c\tfor n in 0 1 2 3; do [ -e /proc/self/fd/$n ] || echo $n >&4; done",
		-1, -1, -1, -1, int(w.Fd()))
	s.Release()
	w.Close()
	text, err := io.ReadAll(r)
	if string(text) != "0\n1\n2\n3\n" || err != nil {
		t.Errorf("closed are %q, %v", text, err)
	}
	reap(t, out.PID)
}

func TestPlaceFails(t *testing.T) {
	p := newPool(t)
	fds, _ := sources(t, 1)
	const closed = 900
	for _, c := range []struct {
		list     []int
		position int
	}{
		{[]int{closed}, 0},
		{[]int{fds[0], -1, closed, fds[0]}, 2},
		{append(make([]int, closed), closed), closed},
		// A descriptor that gets out of the way must not turn up at a number that is not open.
		{[]int{-1, 0, 0, 0, closed, closed + 1}, 4},
	} {
		s, out := newClient().start(t, p, "/bin/sh", c.list...)
		s.Release()
		status := reap(t, out.PID)
		if !status.Signaled() || status.Signal() != syscall.SIGABRT || status.CoreDump() {
			t.Errorf("%.10v: status %#x", c.list, status)
		}
		if out.Step != StepDup || out.Source != closed || out.Position != c.position || out.StepErrno != syscall.EBADF {
			t.Errorf("%.10v: %+v", c.list, out)
		}
	}
	checkDumpable(t)
}

func TestAbort(t *testing.T) {
	p := newPool(t)
	parallel(8, func(int) {
		c := newClient()
		for range 50 {
			p.Acquire(&c.Ticket)
			s := <-c.granted
			s.Reset()
			s.SetArgs([]byte("/bin/sh"))
			s.Abort()
			s.Go(c)
			s = <-c.begun
			out := s.Outcome()
			status := reap(t, out.PID)
			if !status.Signaled() || status.Signal() != syscall.SIGABRT || status.CoreDump() || out.Step != StepAbort {
				t.Errorf("status %#x, %+v", status, out)
			}
			s.Release()
		}
	})
	checkDumpable(t)
}

func checkDumpable(t *testing.T) {
	t.Helper()
	if r, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || r != 1 {
		t.Errorf("dumpable is %d, %v", r, err)
	}
	if pid := dyingChild(); pid != 0 {
		t.Errorf("the right to be undumpable stays with %d", pid)
	}
}
