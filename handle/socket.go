package handle

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"daemonproxy/controller/protocol"
)

// Socket carries out fd.socket. A place in the pool is set aside first, so that
// a full pool binds nothing.
func (r *Registry) Socket(c *Call, cmd *protocol.Command) protocol.Error {
	defer r.settle(c)
	if !r.reserve(c, 1, cmd.Name) {
		return protocol.Error{Code: protocol.FDPoolFull}
	}
	fd, failed := c.socket(cmd)
	if failed.Code != protocol.OK {
		return failed
	}
	c.install.pipe = 0
	c.install.state = protocol.FDState{Type: protocol.Socket, Socket: cmd.Socket, Listen: cmd.Listen, Desc: cmd.Path}
	c.install.descriptor = r.descriptors.take(fd)
	return r.install(c, cmd.Name, protocol.FDPoolFull)
}

func (c *Call) socket(cmd *protocol.Command) (fd int, failed protocol.Error) {
	fd, err := unix.Socket(socketDomain(cmd.Socket.Domain), socketType(cmd.Socket), 0)
	if err != nil {
		return -1, failure(protocol.SocketFailed, err)
	}
	if cmd.Socket.Bind {
		failed = c.bind(fd, cmd)
	}
	if failed.Code == protocol.OK && cmd.Socket.Listen {
		failed = failure(protocol.ListenFailed, unix.Listen(fd, cmd.Listen))
	}
	if failed.Code != protocol.OK {
		unix.Close(fd)
		return -1, failed
	}
	return fd, failed
}

func socketDomain(d protocol.Domain) int {
	switch d {
	case protocol.Inet:
		return unix.AF_INET
	case protocol.Inet6:
		return unix.AF_INET6
	}
	return unix.AF_UNIX
}

// socketType includes SOCK_NONBLOCK, which spares the fcntl that could fail.
func socketType(f protocol.SocketFlags) int {
	t := unix.SOCK_CLOEXEC
	if f.NonBlock {
		t |= unix.SOCK_NONBLOCK
	}
	switch f.Kind {
	case protocol.Dgram:
		return t | unix.SOCK_DGRAM
	case protocol.Seqpacket:
		return t | unix.SOCK_SEQPACKET
	}
	return t | unix.SOCK_STREAM
}

func (c *Call) bind(fd int, cmd *protocol.Command) protocol.Error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return failure(protocol.SetsockoptFailed, err)
	}
	a := &cmd.Address
	switch cmd.Socket.Domain {
	case protocol.Inet:
		sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(a.Port), Addr: [4]byte(a.IP[:4])}
		return bindTo(fd, unsafe.Pointer(&sa), unsafe.Sizeof(sa))
	case protocol.Inet6:
		sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(a.Port), Addr: a.IP}
		return bindTo(fd, unsafe.Pointer(&sa), unsafe.Sizeof(sa))
	}
	return c.bindPath(fd, cmd)
}

// bindPath binds to the path of a unix socket. There is no bind that looks from
// a given directory: if another controller changes the current one after parents
// were made in it, then bind does not find them in the new one, and both are done
// again there.
func (c *Call) bindPath(fd int, cmd *protocol.Command) (failed protocol.Error) {
	sa := unix.RawSockaddrUnix{Family: unix.AF_UNIX}
	for i, b := range cmd.Path { // at most 107, so that a NUL is left
		sa.Path[i] = int8(b)
	}
	size := unsafe.Offsetof(sa.Path) + uintptr(len(cmd.Path)) + 1
	for range bindTries {
		base := unix.AT_FDCWD
		if cmd.Socket.Mkdir {
			base = c.mkdirs(cmd.Path)
		}
		failed = bindTo(fd, unsafe.Pointer(&sa), size)
		moved := failed.Errno == uint16(unix.ENOENT) && c.hasParent(base, cmd.Path)
		release(base)
		if !moved {
			break
		}
	}
	return failed
}

// bindTries bounds what a controller that changes the directory without end can
// cost another one.
const bindTries = 100

// bindTo is bind(2) without the conversions of package unix, which allocate.
func bindTo(fd int, sa unsafe.Pointer, size uintptr) protocol.Error {
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(sa), size); errno != 0 {
		return protocol.Error{Code: protocol.BindFailed, Errno: uint16(errno)}
	}
	return protocol.Error{}
}

// networkOrder gives the number whose bytes in memory are port's, high one
// first.
func networkOrder(port uint16) (n uint16) {
	b := (*[2]byte)(unsafe.Pointer(&n))
	b[0], b[1] = byte(port>>8), byte(port)
	return n
}
