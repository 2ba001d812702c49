package spawn

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Starts from a parent with so much resident memory beside its own, by us and by
// package syscall: of a shell that ends at once, most of whose cost is the shell's
// own, and of a program that is missing, which leaves the cost of the start.
func BenchmarkMemory(b *testing.B) {
	for _, mebibytes := range []int{0, 64, 512} {
		b.Run(strconv.Itoa(mebibytes)+"MiB", func(b *testing.B) {
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
			b.Run("shell/spawn", func(b *testing.B) { benchmark(b, "/bin/sh\t-c\texit") })
			b.Run("shell/ForkExec", func(b *testing.B) { benchmarkForkExec(b, "/bin/sh") })
			b.Run("missing/spawn", func(b *testing.B) { benchmark(b, "/missing\t-c\texit") })
			b.Run("missing/ForkExec", func(b *testing.B) { benchmarkForkExec(b, "/missing") })
		})
	}
}

func benchmarkForkExec(b *testing.B, program string) {
	environ := os.Environ()
	var status syscall.WaitStatus
	var usage syscall.Rusage
	b.ReportAllocs()
	for b.Loop() {
		pid, err := syscall.ForkExec(program, []string{program, "-c", "exit"}, &syscall.ProcAttr{Env: environ, Files: []uintptr{0, 1, ^uintptr(0)}})
		if err == syscall.ENOENT { // the child was waited for
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		if _, err := syscall.Wait4(pid, &status, 0, &usage); err != nil {
			b.Fatal(err)
		}
	}
}
