package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// slot is struct slot of c/slot.h.
type slot struct {
	begun, ending, before, after stamp
	pid                          int64
	runs                         int64
	_                            [6]int64
}

// stamp is a time of CLOCK_MONOTONIC.
type stamp struct{ sec, nsec int64 }

func (s stamp) ns() int64 { return s.sec*1e9 + s.nsec }

// micros is how long it took from a stamp to a later one.
func micros(from, to int64) float64 { return float64(to-from) / 1e3 }

// slots is the file that services stamp the clock into, as we see it.
type slots struct {
	file *os.File
	all  []slot
}

func newSlots(n int) *slots {
	fd, err := unix.MemfdCreate("slots", 0)
	check(err)
	size := n * int(unsafe.Sizeof(slot{}))
	check(unix.Ftruncate(fd, int64(size)))
	data, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	check(err)
	return &slots{os.NewFile(uintptr(fd), "slots"), unsafe.Slice((*slot)(unsafe.Pointer(&data[0])), n)}
}

func (s *slots) clear() { clear(s.all) }

// path opens the same file in any process.
func (s *slots) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

func (s *slot) count() int64 { return atomic.LoadInt64(&s.runs) }

// await returns once a slot's service has begun that often.
func (s *slot) await(runs int64) {
	for limit := time.Now().Add(time.Minute); s.count() < runs; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(limit) {
			panic("a service does not begin")
		}
	}
}

// now is the services' clock. No scheduler of ours comes in between.
func now() int64 {
	var ts unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}
