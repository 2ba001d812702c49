package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["unprivileged"] = helperUnprivileged
}

const unprivileged = 65534

// unprivileged PROGRAM ARG…: becomes PROGRAM as a user without rights.
func helperUnprivileged(args []string) int {
	if err := syscall.Setgroups(nil); err != nil {
		return 1
	}
	if err := syscall.Setgid(unprivileged); err != nil {
		return 1
	}
	if err := syscall.Setuid(unprivileged); err != nil {
		return 1
	}
	return becomes(args)
}

// asUnprivileged is what to put before a daemon that is to run without root's rights; nil if the tests have none themselves.
func asUnprivileged(t *testing.T) []string {
	t.Helper()
	wrap := strings.Split(helperArgs("unprivileged"), "\t")
	if os.Geteuid() != 0 {
		return nil
	}
	if err := os.Chmod(filepath.Dir(daemonBinary), 0o711); err != nil {
		t.Fatal(err)
	}
	return wrap
}

// openDir is a directory that everybody may write to.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dpopen")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func namedPipe(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configRead waits until the daemon has read its config to the end, which closes it.
func (d *daemon) configRead(path string) {
	d.t.Helper()
	d.eventually("the end of the config", func() bool {
		for _, target := range openDescriptors(d.pid) {
			if target == path {
				return false
			}
		}
		return true
	})
}

func TestConfigIsADirectory(t *testing.T) {
	t.Parallel()
	d := start(t, "-c", "{dir}", "-S", "{dir}/ctl")
	d.log.expect("error: read(client[0])): Is a directory")
	a := d.client("a")
	d.configRead(d.dir)
	a.sync()
	d.expectRunning()
}

func TestConfigIsUnreadable(t *testing.T) {
	t.Parallel()
	wrap := asUnprivileged(t)
	path := filepath.Join(openDir(t), "conf")
	if err := os.WriteFile(path, []byte("terminate\t0\n"), 0o000); err != nil {
		t.Fatal(err)
	}
	_, log, code := setup{args: []string{"-c", path}, wrap: wrap}.run(t)
	want := []string{`error: Failed to open config file "` + path + `": Permission denied`, "fatal: Unable to process config file"}
	if !slices.Equal(log, want) || code != 3 {
		t.Errorf("exit %d with the log %q\nwant 3 with %q", code, log, want)
	}
}

func TestConfigIsBelowAnUnreadableDirectory(t *testing.T) {
	t.Parallel()
	wrap := asUnprivileged(t)
	dir := openDir(t)
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, []byte("terminate\t0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o000); err != nil {
		t.Fatal(err)
	}
	_, log, code := setup{args: []string{"-c", path}, wrap: wrap}.run(t)
	if want := []string{`fatal: Cannot stat configfile "` + path + `"`}; !slices.Equal(log, want) || code != 2 {
		t.Errorf("exit %d with the log %q\nwant 2 with %q", code, log, want)
	}
}

func TestConfigIsANamedPipe(t *testing.T) {
	t.Parallel()
	t.Run("without a writer", func(t *testing.T) {
		fifo := namedPipe(t, t.TempDir())
		d := start(t, "-i", "-c", fifo)
		d.configRead(fifo)
		d.i.sync()
	})
	t.Run("with a writer", func(t *testing.T) {
		fifo := namedPipe(t, t.TempDir())
		w, err := os.OpenFile(fifo, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		d := start(t, "-i", "-c", fifo)
		fmt.Fprint(w, "service.tags\ts\tone\nservice.tags\ts\tt")
		d.i.expect("service.tags⇥s⇥one")
		d.i.sync()
		fmt.Fprint(w, "wo\nservice.tags\ts\tthree")
		d.i.expect("service.tags⇥s⇥two")
		d.i.sync()
		w.Close()
		d.i.expect("service.tags⇥s⇥three")
		d.log.expect("warning: Command ends with EOF... processing anyway")
		d.configRead(fifo)
		d.i.sync()
	})
}

func TestConfigIsASocket(t *testing.T) {
	t.Parallel()
	path := filepath.Join(openDir(t), "sock")
	staleSocket(t, path)
	_, log, code := run(t, "-c", path)
	want := []string{`error: Failed to open config file "` + path + `": No such device or address`, "fatal: Unable to process config file"}
	if !slices.Equal(log, want) || code != 3 {
		t.Errorf("exit %d with the log %q\nwant 3 with %q", code, log, want)
	}
}

func TestConfigIsADanglingLink(t *testing.T) {
	t.Parallel()
	path := filepath.Join(openDir(t), "link")
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	_, log, code := run(t, "-c", path)
	if want := []string{`fatal: Cannot stat configfile "` + path + `"`}; !slices.Equal(log, want) || code != 2 {
		t.Errorf("exit %d with the log %q\nwant 2 with %q", code, log, want)
	}
}

// TestConfigWithoutEnd is one line of NULs that never ends. It costs nobody else their turn.
func TestConfigWithoutEnd(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-c", "/dev/zero", "-S", "{dir}/ctl")
	a := d.client("a")
	for n := range 20 {
		d.setInt("n", n)
		a.send("service.tags⇥s⇥{n}")
		a.expect("service.tags⇥s⇥{n}")
		d.i.expect("service.tags⇥s⇥{n}")
	}
	a.sync()
	d.i.sync()
}

// TestConfigIsAProgram reads a few megabytes that were never meant to be read.
func TestConfigIsAProgram(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-c", selfBinary)
	before := d.i.timeless()
	d.configRead(selfBinary)
	if after := d.i.timeless(); !slices.Equal(before, after) {
		t.Errorf("the state has changed\nfrom %q\nto   %q", before, after)
	}
}

// occupied are paths where no control socket may be made, and what the log says of it.
func occupied(t *testing.T) map[string]string {
	t.Helper()
	dir := openDir(t)
	path := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path("regular"), []byte("dear content\n"), 0o600))
	must(os.WriteFile(path("empty"), nil, 0o600))
	must(os.Mkdir(path("directory"), 0o700))
	must(unix.Mkfifo(path("pipe"), 0o600))
	staleSocket(t, path("sock"))
	must(os.Symlink("sock", path("link.to.socket")))
	must(os.Symlink("regular", path("link.to.regular")))
	must(os.Symlink("nowhere", path("link.to.nowhere")))
	const inUse = "Address already in use"
	return map[string]string{
		path("regular"): inUse, path("empty"): inUse, path("directory"): inUse, path("pipe"): inUse,
		path("link.to.socket"): inUse, path("link.to.regular"): inUse, path("link.to.nowhere"): inUse,
		path("no/such"): "No such file or directory", path("regular/x"): "Not a directory",
	}
}

// snapshot is what must survive of the files around a path.
func snapshot(t *testing.T, path string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // there is no such directory
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint(info.Name(), info.Mode(), info.Size(), info.Sys().(*syscall.Stat_t).Ino, info.ModTime())
		if info.Mode().IsRegular() {
			content, err := os.ReadFile(filepath.Join(filepath.Dir(path), info.Name()))
			if err != nil {
				t.Fatal(err)
			}
			text += string(content)
		}
		all = append(all, text)
	}
	return all
}

func TestControlSocketPathIsOccupied(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	for path, cause := range occupied(t) {
		before := snapshot(t, path)
		d.i.send("socket.create⇥-⇥" + path)
		d.i.expect("error⇥Failed to create control socket, for command {any}")
		d.log.exactly("error: bind(control_socket, " + path + ": " + cause)
		d.log.expect("error: controller[0] command failed: {any}", "error:   with error: 'Failed to create control socket'")

		_, log, code := run(t, "-S", path)
		want := []string{"error: bind(control_socket, " + path + ": " + cause, "fatal: Can't create controller socket"}
		if !slices.Equal(log, want) || code != 3 {
			t.Errorf("-S %s: exit %d with the log %q\nwant 3 with %q", path, code, log, want)
		}
		if after := snapshot(t, path); !slices.Equal(before, after) {
			t.Errorf("%s: the files were %q\nthey are %q", path, before, after)
		}
	}
	d.i.sync()
}

// TestControlSocketPathLength: 1 to 107 bytes are a path, as given.
func TestControlSocketPathLength(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	ofLength := func(n int) string { return d.dir + "/" + strings.Repeat("x", n-len(d.dir)-1) }
	for _, path := range []string{"", ofLength(108), ofLength(200), ofLength(4000)} {
		d.i.send("socket.create⇥-⇥" + path)
		d.i.expect("error⇥Failed to create control socket, for command {any}")
		_, log, code := run(t, "-S", path)
		if len(log) == 0 || log[len(log)-1] != "fatal: Can't create controller socket" || code != 3 {
			t.Errorf("-S with %d bytes: exit %d with the log %q", len(path), code, log)
		}
	}
	path := ofLength(107)
	d.i.send("socket.create⇥-⇥" + path)
	d.i.sync()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestControlSocketOfAnotherUser: it stays, even where everybody may remove it.
func TestControlSocketOfAnotherUser(t *testing.T) {
	t.Parallel()
	wrap := asUnprivileged(t)
	dir := openDir(t)
	if wrap == nil { // nobody else's socket can be made; a socket in a read-only directory is refused just the same
		t.Cleanup(func() { os.Chmod(dir, 0o700) })
	}
	path := filepath.Join(dir, "sock")
	staleSocket(t, path)
	if wrap == nil {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	before := snapshot(t, path)
	_, log, code := setup{args: []string{"-S", path}, wrap: wrap}.run(t)
	if code != 3 || len(log) != 2 || log[1] != "fatal: Can't create controller socket" {
		t.Errorf("exit %d with the log %q", code, log)
	}
	if after := snapshot(t, path); !slices.Equal(before, after) {
		t.Errorf("the files were %q\nthey are %q", before, after)
	}
}
