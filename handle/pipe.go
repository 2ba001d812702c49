package handle

import (
	"syscall"

	"golang.org/x/sys/unix"

	"daemonproxy/controller/protocol"
)

// Pipe carries out fd.pipe: both names change in one step.
func (r *Registry) Pipe(c *Call, cmd *protocol.Command) protocol.Error {
	var fds [2]int
	if failed := makePipe(cmd.Socket, &fds); failed.Code != protocol.OK {
		return failed
	}
	read, write := r.descriptors.take(fds[0]), r.descriptors.take(fds[1])
	defer r.settle(c)
	r.change.Lock()
	defer r.change.Unlock()
	if !r.reserve(c, 0, cmd.Name, cmd.Peer) {
		c.discard(read)
		c.discard(write)
		return protocol.Error{Code: protocol.PipePoolFull}
	}
	r.pipes++
	c.install.pipe = r.pipes
	c.install.state = protocol.FDState{Type: protocol.Pipe, Socket: cmd.Socket, WriteEnd: cmd.Socket.Pair, Desc: cmd.Peer}
	c.install.descriptor = read
	if r.put(c, cmd.Name) != done {
		c.discard(write)
		return protocol.Error{Code: protocol.Internal}
	}
	former := c.install.former
	c.install.state.WriteEnd = true
	c.install.state.Desc = cmd.Name
	c.install.descriptor = write
	if r.put(c, cmd.Peer) != done {
		return protocol.Error{Code: protocol.Internal}
	}
	if former.pipe != c.install.former.pipe { // else both ends of a pipe were replaced
		r.tellPeer(c, &former)
		r.tellPeer(c, &c.install.former)
	}
	return protocol.Error{}
}

// makePipe makes a pipe or socketpair whose first end is to be read.
func makePipe(f protocol.SocketFlags, fds *[2]int) protocol.Error {
	if !f.Pair {
		flags := unix.O_CLOEXEC
		if f.NonBlock {
			flags |= unix.O_NONBLOCK
		}
		return failure(protocol.PipeFailed, unix.Pipe2(fds[:], flags))
	}
	if f.Domain != protocol.Unix {
		// What Linux says of inet stream; for the others it may miss the
		// protocol or the whole domain first.
		return protocol.Error{Code: protocol.SocketpairFailed, Errno: uint16(unix.EOPNOTSUPP)}
	}
	made, err := unix.Socketpair(unix.AF_UNIX, socketType(f), 0)
	*fds = made
	return failure(protocol.SocketpairFailed, err)
}

// errnoOf is for errors of package unix, which are plain numbers.
func errnoOf(err error) syscall.Errno {
	errno, _ := err.(syscall.Errno)
	return errno
}

// failure is the error of a system call as a command's error.
func failure(code protocol.Code, err error) protocol.Error {
	if err == nil {
		return protocol.Error{}
	}
	return protocol.Error{Code: code, Errno: uint16(errnoOf(err))}
}
