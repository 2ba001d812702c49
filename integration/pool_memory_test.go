package integration

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["old_kernel"] = helperOldKernel
	helpers["modest"] = helperModest
	helpers["little_memory"] = helperLittleMemory
}

// memory is one of the figures that the command of that name gives; they are counted from 0.
func (d *daemon) memory(n int) int {
	d.t.Helper()
	d.i.skip()
	d.i.send("memory")
	figure, err := strconv.Atoi(strings.Split(d.i.await("memory⇥{any}"), "\t")[n+1])
	if err != nil {
		d.t.Fatal(err)
	}
	return figure
}

// status is a number of /proc/PID/status, in kB if it is memory.
func (d *daemon) status(field string) int {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid))
	if err != nil {
		d.t.Fatal(err)
	}
	number := regexp.MustCompile(`(?m)^` + field + `:\s+(\d+)`).FindSubmatch(text)
	if number == nil {
		d.t.Fatalf("no %s in\n%s", field, text)
	}
	n, err := strconv.Atoi(string(number[1]))
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

func TestLockedMemoryIsWhatIsUsed(t *testing.T) {
	t.Parallel()
	for _, pools := range [][]string{nil, {"--service-pool", "64", "--fd-pool", "64"}} {
		resident := func(option ...string) (int, *daemon) {
			d := start(t, append(append([]string{"-i"}, pools...), option...)...)
			d.i.send("statedump")
			d.i.skip()
			return d.resident() >> 10, d
		}
		without, _ := resident()
		with, d := resident("-M")
		locked := d.status("VmLck")
		t.Logf("%v: %d kB resident, with -M %d kB; VmLck %d kB", pools, without, with, locked)
		if float64(with) > 1.1*float64(without) {
			t.Errorf("%v: %d kB resident, with -M %d kB", pools, without, with)
		}
		if locked == 0 {
			t.Errorf("%v: nothing is locked", pools)
		}
		for _, line := range d.log.now() {
			t.Errorf("log: %s", line)
		}
	}
}

// now is what a stream has brought so far.
func (l *lines) now() []string {
	l.drain()
	return l.seen
}

func TestMemoryThatCannotBeLocked(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-M"}, wrap: strings.Split(helperArgs("modest")+"\t0", "\t")}.start(t)
	d.log.expect("error: mlockall: Operation not permitted")
	d.i.sync()
	if locked := d.status("VmLck"); locked != 0 {
		t.Errorf("%d kB locked", locked)
	}
}

func TestKernelsThatLockAllMemoryOrNone(t *testing.T) {
	t.Parallel()
	d := onOldKernel([]string{"-i", "-M"}).start(t)
	d.log.expect("warning: mlockall: the kernel has no MCL_ONFAULT, so unused memory is locked too")
	d.i.sync()
	if locked := d.status("VmLck"); locked == 0 {
		t.Error("nothing is locked")
	}
}

const modestUser = 65534

// modest LOCKABLE PROGRAM ARG…: becomes PROGRAM as a user without rights, who may lock so much memory. PROGRAM may be in
// a directory that only we can enter.
func helperModest(args []string) int {
	lockable, _ := strconv.ParseUint(args[0], 10, 64)
	program, err := unix.Open(args[1], unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return 1
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: lockable, Max: lockable}); err != nil {
		return 1
	}
	if syscall.Setgroups(nil) != nil || syscall.Setgid(modestUser) != nil || syscall.Setuid(modestUser) != nil {
		return 1
	}
	argv, err := syscall.SlicePtrFromStrings(args[1:])
	if err != nil {
		return 1
	}
	env, err := syscall.SlicePtrFromStrings(os.Environ())
	if err != nil {
		return 1
	}
	var itself [1]byte
	unix.Syscall6(unix.SYS_EXECVEAT, uintptr(program), uintptr(unsafe.Pointer(&itself)), uintptr(unsafe.Pointer(&argv[0])),
		uintptr(unsafe.Pointer(&env[0])), unix.AT_EMPTY_PATH, 0)
	return 1
}

// little_memory BYTES PROGRAM ARG…: becomes PROGRAM with so much address space.
func helperLittleMemory(args []string) int {
	n, _ := strconv.ParseUint(args[0], 10, 64)
	// By way of the shell: a Go program lives in more than it leaves to the next one.
	argv := append([]string{"/bin/sh", "-c", fmt.Sprintf(`ulimit -v %d; exec "$@"`, n>>10), "sh"}, args[1:]...)
	if _, err := exec.LookPath(argv[0]); err != nil {
		return 1
	}
	return becomes(argv)
}
