package controller

import (
	"unsafe"

	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// fill reads once into the free part of the line buffer and reports whether
// that changed anything.
func (c *Conn) fill() bool {
	if !c.readable {
		return false
	}
	c.sendKept()
	space := c.lines.Space()
	if len(space) == 0 {
		return false
	}
	n, more, err := c.read(space)
	switch {
	case err == unix.EINTR:
		return true
	case err == unix.EAGAIN:
		c.readable = false
		return false
	case err != nil:
		c.world.Log.Entry(logger.Error).Str("read(client[").Int(int64(c.number)).Str("])): ").Str(strerror(err)).Send()
		n = 0
	}
	if n > 0 {
		c.lines.Filled(n)
		c.readable = more
		return true
	}
	c.readable = false
	c.atEnd = true
	return true
}

// read reports whether there may be more at once.
func (c *Conn) read(b []byte) (n int, more bool, err error) {
	switch {
	case c.source != nil:
		n, err = c.source.Read(b)
		return n, true, err
	case c.kind == config:
		n, err = unix.Read(c.fd, b)
		return n, true, err
	}
	return c.passed.receive(c, b)
}

// discardInput reads what the peer of an ended connection has still sent, as
// far as it is there: closing a socket with unread input makes the peer lose
// answers that it has not read yet.
func (c *Conn) discardInput() {
	if c.kind == config {
		return
	}
	for range 64 {
		c.lines.Reset()
		n, _, err := c.passed.receive(c, c.lines.Space())
		if err != nil || n == 0 {
			break
		}
	}
	c.passed.closeAll(c)
}

// end follows the end of the input: a last line without LF is executed only if
// it comes from a config file.
func (c *Conn) end() {
	c.sendKept()
	c.finish()
	rest := c.lines.Rest()
	if len(rest) == 0 {
		return
	}
	if c.kind != config && c.kind != configStdin {
		c.world.Log.Line(logger.Warning, "Command ends with EOF... ignored")
		return
	}
	c.world.Log.Line(logger.Warning, "Command ends with EOF... processing anyway")
	if kind := protocol.Classify(rest); kind != protocol.None && c.world.Duties.Open() {
		c.execute(rest, kind)
	}
}

const (
	// maxPassed descriptors wait for fd.take.
	maxPassed = 16
	// maxRights is the kernel's SCM_MAX_FD: more are never in one message.
	maxRights = 253
)

// passed is the queue of descriptors that came with SCM_RIGHTS.
type passed struct {
	n       int
	filled  bool // the last read filled its buffer
	queue   [maxPassed]int
	control [unix.SizeofCmsghdr + 4*maxRights + 4]byte
	message unix.Msghdr
	iov     unix.Iovec
}

// receive reads bytes and queues the descriptors that come along. More may be there at once, unless the bytes do not
// fill b and the peer goes on: of what comes then the poller tells.
func (p *passed) receive(c *Conn, b []byte) (n int, more bool, err error) {
	if !p.filled {
		if n, more, err = p.peek(c, b); err != nil || n == 0 && !more {
			return n, false, err
		}
		if !more {
			r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
			if errno != 0 {
				return 0, false, errno
			}
			return int(r), int(r) < n || c.thorough, nil
		}
	}
	p.prepare(b)
	p.message.Control = &p.control[0]
	p.message.SetControllen(len(p.control))
	r, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&p.message)), unix.MSG_CMSG_CLOEXEC|unix.MSG_DONTWAIT)
	p.iov.Base, p.message.Iov = nil, nil
	p.filled = errno == 0 && int(r) == len(b)
	if errno != 0 {
		return 0, false, errno
	}
	p.queueAll(c, p.control[:p.message.Controllen])
	if p.message.Flags&unix.MSG_CTRUNC != 0 {
		p.missed(c)
	}
	return int(r), true, nil
}

// peek looks what can be read without much ado: bytes that don't fill b, without descriptors, as nearly always. Then the runtime
// need not be told of the read (see send in package actor). All else may take long, and more is true: one flood of
// commands must not keep all others waiting, nor may a descriptor that is passed and that there is no room for, since its close is
// the read's.
//
// Who shares a stdin with us, and reads from it, can hold up even this. It could end the program by a command.
func (p *passed) peek(c *Conn, b []byte) (n int, more bool, err error) {
	p.prepare(b)
	r, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&p.message)), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	p.iov.Base, p.message.Iov = nil, nil
	if errno != 0 {
		return 0, false, errno
	}
	return int(r), int(r) == len(b) || p.message.Flags != 0, nil
}

func (p *passed) prepare(b []byte) {
	p.iov.Base = &b[0]
	p.iov.SetLen(len(b))
	p.message = unix.Msghdr{Iov: &p.iov}
	p.message.SetIovlen(1)
}

// queueAll walks the control messages; what has no room is closed.
func (p *passed) queueAll(c *Conn, control []byte) {
	for len(control) >= unix.SizeofCmsghdr {
		h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		length := int(h.Len)
		if length < unix.SizeofCmsghdr || length > len(control) {
			return
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SCM_RIGHTS {
			for data := control[unix.SizeofCmsghdr:length]; len(data) >= 4; data = data[4:] {
				p.put(c, int(*(*int32)(unsafe.Pointer(&data[0]))))
			}
		}
		control = control[min(unix.CmsgSpace(length-unix.SizeofCmsghdr), len(control)):]
	}
}

func (p *passed) put(c *Conn, fd int) {
	if p.n < maxPassed {
		p.queue[p.n] = fd
		p.n++
		return
	}
	c.world.Log.Entry(logger.Error).Str("No room for ancillary file descriptor ").Int(int64(fd)).Send()
	unix.Close(fd)
}

// missed follows a message of which the kernel has dropped descriptors, as we
// may have no more. Their place stays: a fd.take that was to have one must not
// get the next one.
func (p *passed) missed(c *Conn) {
	c.world.Log.Line(logger.Error, "No descriptor for what was passed")
	if p.n < maxPassed {
		p.queue[p.n] = -1
		p.n++
	}
}

// take returns the descriptor that came first, -1 in the place of one that was
// missed.
func (p *passed) take() (fd int, ok bool) {
	if p.n == 0 {
		return -1, false
	}
	fd = p.queue[0]
	p.n--
	copy(p.queue[:], p.queue[1:p.n+1])
	return fd, true
}

func (p *passed) closeAll(c *Conn) {
	for {
		fd, ok := p.take()
		if !ok {
			return
		}
		if fd < 0 {
			continue
		}
		c.world.Log.Entry(logger.Warning).Str("closing leftover ancillary file descriptor ").Int(int64(fd)).Send()
		unix.Close(fd)
	}
}
