package handle

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"daemonproxy/actor"
)

// catchPanics collects the texts of panics; the program goes on.
func catchPanics() <-chan string {
	texts := make(chan string, 64)
	actor.OnPanic(func(text string) { texts <- text })
	return texts
}

// Several requesters change few names, while others borrow pairs of names and
// check that what belongs together is of one moment. Names are a to f; fd.pipe
// takes only the pairs a-b and c-d, so if both names of a pair are pipes, then
// they are the ends of one.
func TestManyRequesters(t *testing.T) {
	before := openCount(t)
	b := newBench(t, 0, 0)
	panics := catchPanics()
	last := watch(t, b.bus)
	rounds := 3000
	if testing.Short() {
		rounds = 300
	}
	var changers, borrowers, dumpers sync.WaitGroup
	for i := range 4 {
		changers.Go(func() { change(t, b.registry, uint64(i), rounds) })
	}
	stop := make(chan struct{})
	checked := make([]int, 2)
	for i, pair := range []string{"a\tb", "c\td"} {
		borrowers.Go(func() { checked[i] = checkPair(t, b.registry, pair, stop) })
	}
	dumpers.Go(func() { dumpAll(t, b.registry, stop) })
	changers.Wait()
	close(stop)
	borrowers.Wait()
	dumpers.Wait()
	if checked[0] == 0 || checked[1] == 0 {
		t.Error("pairs checked: ", checked)
	}
	select {
	case text := <-panics:
		t.Error("panic: ", text)
	default:
	}
	for b.read(); !b.outbox.Empty(); b.read() {
		b.outbox.Retry()
	}
	if got, want := b.dump(), last.dump(); got != want {
		t.Errorf("the dump shows\n%sthe last events were\n%s", got, want)
	}
	for _, name := range strings.Split("a b c d e f", " ") {
		b.do("fd.delete|" + name)
	}
	if after := openCount(t); after != before+2 { // the bench's own pipe
		t.Errorf("%d descriptors were open, now %d", before+2, after)
	}
	if b.registry.used != 0 {
		t.Error("places in use: ", b.registry.used)
	}
}

// witness keeps the last event of each name.
type witness struct {
	mu    sync.Mutex
	state map[string]string
}

// watch also checks that no handle is deleted twice in a row.
func watch(t *testing.T, bus *actor.Bus) *witness {
	w := &witness{state: make(map[string]string)}
	bus.Trace = func(line []byte) {
		event := strings.ReplaceAll(string(line), "\t", "|")
		name := strings.Split(strings.TrimSpace(event), "|")[1]
		w.mu.Lock()
		defer w.mu.Unlock()
		if isDeleted(w.state[name]) && isDeleted(event) {
			t.Errorf("%s was deleted twice", name)
		}
		w.state[name] = event
	}
	return w
}

func isDeleted(event string) bool { return event == "" || strings.HasSuffix(event, "|deleted\n") }

func (w *witness) dump() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := ""
	for _, name := range slices.Sorted(maps.Keys(w.state)) {
		if event := w.state[name]; !isDeleted(event) {
			text += event
		}
	}
	return text
}

func change(t *testing.T, r *Registry, seed uint64, rounds int) {
	random := rand.New(rand.NewPCG(seed, 1))
	c := NewCall()
	commands := []string{
		"fd.pipe|a|b", "fd.pipe|b|a", "fd.pipe|a|b|unix", "fd.pipe|c|d", "fd.pipe|d|c|nonblock",
		"fd.open|a||/dev/null", "fd.open|d|write|/dev/null", "fd.open|e||/dev/zero", "fd.socket|b|", "fd.socket|f|udp",
		"fd.delete|a", "fd.delete|b", "fd.delete|c", "fd.delete|d", "fd.delete|e", "fd.delete|f",
		"fd.open|c||/none",
	}
	for range rounds {
		line := commands[random.IntN(len(commands))]
		switch failed := do(r, c, line); failed {
		case "", "No such file descriptor", "open failed: No such file or directory":
		default:
			t.Error(line, failed)
			return
		}
	}
}

// checkPair counts how often both names were ends of a pipe.
func checkPair(t *testing.T, r *Registry, list string, stop <-chan struct{}) (checked int) {
	loan := r.NewLoan(2)
	var p places
	for {
		select {
		case <-stop:
			return checked
		default:
		}
		p = p[:0]
		complete := loan.Borrow([]byte(list), &p)
		if complete && isPipe(p[0]) && isPipe(p[1]) {
			write, read := p[0], p[1]
			if !canWrite(write) || !canRead(read) {
				write, read = read, write
			}
			checked++
			if !carries(write, read) {
				t.Errorf("%q: not ends of one pipe", list)
			}
		}
		loan.Return()
	}
}

func isPipe(fd int) bool {
	var s unix.Stat_t
	if unix.Fstat(fd, &s) != nil {
		return false
	}
	return s.Mode&unix.S_IFMT == unix.S_IFIFO
}

func canWrite(fd int) bool { return accessMode(fd) != unix.O_RDONLY }
func canRead(fd int) bool  { return accessMode(fd) != unix.O_WRONLY }

func accessMode(fd int) int {
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags & unix.O_ACCMODE
}

// dumpAll checks that names of a dump come in order, each once.
func dumpAll(t *testing.T, r *Registry, stop <-chan struct{}) {
	c := NewCall()
	out := new(actor.Outbox)
	out.Init(actor.NewClock(nil), nil)
	for {
		select {
		case <-stop:
			return
		default:
		}
		last := ""
		for name, more := r.Dump(c, nil, out); more; name, more = r.Dump(c, name, out) {
			if string(name) <= last {
				t.Errorf("%q after %q", name, last)
			}
			last = string(name)
		}
	}
}
