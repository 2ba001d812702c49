package integration

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestStartsOnAnOldKernel: where the kernel can't clear the actions of signals for a child, nor close a range of
// descriptors, services start as they do elsewhere, with the same signals and no descriptor too many.
func TestStartsOnAnOldKernel(t *testing.T) {
	t.Parallel()
	startsUnder(t, onOldKernel([]string{"-i"}))
}

// TestStartsWithoutClone3: the same where the kernel is new, but a filter of system calls does not let clone3 through,
// since it can't see its flags. Container engines have such filters.
func TestStartsWithoutClone3(t *testing.T) {
	t.Parallel()
	startsUnder(t, without([]string{"-i"}, unix.SYS_CLONE3))
}

func startsUnder(t *testing.T, s setup) {
	r, w := pipe(t)
	s.wrap = append(s.wrap, "/bin/sh", "-c", `trap "" XFSZ WINCH HUP; exec "$0" "$@"`)
	s.fds = map[int]*os.File{3: w}
	d := s.start(t)
	out := d.stream("out", r)
	d.i.send(`service.args⇥s⇥/bin/sh⇥-c⇥while read -r line; do echo "$line"; done </proc/self/status; echo /proc/self/fd/*`,
		"service.fds⇥s⇥null⇥fd_3⇥stderr", "service.start⇥s")
	for _, want := range []struct {
		field string
		set   uint64
	}{{"SigBlk", 0}, {"SigIgn", signalSet("XFSZ", "WINCH")}, {"SigCgt", 0}} {
		mask := strings.TrimPrefix(out.await(want.field+":⇥{any}"), want.field+":\t")
		if got, err := strconv.ParseUint(mask, 16, 64); err != nil || got&^signalSet("CHLD", "INT") != want.set {
			t.Errorf("%s is %s, want %x", want.field, mask, want.set)
		}
	}
	out.await("/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3") // the last is the shell's look at them
	d.i.await("service.state⇥s⇥down⇥{any}")
}

func signalSet(names ...string) (set uint64) {
	for _, name := range names {
		set |= 1 << (signalNumber(name) - 1)
	}
	return set
}

// onOldKernel is before clone3 (Linux 5.3) and close_range (5.9).
func onOldKernel(args []string) setup {
	return without(args, unix.SYS_CLONE3, unix.SYS_CLOSE_RANGE)
}

func without(args []string, calls ...int) setup {
	numbers := make([]string, len(calls))
	for i, n := range calls {
		numbers[i] = strconv.Itoa(n)
	}
	return setup{args: args, wrap: append(strings.Split(helperArgs("old_kernel"), "\t"), strings.Join(numbers, ","))}
}

// old_kernel CALL,CALL… PROGRAM ARG…: becomes PROGRAM, for which mlockall(2) knows only what it did before Linux 4.4, and
// those system calls are not there.
func helperOldKernel(args []string) int {
	runtime.LockOSThread()
	const number, firstArgument = 0, 16 // in struct seccomp_data, little-endian
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number}}
	calls := strings.Split(args[0], ",")
	for i, call := range calls {
		n, err := strconv.Atoi(call)
		if err != nil {
			return 1
		}
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(n), Jt: uint8(len(calls) - i + 3)})
	}
	filter = append(filter, []unix.SockFilter{
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_MLOCKALL, Jf: 2},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: firstArgument},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: unix.MCL_ONFAULT, Jt: 2},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EINVAL)},
	}...)
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 1
	}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return 1
	}
	return becomes(args[1:])
}
