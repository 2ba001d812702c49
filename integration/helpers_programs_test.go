package integration

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["exit"] = helperExit
	helpers["hang"] = helperHang
	helpers["die"] = helperDie
	helpers["print"] = helperPrint
	helpers["args"] = helperArguments
	helpers["cat"] = helperCat
	helpers["env"] = helperEnv
	helpers["descriptors"] = helperDescriptors
	helpers["talk"] = helperTalk
	helpers["leader"] = helperLeader
	helpers["limited"] = helperLimited
	helpers["blocked"] = helperBlocked
}

// exit [STATUS]
func helperExit(args []string) int {
	status := 0
	if len(args) > 0 {
		status, _ = strconv.Atoi(args[0])
	}
	return status
}

// hang runs until something kills it.
func helperHang([]string) int {
	for {
		_ = unix.Pause()
	}
}

// die SIGNAL: ends by the default action of a signal, by number, whatever the Go runtime has set up for it.
func helperDie(args []string) int {
	number, _ := strconv.Atoi(args[0])
	var action [4]uint64 // struct sigaction: SIG_DFL, no flags, no mask
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		return int(errno)
	}
	if err := unix.Kill(os.Getpid(), unix.Signal(number)); err != nil {
		return 1
	}
	return helperHang(nil)
}

// print FD TEXT…: one line per TEXT.
func helperPrint(args []string) int {
	fd, _ := strconv.Atoi(args[0])
	for _, text := range args[1:] {
		if _, err := unix.Write(fd, []byte(text+"\n")); err != nil {
			return 1
		}
	}
	return 0
}

// args ARG…: the number of its arguments, then each of them quoted.
func helperArguments(args []string) int {
	fmt.Println(len(args))
	for _, arg := range args {
		fmt.Printf("%q\n", arg)
	}
	return 0
}

// cat copies its stdin, line by line, and says when it ends.
func helperCat([]string) int {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println(in.Text())
	}
	fmt.Println("end of input")
	return 0
}

// env NAME…: NAME=VALUE for each.
func helperEnv(args []string) int {
	for _, name := range args {
		fmt.Printf("%s=%s\n", name, os.Getenv(name))
	}
	return 0
}

// descriptors FD: writes the numbers of the descriptors it was given to FD. 0, 1 and 2 are open in any Go program;
// those that the Go runtime opens for itself are close-on-exec.
func helperDescriptors(args []string) int {
	var list []byte
	for fd := 0; fd < 4096; fd++ {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			list = strconv.AppendInt(append(list, ' '), int64(fd), 10)
		}
	}
	fd, _ := strconv.Atoi(args[0])
	if _, err := unix.Write(fd, append(list, '\n')); err != nil {
		return 1
	}
	return 0
}

// talk LINE…: a controller on 0 and 1. Sends the lines, whose TABs are written as |, then copies every event to 2,
// until the end.
func helperTalk(args []string) int {
	for _, line := range args {
		if _, err := unix.Write(1, []byte(strings.ReplaceAll(line, "|", "\t")+"\n")); err != nil {
			return 1
		}
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return 0
		}
		if _, err := unix.Write(2, []byte("got: "+line)); err != nil {
			return 1
		}
	}
}

// leader leads a process group of its own, with a second process in it; both hold the descriptors they were given.
func helperLeader([]string) int {
	if err := syscall.Setpgid(0, 0); err != nil {
		return 1
	}
	second, err := os.StartProcess(selfPath(), []string{selfPath(), "helper", "hang"}, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return 1
	}
	fmt.Println("member", second.Pid)
	return helperHang(nil)
}

// limited SOFT HARD PROGRAM ARG…: becomes PROGRAM with these limits of descriptors.
func helperLimited(args []string) int {
	soft, _ := strconv.ParseUint(args[0], 10, 64)
	hard, _ := strconv.ParseUint(args[1], 10, 64)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: soft, Max: hard}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return becomes(args[2:])
}

// blocked PROGRAM ARG…: becomes PROGRAM with all signals blocked.
func helperBlocked(args []string) int {
	runtime.LockOSThread()
	set := unix.Sigset_t{}
	for i := range set.Val {
		set.Val[i] = ^set.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return becomes(args)
}

// becomes replaces the helper by another program.
func becomes(argv []string) int {
	fmt.Fprintln(os.Stderr, syscall.Exec(argv[0], argv, os.Environ()))
	return 1
}

func selfPath() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}
