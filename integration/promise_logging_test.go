package integration

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Promises about logging: a named pipe outlives the processes at its ends, and a logger may have many.

func init() {
	helpers["numbered"] = helperNumbered
	helpers["collect"] = helperCollect
	helpers["forward"] = helperForward
}

// descriptor reads and writes by plain system calls. An os.File would have the runtime open descriptors of its own.
type descriptor int

func (d descriptor) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(d), b)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (d descriptor) Write(b []byte) (written int, err error) {
	for written < len(b) {
		n, err := unix.Write(int(d), b[written:])
		if err != nil && err != unix.EINTR {
			return written, err
		}
		written += max(n, 0)
	}
	return written, nil
}

// numberedLine is a line of 16 bytes with its LF, so that whole numbers of lines fit into PIPE_BUF, a page and a pipe.
const numberedLine = "%5s %09d"

// numbered NAME COUNT: writes COUNT numbered lines to 1, in writes that a pipe takes as a whole.
func helperNumbered(args []string) int {
	count, _ := strconv.Atoi(args[1])
	var batch []byte
	for n := range count {
		batch = fmt.Appendf(batch, numberedLine+"\n", args[0], n)
		if len(batch) < 1024 && n != count-1 {
			continue
		}
		if _, err := descriptor(1).Write(batch); err != nil {
			return 1
		}
		batch = batch[:0]
	}
	return 0
}

// collect FIRST LAST: copies lines from the descriptors FIRST to LAST to 1, each with the number of its descriptor in
// front, until all of them are at their end.
func helperCollect(args []string) int {
	first, _ := strconv.Atoi(args[0])
	last, _ := strconv.Atoi(args[1])
	var readers sync.WaitGroup
	var code atomic.Int32
	for fd := first; fd <= last; fd++ {
		readers.Go(func() {
			in := bufio.NewScanner(descriptor(fd))
			for in.Scan() {
				if _, err := fmt.Fprintf(descriptor(1), "%d: %s\n", fd, in.Text()); err != nil {
					code.Store(1)
				}
			}
			if in.Err() != nil {
				code.Store(1)
			}
		})
	}
	readers.Wait()
	return int(code.Load())
}

// forwarded is how much one read of a forward may take.
const forwarded = 512

// forward: copies lines from 0 to 1, each with its own pid in front. What it has read and not yet written is at most
// one read of `forwarded` bytes, and what it writes at once a pipe takes as a whole or not at all.
func helperForward([]string) int {
	chunk := make([]byte, forwarded)
	for {
		n, err := descriptor(0).Read(chunk)
		if err == io.EOF {
			return 0
		}
		if err != nil {
			return 1
		}
		var out []byte
		for line := range bytes.Lines(chunk[:n]) {
			out = fmt.Appendf(out, "%d: %s", os.Getpid(), line)
		}
		if _, err := descriptor(1).Write(out); err != nil {
			return 1
		}
	}
}

// bulk reads a stream of so many lines that a report had better not show them.
func (d *daemon) bulk(r *os.File) *bufio.Reader {
	d.t.Helper()
	if err := r.SetReadDeadline(d.limit); err != nil {
		d.t.Fatal(err)
	}
	return bufio.NewReader(r)
}

// expectDown waits until a service is down, which it may have been for long, and requires that it is so as described.
func (c *controller) expectDown(name, pattern string) {
	c.t.Helper()
	state := strings.Join(c.services()[name], "\t")
	if !c.vars.match("service.state⇥{any}⇥down⇥{any}", state) {
		state = c.await("service.state⇥" + name + "⇥down⇥{any}")
	}
	if !c.vars.match(pattern, state) {
		c.t.Fatalf("got  %q\nwant %q", state, pattern)
	}
}

// TestPromiseEightWritersOneLogger gives the reading ends of eight pipes to one logger, as its descriptors 3 to 10.
func TestPromiseEightWritersOneLogger(t *testing.T) {
	t.Parallel()
	const writers, count = 8, 2000
	r, w := pipe(t)
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{3: w}}.start(t)
	w.Close()
	out := d.bulk(r)

	fds := "service.fds⇥logger⇥null⇥fd_3⇥stderr"
	for n := range writers {
		d.setInt("n", n)
		d.i.send("fd.pipe⇥read{n}⇥write{n}", "service.args⇥writer{n}⇥{helper numbered}⇥w{n}⇥2000",
			"service.fds⇥writer{n}⇥null⇥write{n}⇥stderr")
		fds += fmt.Sprintf("⇥read%d", n)
	}
	d.i.send("service.args⇥logger⇥{helper collect}⇥3⇥10", fds, "service.start⇥logger")
	d.i.await("service.state⇥logger⇥up⇥{now}⇥{pid=logger}⇥-⇥-⇥0⇥-")
	for n := range writers {
		d.setInt("n", n)
		d.i.send("service.start⇥writer{n}")
	}

	var seen [writers]int
	for range writers * count {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("after %d lines of each writer: %v", seen, err)
		}
		from, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		fd, err := strconv.Atoi(from)
		if err != nil || fd < 3 || fd >= 3+writers {
			t.Fatalf("got %q", line)
		}
		n := fd - 3
		if want := fmt.Sprintf(numberedLine, fmt.Sprintf("w%d", n), seen[n]); text != want {
			t.Fatalf("from descriptor %d: got %q, want %q", fd, text, want)
		}
		seen[n]++
	}

	// The daemon's ends are the last ones that keep the pipes open: without them the logger comes to its end.
	for n := range writers {
		d.setInt("n", n)
		d.i.send("fd.delete⇥write{n}")
	}
	d.i.await("service.state⇥logger⇥down⇥{now}⇥{logger}⇥exit⇥0⇥{int}⇥0")
	d.i.send("fd.delete⇥fd_3")
	if _, err := out.ReadByte(); err != io.EOF {
		t.Errorf("after the last line: %v", err)
	}
}

// TestPromiseKilledLogger kills a logger twenty times while its writer sends 100,000 lines. What a killed logger had
// read and not yet written is lost with it; nothing else is.
func TestPromiseKilledLogger(t *testing.T) {
	t.Parallel()
	const count, kills = 100_000, 20
	r, w := pipe(t)
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{3: w}}.start(t)
	w.Close()
	out := d.bulk(r)
	d.i.send(
		"fd.pipe⇥read⇥write",
		"service.args⇥logger⇥{helper forward}", "service.fds⇥logger⇥read⇥fd_3⇥stderr", "service.auto_up⇥logger⇥-⇥always",
		"service.args⇥writer⇥{helper numbered}⇥w⇥100000", "service.fds⇥writer⇥null⇥write⇥stderr")
	d.i.await("service.state⇥logger⇥up⇥{now}⇥{pid=logger}⇥-⇥-⇥0⇥-")
	d.i.send("service.start⇥writer")
	d.i.await("service.state⇥writer⇥up⇥{now}⇥{pid=writer}⇥-⇥-⇥0⇥-")

	next, from, killed, lost := 0, "", 0, 0
	for next < count {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatalf("after line %d: %v", next-1, err)
		}
		logger, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		n, err := strconv.Atoi(strings.TrimPrefix(text, "    w "))
		if err != nil || text != fmt.Sprintf(numberedLine, "w", n) {
			t.Fatalf("after line %d: got %q", next-1, line)
		}
		missing := n - next
		switch {
		case missing < 0:
			t.Fatalf("line %d after line %d", n, next-1)
		case missing > 0 && logger == from:
			t.Fatalf("%d lines from %d on are lost within the life of the logger %s", missing, next, from)
		case missing > forwarded/len("    w 000000000\n"):
			t.Fatalf("%d lines from %d on are lost, and a logger reads at most %d bytes at once", missing, next, forwarded)
		}
		lost += missing
		next, from = n+1, logger
		if killed < kills && next > (killed+1)*(count/(kills+1)) {
			killed++
			d.i.send("service.signal⇥logger⇥KILL")
			d.i.await("service.state⇥logger⇥down⇥{now}⇥{logger}⇥signal⇥SIGKILL⇥{int}⇥0")
			d.i.await("service.state⇥logger⇥up⇥{now}⇥{pid=logger}⇥-⇥-⇥0⇥-")
		}
	}
	t.Logf("%d loggers were killed, %d lines lost with them", killed, lost)
	if killed != kills {
		t.Errorf("only %d loggers were killed", killed)
	}

	d.i.send("service.auto_up⇥logger⇥-", "fd.delete⇥write")
	d.i.expectDown("writer", "service.state⇥writer⇥down⇥{now}⇥{writer}⇥exit⇥0⇥{int}⇥{int}")
	d.i.expectDown("logger", "service.state⇥logger⇥down⇥{now}⇥{logger}⇥exit⇥0⇥{int}⇥{int}")
	d.i.send("fd.delete⇥fd_3")
	if _, err := out.ReadByte(); err != io.EOF {
		t.Errorf("after the last line: %v", err)
	}
}
