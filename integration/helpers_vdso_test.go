package integration

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func init() { helpers["no_vdso"] = helperNoVDSO }

// no_vdso PROGRAM ARG…: becomes PROGRAM, which is not told of the vDSO. A child of ours takes it out of PROGRAM's
// auxiliary vector; a shell, which is a single thread, waits until the child is ready for that.
func helperNoVDSO(args []string) int {
	if args[0] == "of" {
		return hideVDSOOf(args[1])
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 1
	}
	if _, err := os.StartProcess(selfPath(), []string{selfPath(), "helper", "no_vdso", "of", strconv.Itoa(os.Getpid())},
		&os.ProcAttr{Env: os.Environ(), Files: []*os.File{w, nil, os.Stderr}}); err != nil {
		return 1
	}
	if err := unix.Dup3(int(r.Fd()), 8, 0); err != nil {
		return 1
	}
	return becomes(append([]string{"/bin/sh", "-c", `read -r line <&8; exec 8<&-; exec "$0" "$@"`}, args...))
}

// hideVDSOOf is the child. It waits until the process is a shell, lets it go on by a line on 0, and edits what that
// executes.
func hideVDSOOf(process string) int {
	pid, _ := strconv.Atoi(process)
	tick := time.NewTicker(time.Millisecond)
	for s, _ := readStat(pid); s.comm != "sh"; s, _ = readStat(pid) {
		<-tick.C
	}
	if err := hideVDSO(pid); err != nil {
		fmt.Fprintln(os.Stderr, "no_vdso:", err)
		return 1
	}
	return 0
}

func hideVDSO(pid int) error {
	const seize = 0x4206
	runtime.LockOSThread() // a thread is the tracer
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, seize, uintptr(pid), 0, unix.PTRACE_O_TRACEEXEC, 0, 0); errno != 0 {
		return errno
	}
	if _, err := unix.Write(0, []byte("go on\n")); err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
			return err
		}
		if status.TrapCause() == unix.PTRACE_EVENT_EXEC {
			// It can be the shell's: that has its name before its exec is over.
			if s, _ := readStat(pid); s.comm != "sh" {
				return editAuxiliaryVector(pid)
			}
			if err := syscall.PtraceCont(pid, 0); err != nil {
				return err
			}
			continue
		}
		if err := syscall.PtraceCont(pid, int(status.StopSignal())); err != nil {
			return err
		}
	}
}

// editAuxiliaryVector removes AT_SYSINFO_EHDR, where the vDSO is, from what a program will find behind its arguments and
// its environment.
func editAuxiliaryVector(pid int) error {
	const startStack, ignored, vdso = 28, 1, 33 // the field in proc(5); AT_IGNORE, AT_SYSINFO_EHDR
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	at, err := strconv.ParseInt(fields[startStack-3], 10, 64)
	if err != nil {
		return err
	}
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	var word [8]byte
	next := func() (value uint64) {
		if _, e := memory.ReadAt(word[:], at); e != nil && err == nil {
			err = e
		}
		at += int64(len(word))
		return binary.NativeEndian.Uint64(word[:])
	}
	arguments := int64(next())
	at += int64(len(word)) * (arguments + 1) // and the nil behind them
	for next() != 0 && err == nil {          // the environment
	}
	for err == nil {
		switch next() {
		case 0:
			return fmt.Errorf("no vDSO")
		case vdso:
			binary.NativeEndian.PutUint64(word[:], ignored)
			_, err = memory.WriteAt(word[:], at-int64(len(word)))
			return err
		}
		next()
	}
	return err
}
