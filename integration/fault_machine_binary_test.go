package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFaultDaemonReplaced replaces the daemon's own binary while it runs, by a program that does no such thing, and
// then removes it. Where services are begun by executing that binary once more, that is the one that matters.
func TestFaultDaemonReplaced(t *testing.T) {
	t.Parallel()
	for _, tags := range []string{"", "applet"} {
		own := filepath.Join(t.TempDir(), "daemonproxy")
		if out, err := exec.Command("go", "build", "-tags", tags, "-o", own, "daemonproxy/cmd/daemonproxy").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		d := setup{args: []string{"-i"}, wrap: []string{"/bin/sh", "-c", "exec " + own + ` "$@"`}}.start(t)
		works := func() {
			d.i.send("service.args⇥s⇥{helper exit}⇥6", "service.start⇥s")
			d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥6⇥{int}⇥0")
		}
		works()
		if err := writeProgram(own+".new", []byte("#!/bin/sh\nexit 99\n")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(own+".new", own); err != nil {
			t.Fatal(err)
		}
		works()
		if err := os.Remove(own); err != nil {
			t.Fatal(err)
		}
		works()
		d.i.send("terminate.exec_args⇥{helper exit}⇥8", "terminate⇥0")
		d.expectExit(8)
	}
}

// TestFaultDaemonizeReplaced: -D executes the binary once more, which is gone by then, or another program.
func TestFaultDaemonizeReplaced(t *testing.T) {
	t.Parallel()
	for _, then := range []string{
		"",
		`printf '#!/bin/sh\nexit 99\n' >$own && chmod +x $own &&`,
	} {
		own := filepath.Join(t.TempDir(), "daemonproxy")
		d := setup{
			args: []string{"-D", "-S", "{dir}/ctl"},
			wrap: []string{"/bin/sh", "-c", "own=" + own + ` && cp "$0" $own && exec 9<$own && rm $own && ` + then + ` exec /proc/self/fd/9 "$@"`},
		}.daemonize(t)
		a := d.client("a")
		a.send("service.args⇥s⇥{helper exit}⇥6", "service.start⇥s")
		a.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥6⇥{int}⇥0")
		if s, _ := readStat(d.pid); s.comm != "daemonproxy" {
			t.Errorf("it is called %q", s.comm)
		}
	}
}
