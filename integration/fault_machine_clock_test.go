package integration

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFaultClockJumps runs a daemon whose CLOCK_REALTIME leaps by years, to and fro, whenever it is read. Deadlines are
// kept to the tick all the same.
//
// The machine's clock is left alone: the kernel asks us what the daemon is to read there (seccomp_unotify(2)), and the
// vDSO, by which it would read clocks without asking anybody, is hidden from it.
func TestFaultClockJumps(t *testing.T) {
	t.Parallel()
	var reads atomic.Int32
	w := watchCalls(t, "clocks", func(call *notification) response {
		if call.nr != unix.SYS_CLOCK_GETTIME {
			t.Errorf("system call %d with clock %d", call.nr, call.args[0])
			return response{flags: letItContinue}
		}
		if call.args[0] != unix.CLOCK_REALTIME {
			return response{flags: letItContinue}
		}
		reads.Add(1)
		now := make([]byte, 16)
		binary.NativeEndian.PutUint64(now, rand.Uint64N(4e9))
		memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", call.pid), os.O_WRONLY, 0)
		if err == nil {
			_, err = memory.WriteAt(now, int64(call.args[1]))
			memory.Close()
		}
		if err != nil {
			t.Error(err)
		}
		return response{}
	})
	d := setup{
		args: []string{"-i", "-S", "{dir}/ctl"}, wrap: slices.Concat(w.wrap, program("no_vdso")),
		fds: map[int]*os.File{2: devFull(t), 9: w.passed}, // a log that is tried again and again
	}.start(t)
	a := d.client("a")
	a.send("conn.event_timeout⇥1⇥2")
	a.sync()
	d.block()

	d.i.send("service.args⇥late⇥{helper exit}", "service.args⇥again⇥{helper exit}", "service.auto_up⇥again⇥2⇥always")
	d.i.skip()
	due := monotonicSecond() + 3
	d.i.send(fmt.Sprintf("service.start⇥late⇥%d", due))
	d.i.await("service.state⇥late⇥up⇥{any}")
	if now := monotonic(); now < time.Duration(due)*time.Second || now > time.Duration(due+20)*time.Second {
		t.Errorf("it is up at %v, and was due at %d s", now, due)
	}
	var ends, uptimes []int64
	for range 3 {
		fields := strings.Split(d.i.await("service.state⇥again⇥down⇥{now}⇥{pid}⇥exit⇥{int}⇥{int}⇥{any}"), "\t")
		end, err := strconv.ParseInt(fields[3], 10, 64)
		uptime, failure := strconv.ParseInt(fields[7], 10, 64)
		if err != nil || failure != nil {
			t.Fatal(err, failure)
		}
		ends, uptimes = append(ends, end), append(uptimes, uptime)
	}
	for n := range ends[1:] {
		// What has run for its interval, on a machine that is busy, is started again at once.
		if between := ends[n+1] - ends[n]; between < 2 && uptimes[n] < 2 || between > 20 {
			t.Errorf("it ended at %v after %v s, and its interval is 2 s", ends, uptimes)
		}
	}
	a.rest() // cut off by now, or it would not end
	t.Logf("CLOCK_REALTIME was read %d times", reads.Load())
	if reads.Load() == 0 {
		t.Error("nobody asked for the time: is the vDSO hidden?")
	}
	d.i.send("log.dest⇥fd⇥null")
	d.i.skip()
}
