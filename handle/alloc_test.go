package handle

import (
	"strings"
	"testing"

	"daemonproxy/controller/protocol"
)

// Once slots, descriptors and buffers exist, nothing here needs the heap.
func TestNoAllocations(t *testing.T) {
	b := newBench(t, 0, 0)
	t.Chdir(t.TempDir())
	var loan = b.registry.NewLoan(8)
	var p = make(places, 0, 8)
	list := []byte("a\tx\t\t-\tb")
	run := func(line string) func() {
		cmd := new(protocol.Command)
		protocol.Parse([]byte(strings.ReplaceAll(line, "|", "\t")), cmd)
		return func() {
			switch cmd.Verb {
			case protocol.FDPipe:
				b.registry.Pipe(b.call, cmd)
			case protocol.FDOpen:
				b.registry.Open(b.call, cmd)
			case protocol.FDSocket:
				b.registry.Socket(b.call, cmd)
			case protocol.FDDelete:
				b.registry.Delete(b.call, cmd.Name)
			}
		}
	}
	steps := []func(){
		run("fd.pipe|a|b"), run("fd.pipe|a|b|unix,nonblock"), run("fd.pipe|a|c|inet"),
		run("fd.open|x|mkdir,create|d/e/f"), run("fd.open|x||/dev/null"), run("fd.open|x||/none"),
		run("fd.socket|s|tcp,listen|*"), run("fd.socket|s|inet6|*"), run("fd.socket|s|unix,bind|d"),
		func() { b.registry.Dump(b.call, nil, b.outbox) },
		func() { b.registry.BindLog(b.call, list[:1]) },
		func() { p = p[:0]; loan.Borrow(list, &p); loan.Return() },
		func() { b.registry.KeepOpen(func(int) {}) },
		run("fd.delete|a"), run("fd.delete|b"), run("fd.delete|s"), run("fd.delete|x"),
	}
	all := func() {
		for _, step := range steps {
			step()
		}
	}
	all()
	buffer := b.read() // the outbox must not overflow, and reading allocates
	_ = buffer
	if n := testing.AllocsPerRun(20, all); n != 0 {
		t.Errorf("%v objects for each run of all steps", n)
		for i, step := range steps {
			if n := testing.AllocsPerRun(1, step); n != 0 {
				t.Errorf("step %d: %v objects", i, n)
			}
		}
	}
}
