package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// child is a process that we talk to over one end of a socketpair, its other end being stdin and stdout of it. The
// daemon is one, and so are some floors. Its descriptor 3 is the file of slots.
type child struct {
	*conn
	cmd *exec.Cmd
}

// children that run.
var children []*child

// spawn starts a program.
func (b *bench) spawn(program string, args ...string) *child {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(err)
	theirs := os.NewFile(uintptr(pair[1]), "socketpair")
	defer theirs.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.ExtraFiles = theirs, theirs, []*os.File{b.slots.file}
	check(cmd.Start())
	c := &child{&conn{fd: pair[0]}, cmd}
	children = append(children, c)
	return c
}

// start runs daemonproxy with us as its interactive controller.
func (b *bench) start(args ...string) *child {
	c := b.spawn(b.daemon, append([]string{"-i"}, args...)...)
	c.sync() // past the banner
	return c
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends a child; the services that it leaves become ours.
func (c *child) stop() {
	_ = unix.Close(c.fd)
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// stopAll ends all children and what they leave.
func stopAll() {
	for _, c := range children {
		c.stop()
	}
	children = nil
	endFamily()
}

// connect is one more client, of the control socket at path.
func connect(path string) *conn {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	check(err)
	check(unix.Connect(fd, &unix.SockaddrUnix{Name: path}))
	return &conn{fd: fd}
}

// conn is a controller's connection, blocking.
type conn struct {
	fd   int
	buf  [64 << 10]byte
	from int // read and not yet taken: buf[from:to]
	to   int
	read int64 // when the last read returned
}

// send writes text whole.
func (c *conn) send(text string) {
	for len(text) > 0 {
		n, err := unix.Write(c.fd, unsafe.Slice(unsafe.StringData(text), len(text)))
		if err == unix.EINTR {
			continue
		}
		check(err)
		text = text[n:]
	}
}

// command writes one line of fields.
func (c *conn) command(fields ...string) { c.send(strings.Join(fields, "\t") + "\n") }

// line reads up to the next LF, which is left away. It is valid until the next call.
func (c *conn) line() []byte {
	for {
		if i := bytes.IndexByte(c.buf[c.from:c.to], '\n'); i >= 0 {
			line := c.buf[c.from : c.from+i]
			c.from += i + 1
			return line
		}
		c.fill()
	}
}

// fill reads once. The system call is a raw one: coming back from it must not wait for a scheduler of ours.
func (c *conn) fill() {
	c.to = copy(c.buf[:], c.buf[c.from:c.to])
	c.from = 0
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(c.fd), uintptr(unsafe.Pointer(&c.buf[c.to])), uintptr(len(c.buf)-c.to))
		c.read = now()
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || n == 0 {
			panic(fmt.Errorf("a child hung up: %v", errno))
		}
		c.to += int(n)
		return
	}
}

// until reads up to a line that begins so.
func (c *conn) until(prefix string) {
	for !bytes.HasPrefix(c.line(), []byte(prefix)) {
	}
}

// sync waits until all commands so far are carried out.
func (c *conn) sync() {
	c.command("echo", "done so far")
	c.until("done so far")
}

// define makes services "s0", "s1" and so on, each with its slot.
func (c *child) define(stamp string, from, to, ms int) {
	for i := from; i < to; i++ {
		name := fmt.Sprintf("s%d", i)
		c.send("service.args\t" + name + "\t" + stamp + "\t" + order(3, i, ms) + "\nservice.fds\t" + name + "\tnull\tnull\tnull\tfd_3\n")
		if i%32 == 31 {
			c.sync() // or both sides would wait for the other to read
		}
	}
	c.sync()
}

// socketPath is for -S.
func (b *bench) socketPath() string { return filepath.Join(b.programs.dir, "ctl") }
