package handle

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"daemonproxy/controller/protocol"
)

// Modes of what daemonproxy creates; its umask leaves them as they are.
const (
	fileMode = 0o600
	dirMode  = 0o700
)

// Open carries out fd.open. Opening may take as long as it likes: it waits for
// the other end of a FIFO before any lock is taken, but with a place in the
// pool set aside, so that a full pool creates and cuts no file.
func (r *Registry) Open(c *Call, cmd *protocol.Command) protocol.Error {
	defer r.settle(c)
	if !r.reserve(c, 1, cmd.Name) {
		return protocol.Error{Code: protocol.FDPoolFull}
	}
	base := unix.AT_FDCWD
	if cmd.Open&protocol.OpenMkdir != 0 {
		base = c.mkdirs(cmd.Path)
		defer release(base)
	}
	fd, errno := c.open(base, cmd.Path, openFlags(cmd.Open))
	if errno != 0 {
		return protocol.Error{Code: protocol.OpenFailed, Errno: uint16(errno)}
	}
	c.install.pipe = 0
	c.install.state = protocol.FDState{Type: protocol.File, Open: cmd.Open, Desc: cmd.Path}
	c.install.descriptor = r.descriptors.take(fd)
	return r.install(c, cmd.Name, protocol.FDPoolFull)
}

func openFlags(f protocol.OpenFlags) int {
	flags := unix.O_NOCTTY | unix.O_CLOEXEC | unix.O_LARGEFILE
	switch f & (protocol.OpenRead | protocol.OpenWrite) {
	case protocol.OpenRead | protocol.OpenWrite:
		flags |= unix.O_RDWR
	case protocol.OpenWrite:
		flags |= unix.O_WRONLY
	default:
		flags |= unix.O_RDONLY
	}
	if f&protocol.OpenAppend != 0 {
		flags |= unix.O_APPEND
	}
	if f&protocol.OpenCreate != 0 {
		flags |= unix.O_CREAT
	}
	if f&protocol.OpenTrunc != 0 {
		flags |= unix.O_TRUNC
	}
	if f&protocol.OpenNonBlock != 0 {
		flags |= unix.O_NONBLOCK
	}
	return flags
}

// open is openat(2) of a path that is no Go string.
func (c *Call) open(base int, path []byte, flags int) (fd int, errno syscall.Errno) {
	p := c.cString(path)
	for {
		n, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(base), uintptr(unsafe.Pointer(p)),
			uintptr(flags), fileMode, 0, 0)
		if errno == 0 {
			return int(n), 0
		}
		if errno != unix.EINTR {
			return -1, errno
		}
	}
}
