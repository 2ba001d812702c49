package controller

import (
	"unsafe"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// The steps of making a listening socket, as the log names them.
const (
	stepSocket = "socket"
	stepBind   = "bind(control_socket, "
	stepListen = "listen(control_socket)"
	stepUnlink = "Can't unlink control socket"
	stepOwner  = "Can't set mode of control socket"
)

// listener is a listening socket and the file that belongs to it. It is used
// again for the next one: system calls that take a path get it from here, as
// package unix would make a copy with a NUL for each.
type listener struct {
	fd      int // -1: none
	address unix.RawSockaddrUnix
	length  int    // of the path in address
	path    []byte // of the file, in room with a NUL behind
	room    [unix.PathMax + protocol.MaxSocketPath + 2]byte
	device  uint64
	inode   uint64
}

// listen makes the socket of socket.create, or says which step failed and why.
func (l *listener) listen(cmd *protocol.Command) (step string, err error) {
	if !protocol.ValidSocketPath(cmd.Path) {
		return stepBind, unix.EINVAL
	}
	l.name(cmd.Path)
	if err := l.clearStale(); err != nil {
		return stepUnlink, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return stepSocket, err
	}
	// The file takes the mode of the socket's inode, less the umask of 077: so
	// it never has more than it is to have.
	unix.Fchmod(fd, cmd.Mode)
	if errno := l.bind(fd); errno != 0 {
		unix.Close(fd)
		return stepBind, errno
	}
	l.fd = fd
	if step, err := l.secure(cmd); err != nil {
		l.close()
		return step, err
	}
	// Before this nobody can connect.
	if err := unix.Listen(fd, backlog); err != nil {
		l.close()
		return stepListen, err
	}
	return "", nil
}

// name sets path to one that is independent of the current directory, which
// another controller may change at any moment, and address to the same or, if
// that is too long for an address, to the path as given.
func (l *listener) name(path []byte) {
	l.path = l.room[:0]
	if path[0] != '/' {
		if n, err := unix.Getcwd(l.room[:unix.PathMax]); err == nil {
			l.path = append(l.room[:n-1], '/') // in the place of the NUL
		}
	}
	l.path = append(l.path, path...)
	l.room[len(l.path)] = 0
	if protocol.ValidSocketPath(l.path) {
		path = l.path
	}
	l.address = unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i, b := range path { // at most 107, so that a NUL is left
		l.address.Path[i] = int8(b)
	}
	l.length = len(path)
}

// file is the path for system calls.
func (l *listener) file() unsafe.Pointer { return unsafe.Pointer(&l.room[0]) }

// bind is bind(2) for any path: package unix takes one that begins with '@' for
// an abstract name.
func (l *listener) bind(fd int) unix.Errno {
	size := unsafe.Offsetof(l.address.Path) + uintptr(l.length) + 1
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&l.address)), size)
	return errno
}

// clearStale unlinks what an earlier program left at the path: only a socket,
// not a link to one, that is the effective user's. Anything else stays, and bind
// will fail there.
func (l *listener) clearStale() error {
	var st unix.Stat_t
	file, err := identify(l.file(), &st)
	if err != nil {
		return nil
	}
	unix.Close(file)
	if !staleSocket(&st) {
		return nil
	}
	return unlink(l.file())
}

func staleSocket(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFSOCK && int(st.Uid) == unix.Geteuid()
}

// secure remembers which file it is and gives it its owner and mode. It works
// on the file itself and never follows a name, which somebody else might have
// replaced.
func (l *listener) secure(cmd *protocol.Command) (step string, err error) {
	var st unix.Stat_t
	file, err := identify(l.file(), &st)
	if err != nil {
		return stepOwner, err
	}
	defer unix.Close(file)
	if !staleSocket(&st) {
		return stepOwner, unix.EEXIST
	}
	l.device, l.inode = uint64(st.Dev), st.Ino
	if cmd.UID >= 0 || cmd.GID >= 0 {
		if errno := chown(file, cmd.UID, cmd.GID); errno != 0 {
			return stepOwner, errno
		}
	}
	if st.Mode&0o777 == cmd.Mode {
		return "", nil
	}
	if errno := chmod(file, cmd.Mode); errno != 0 {
		return stepOwner, errno
	}
	return "", nil
}

// accept is accept4(2) without the peer's address, which has no use and costs
// an allocation.
func (l *listener) accept() (fd int, errno unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(l.fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(n), errno
}

// close closes the socket and reports whether it unlinked the file, which must
// still be the one that was made.
func (l *listener) close() bool {
	unix.Close(l.fd)
	l.fd = -1
	var st unix.Stat_t
	file, err := identify(l.file(), &st)
	if err != nil {
		return false
	}
	unix.Close(file)
	return uint64(st.Dev) == l.device && st.Ino == l.inode && unlink(l.file()) == nil
}
