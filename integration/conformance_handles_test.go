package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func init() {
	register(map[string]func(*testing.T){
		"C131_open_makes_private_files":         openMakesPrivateFiles,
		"C134_address_in_use":                   addressInUse,
		"C137_ipv6_addresses":                   ipv6Addresses,
		"C139_take_a_passed_descriptor":         takeAPassedDescriptor,
		"C140_sixteen_passed_descriptors_queue": sixteenPassedDescriptorsQueue,
	})
}

func expectMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Error(err)
	} else if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}

func openMakesPrivateFiles(t *testing.T) {
	d := start(t, "-i")
	d.i.send("fd.open⇥f⇥write,create,mkdir⇥{dir}/one/two/file")
	d.i.expect("fd.state⇥f⇥file⇥write,create,mkdir⇥{dir}/one/two/file")
	expectMode(t, filepath.Join(d.dir, "one"), os.ModeDir|0o700)
	expectMode(t, filepath.Join(d.dir, "one/two"), os.ModeDir|0o700)
	expectMode(t, filepath.Join(d.dir, "one/two/file"), 0o600)
	d.i.send("fd.open⇥f⇥write,create⇥{dir}/none/file")
	d.i.expect("error⇥open failed: No such file or directory, for command {any}")
}

func addressInUse(t *testing.T) {
	d := start(t, "-i")
	d.i.send("fd.socket⇥a⇥unix,bind⇥{dir}/s", "fd.socket⇥b⇥unix,bind⇥{dir}/s")
	d.i.expect("fd.state⇥a⇥socket⇥unix,stream,bind⇥{dir}/s")
	d.i.expect("error⇥bind: Address already in use, for command {any}")
	d.i.send("fd.delete⇥a", "fd.socket⇥b⇥unix,bind⇥{dir}/s") // the file stays
	d.i.expect("fd.state⇥a⇥deleted", "error⇥bind: Address already in use, for command {any}")
	used, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	d.i.send(fmt.Sprintf("fd.socket⇥p⇥tcp,listen⇥%v", used.Addr()))
	d.i.expect("error⇥bind: Address already in use, for command {any}")
	d.i.send("fd.delete⇥p")
	d.i.expect(`error⇥No such file descriptor, for command "fd.delete⇥p"`)
}

func ipv6Addresses(t *testing.T) {
	d := start(t, "-i")
	for _, address := range []string{"[::1]:0", "[::1]", "*", "*:0"} {
		d.i.send("fd.socket⇥s⇥inet6,stream,listen⇥" + address)
		d.i.expect("fd.state⇥s⇥socket⇥inet6,stream,bind,listen=32⇥" + address)
	}
	d.i.send("fd.socket⇥s⇥inet6,udp⇥[::1]:99999", "fd.socket⇥s⇥inet6⇥[::1]:", "fd.socket⇥s⇥inet6⇥[::1")
	for range 3 {
		d.i.expect("error⇥invalid address, for command {any}")
	}
}

func takeAPassedDescriptor(t *testing.T) {
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}, files: map[string]string{"input": "passed on{lf}"}}.start(t)
	a := d.client("a")
	a.send("fd.take⇥t")
	a.expect(`error⇥No ancillary file descriptor received, for command "fd.take⇥t"`)
	input, err := os.Open(filepath.Join(d.dir, "input"))
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	a.pass("fd.take⇥t", input)
	a.expect("fd.state⇥t⇥file⇥read⇥unknown")
	d.i.expect("fd.state⇥t⇥file⇥read⇥unknown")
	// One that came with another command waits for its fd.take.
	null := devNull(t, os.O_RDWR)
	a.pass("echo⇥later", null)
	a.expect("later")
	a.send("fd.take⇥later")
	a.expect("fd.state⇥later⇥file⇥read,write⇥unknown")
	// It is consumed before the name is checked.
	a.pass("fd.take⇥bad name", null)
	a.expect("error⇥Invalid file descriptor name, for command {any}")
	a.send("fd.take⇥t2")
	a.expect("error⇥No ancillary file descriptor received, for command {any}")
	a.pass("fd.take⇥null", null)
	a.expect("error⇥File descriptor cannot be altered, for command {any}")
	a.sync()
	d.i.send("service.args⇥s⇥{helper cat}", "service.fds⇥s⇥t⇥stderr⇥stderr", "service.start⇥s")
	d.log.await("passed on")
	// What is left at the end is closed.
	a.pass("echo⇥left", null)
	a.await("left")
	a.close()
	d.log.await("warning: closing leftover ancillary file descriptor {int}")
}

func sixteenPassedDescriptorsQueue(t *testing.T) {
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	null := devNull(t, os.O_RDONLY)
	for range 16 {
		a.pass("#", null)
	}
	a.sync()
	a.pass("#", null)
	d.log.expect("error: No room for ancillary file descriptor {int}")
	for n := range 16 {
		a.send(fmt.Sprintf("fd.take⇥t%d", n))
		a.expect(fmt.Sprintf("fd.state⇥t%d⇥file⇥read⇥unknown", n))
	}
	a.send("fd.take⇥t")
	a.expect(`error⇥No ancillary file descriptor received, for command "fd.take⇥t"`)
	d.i.skip()
}
