package integration

import (
	"strings"
	"testing"
)

// orphans is a script that leaves 10,000 processes behind, by hundreds.
const orphans = "i=0; while [ $i -lt 100 ]; do (j=0; while [ $j -lt 100 ]; do : & j=$((j+1)); done); i=$((i+1)); done"

// TestPID1ReapsOrphans lets 10,000 processes lose their parent. They count the pids of their namespace up.
func TestPID1ReapsOrphans(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, pid1: true, loose: true}.start(t)
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥"+orphans, "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
	d.eventually("orphans are reaped", func() bool { return len(children(d.pid)) == 0 })
	d.i.send("service.args⇥last⇥{helper exit}", "service.start⇥last")
	d.i.await("service.state⇥last⇥down⇥{now}⇥{pid=p}⇥exit⇥0⇥{int}⇥0")
	if d.num("p") <= 10000 {
		t.Errorf("the last process is only number %d", d.num("p"))
	}
	d.expectRunning()
}

func TestPID1ReadsItsOwnConfig(t *testing.T) {
	t.Parallel()
	d := setup{
		args:  []string{"-D", "-c", "{dir}/conf", "-S", "{dir}/ctl"},
		files: map[string]string{"conf": "service.tags⇥s⇥from the config\n"},
		pid1:  true, loose: true,
	}.start(t)
	d.log.expect("warning: Ignoring --daemonize (see manual)")
	a := d.client("a")
	d.eventually("the config is obeyed", func() bool {
		return strings.Contains(strings.Join(a.ask("statedump"), "\n"), "service.tags\ts\tfrom the config")
	})
	d.signal("TERM")
	a.expect("signal⇥SIGTERM⇥{now}⇥1")
	a.send("terminate⇥3")
	a.expect(`error⇥terminate guard code required, for command "terminate⇥3"`)
	a.send("terminate.guard⇥-⇥1", "terminate⇥3")
	d.expectExit(3)
}

// TestPID1EndsByExec also sees that in a namespace of our own nothing is tried, and so nothing is said, of the
// machine's keyboard.
func TestPID1EndsByExec(t *testing.T) {
	t.Parallel()
	d := startPID1(t)
	d.i.sync()
	d.logSync()
	d.i.send("terminate.exec_args⇥{helper print}⇥1⇥rescued", "terminate⇥0⇥1")
	d.i.expect("rescued")
	d.expectExit(0)
}
