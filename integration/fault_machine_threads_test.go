package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFaultNoMoreThreads: a limit that refuses processes refuses threads as well. With pools all threads are there: as
// many clients as there may be each hang in the opening of a pipe, which takes a thread each, starts hang in their exec,
// and sixteen starts beside them are put off. Without pools some are, and what would take more is refused.
func TestFaultNoMoreThreads(t *testing.T) {
	t.Parallel()
	noMoreThreads(t, "--service-pool", "60", "--fd-pool", "60")
	noMoreThreads(t)
}

func noMoreThreads(t *testing.T, pools ...string) {
	d := setup{
		args: append([]string{"-i"}, pools...), wrap: program("modest", "65536"),
		files: map[string]string{"program": "#!/bin/sh\nexit 5\n"},
	}.start(t)
	clients := 15
	if pools == nil && startPath == "applet" {
		clients = 4 // there are threads for so many, and none is refused
	}
	d.awaitSpareThreads()
	d.fifos(clients)
	d.i.send("service.args⇥running⇥/bin/sleep⇥1000", "service.start⇥running")
	d.i.await("service.state⇥running⇥up⇥{any}")
	for n := range 16 {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥/bin/sh⇥-c⇥exit %d", n, n))
	}
	gate := newGate(t, d.dir+"/program")
	var open []func()
	for n := range 3 {
		d.i.send(fmt.Sprintf("service.args⇥hung%d⇥{dir}/program", n), fmt.Sprintf("service.start⇥hung%d", n))
		open = append(open, gate.knock(d.limit))
	}
	d.i.skip()

	d.limitProcesses(1)
	hung := d.openFIFOs()
	if pools != nil && hung != len(d.clients) {
		t.Errorf("%d of %d hang", hung, len(d.clients))
	}
	for _, c := range d.clients[hung:] {
		c.send("chdir⇥/", "fd.socket⇥s⇥unix")
		c.await("error⇥chdir failed: Resource temporarily unavailable, for command {any}")
		c.await("error⇥socket: Resource temporarily unavailable, for command {any}")
	}
	var downs []string
	for n := range 16 {
		d.i.send(fmt.Sprintf("service.start⇥s%d", n))
		downs = append(downs, fmt.Sprintf("service.state⇥s%d⇥down⇥{now}⇥{pid}⇥exit⇥%d⇥{int}⇥0", n, n))
	}
	for range 16 {
		d.log.await("error: fork failed: Resource temporarily unavailable")
	}
	d.i.send("service.signal⇥running⇥TERM")
	d.i.await("service.state⇥running⇥down⇥{now}⇥{pid}⇥signal⇥SIGTERM⇥{int}⇥0")
	d.signal("HUP")
	d.i.await("signal⇥SIGHUP⇥{now}⇥1")

	d.limitProcesses(10000)
	for _, allow := range open {
		allow()
		downs = append(downs, "service.state⇥hung{any}⇥down⇥{any}")
	}
	for n, c := range d.clients {
		if n >= hung { // now there is one to be had
			c.send(fmt.Sprintf("fd.open⇥f%d⇥write⇥{dir}/fifo%d", n, n))
			d.eventually("it hangs there", func() bool { return hanging(d.pid) > 0 })
		}
		reader := fifoReader(t, fmt.Sprintf("%s/fifo%d", d.dir, n))
		c.await(fmt.Sprintf("fd.state⇥f%d⇥file⇥write⇥{dir}/fifo%d", n, n))
		unix.Close(reader)
	}
	d.i.awaitAll(downs...)
	d.i.skip()
}

// TestFaultTheLastThreads: however many processes are left until the limit, openings that hang take no thread that the
// daemon needs: they are refused first.
//
// It is not run beside others, whose processes are the same user's.
func TestFaultTheLastThreads(t *testing.T) {
	if startPath == "applet" {
		return // which can't try how many are left
	}
	for left := range 6 {
		d := setup{args: []string{"-i"}, wrap: program("modest", "65536")}.start(t)
		d.awaitSpareThreads()
		d.fifos(15)
		d.limitProcesses(uint64(tasksOf(t, modestUser) + left))
		hung := d.openFIFOs()
		if hung == len(d.clients) {
			t.Errorf("with %d left, none is refused", left)
		}
		d.i.skip()
		d.limitProcesses(10000)
		var opened []string
		for n := range d.clients {
			unix.Close(fifoReader(t, fmt.Sprintf("%s/fifo%d", d.dir, n)))
			if n < hung {
				opened = append(opened, fmt.Sprintf("fd.state⇥f%d⇥file⇥write⇥{dir}/fifo%d", n, n))
			}
		}
		d.i.awaitAll(opened...)
	}
}

// fifos makes n FIFOs, and a client for each.
func (d *daemon) fifos(n int) {
	d.t.Helper()
	if err := unix.Chmod(d.dir, 0o777); err != nil {
		d.t.Fatal(err)
	}
	d.i.send("socket.create⇥-⇥{dir}/ctl")
	for n := range n {
		fifo := fmt.Sprintf("%s/fifo%d", d.dir, n)
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			d.t.Fatal(err)
		}
		if err := unix.Chown(fifo, modestUser, modestUser); err != nil {
			d.t.Fatal(err)
		}
		d.client(fmt.Sprint(n))
	}
}

// openFIFOs has each client open one. The first of them hang there, the others are refused: there are no threads for them.
func (d *daemon) openFIFOs() (hung int) {
	d.t.Helper()
	for n, c := range d.clients {
		c.send(fmt.Sprintf("fd.open⇥f%d⇥write⇥{dir}/fifo%d", n, n))
		d.eventually("it hangs or is refused", func() bool {
			return hanging(d.pid) > hung || slices.ContainsFunc(c.now(), func(line string) bool {
				return strings.HasPrefix(line, "error\topen failed: Resource temporarily unavailable, for command ")
			})
		})
		if hanging(d.pid) > hung {
			if hung < n {
				d.t.Errorf("client %d hangs, one before it was refused", n)
			}
			hung++
		}
	}
	return hung
}

// tasksOf counts the threads of a user.
func tasksOf(t *testing.T, uid uint32) (n int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/[0-9]*/task/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		var st unix.Stat_t
		if unix.Stat(task, &st) == nil && st.Uid == uid {
			n++
		}
	}
	return n
}

// hanging counts the threads of a process that wait in open(2).
func hanging(pid int) (n int) {
	calls, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
	if err != nil {
		return 0
	}
	for _, call := range calls {
		text, err := os.ReadFile(call) // "running", or the number of the call first
		if err == nil && strings.HasPrefix(string(text), fmt.Sprintf("%d ", unix.SYS_OPENAT)) {
			n++
		}
	}
	return n
}

func fifoReader(t testing.TB, path string) int {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
