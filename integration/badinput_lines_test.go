package integration

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// quoted is the part of a line that an error event shows.
func quoted(line string) string {
	if len(line) <= 29 {
		return `"` + line + `"`
	}
	return `"` + line[:30] + `..."`
}

// quotedInLog is the part that the log shows.
func quotedInLog(line string) string {
	if len(line) <= 89 {
		return "'" + line + "'"
	}
	return "'" + line[:90] + "'..."
}

// exactly requires that the very next line is this one, byte by byte.
func (l *lines) exactly(want string) {
	l.t.Helper()
	got, err := l.next(l.deadline())
	if err != nil {
		l.t.Fatalf("%s: waiting for %q: %v", l.name, want, err)
	}
	if got != want {
		l.t.Fatalf("%s: got  %q\nwant %q", l.name, got, want)
	}
}

// timeless asks for a dump and leaves out what changes by itself.
func (c *controller) timeless() []string {
	c.t.Helper()
	c.skip()
	dump := c.ask("statedump")
	for i, line := range dump {
		dump[i] = timeless(line)
	}
	return dump
}

// timeless removes UPTIME from an `up` and DOWNTIME from a `down`.
func timeless(line string) string {
	fields := strings.Split(line, "\t")
	if len(fields) == 9 && fields[0] == "service.state" {
		switch fields[2] {
		case "up":
			fields[7] = "*"
		case "down":
			fields[8] = "*"
		}
	}
	return strings.Join(fields, "\t")
}

// badDaemon is a daemon in badState.
func badDaemon(t *testing.T) *daemon {
	t.Helper()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t) // a dump for each line adds up
	d.i.send(badState...)
	d.i.await("service.state⇥up⇥up⇥{now}⇥{pid=up}⇥-⇥-⇥0⇥-")
	d.i.skip()
	return d
}

// fails sends a bad line and checks its answer, its log lines and that nothing has changed.
func (d *daemon) fails(c *controller, slot int, bad badLine, before []string) {
	d.t.Helper()
	line, text := d.text(bad.line), d.text(bad.text)
	c.raw(line + "\n")
	c.exactly("error\t" + text + ", for command " + quoted(line))
	c.sync()
	d.log.exactly(fmt.Sprintf("error: controller[%d] command failed: %s", slot, quotedInLog(line)))
	d.log.exactly("error:   with error: '" + text + "'")
	if after := d.i.timeless(); !slices.Equal(before, after) {
		d.t.Errorf("%.100q has changed the state\nfrom %q\nto   %q", line, before, after)
	}
}

// TestBadLines sends everything that can be wrong with a command, over a pipe and over a socket.
func TestBadLines(t *testing.T) {
	t.Parallel()
	d := badDaemon(t)
	a := d.client("a")
	before := d.i.timeless()
	for n, bad := range slices.Concat(badLines, badHandleLines) {
		if n%2 == 0 {
			d.fails(d.i, 0, bad, before)
		} else {
			d.fails(a, 1, bad, before)
		}
	}
	a.sync() // no error was told to the wrong one
}

func TestBadLinesUnderAGuard(t *testing.T) {
	t.Parallel()
	d := badDaemon(t)
	before := d.i.timeless()
	d.i.send("terminate.guard⇥+⇥5")
	for _, bad := range badGuardedLines {
		d.fails(d.i, 0, bad, before)
	}
	d.i.send("terminate.guard⇥-⇥5")
	d.i.sync()
}

// TestBadLinesInAConfig: a config has nobody to answer to, so the log has it all. This one is a named pipe.
func TestBadLinesInAConfig(t *testing.T) {
	t.Parallel()
	fifo := namedPipe(t, t.TempDir())
	config, err := os.OpenFile(fifo, os.O_RDWR, 0) // a reader as well, so that the open does not wait
	if err != nil {
		t.Fatal(err)
	}
	defer config.Close()
	d := setup{args: []string{"-i", "-c", fifo}}.start(t)
	send := func(line string) {
		t.Helper()
		if _, err := io.WriteString(config, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range badState {
		send(d.text(line))
	}
	d.i.awaitAll("service.state⇥up⇥up⇥{now}⇥{pid=up}⇥-⇥-⇥0⇥-", "fd.state⇥regular⇥{any}")
	before := d.i.timeless()
	for _, bad := range slices.Concat(badLines, badHandleLines) {
		line, text := d.text(bad.line), d.text(bad.text)
		send(line)
		d.log.exactly("error: controller[1] command failed: " + quotedInLog(line))
		d.log.exactly("error:   with error: '" + text + "'")
	}
	if after := d.i.timeless(); !slices.Equal(before, after) {
		t.Errorf("the state has changed\nfrom %q\nto   %q", before, after)
	}
	d.i.sync()
}

func TestUnknownCommands(t *testing.T) {
	t.Parallel()
	d := badDaemon(t)
	a := d.client("a")
	before := d.i.timeless()
	for _, bad := range unknownLines {
		name := d.text(bad.text)
		a.raw(d.text(bad.line) + "\n")
		a.exactly("error\tUnknown command: " + name)
		a.sync()
		d.log.exactly("error: controller[1] sent unknown command " + name)
		if after := d.i.timeless(); !slices.Equal(before, after) {
			t.Errorf("%.100q has changed the state\nfrom %q\nto   %q", bad.line, before, after)
		}
	}
}
