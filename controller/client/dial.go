package client

import (
	"context"
	"errors"
	"os"
	"time"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// backlogRetry is how long a full backlog of the control socket is left alone. The kernel has no way to wait for it.
const backlogRetry = 10 * time.Millisecond

// dial connects to the control socket at path.
func dial(ctx context.Context, path string) (*os.File, error) {
	if !protocol.ValidSocketPath([]byte(path)) {
		return nil, &os.PathError{Op: "connect", Path: path, Err: errors.New("the path of a socket has 1 to 107 bytes")}
	}
	address := path
	if address[0] == '@' {
		address = "./" + address // else it would be taken for an abstract name
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	for {
		switch err = unix.Connect(fd, &unix.SockaddrUnix{Name: address}); err {
		case nil:
			return os.NewFile(uintptr(fd), path), nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			if err = sleep(ctx, backlogRetry); err == nil {
				continue
			}
		}
		unix.Close(fd)
		return nil, &os.PathError{Op: "connect", Path: path, Err: err}
	}
}

// sleep waits, but not beyond the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// inherited makes a file of a descriptor that this process was started with. It is duplicated, so that closing it
// leaves the original alone, and it is switched to non-blocking, so that closing it ends a read.
func inherited(fd int, name string) (*os.File, error) {
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, os.NewSyscallError(name, err)
	}
	if err := unix.SetNonblock(dup, true); err != nil {
		unix.Close(dup)
		return nil, os.NewSyscallError(name, err)
	}
	return os.NewFile(uintptr(dup), name), nil
}
