package integration

import (
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// startOnSocket starts a daemon whose stdin and stdout are one end of a socketpair, as those are whose starter speaks
// to it over a socket. theirs is that end.
func startOnSocket(t *testing.T, args ...string) (d *daemon, i *controller, theirs *os.File) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	t.Cleanup(func() { theirs.Close() })
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	d = setup{args: append([]string{"-i"}, args...), fds: map[int]*os.File{0: theirs, 1: theirs}}.launch(t)
	u := conn.(*net.UnixConn)
	i = &controller{lines: d.stream("i", u), w: u, conn: u}
	i.skip()
	return d, i, theirs
}

// TestInteractiveOnASocket: descriptors can be passed, the socket's other users find it blocking as it was, and at the end
// of the input all answers come before the session ends.
func TestInteractiveOnASocket(t *testing.T) {
	t.Parallel()
	d, i, theirs := startOnSocket(t)
	i.pass("fd.take⇥mine", devNull(t, os.O_RDONLY))
	i.expect("fd.state⇥mine⇥file⇥read⇥unknown")
	i.send("service.args⇥s⇥{helper exit}⇥7", "service.start⇥s")
	i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥7⇥{int}⇥0")
	control(t, theirs, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if flags&unix.O_NONBLOCK != 0 {
			t.Errorf("the flags are %o", flags)
		}
		return err
	})
	theirs.Close()
	i.raw(strings.Repeat("echo\tx\n", 1000) + "echo\tthe end\n")
	i.shut()
	i.await("the end")
	d.log.expect("info: interactive session ended", "info: daemonproxy exiting")
	d.expectExit(0)
	i.expectEOF()
}

// TestInteractiveOnASocketThatNobodyReads: commands wait, and so do their answers, but nobody else does.
func TestInteractiveOnASocketThatNobodyReads(t *testing.T) {
	t.Parallel()
	d, i, _ := startOnSocket(t, "-S", "{dir}/ctl")
	a := d.client("a")
	i.send("conn.event_timeout⇥0⇥1000")
	i.skip()
	value := strings.Repeat("v", 4000)
	for range 100 {
		a.send("service.tags⇥s⇥" + value)
		a.expect("service.tags⇥s⇥" + value)
	}
	i.await("overflow")
	i.send("service.tags⇥s⇥after")
	i.expect("service.tags⇥s⇥after")
	a.expect("service.tags⇥s⇥after")
	i.close()
	d.log.await("info: daemonproxy exiting")
	d.expectExit(0)
}
