package integration

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestFaultPIDReuse gives the pid of a service that has just ended to a stranger, a process that is not the daemon's
// and leads a group of that number, while two clients go on signalling the service. No signal may reach the stranger.
//
// The daemon is process 1 of a pid namespace. Another of its services makes the strangers, by clone3(2) with the pid
// that it is told, as soon as the kernel lets it have that. A stranger blocks all signals, waits for one, and ends with
// its number.
func TestFaultPIDReuse(t *testing.T) {
	t.Parallel()
	const rounds = 60
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	d := setup{
		args: []string{"-i"}, pid1: true, loose: true,
		fds: map[int]*os.File{3: inR, 4: outW},
	}.start(t)
	d.i.send("socket.create⇥-⇥{dir}/ctl")
	floods := []*controller{d.client("a"), d.client("b")}
	maker := &lines{t: t, name: "maker", vars: d.vars, src: outR, deadline: d.i.deadline}
	d.i.send("service.args⇥maker⇥{helper strangers}", "service.fds⇥maker⇥fd_3⇥fd_4⇥stderr", "service.start⇥maker",
		"service.args⇥victim⇥{helper joins}⇥session", "service.fds⇥victim⇥null⇥null⇥stderr")
	maker.expect("ready")
	d.i.skip()

	commands := []string{ // 200 lines each; what a client gets back is an error for each that came too late
		strings.Repeat("service.signal\tvictim\tUSR1\nservice.signal\tvictim\tUSR1\tgroup\n", 100),
		strings.Repeat("service.signal\tvictim\tHUP\tgroup\nservice.signal\tvictim\tTERM\n", 100),
	}
	taken := 0
	for range rounds {
		d.i.send("service.start⇥victim")
		d.i.await("service.state⇥victim⇥up⇥{now}⇥{pid=victim}⇥-⇥-⇥0⇥-")
		d.log.await("joined {victim}")
		fmt.Fprintln(inW, d.get("victim")) // the maker tries from now on
		for i, c := range floods {
			c.raw(commands[i])
		}
		for _, c := range floods {
			c.skip()
		}
		d.i.await("service.state⇥victim⇥down⇥{now}⇥{victim}⇥signal⇥{any}")
		maker.expect("took {victim}")
		for i, c := range floods { // the stranger is there
			c.raw(commands[i])
			c.skip()
		}
		fmt.Fprintln(inW, "look")
		maker.expect("got -1")
		taken++
	}
	t.Logf("%d pids were taken", taken)
	d.i.send("service.signal⇥maker⇥KILL")
	d.i.await("service.state⇥maker⇥down⇥{any}")
}

func init() { helpers["strangers"] = helperStrangers }

// strangers: reads pids, and makes a process of each as soon as it is free; at "look" it ends that one, if
// no signal has, and says which.
func helperStrangers([]string) int {
	runtime.LockOSThread()
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		pid, err := strconv.Atoi(in.Text())
		if err != nil {
			return 1
		}
		if err := stranger(pid); err != nil {
			fmt.Println("pid", pid, err)
			return 1
		}
		fmt.Println("took", pid)
		if !in.Scan() {
			return 1
		}
		unix.Kill(pid, unix.SIGKILL)
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
			return 1
		}
		fmt.Println("got", status.ExitStatus()) // -1: nothing but the SIGKILL
	}
	return 0
}

// stranger makes a process with this pid, which leads a group and waits, with all signals blocked, for its end.
func stranger(pid int) error {
	var was unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &allSignals, &was); err != nil {
		return err
	}
	defer unix.PthreadSigmask(unix.SIG_SETMASK, &was, nil)
	wanted := int32(pid)
	args := cloneArgs{exitSignal: uint64(unix.SIGCHLD), setTID: uint64(uintptr(unsafe.Pointer(&wanted))), setTIDSize: 1}
	for {
		switch err := fork(&args); {
		case err == 0:
			return nil
		case !errors.Is(err, unix.EEXIST):
			return err
		}
	}
}

var allSignals = func() (all unix.Sigset_t) {
	for i := range all.Val {
		all.Val[i]-- // to all ones
	}
	return all
}()

// cloneArgs is struct clone_args.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, cgroup uint64
}

// fork: the child, a copy of this thread alone, makes nothing but system calls.
//
//go:noinline
//go:norace
//go:nosplit
func fork(args *cloneArgs) unix.Errno {
	pid, _, errno := unix.RawSyscall(unix.SYS_CLONE3, uintptr(unsafe.Pointer(args)), unsafe.Sizeof(*args), 0)
	if errno != 0 || pid != 0 {
		return errno
	}
	unix.RawSyscall(unix.SYS_SETPGID, 0, 0, 0)
	for {
		signal, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&allSignals)), 0, 0, 8, 0, 0)
		if errno == 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, signal, 0, 0)
		}
	}
}
