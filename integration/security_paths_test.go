package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What daemonproxy makes in the file system is its user's alone, and is made where the command said.

// TestMadeFilesArePrivate: even if the daemon was started with a umask that denies nothing.
func TestMadeFilesArePrivate(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, wrap: []string{"/bin/sh", "-c", `umask 0; exec "$@"`, "sh"}}.start(t)
	d.i.send("fd.open⇥file⇥write,create,mkdir⇥{dir}/a/b/file", "fd.socket⇥sock⇥unix,bind,mkdir⇥{dir}/a/c/sock")
	d.i.expect("fd.state⇥file⇥file⇥{any}", "fd.state⇥sock⇥socket⇥{any}")
	for name, mode := range map[string]os.FileMode{
		"a": os.ModeDir | 0o700, "a/b": os.ModeDir | 0o700, "a/c": os.ModeDir | 0o700,
		"a/b/file": 0o600, "a/c/sock": os.ModeSocket | 0o700,
	} {
		expectMode(t, filepath.Join(d.dir, name), mode)
	}
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥umask >&2; : >{dir}/of.a.service", "service.fds⇥s⇥null⇥null⇥stderr", "service.start⇥s")
	d.log.expect("0077")
	d.i.await("service.state⇥s⇥down⇥{any}")
	expectMode(t, filepath.Join(d.dir, "of.a.service"), 0o600)
}

// TestDirectoryChangesBetween: one controller changes the current directory as fast as it can, another makes files and
// sockets under relative names. Wherever they land, they land with the parents that were made for them.
func TestDirectoryChangesBetween(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	var places []string
	for n := range 2 {
		place := fmt.Sprintf("%s/place%d", d.dir, n)
		if err := os.Mkdir(place, 0o700); err != nil {
			t.Fatal(err)
		}
		places = append(places, place)
	}
	mover := d.client("mover")
	done := make(chan struct{})
	moved := make(chan int, 1)
	go func() {
		rounds := 0
		for ; ; rounds++ {
			select {
			case <-done:
				moved <- rounds
				return
			default:
			}
			text := strings.Repeat("chdir\t"+places[0]+"\nchdir\t"+places[1]+"\n", 50)
			if _, err := mover.w.Write([]byte(text)); err != nil {
				moved <- -1
				return
			}
		}
	}()
	d.i.send("chdir⇥" + places[0])
	for n := range 300 {
		d.i.raw(fmt.Sprintf("fd.open\tf\twrite,create,mkdir\tf%d/x/y/z/f\nfd.socket\ts\tunix,bind,mkdir\ts%d/x/y/z/s\n", n, n))
		d.i.expect("fd.state⇥f⇥file⇥{any}", "fd.state⇥s⇥socket⇥{any}")
	}
	close(done)
	if <-moved < 10 {
		t.Fatal("the other controller did not do its part")
	}
	mover.close()
	for n := range 300 {
		made := 0
		for _, place := range places {
			if _, err := os.Lstat(fmt.Sprintf("%s/f%d", place, n)); err == nil {
				made++
			}
		}
		if made != 1 {
			t.Errorf("the parents of file %d were made in %d places", n, made)
		}
	}
}
