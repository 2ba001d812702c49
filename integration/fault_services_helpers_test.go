package integration

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["background"] = helperBackground
	helpers["joins"] = helperJoins
}

// background STATUS: leaves a process in a session of its own that copies its input, says its pid, and ends.
func helperBackground(args []string) int {
	left, err := os.StartProcess(selfPath(), []string{selfPath(), "helper", "cat"}, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stderr, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 1
	}
	fmt.Println("left", left.Pid)
	return helperExit(args)
}

// joins GROUP: becomes a member of that process group, of its own for 0, or of a session of its own for "session".
func helperJoins(args []string) int {
	group, _ := strconv.Atoi(args[0])
	err := error(nil)
	if args[0] == "session" {
		_, err = unix.Setsid()
	} else {
		err = unix.Setpgid(0, group)
	}
	if err != nil {
		return 1
	}
	fmt.Fprintln(os.Stderr, "joined", unix.Getpgrp())
	return helperHang(nil)
}
