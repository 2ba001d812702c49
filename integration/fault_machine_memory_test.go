package integration

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFaultNoMoreMemory: with pools, a daemon that gets no further memory from the system does all that it can do. It is
// refused memory of its own, and any address at all.
func TestFaultNoMoreMemory(t *testing.T) {
	t.Parallel()
	if raceBuild || startPath == "applet" {
		return // the race detector maps memory all the time, the applet when it begins
	}
	noMoreMemory(t, (*daemon).refuseMemory)
	noMoreMemory(t, (*daemon).refuseAddresses)
}

func noMoreMemory(t *testing.T, refuse func(*daemon)) {
	d := setup{args: []string{"-i", "-S", "{dir}/ctl", "-q", "--service-pool", "64", "--fd-pool", "64"}}.start(t)
	a := d.client("a")
	refuse(d)
	for n := range 20 {
		a.raw(strings.Repeat(d.text(strings.ReplaceAll(soakBatch, "{n}", "1")), 10))
		a.skip()
		d.i.send("service.args⇥s⇥/bin/true", "service.start⇥s")
		d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
		d.signal("HUP")
		d.i.await("signal⇥SIGHUP⇥{any}")
		if n%4 == 0 {
			a.close()
			a = d.client("a")
		}
	}
	d.i.send("service.delete⇥s")
	d.i.skip()
}

// littleData is enough for a service, and less than a daemon has.
const littleData = 2 << 20

// refuseMemory lets every mmap(2) of the daemon fail that asks for memory of its own.
func (d *daemon) refuseMemory() { d.refuse(unix.RLIMIT_DATA, littleData, "VmData") }

// littleSpace is the same for addresses.
const littleSpace = 64 << 20

// refuseAddresses lets every mmap(2) fail.
func (d *daemon) refuseAddresses() { d.refuse(unix.RLIMIT_AS, littleSpace, "VmSize") }

// refuse limits the daemon to less than it has already.
func (d *daemon) refuse(resource int, most uint64, field string) {
	d.t.Helper()
	limit := unix.Rlimit{Cur: most, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(d.pid, resource, &limit, nil); err != nil {
		d.t.Fatal(err)
	}
	if has := d.status(field); uint64(has)<<10 <= most {
		d.t.Errorf("the daemon has only %d kB", has)
	}
}
