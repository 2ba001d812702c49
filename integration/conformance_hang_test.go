package integration

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	register(map[string]func(*testing.T){
		"C215_hanging_exec_holds_up_nothing_else": hangingExec,
	})
}

// gate lets nobody execute a file until it is opened (fanotify(7)): to whoever tries, its file system hangs.
type gate struct {
	t    *testing.T
	file *os.File
}

func newGate(t *testing.T, path string) *gate {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		t.Fatal("fanotify (needs root and a kernel with FANOTIFY_ACCESS_PERMISSIONS): ", err)
	}
	g := &gate{t, os.NewFile(uintptr(fd), "fanotify")}
	t.Cleanup(func() { g.file.Close() })
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, path); err != nil {
		t.Fatal(err)
	}
	return g
}

// knock waits for somebody who wants to execute the file, and returns what lets him.
func (g *gate) knock(limit time.Time) (open func()) {
	g.t.Helper()
	if err := g.file.SetReadDeadline(limit); err != nil {
		g.t.Fatal(err)
	}
	var event unix.FanotifyEventMetadata
	if _, err := g.file.Read((*[unsafe.Sizeof(event)]byte)(unsafe.Pointer(&event))[:]); err != nil {
		g.t.Fatal(err)
	}
	return func() {
		answer := unix.FanotifyResponse{Fd: event.Fd, Response: unix.FAN_ALLOW}
		if _, err := g.file.Write((*[unsafe.Sizeof(answer)]byte)(unsafe.Pointer(&answer))[:]); err != nil {
			g.t.Error(err)
		}
		unix.Close(int(event.Fd))
	}
}

func hangingExec(t *testing.T) {
	d := setup{args: []string{"-i"}, files: map[string]string{"program": "#!/bin/sh\nexit 5\n"}}.start(t)
	gate := newGate(t, filepath.Join(d.dir, "program"))
	d.i.send("service.args⇥other⇥{helper hang}", "service.start⇥other")
	d.i.await("service.state⇥other⇥up⇥{any}")
	d.i.send("fd.open⇥f⇥read⇥/dev/null", "service.args⇥s⇥{dir}/program", "service.fds⇥s⇥f⇥f⇥stderr", "service.start⇥s")
	d.i.expect("fd.state⇥f⇥file⇥read⇥/dev/null", "service.args⇥s⇥{any}", "service.fds⇥s⇥f⇥f⇥stderr", "service.state⇥s⇥start⇥{now=t}⇥-⇥-⇥-⇥-⇥-")
	open := gate.knock(d.limit)

	d.i.send("statedump")
	d.i.await("service.state⇥s⇥start⇥{t}⇥-⇥-⇥-⇥-⇥-")
	d.i.skip()
	d.i.send("service.start⇥s⇥-", "service.signal⇥s⇥KILL", "service.delete⇥s")
	d.i.expect("error⇥no service.start pending, for command {any}")
	d.i.expect("error⇥service is not running, for command {any}")
	d.i.expect("error⇥service is running, for command {any}")
	d.i.send("fd.delete⇥f")
	d.i.expect("fd.state⇥f⇥deleted")
	d.i.send("service.args⇥third⇥{helper exit}⇥3", "service.start⇥third")
	d.i.await("service.state⇥third⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	d.i.send("service.signal⇥other⇥KILL")
	d.i.expect("service.state⇥other⇥down⇥{now}⇥{pid}⇥signal⇥SIGKILL⇥{int}⇥0")
	d.signal("HUP")
	d.i.expect("signal⇥SIGHUP⇥{now}⇥1")
	d.i.sync()

	open()
	d.i.expect("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-", "service.state⇥s⇥down⇥{now}⇥{p}⇥exit⇥5⇥{int}⇥0")
	d.i.sync()
}
