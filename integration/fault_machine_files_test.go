package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFaultDiskFull fills the disk that the log is on, a tmpfs of 64 KiB in a mount namespace of the daemon's own. Once
// there is room again, the log has every message or says how many it lost.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, wrap: program("small_disk")}.start(t)
	disk := fmt.Sprintf("/proc/%d/root/mnt/", d.pid)
	d.i.send("fd.open⇥log⇥write,create,append⇥/mnt/log", "log.dest⇥fd⇥log")
	d.i.expect("fd.state⇥log⇥file⇥write,append,create⇥/mnt/log")
	sent := 0
	say := func(count int) {
		for range count {
			d.i.send(fmt.Sprintf("nosuch.%d", sent))
			sent++
		}
		d.i.skip()
	}
	say(20)
	d.i.send("service.args⇥fill⇥/bin/sh⇥-c⇥cat /dev/zero 2>/dev/null >/mnt/fill", "service.start⇥fill")
	d.i.await("service.state⇥fill⇥down⇥{now}⇥{pid}⇥exit⇥1⇥{int}⇥0")
	say(1000) // the last page of the log takes some, the buffer some, and the rest is lost

	// Nobody else is concerned, and what needs the disk says so.
	d.i.send("service.args⇥s⇥{helper exit}⇥3", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	d.i.send("fd.open⇥f⇥write,create⇥/mnt/one", "fd.open⇥f⇥write,create⇥/mnt/two", "socket.create⇥-⇥/mnt/ctl",
		"fd.socket⇥u⇥unix⇥/mnt/socket", "fd.open⇥f⇥write,create,mkdir⇥/mnt/a/b/c")
	d.i.expect("fd.state⇥f⇥file⇥write,create⇥/mnt/one", "fd.state⇥f⇥file⇥write,create⇥/mnt/two",
		"error⇥Failed to create control socket, for command {any}", "error⇥bind: No space left on device, for command {any}",
		"error⇥open failed: No such file or directory, for command {any}")

	if err := os.Remove(disk + "fill"); err != nil {
		t.Fatal(err)
	}
	d.eventually("the log tells what it lost", func() bool {
		text, err := os.ReadFile(disk + "log")
		return err == nil && strings.Contains(string(text), " log messages\n")
	})
	say(1)
	last := fmt.Sprintf("nosuch.%d\n", sent-1)
	var text []byte
	d.eventually("the log goes on", func() (done bool) {
		text, _ = os.ReadFile(disk + "log")
		return strings.HasSuffix(string(text), last)
	})
	expectEveryMessage(t, string(text), sent)
}

func init() { helpers["small_disk"] = helperSmallDisk }

// small_disk PROGRAM ARG…: becomes PROGRAM, for which /mnt is a disk of 64 KiB and four files.
func helperSmallDisk(args []string) int {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return 1
	}
	if err := unix.Mount("none", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		return 1
	}
	if err := unix.Mount("none", "/mnt", "tmpfs", 0, "size=64k,nr_inodes=5"); err != nil {
		return 1
	}
	return becomes(args)
}

// expectEveryMessage looks for the log lines of nosuch.0, nosuch.1 and so on, but for those that the log says it lost:
// they follow those that it kept, and lines of other errors may be lost with them.
func expectEveryMessage(t *testing.T, text string, sent int) {
	t.Helper()
	next, lost := 0, 0
	for line := range strings.Lines(text) {
		if m := regexp.MustCompile(`^error: controller\[0\] sent unknown command nosuch\.(\d+)\n$`).FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			if n < next || n > next+lost {
				t.Fatalf("message %d comes after %d, and %d were lost", n, next-1, lost)
			}
			next, lost = n+1, 0
		} else if m := regexp.MustCompile(`^warning: lost (\d+) log messages\n$`).FindStringSubmatch(line); m != nil {
			lost, _ = strconv.Atoi(m[1])
		}
	}
	if next != sent {
		t.Errorf("the last message is %d of %d", next-1, sent)
	}
}

// TestFaultLogTooLarge: a limit for the size of files is one for the log as well, and what it sends is no end. What is
// cut off there goes on at the next destination.
func TestFaultLogTooLarge(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	limit := unix.Rlimit{Cur: 6000, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(d.pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	d.i.send("fd.open⇥log⇥write,create⇥{dir}/log", "log.dest⇥fd⇥log")
	const sent = 130 // some more than the file takes; the buffer keeps them
	for n := range sent {
		d.i.send(fmt.Sprintf("nosuch.%d", n))
	}
	d.i.skip()
	d.eventually("the file is as large as it may be", func() bool {
		info, err := os.Stat(d.dir + "/log")
		return err == nil && info.Size() == int64(limit.Cur)
	})
	expectTheOthersGoOn(d)
	d.i.send("log.dest⇥fd⇥stderr", "the.end")
	rest := d.log.until("error: controller[0] sent unknown command the.end")
	start, err := os.ReadFile(d.dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	expectEveryMessage(t, string(start)+strings.Join(rest, "\n")+"\n", sent)
}

// TestFaultLogWithoutReader: nobody is ended by it, and the messages are kept for the next destination.
func TestFaultLogWithoutReader(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	d.i.send("fd.pipe⇥r⇥w", "log.dest⇥fd⇥w", "fd.delete⇥r")
	const sent = 60 // as many as the buffer keeps
	for n := range sent {
		d.i.send(fmt.Sprintf("nosuch.%d", n))
	}
	expectTheOthersGoOn(d)
	d.i.send("log.dest⇥fd⇥stderr", "the.end")
	rest := d.log.until("error: controller[0] sent unknown command the.end")
	expectEveryMessage(t, strings.Join(rest, "\n")+"\n", sent)
}

func expectTheOthersGoOn(d *daemon) {
	d.t.Helper()
	d.i.send("service.args⇥s⇥{helper exit}⇥3", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	d.signal("HUP")
	d.i.await("signal⇥SIGHUP⇥{now}⇥1")
}

// TestFaultControlDirectoryRemoved: those who are connected stay so, and a command makes the socket again.
func TestFaultControlDirectoryRemoved(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	run := filepath.Join(d.dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("run/ctl", d.controlSocket()); err != nil { // where clients of tests connect to
		t.Fatal(err)
	}
	d.i.send("socket.create⇥-⇥{dir}/run/ctl")
	a := d.client("a")
	if err := os.RemoveAll(run); err != nil {
		t.Fatal(err)
	}
	a.sync()
	d.i.send("socket.create⇥-⇥{dir}/run/ctl")
	d.i.await("error⇥Failed to create control socket, for command {any}")
	d.log.await("error: bind(control_socket, {dir}/run/ctl: No such file or directory")
	d.i.send("socket.delete") // of none
	d.i.sync()
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	d.i.send("socket.create⇥-⇥{dir}/run/ctl")
	d.i.sync()
	d.client("b").sync()
	a.sync()
	expectMode(t, run+"/ctl", os.ModeSocket|0o600)
}

// TestFaultCurrentDirectoryRemoved: relative names fail then, and services run in a directory that has no name.
func TestFaultCurrentDirectoryRemoved(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	if err := os.Mkdir(d.dir+"/here", 0o700); err != nil {
		t.Fatal(err)
	}
	d.i.send("chdir⇥{dir}/here")
	d.i.sync()
	if err := os.Remove(d.dir + "/here"); err != nil {
		t.Fatal(err)
	}
	d.i.send("socket.create⇥-⇥ctl", "fd.open⇥f⇥write,create⇥f", "fd.open⇥f⇥write,create,mkdir⇥a/b/f", "chdir⇥.", "chdir⇥..")
	d.i.expect("error⇥Failed to create control socket, for command {any}",
		"error⇥open failed: No such file or directory, for command {any}",
		"error⇥open failed: No such file or directory, for command {any}")
	d.i.skip()
	d.i.send("service.args⇥s⇥{helper exit}⇥4", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥4⇥{int}⇥0")
	d.i.send("chdir⇥{dir}", "socket.create⇥-⇥ctl")
	d.i.sync()
	d.client("a").sync()
}

// TestFaultPathLoops: a link to itself among the directories of PATH ends the search, as it does for execvp(3), with
// the reason. The service fails each time, and all others go on.
func TestFaultPathLoops(t *testing.T) {
	t.Parallel()
	loop := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	d := setup{args: []string{"-i"}, wrap: []string{"/usr/bin/env", "PATH=/nowhere:" + loop + ":/bin"}}.start(t)
	d.i.send("service.args⇥s⇥true", "service.auto_up⇥s⇥1⇥always", "service.args⇥fine⇥{helper exit}⇥5", "service.args⇥direct⇥"+loop)
	for range 2 {
		d.log.await("error: exec(true, ...) failed: Too many levels of symbolic links")
		d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	}
	d.i.send("service.start⇥fine", "service.start⇥direct")
	d.i.awaitAll("service.state⇥fine⇥down⇥{now}⇥{pid}⇥exit⇥5⇥{int}⇥0", "service.state⇥direct⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	d.log.await("error: exec(" + loop + ", ...) failed: Too many levels of symbolic links")
}

// TestFaultProgramReplaced changes a service's program while it runs: it runs on as it is, and the next start gets
// what is there by then: another program, one that somebody writes to, none, and again one.
func TestFaultProgramReplaced(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	replace := func(content string) {
		if err := writeProgram(d.dir+"/new", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(d.dir+"/new", d.dir+"/program"); err != nil {
			t.Fatal(err)
		}
	}
	restart := func(pid string) {
		d.i.sync() // it has not ended
		d.i.send("service.signal⇥s⇥KILL")
		d.i.expect("service.state⇥s⇥down⇥{now}⇥" + pid + "⇥signal⇥SIGKILL⇥{int}⇥0")
		d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	}
	replace("#!/bin/sh\necho first >&2\nexec sleep 1000\n")
	d.i.send("service.fds⇥s⇥null⇥null⇥stderr", "service.args⇥s⇥{dir}/program", "service.auto_up⇥s⇥1⇥always")
	d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	d.log.await("first")
	replace("#!/bin/sh\necho second >&2\nexec sleep 1000\n")
	restart("{p}")
	d.log.await("second")
	if err := os.Remove(d.dir + "/program"); err != nil {
		t.Fatal(err)
	}
	restart("{p}")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{p}⇥exit⇥3⇥{int}⇥0")
	d.log.await("error: exec({dir}/program, ...) failed: No such file or directory")

	binary, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	d.i.send("service.args⇥s⇥{dir}/program⇥1000")
	replace(string(binary))
	writer, err := os.OpenFile(d.dir+"/program", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	d.log.await("error: exec({dir}/program, ...) failed: Text file busy")
	d.i.await("service.state⇥s⇥down⇥{now}⇥{pid}⇥exit⇥3⇥{int}⇥0")
	writer.Close()
	// It has been restarted every second, and this is the one that succeeds.
	d.eventually("it runs", func() bool { s := d.i.services()["s"]; return s[2] == "up" && runs(s[4], "/program") })
}

// runs tells whether the pid is a process of a program whose name ends so.
func runs(pid, name string) bool {
	path, err := os.Readlink("/proc/" + pid + "/exe")
	return err == nil && strings.HasSuffix(path, name)
}
