package main

import (
	"syscall"

	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// takeKeyboard makes the kernel tell process 1 of the machine what is typed at
// its console to end it: Ctrl-Alt-Del becomes SIGINT instead of a reboot on the
// spot, and the keyboard request (Alt-Up) SIGWINCH. In a container nothing is
// done: neither the machine nor its keyboard is ours.
func (d *daemon) takeKeyboard() {
	if !ownsMachine() {
		return
	}
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF); err != nil {
		d.log.Entry(logger.Warning).Str("Can't take over Ctrl-Alt-Del: ").
			Str(protocol.Strerror(errnoOf(err))).Send()
	}
	// A machine without a screen has no such device, which is no fault.
	fd, err := unix.Open("/dev/tty0", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	const accept = 0x4B4E // KDSIGACCEPT of linux/kd.h
	_ = unix.IoctlSetInt(fd, accept, int(unix.SIGWINCH))
	unix.Close(fd)
}

// ownsMachine says of process 1 whether it is the machine's, and not just that of
// a PID namespace. The initial namespace has a fixed number, which /proc shows
// (PROC_PID_INIT_INO of linux/proc_ns.h). On a board that has not mounted it yet,
// the kernel's own threads tell: process 2, from which all of them come, is in
// process group and session 0. In a namespace 2 is a thread of ours, whose group
// and session look the same if they are outside of it.
func ownsMachine() bool {
	const initialNamespace = 0xEFFFFFFC
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err == nil {
		return st.Ino == initialNamespace
	}
	if unix.Getpid() != 1 || unix.Tgkill(1, 2, 0) == nil {
		return false
	}
	group, err := syscall.Getpgid(2)
	if err != nil || group != 0 {
		return false
	}
	session, err := unix.Getsid(2)
	return err == nil && session == 0
}
