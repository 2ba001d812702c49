package handle

import (
	"golang.org/x/sys/unix"

	"daemonproxy/controller/protocol"
)

// Take carries out fd.take with a descriptor that was passed to us. It is the
// registry's from the call on, and closed if that fails.
func (r *Registry) Take(c *Call, name []byte, fd int) protocol.Error {
	defer r.settle(c)
	unix.CloseOnExec(fd)
	c.install.pipe = 0
	c.install.state = foreign(fd)
	c.install.descriptor = r.descriptors.take(fd)
	return r.install(c, name, protocol.FDPoolFull)
}

var foreignDesc = []byte(unknownDesc)

// foreign is how a descriptor shows that others made. Its blocking mode is
// theirs, and neither shown nor changed. A socket of a domain or type that
// fd.socket does not know counts as a file.
func foreign(fd int) protocol.FDState {
	if s, ok := foreignSocket(fd); ok {
		return protocol.FDState{Type: protocol.Socket, Socket: s, Desc: foreignDesc}
	}
	s := protocol.FDState{Type: protocol.File, Open: protocol.OpenRead, Desc: foreignDesc}
	mode, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	switch mode & unix.O_ACCMODE {
	case unix.O_WRONLY:
		s.Open = protocol.OpenWrite
	case unix.O_RDWR:
		s.Open = protocol.OpenRead | protocol.OpenWrite
	}
	return s
}

func foreignSocket(fd int) (s protocol.SocketFlags, ok bool) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return s, false
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return s, false
	}
	switch domain {
	case unix.AF_UNIX:
		s.Domain = protocol.Unix
	case unix.AF_INET:
		s.Domain = protocol.Inet
	case unix.AF_INET6:
		s.Domain = protocol.Inet6
	default:
		return s, false
	}
	switch kind {
	case unix.SOCK_STREAM:
		s.Kind = protocol.Stream
	case unix.SOCK_DGRAM:
		s.Kind = protocol.Dgram
	case unix.SOCK_SEQPACKET:
		s.Kind = protocol.Seqpacket
	default:
		return s, false
	}
	return s, true
}
