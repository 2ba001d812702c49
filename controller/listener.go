package controller

import (
	"strconv"
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

// listener is a listening socket and the file that belongs to it.
type listener struct {
	fd     int // -1: none
	path   []byte
	device uint64
	inode  uint64
}

// listen makes the socket of socket.create, or says which step failed and why.
func listen(cmd *protocol.Command) (l listener, step string, err error) {
	none := listener{fd: -1}
	if !protocol.ValidSocketPath(cmd.Path) {
		return none, stepBind, unix.EINVAL
	}
	path := string(cmd.Path)
	if err := clearStale(path); err != nil {
		return none, stepUnlink, err
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return none, stepSocket, err
	}
	// The file takes the mode of the socket's inode, less the umask of 077: so
	// it never has more than it is to have.
	unix.Fchmod(fd, cmd.Mode)
	if err := bind(fd, cmd.Path); err != nil {
		unix.Close(fd)
		return none, stepBind, err
	}
	l = listener{fd: fd, path: absolute(path)}
	if step, err := l.secure(path, cmd); err != nil {
		l.close()
		return none, step, err
	}
	// Before this nobody can connect.
	if err := unix.Listen(fd, backlog); err != nil {
		l.close()
		return none, stepListen, err
	}
	return l, "", nil
}

// bind is bind(2) for any path: package unix takes one that begins with '@' for
// an abstract name.
func bind(fd int, path []byte) error {
	address := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i, b := range path { // at most 107, so that a NUL is left
		address.Path[i] = int8(b)
	}
	size := unsafe.Offsetof(address.Path) + uintptr(len(path)) + 1
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&address)), size); errno != 0 {
		return errno
	}
	return nil
}

// clearStale unlinks what an earlier program left at path: only a socket, not a
// link to one, that is the effective user's. Anything else stays, and bind will
// fail there.
func clearStale(path string) error {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil || !staleSocket(&st) {
		return nil
	}
	return unix.Unlink(path)
}

func staleSocket(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFSOCK && int(st.Uid) == unix.Geteuid()
}

// secure remembers which file it is and gives it its owner and mode. It works
// on the file itself and never follows a name, which somebody else might have
// replaced.
func (l *listener) secure(path string, cmd *protocol.Command) (step string, err error) {
	file, err := unix.Open(path, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return stepOwner, err
	}
	defer unix.Close(file)
	var st unix.Stat_t
	if err := unix.Fstat(file, &st); err != nil {
		return stepOwner, err
	}
	if !staleSocket(&st) {
		return stepOwner, unix.EEXIST
	}
	l.device, l.inode = st.Dev, st.Ino
	if cmd.UID >= 0 || cmd.GID >= 0 {
		if err := unix.Fchownat(file, "", cmd.UID, cmd.GID, unix.AT_EMPTY_PATH); err != nil {
			return stepOwner, err
		}
	}
	if st.Mode&0o777 == cmd.Mode {
		return "", nil
	}
	if err := chmod(file, cmd.Mode); err != nil {
		return stepOwner, err
	}
	return "", nil
}

// chmod sets the mode of a file that is open with O_PATH: by fchmodat2 (Linux
// 6.6), or through /proc.
func chmod(file int, mode uint32) error {
	if unix.Fchmodat(file, "", mode, unix.AT_EMPTY_PATH) == nil {
		return nil
	}
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(file), mode)
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
	path := string(l.path)
	if unix.Lstat(path, &st) != nil || st.Dev != l.device || st.Ino != l.inode {
		return false
	}
	return unix.Unlink(path) == nil
}

// absolute makes path independent of the current directory, as far as that is
// known.
func absolute(path string) []byte {
	if path[0] == '/' {
		return []byte(path)
	}
	dir, err := unix.Getwd()
	if err != nil {
		return []byte(path)
	}
	return []byte(dir + "/" + path)
}
