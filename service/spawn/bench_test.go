package spawn

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// How long a start keeps whoever asks for it, until it is known whether the
// program runs: by a spawner, hand-over to its goroutine and back included, and by
// syscall.ForkExec; with so much resident memory in the parent beside its own. The
// two take turns, so that a noisy machine disturbs both alike; their medians and
// the ratio of those are reported. What the program itself does is no part of it.
// One goroutine runs at a time, as in the daemon (cmd/daemonproxy/main.go).
func BenchmarkForkExec(b *testing.B) {
	for _, mebibytes := range []int{0, 64, 512} {
		b.Run(strconv.Itoa(mebibytes)+"MiB", func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			if size := mebibytes << 20; size > 0 {
				memory, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
				if err != nil {
					b.Fatal(err)
				}
				defer unix.Munmap(memory)
				for i := 0; i < size; i += os.Getpagesize() {
					memory[i] = 1
				}
			}
			ours, theirs := newStarter(b, "/bin/true"), newForkExec(b, "/bin/true")
			var spawns, forks []time.Duration
			for b.Loop() {
				spawns = append(spawns, timed(ours))
				forks = append(forks, timed(theirs))
			}
			spawn, fork := median(spawns), median(forks)
			b.ReportMetric(0, "ns/op") // of both together: says nothing
			b.ReportMetric(spawn, "us/spawn")
			b.ReportMetric(fork, "us/ForkExec")
			b.ReportMetric(spawn/fork, "ratio")
		})
	}
}

// newStarter returns what starts a program by a spawner.
func newStarter(b *testing.B, program string) func() int {
	p, c, text := newPool(b), newClient(), []byte(program)
	return func() int {
		p.Acquire(&c.Ticket)
		s := <-c.granted
		s.Reset()
		s.SetArgs(text)
		s.AddFD(0)
		s.AddFD(1)
		s.AddFD(-1)
		s.Go(c)
		s = <-c.begun
		pid := s.Outcome().PID
		s.Release()
		return pid
	}
}

func newForkExec(b *testing.B, program string) func() int {
	environ, argv, files := os.Environ(), []string{program}, []uintptr{0, 1, ^uintptr(0)}
	return func() int {
		pid, err := syscall.ForkExec(program, argv, &syscall.ProcAttr{Env: environ, Files: files})
		if err != nil {
			b.Fatal(err)
		}
		return pid
	}
}

// timed starts a program, waits for its end and returns how long the start took.
func timed(start func() int) time.Duration {
	began := time.Now()
	pid := start()
	took := time.Since(began)
	var status syscall.WaitStatus
	syscall.Wait4(pid, &status, 0, nil)
	return took
}

func median(all []time.Duration) (microseconds float64) {
	slices.Sort(all)
	return float64(all[len(all)/2]) / 1e3
}

func BenchmarkStart(b *testing.B)        { benchmark(b, "/bin/true") }
func BenchmarkStartMissing(b *testing.B) { benchmark(b, "/missing") }

func benchmark(b *testing.B, program string) {
	start := newStarter(b, program)
	var status syscall.WaitStatus
	b.ReportAllocs()
	for b.Loop() {
		syscall.Wait4(start(), &status, 0, nil)
	}
}
