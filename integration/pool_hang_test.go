package integration

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
)

// maxHanging is how many starts may hang in their exec at a time.
const maxHanging = 16

// Sixteen programs hang in a file system that does not answer. That exhausts nothing but the sixteen: one more counts
// as a failed fork, everything else goes on, and they come down properly once they are released or killed.
func TestSixteenHangingStarts(t *testing.T) {
	t.Parallel()
	for _, pools := range [][]string{nil, {"--service-pool", "40", "--fd-pool", "40"}} {
		t.Run(fmt.Sprint(pools), func(t *testing.T) { sixteenHang(t, pools) })
	}
}

func sixteenHang(t *testing.T, pools []string) {
	d := setup{
		args:  append([]string{"-i"}, pools...),
		files: map[string]string{"program": "#!/bin/sh\nexit 5\n"},
	}.start(t)
	gate := newGate(t, filepath.Join(d.dir, "program"))
	d.i.send("service.args⇥other⇥{helper hang}", "service.start⇥other", "service.args⇥quick⇥/bin/true", "fd.open⇥f⇥read⇥/dev/null")
	d.i.await("service.state⇥other⇥up⇥{any}")
	d.i.skip()
	threads := d.awaitSpareThreads()
	var open []func()
	for n := range maxHanging {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥{dir}/program", n), fmt.Sprintf("service.fds⇥s%d⇥f⇥stdout⇥stderr", n),
			fmt.Sprintf("service.start⇥s%d", n))
		open = append(open, gate.knock(d.limit))
	}
	holdNoThreads(d, threads, pools != nil)

	d.i.skip()
	d.eventually("the seventeenth is refused", func() bool {
		// It takes a second until a start counts as hanging; until then, others wait.
		d.i.send("service.start⇥quick")
		d.i.await("service.state⇥quick⇥start⇥{now}⇥-⇥-⇥-⇥-⇥-")
		return d.i.services()["quick"][3] != fmt.Sprint(monotonicSecond())
	})
	d.log.await("error: fork failed: Resource temporarily unavailable")
	d.log.await("info: will retry in 3 seconds")

	for name, state := range d.i.services() {
		if name[0] == 's' && state[2] != "start" {
			t.Errorf("%s is %s", name, state[2])
		}
	}
	d.i.send("service.signal⇥other⇥KILL")
	d.i.await("service.state⇥other⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	d.i.send("fd.delete⇥f", "fd.pipe⇥a⇥b", "fd.delete⇥b", "service.start⇥s3⇥-", "service.delete⇥s3")
	d.i.await("fd.state⇥f⇥deleted")
	d.i.await("fd.state⇥b⇥deleted")
	_ = d.memory(0) // which stops the world for a moment
	d.signal("HUP")
	d.i.await("signal⇥SIGHUP⇥{now}⇥1")

	// Half of them are killed where they hang, the others are let go.
	for _, child := range children(d.pid)[:maxHanging/2] {
		if err := syscall.Kill(child.pid, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	for range maxHanging / 2 {
		d.i.await("service.state⇥s{any}⇥down⇥{any}⇥signal⇥SIGKILL⇥{int}⇥0")
	}
	for _, allow := range open {
		allow()
	}
	var want []string
	for range maxHanging / 2 {
		want = append(want, "service.state⇥s{any}⇥down⇥{any}⇥exit⇥5⇥{int}⇥0")
	}
	d.i.awaitAll(append(want, "service.state⇥quick⇥down⇥{any}⇥exit⇥0⇥{int}⇥0")...)
	holdNoThreads(d, threads, pools != nil)
	d.i.skip()
}

// spareThreads are those that there are once the daemon has made some beforehand: the main one, the runtime's monitor, the
// one that makes others, the one that runs, that of stdin, and two idle ones.
const spareThreads = 7

// awaitSpareThreads returns how many threads there are once the spare ones are made, a moment after the start. Where starts
// go through the applet there are more of these.
func (d *daemon) awaitSpareThreads() (threads int) {
	d.t.Helper()
	want := spareThreads
	if startPath == "applet" {
		want += 3
	}
	d.eventually("the spare threads are made", func() bool {
		threads = d.memory(3)
		return threads >= want
	})
	return threads
}

// holdNoThreads compares the number of threads with what it was. Without pools one or the other may be made at any
// time, though not one for each start.
func holdNoThreads(d *daemon, before int, pools bool) {
	d.t.Helper()
	if now := d.memory(3); pools && now != before || startPath == "clone" && now >= before+maxHanging/2 {
		d.t.Errorf("%d threads, there were %d", now, before)
	}
}

// The garbage collector goes on while starts hang: a round of it ends, again and again.
func TestCollectionBesideHangingStarts(t *testing.T) {
	t.Parallel()
	d := setup{
		args:  []string{"-i"},
		env:   []string{"GODEBUG=gctrace=1", "GOGC=1"},
		files: map[string]string{"program": "#!/bin/sh\nexit 5\n"},
		loose: true,
	}.start(t)
	gate := newGate(t, filepath.Join(d.dir, "program"))
	var open []func()
	for n := range 3 {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥{dir}/program", n), fmt.Sprintf("service.start⇥s%d", n))
		open = append(open, gate.knock(d.limit))
	}
	d.i.send("service.args⇥mark⇥/bin/sh⇥-c⇥echo from here on >&2", "service.fds⇥mark⇥null⇥null⇥stderr", "service.start⇥mark")
	d.log.await("from here on")
	for n := range 3000 {
		d.i.send(fmt.Sprintf("service.args⇥more%d⇥/bin/true", n))
	}
	for range 3 {
		d.log.await("gc {any}") // said at the end of a round
	}
	d.i.send("service.start⇥more0")
	d.i.await("service.state⇥more0⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
	for _, allow := range open {
		allow()
	}
	for range open {
		d.i.await("service.state⇥s{any}⇥down⇥{any}⇥exit⇥5⇥{int}⇥0")
	}
	d.i.skip()
}
