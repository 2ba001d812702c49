package controller

import (
	"unsafe"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// System calls on paths that are no Go strings but have a NUL behind them.

// here is the current directory.
var here = [...]byte{'.', 0}

// openPath opens a file for nothing but to know which it is and to look from
// there.
func openPath(dir int, path unsafe.Pointer, flags int) (fd int, errno unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(path),
		uintptr(flags)|unix.O_PATH|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), 0
}

// identify tells what a file is; a link is not followed.
func identify(dir int, path unsafe.Pointer, st *unix.Stat_t) (fd int, err error) {
	fd, errno := openPath(dir, path, unix.O_NOFOLLOW)
	if errno != 0 {
		return -1, errno
	}
	if err := unix.Fstat(fd, st); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func unlink(dir int, path unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_UNLINKAT, uintptr(dir), uintptr(path), 0); errno != 0 {
		return errno
	}
	return nil
}

// noPath stands, with AT_EMPTY_PATH, for the descriptor itself.
var noPath [1]byte

// chown and chmod work on a file that identify has opened.
func chown(file, uid, gid int) unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_FCHOWNAT, uintptr(file), uintptr(unsafe.Pointer(&noPath)),
		uintptr(uid), uintptr(gid), unix.AT_EMPTY_PATH, 0)
	return errno
}

// chmod uses fchmodat2 (Linux 6.6), or goes through /proc.
func chmod(file int, mode uint32) unix.Errno {
	_, _, errno := unix.Syscall6(unix.SYS_FCHMODAT2, uintptr(file), uintptr(unsafe.Pointer(&noPath)),
		uintptr(mode), unix.AT_EMPTY_PATH, 0, 0)
	if errno == 0 {
		return 0
	}
	var room [40]byte
	link := protocol.AppendInt(append(room[:0], "/proc/self/fd/"...), int64(file))
	cwd := unix.AT_FDCWD
	_, _, errno = unix.Syscall(unix.SYS_FCHMODAT, uintptr(cwd), uintptr(unsafe.Pointer(&link[0])), uintptr(mode))
	return errno
}
