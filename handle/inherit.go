package handle

import (
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"daemonproxy/actor/logger"
	"daemonproxy/controller/protocol"
)

const (
	nameNull          = "null"
	nameControlCmd    = "control.cmd"
	nameControlEvent  = "control.event"
	nameControlSocket = "control.socket"
	nullPath          = "/dev/null"

	// scanLimit bounds the search for open descriptors without /proc.
	scanLimit = 65536
)

var (
	standardNames = [...]string{"stdin", "stdout", "stderr"}
	controls      = [...]struct {
		name, desc string
		open       protocol.OpenFlags
	}{
		{nameControlCmd, "daemonproxy command pipe", protocol.OpenWrite},
		{nameControlEvent, "daemonproxy event stream", protocol.OpenRead},
		{nameControlSocket, "daemonproxy control socket", protocol.OpenRead | protocol.OpenWrite},
	}
)

// Inherit fills the table at start, without events: the constants, the three
// standard descriptors and, as fd_N, every other descriptor that is open
// without close-on-exec and not in skip. All of them are close-on-exec from
// then on. Its one error is ErrFull.
func (r *Registry) Inherit(c *Call, skip []int) error {
	c.install.silent = true
	defer func() { c.install.silent = false }()
	others := inherited(skip)
	if err := r.addConstants(c); err != nil {
		return err
	}
	for fd, name := range standardNames {
		if err := r.addStandard(c, name, fd); err != nil {
			return err
		}
	}
	for _, fd := range others {
		unix.CloseOnExec(fd)
		if err := r.add(c, "fd_"+strconv.Itoa(fd), foreign(fd), r.descriptors.take(fd)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Registry) addConstants(c *Call) error {
	if fd, err := openNull(); err == nil {
		r.descriptors.null = r.descriptors.take(fd)
	} else {
		r.log.Entry(logger.Warning).Str("Can't open " + nullPath + ": ").Str(protocol.Strerror(errnoOf(err))).Send()
	}
	state := protocol.FDState{Type: protocol.Special, Open: protocol.OpenRead | protocol.OpenWrite, Desc: []byte(nullPath)}
	if err := r.add(c, nameNull, state, r.descriptors.null); err != nil {
		return err
	}
	for i := range controls {
		state.Open, state.Desc = controls[i].open, []byte(controls[i].desc)
		r.descriptors.none.Retain()
		if err := r.add(c, controls[i].name, state, &r.descriptors.none); err != nil {
			return err
		}
	}
	return nil
}

// addStandard registers 0, 1 or 2, with /dev/null if that is closed. The Go
// runtime has put /dev/null there before main, if it could.
func (r *Registry) addStandard(c *Call, name string, fd int) error {
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		r.descriptors.cover(fd)
	}
	unix.CloseOnExec(fd)
	return r.add(c, name, foreign(fd), r.descriptors.take(fd))
}

func (r *Registry) add(c *Call, name string, state protocol.FDState, d *Descriptor) error {
	defer r.settle(c)
	c.install.pipe, c.install.state, c.install.descriptor = 0, state, d
	if r.install(c, []byte(name), protocol.FDPoolFull).Code != protocol.OK {
		return ErrFull
	}
	return nil
}

// openNull opens /dev/null at a number from 3 up.
func openNull() (int, error) {
	fd, err := unix.Open(nullPath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil || fd > 2 {
		return fd, err
	}
	defer unix.Close(fd)
	return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
}

// inherited gives the descriptors from 3 up without close-on-exec, in order.
// Ours all have that flag.
func inherited(skip []int) []int {
	var fds []int
	look := func(fd int) {
		if fd > 2 && isInherited(fd) && !slices.Contains(skip, fd) {
			fds = append(fds, fd)
		}
	}
	if !eachOpen(look) {
		for fd := range scanLimit {
			look(fd)
		}
	}
	return fds
}

// eachOpen goes through the open descriptors, which /proc lists in order; without
// /proc it returns false.
func eachOpen(look func(fd int)) bool {
	dir, err := unix.Open("/proc/self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	var b [512]byte // small: a stack that grows touches memory anew
	for {
		n, err := unix.ReadDirent(dir, b[:])
		if err != nil || n == 0 {
			return err == nil
		}
		_, _, names := unix.ParseDirent(b[:n], -1, nil)
		for _, name := range names {
			if fd, ok := protocol.ParseInteger([]byte(name)); ok {
				look(int(fd))
			}
		}
	}
}

func isInherited(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}

// StandInNull has the named handles refer to /dev/null from now on, though they
// show what they showed. Their descriptors belong to a controller: they stay
// open, whatever happens to the handles.
func (r *Registry) StandInNull(c *Call, names ...string) {
	r.change.Lock()
	defer r.change.Unlock()
	for _, name := range names {
		e, ok := r.find([]byte(name))
		if !ok {
			continue
		}
		null := r.descriptors.null
		null.Retain()
		c.swap.descriptor = null
		if e.slot.ask(&c.swap, e.generation) != done {
			null.Release()
			continue
		}
		r.lendLog([]byte(name), null)
		c.swap.descriptor.kept = true
		c.swap.descriptor.Release()
		c.swap.descriptor = nil
	}
}
