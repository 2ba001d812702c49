package integration

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func init() {
	register(map[string]func(*testing.T){
		"C145_control_socket_is_private":             controlSocketIsPrivate,
		"C146_control_socket_options":                controlSocketOptions,
		"C147_new_control_socket_replaces_the_old":   newControlSocketReplacesTheOld,
		"C148_stale_control_socket_is_replaced":      staleControlSocketIsReplaced,
		"C149_other_files_are_left_alone":            otherFilesAreLeftAlone,
		"C150_relative_control_socket":               relativeControlSocket,
		"C151_control_socket_is_removed_at_exit":     controlSocketIsRemovedAtExit,
		"C152_sixty_clients_in_a_burst":              sixtyClientsInABurst,
		"C155_sixteen_clients_at_once":               sixteenClientsAtOnce,
		"C164_interactive_end":                       interactiveEnd,
		"C162_overflow_is_told_once":                 overflowIsToldOnce,
		"C163_ten_kilobytes_of_events_are_no_burden": tenKilobytesAreNoBurden,
	})
}

func expectGone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", path, err)
	}
}

func controlSocketIsPrivate(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	expectMode(t, d.controlSocket(), os.ModeSocket|0o600)
	d = start(t, "-i")
	for _, options := range []string{"", "-"} {
		d.i.send("socket.create⇥" + options + "⇥{dir}/ctl")
		d.i.sync()
		expectMode(t, d.controlSocket(), os.ModeSocket|0o600)
		d.client("a").sync()
	}
}

func controlSocketOptions(t *testing.T) {
	d := start(t, "-i")
	group := os.Getgid()
	if os.Geteuid() == 0 {
		group = 12345
	}
	d.i.send(fmt.Sprintf("socket.create⇥mode=660,gid=%d⇥{dir}/ctl", group))
	d.i.sync()
	expectMode(t, d.controlSocket(), os.ModeSocket|0o660)
	info, err := os.Stat(d.controlSocket())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Sys().(*syscall.Stat_t).Gid; int(got) != group {
		t.Errorf("the group is %d, want %d", got, group)
	}
	for _, bad := range []string{"mode=9", "foo=1", "mode=600,", "mode=1000", "mode=", "uid=x", "mode=-1"} {
		d.i.send("socket.create⇥" + bad + "⇥{dir}/other")
		d.i.expect("error⇥Invalid options, for command {any}")
	}
	d.i.send("socket.create⇥-")
	d.i.expect(`error⇥missing argument, for command "socket.create⇥-"`)
	d.client("a").sync() // the good one is still there
}

func newControlSocketReplacesTheOld(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	d.i.send("socket.create⇥-⇥{dir}/new")
	d.i.sync()
	d.log.expect("info: Unlinked control socket {dir}/ctl")
	expectGone(t, d.controlSocket())
	expectMode(t, filepath.Join(d.dir, "new"), os.ModeSocket|0o600)
	a.sync()
	d.i.send("socket.delete", "socket.delete")
	d.i.sync()
	expectGone(t, filepath.Join(d.dir, "new"))
	a.sync()
}

// staleSocket leaves a socket file that nobody listens on.
func staleSocket(t *testing.T, path string) os.FileInfo {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func expectSame(t *testing.T, path string, before os.FileInfo) {
	t.Helper()
	if after, err := os.Lstat(path); err != nil || !os.SameFile(before, after) {
		t.Errorf("%s was replaced or removed: %v", path, err)
	}
}

func staleControlSocketIsReplaced(t *testing.T) {
	d := start(t, "-i")
	staleSocket(t, d.controlSocket())
	d.i.send("socket.create⇥-⇥{dir}/ctl")
	d.i.sync()
	d.client("a").sync()
}

func otherFilesAreLeftAlone(t *testing.T) {
	d := start(t, "-i")
	regular := d.write("regular", "text")
	link := filepath.Join(d.dir, "link")
	stale := staleSocket(t, filepath.Join(d.dir, "stale"))
	if err := os.Symlink(filepath.Join(d.dir, "stale"), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{regular, link} {
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		d.i.send("socket.create⇥-⇥" + path)
		d.i.expect("error⇥Failed to create control socket, for command {any}")
		other := setup{args: []string{"-S", path}}.start(t)
		other.log.expect("error: {any}", "fatal: Can't create controller socket")
		other.expectExit(3)
		expectSame(t, path, before)
	}
	expectSame(t, filepath.Join(d.dir, "stale"), stale)
}

func relativeControlSocket(t *testing.T) {
	d := start(t, "-i")
	d.i.send("chdir⇥{dir}", "socket.create⇥-⇥ctl", "chdir⇥/")
	d.i.sync()
	a := d.client("a")
	d.i.send("socket.delete")
	d.i.sync()
	expectGone(t, d.controlSocket())
	a.sync()
}

func controlSocketIsRemovedAtExit(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	d.i.send("terminate⇥0")
	d.expectExit(0)
	expectGone(t, d.controlSocket())

	d = start(t, "-i", "-S", "{dir}/ctl")
	d.i.shut()
	d.expectExit(0)
	expectGone(t, d.controlSocket())

	d = start(t, "-i", "-S", "{dir}/ctl") // not if it has become another file
	if err := os.Remove(d.controlSocket()); err != nil {
		t.Fatal(err)
	}
	other := staleSocket(t, d.controlSocket())
	d.i.send("terminate⇥0")
	d.expectExit(0)
	expectSame(t, d.controlSocket(), other)
}

func sixtyClientsInABurst(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	var clients []*controller
	for n := range 60 {
		clients = append(clients, d.dial(fmt.Sprintf("client%d", n)))
	}
	for _, c := range clients {
		c.sync()
		c.close()
	}
	d.i.sync()
}

func sixteenClientsAtOnce(t *testing.T) {
	d := start(t, "-S", "{dir}/ctl")
	var clients []*controller
	for n := range 16 {
		clients = append(clients, d.client(fmt.Sprintf("client%d", n)))
	}
	clients[0].send("service.tags⇥s⇥x")
	for _, c := range clients {
		c.expect("service.tags⇥s⇥x")
		c.sync()
	}
}

func interactiveEnd(t *testing.T) {
	d := start(t, "-i")
	d.i.shut()
	d.expectExit(0)
	d.log.expect("info: interactive session ended", "info: daemonproxy exiting")

	d = start(t, "-i", "--exit-guard", "5", "-S", "{dir}/ctl")
	a := d.client("a")
	d.i.shut()
	d.log.expect("warning: interactive session ended, but not exiting due to terminate-guard")
	a.sync()
	d.expectRunning()
}

// overflowIsToldOnce lets one client sleep through more events than there is room for.
func overflowIsToldOnce(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	d.block()
	count := 0
	for _, line := range a.until("overflow") {
		d.setInt("n", count)
		if !d.match("service.tags⇥s⇥{n} {repeat 4000 x}", line) {
			t.Fatalf("event %d is %.60q…", count, line)
		}
		count++
	}
	if count == 0 || count >= 100 {
		t.Errorf("%d events came before the overflow", count)
	}
	a.sync()
	d.i.send("service.tags⇥s⇥after")
	a.expect("service.tags⇥s⇥after")
	a.sync()
}

func tenKilobytesAreNoBurden(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	shrinkPipe(t, d.out.src.(*os.File))
	a := d.client("a")
	for n := range 10 {
		d.setInt("n", n)
		a.send("service.tags⇥s⇥{n} {repeat 1000 x}")
		a.expect("service.tags⇥s⇥{n} {repeat 1000 x}")
	}
	for n := range 10 {
		d.setInt("n", n)
		d.i.expect("service.tags⇥s⇥{n} {repeat 1000 x}")
	}
	d.i.sync()
}
