package handle

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mkdirs makes the missing parents of path. What cannot be made shows when the
// path is used. It returns what the path is relative to, until release: the
// current directory as it was, since another controller may change that between
// the making and the using.
func (c *Call) mkdirs(path []byte) (base int) {
	base = currentDirectory(path)
	p := c.cString(path)
	for i := 1; i < len(path); i++ {
		if path[i] != '/' || path[i-1] == '/' {
			continue
		}
		c.path[i] = 0
		unix.Syscall(unix.SYS_MKDIRAT, uintptr(base), uintptr(unsafe.Pointer(p)), dirMode)
		c.path[i] = '/'
	}
	return base
}

// currentDirectory opens the current directory for nothing but to look from
// there, if the path depends on it. Without a descriptor the path is looked up
// from wherever we are.
func currentDirectory(path []byte) int {
	if len(path) > 0 && path[0] == '/' {
		return unix.AT_FDCWD
	}
	cwd := unix.AT_FDCWD
	n, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(cwd), uintptr(unsafe.Pointer(&here[0])),
		unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return cwd
	}
	return int(n)
}

// here is the current directory as a C string.
var here = [...]byte{'.', 0}

func release(base int) {
	if base >= 0 {
		unix.Close(base)
	}
}

// hasParent tells whether the directory in which path is to be made exists.
func (c *Call) hasParent(base int, path []byte) bool {
	end := bytes.LastIndexByte(path, '/')
	if base < 0 || end < 0 {
		return false
	}
	p := c.cString(path[:end])
	_, _, errno := unix.Syscall(unix.SYS_FACCESSAT, uintptr(base), uintptr(unsafe.Pointer(p)), unix.F_OK)
	return errno == 0
}
