package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// rebootCommand is the command of reboot(2) for an action of --system.
func rebootCommand(action string) (cmd uint32, known bool) {
	switch action {
	case "poweroff":
		return unix.LINUX_REBOOT_CMD_POWER_OFF, true
	case "reboot":
		return unix.LINUX_REBOOT_CMD_RESTART, true
	case "halt":
		return unix.LINUX_REBOOT_CMD_HALT, true
	}
	return 0, false
}

// systemAction writes the file systems out and powers off, reboots or halts the
// machine, or ends the PID namespace that we are process 1 of. It returns only
// if the kernel refused.
func systemAction(action string) syscall.Errno {
	cmd, known := rebootCommand(action)
	if !known {
		return syscall.EINVAL
	}
	unix.Sync()
	return errnoOf(unix.Reboot(int(cmd)))
}
