package integration

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFaultNoMoreMemory: with pools, a daemon that gets no further memory from the system does all that it can do.
func TestFaultNoMoreMemory(t *testing.T) {
	t.Parallel()
	if raceBuild || startPath == "applet" {
		return // the race detector maps memory all the time, the applet when it begins
	}
	d := setup{args: []string{"-i", "-S", "{dir}/ctl", "-q", "--service-pool", "64", "--fd-pool", "64"}}.start(t)
	a := d.client("a")
	d.refuseMemory()
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
	if data := d.status("VmData"); data<<10 <= littleData {
		t.Errorf("the daemon has only %d kB", data)
	}
	d.i.send("service.delete⇥s")
	d.i.skip()
}

// littleData is enough for a service, and less than a daemon has.
const littleData = 2 << 20

// refuseMemory lets every mmap(2) of the daemon fail that asks for memory of its own.
func (d *daemon) refuseMemory() {
	d.t.Helper()
	limit := unix.Rlimit{Cur: littleData, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(d.pid, unix.RLIMIT_DATA, &limit, nil); err != nil {
		d.t.Fatal(err)
	}
}
