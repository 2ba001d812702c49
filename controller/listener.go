package controller

import (
	"bytes"
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
	base    int    // where its last component begins
	room    [unix.PathMax + protocol.MaxSocketPath + 2]byte
	device  uint64
	inode   uint64 // 0: not known yet
}

// listen makes the socket of socket.create, or says which step failed and why.
func (l *listener) listen(cmd *protocol.Command) (step string, err error) {
	if !protocol.ValidSocketPath(cmd.Path) {
		return stepBind, unix.EINVAL
	}
	l.name(cmd.Path)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return stepSocket, err
	}
	if step, err := l.bind(fd, cmd); err != nil {
		return step, err
	}
	l.fd = fd
	// Before this nobody can connect.
	if err := unix.Listen(fd, backlog); err != nil {
		l.close()
		return stepListen, err
	}
	return "", nil
}

// bind makes the file and gives it its owner and mode. What it looks at, unlinks
// and alters is in one and the same directory, even if somebody who may do so
// puts another one under the path meanwhile. If the file has not come there,
// nobody ever listens on it. A socket that could not be bound is closed.
func (l *listener) bind(fd int, cmd *protocol.Command) (step string, err error) {
	dir, errno := l.directory()
	if errno != 0 {
		unix.Close(fd)
		return stepBind, errno
	}
	defer unix.Close(dir)
	step, err = l.bindIn(dir, fd, cmd)
	if err != nil {
		unix.Close(fd) // before the file is looked at, which may want its descriptor
	}
	if step == stepOwner {
		l.unlink(dir)
	}
	return step, err
}

func (l *listener) bindIn(dir, fd int, cmd *protocol.Command) (step string, err error) {
	if err := l.clearStale(dir); err != nil {
		return stepUnlink, err
	}
	// The file takes the mode of the socket's inode, less the umask of 077: so
	// it never has more than it is to have. What fails here fails below.
	unix.Fchmod(fd, cmd.Mode)
	if errno := l.bindAddress(fd); errno != 0 {
		return stepBind, errno
	}
	if err := l.secure(dir, cmd); err != nil {
		return stepOwner, err
	}
	return "", nil
}

// name sets path to one that is independent of the current directory, which
// another controller may change at any moment, and address to the same or, if
// that is too long for an address, to the path as given.
func (l *listener) name(path []byte) {
	l.path = l.room[:0]
	if path[0] != '/' {
		// Out of reach, as outside of a chroot, it does not begin with '/'.
		if n, err := unix.Getcwd(l.room[:unix.PathMax]); err == nil && l.room[0] == '/' {
			l.path = append(l.room[:n-1], '/') // in the place of the NUL
		}
	}
	l.path = append(l.path, path...)
	l.room[len(l.path)] = 0
	l.base = bytes.LastIndexByte(l.path, '/') + 1
	if protocol.ValidSocketPath(l.path) {
		path = l.path
	}
	l.address = unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i, b := range path { // at most 107, so that a NUL is left
		l.address.Path[i] = int8(b)
	}
	l.length = len(path)
}

// directory opens the directory of the file for nothing but to look and unlink
// there.
func (l *listener) directory() (fd int, errno unix.Errno) {
	if l.base == 0 {
		return openPath(unix.AT_FDCWD, unsafe.Pointer(&here), unix.O_DIRECTORY)
	}
	first := l.room[l.base]
	l.room[l.base] = 0
	fd, errno = openPath(unix.AT_FDCWD, unsafe.Pointer(&l.room[0]), unix.O_DIRECTORY)
	l.room[l.base] = first
	return fd, errno
}

// file is the last component of the path, for system calls.
func (l *listener) file() unsafe.Pointer { return unsafe.Pointer(&l.room[l.base]) }

// bindAddress is bind(2) for any path: package unix takes one that begins with
// '@' for an abstract name.
func (l *listener) bindAddress(fd int) unix.Errno {
	size := unsafe.Offsetof(l.address.Path) + uintptr(l.length) + 1
	_, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&l.address)), size)
	return errno
}

// clearStale unlinks what an earlier program left at the path: only a socket,
// not a link to one, that is the effective user's. Anything else stays, and bind
// will fail there.
func (l *listener) clearStale(dir int) error {
	var st unix.Stat_t
	file, err := identify(dir, l.file(), &st)
	if err != nil {
		return nil
	}
	unix.Close(file)
	if !staleSocket(&st) {
		return nil
	}
	return unlink(dir, l.file())
}

func staleSocket(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFSOCK && int(st.Uid) == unix.Geteuid()
}

// secure remembers which file it is and gives it its owner and mode. It works
// on the file itself and never follows a name, which somebody else might have
// replaced.
func (l *listener) secure(dir int, cmd *protocol.Command) error {
	l.device, l.inode = 0, 0
	var st unix.Stat_t
	file, err := identify(dir, l.file(), &st)
	if err != nil {
		return err
	}
	defer unix.Close(file)
	if !staleSocket(&st) {
		return unix.EEXIST
	}
	l.device, l.inode = uint64(st.Dev), st.Ino
	if cmd.UID >= 0 || cmd.GID >= 0 {
		if errno := chown(file, cmd.UID, cmd.GID); errno != 0 {
			return errno
		}
	}
	if st.Mode&0o777 == cmd.Mode {
		return nil
	}
	if errno := chmod(file, cmd.Mode); errno != 0 {
		return errno
	}
	return nil
}

// accept is accept4(2) without the peer's address, which has no use and costs
// an allocation.
func (l *listener) accept() (fd int, errno unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(l.fd), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(n), errno
}

// close closes the socket and reports whether it unlinked the file, which must
// still be the one that was made, under the path that it had.
func (l *listener) close() bool {
	unix.Close(l.fd)
	l.fd = -1
	dir, errno := l.directory()
	if errno != 0 {
		return false
	}
	defer unix.Close(dir)
	return l.unlink(dir)
}

// unlink removes the file if it is the one that was made. Nobody can put another
// one there after it was looked at, but those who may write to the directory, and
// so remove what they like themselves.
func (l *listener) unlink(dir int) bool {
	var st unix.Stat_t
	file, err := identify(dir, l.file(), &st)
	if err != nil {
		return false
	}
	unix.Close(file)
	return l.made(&st) && unlink(dir, l.file()) == nil
}

// made tells whether the file is the one that was made. If there was no
// descriptor to see which one that is, it is the socket that is there now.
func (l *listener) made(st *unix.Stat_t) bool {
	if l.inode == 0 {
		return staleSocket(st)
	}
	return uint64(st.Dev) == l.device && st.Ino == l.inode
}
