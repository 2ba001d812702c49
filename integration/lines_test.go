package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lines reads a stream line by line, and only when a test asks: nothing drains it meanwhile, so a test that does
// not read is a client that does not read. Every line read is kept for the report of a failing test.
type lines struct {
	t        testing.TB
	name     string // in reports: "i", "a", "log", …
	vars     *vars
	deadline func() time.Time
	src      source
	buf      []byte // read and not yet taken
	seen     []string
}

// source is what both *os.File (pipes, terminals) and *net.UnixConn are.
type source interface {
	io.ReadCloser
	SetReadDeadline(time.Time) error
}

// next takes one line, without its LF. io.EOF means that the stream ended; text without LF before it is an error.
func (l *lines) next(deadline time.Time) (string, error) {
	for {
		if i := bytes.IndexByte(l.buf, '\n'); i >= 0 {
			line := string(l.buf[:i])
			l.buf = l.buf[i+1:]
			l.seen = append(l.seen, line)
			return line, nil
		}
		if err := l.fill(deadline); err != nil {
			if errors.Is(err, io.EOF) && len(l.buf) > 0 {
				return "", fmt.Errorf("stream ended within the line %q", l.buf)
			}
			return "", err
		}
	}
}

// fill reads once.
func (l *lines) fill(deadline time.Time) error {
	if err := l.src.SetReadDeadline(deadline); err != nil {
		return err
	}
	var chunk [32 << 10]byte
	n, err := l.src.Read(chunk[:])
	l.buf = append(l.buf, chunk[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// expect requires that the very next lines match.
func (l *lines) expect(patterns ...string) {
	l.t.Helper()
	for _, pattern := range patterns {
		line, err := l.next(l.deadline())
		if err != nil {
			l.t.Fatalf("%s: waiting for %q: %v", l.name, pattern, err)
		}
		if !l.vars.match(pattern, line) {
			l.t.Fatalf("%s: got  %q\nwant %q", l.name, line, pattern)
		}
	}
}

// await reads until a line matches and returns it.
func (l *lines) await(pattern string) string {
	l.t.Helper()
	for {
		line, err := l.next(l.deadline())
		if err != nil {
			l.t.Fatalf("%s: waiting for %q: %v", l.name, pattern, err)
		}
		if l.vars.match(pattern, line) {
			return line
		}
	}
}

// awaitAll reads until every pattern has matched a line of its own, in whatever order.
func (l *lines) awaitAll(patterns ...string) {
	l.t.Helper()
	missing := append([]string(nil), patterns...)
	for len(missing) > 0 {
		line, err := l.next(l.deadline())
		if err != nil {
			l.t.Fatalf("%s: waiting for %q: %v", l.name, missing, err)
		}
		for i, pattern := range missing {
			if l.vars.match(pattern, line) {
				missing = append(missing[:i], missing[i+1:]...)
				break
			}
		}
	}
}

// until returns the lines before the one that matches pattern, which is taken too.
func (l *lines) until(pattern string) (before []string) {
	l.t.Helper()
	for {
		line, err := l.next(l.deadline())
		if err != nil {
			l.t.Fatalf("%s: waiting for %q: %v", l.name, pattern, err)
		}
		if l.vars.match(pattern, line) {
			return before
		}
		before = append(before, line)
	}
}

// expectEOF requires that nothing more comes but the end of the stream.
func (l *lines) expectEOF() {
	l.t.Helper()
	line, err := l.next(l.deadline())
	if err == nil {
		l.t.Fatalf("%s: got %q instead of the end", l.name, line)
	}
	if !errors.Is(err, io.EOF) {
		l.t.Fatalf("%s: waiting for the end: %v", l.name, err)
	}
}

// rest reads up to the end of the stream.
func (l *lines) rest() (all []string) {
	l.t.Helper()
	for {
		line, err := l.next(l.deadline())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			l.t.Fatalf("%s: waiting for the end: %v", l.name, err)
		}
		all = append(all, line)
	}
}

// drain takes what is there already, without waiting.
func (l *lines) drain() {
	var chunk [32 << 10]byte
	for {
		n := -1
		raw, err := l.src.(syscall.Conn).SyscallConn()
		if err != nil || l.src.SetReadDeadline(time.Time{}) != nil {
			break // closed
		}
		if err := raw.Read(func(fd uintptr) bool { n, _ = unix.Read(int(fd), chunk[:]); return true }); err != nil || n <= 0 {
			break
		}
		l.buf = append(l.buf, chunk[:n]...)
	}
	for bytes.IndexByte(l.buf, '\n') >= 0 {
		if _, err := l.next(time.Time{}); err != nil {
			return
		}
	}
}

// report is the stream as seen so far.
func (l *lines) report() string {
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s:\n", l.name)
	for _, line := range l.seen {
		if len(line) > 400 {
			line = fmt.Sprintf("%s… (%d bytes)", line[:400], len(line))
		}
		out.WriteString("    " + strings.ReplaceAll(line, "\t", "⇥") + "\n")
	}
	return out.String()
}

// pipe returns the ends of a pipe, closed at the end of the test at the latest.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// control runs f on a file's descriptor as it is.
func control(t testing.TB, file syscall.Conn, f func(fd int) error) {
	t.Helper()
	raw, err := file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
}

// shrinkPipe makes a pipe hold one page, so that few bytes block its writer.
func shrinkPipe(t testing.TB, file syscall.Conn) {
	t.Helper()
	control(t, file, func(fd int) error {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, pageSize)
		return err
	})
}

const pageSize = 4096

// fullPipe is a pipe of one page, which one line fills.
func fullPipe(t testing.TB) (r, w *os.File, filler string) {
	t.Helper()
	r, w = pipe(t)
	shrinkPipe(t, w)
	filler = strings.Repeat("f", pageSize-1)
	if _, err := io.WriteString(w, filler+"\n"); err != nil {
		t.Fatal(err)
	}
	return r, w, filler
}
