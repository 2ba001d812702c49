package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal that a program runs on, and what it has shown.
type terminal struct {
	d      *daemon
	master *os.File
	shown  bytes.Buffer
}

// onTerminal starts a program with its three streams on a terminal.
func (d *daemon) onTerminal(cmd *exec.Cmd) *terminal {
	d.t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	term := &terminal{d: d, master: os.NewFile(uintptr(fd), "/dev/ptmx")}
	d.t.Cleanup(func() { term.master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		d.t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		d.t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer slave.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return term
}

// await reads until the text is shown, and forgets all before its end.
func (term *terminal) await(text string) (before string) {
	term.d.t.Helper()
	deadline, _ := term.d.ctx.Deadline()
	for {
		if i := strings.Index(term.shown.String(), text); i >= 0 {
			return string(term.shown.Next(i + len(text)))
		}
		term.master.SetReadDeadline(deadline)
		var chunk [4096]byte
		n, err := term.master.Read(chunk[:])
		term.shown.Write(chunk[:n])
		if err != nil && n == 0 {
			term.d.t.Fatalf("waiting for %q: %v; shown: %q", text, err, term.shown.String())
		}
	}
}

func (term *terminal) write(text string) {
	term.d.t.Helper()
	if _, err := term.master.WriteString(text); err != nil {
		term.d.t.Fatal(err)
	}
}

// There are colours on a terminal, unless NO_COLOR asks for none, and nowhere else.
func TestColors(t *testing.T) {
	d := populated(t)
	if r := d.dpctl("status"); strings.Contains(r.out, "\x1b") {
		t.Errorf("colours in a pipe: %q", r.out)
	}
	cmd := d.command("status")
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=")
	term := d.onTerminal(cmd)
	term.await("\x1b[1mNAME\x1b[0m")
	term.await("\x1b[31mdown\x1b[0m") // job, which failed
	term.await("\x1b[32mup\x1b[0m")
	cmd = d.command("status")
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=1")
	if shown := d.onTerminal(cmd).await("role=front"); strings.Contains(shown, "\x1b") {
		t.Errorf("colours in spite of NO_COLOR: %q", shown)
	}
}

// On a terminal one sees who is waited for, until that is over.
func TestProgress(t *testing.T) {
	d := startDaemon(t)
	d.stubborn("x")
	term := d.onTerminal(d.command("stop", "x", "--timeout", "1h"))
	term.await("waiting for x, ")
	d.send("service.signal|x|KILL")
	term.await("\r\x1b[Kx stopped (SIGKILL)")
}

// The line does not become two where the terminal is narrow.
func TestProgressOnNarrowTerminal(t *testing.T) {
	d := startDaemon(t)
	term := d.onTerminal(d.command("wait", "somebody", "who", "never", "comes", "--timeout", "1h"))
	err := unix.IoctlSetWinsize(int(term.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 20, Col: 20})
	if err != nil {
		t.Fatal(err)
	}
	term.await("\r\x1b[Kwaiting for somebod\r\x1b[K")
}

// On a terminal, status --watch shows one screen, which follows.
func TestWatchScreen(t *testing.T) {
	d := startDaemon(t)
	d.send("service.args|x|/bin/sleep|100")
	cmd := d.command("status", "--watch")
	cmd.Env = append(cmd.Env, "NO_COLOR=1")
	term := d.onTerminal(cmd)
	term.await("\x1b[H\x1b[2J" + d.socket)
	term.await("x     down")
	d.send("service.start|x")
	term.await("\x1b[H\x1b[2J")
	term.await("x     up")
}

// What has no room on the screen does not scroll its beginning away.
func TestWatchOnSmallScreen(t *testing.T) {
	d := startDaemon(t)
	for i := range 9 {
		d.send(fmt.Sprintf("service.tags|s%d|%s", i, strings.Repeat("wide", 20)))
	}
	s := &screen{d: d, server: filepath.Join(d.dir, "tmux")}
	s.tmux("-f", "/dev/null", "new-session", "-d", "-x", "30", "-y", "7", dpctlBinary, "status", "--watch", "-S", d.socket)
	d.t.Cleanup(func() { s.tmux("kill-server") })
	s.await(`(?m)^/.*\n\nNAME  STATE.*\ns0    down .*\ns1    down .*\ns2    down .*\n\.\.\. 6 more\n$`)
}

// Values that could steer a terminal don't.
func TestNothingSteersTheTerminal(t *testing.T) {
	d := startDaemon(t)
	d.send("service.tags|x|\x1b]0;title\a")
	if shown := d.onTerminal(d.command("events")).await("service.fds\tx"); strings.ContainsAny(shown, "\x1b\a") {
		t.Errorf("shown: %q", shown)
	}
}

// Bytes that are no text are shown as numbers: alone, some of them steer terminals that expect no UTF-8.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"käse": "käse", "\x9b31m": `\x9b31m`, "a\u009bb": `a\u009bb`, "\u202e": `\u202e`, `"\`: `"\`, "\xff\"": `\xff"`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// Columns are aligned by what is seen, and no line ends in blanks.
func TestTable(t *testing.T) {
	table := table{color: true}
	table.add("NAME", "STATE", "LAST")
	table.add("käse", "up", "")
	table.add("x", "\x1bdown", "y")
	table.rows[1][1].color = green
	want := "NAME  STATE     LAST\nkäse  \x1b[32mup\x1b[0m        -\nx     \\x1bdown  y\n"
	if got := table.String(); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 192 * time.Second: "3m12s",
		5*time.Hour + 3*time.Minute + time.Second: "5h3m", 100 * time.Hour: "4d4h",
	} {
		if got := age(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
