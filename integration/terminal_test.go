package integration

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// session is one of its own on a pseudo terminal, led by a shell. It does not echo, and its lines end in LF.
type session struct {
	*vars
	t   testing.TB
	out *lines
	w   *os.File
	pid int // of the shell
	dir string
}

// openSession starts a shell: without arguments an interactive one, with job control.
func openSession(t *testing.T, args ...string) *session {
	t.Helper()
	dir, err := os.MkdirTemp("", "dp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	tty := newTerminal(t)
	x := &session{vars: newVars(), t: t, w: tty.File, dir: dir}
	limit := time.Now().Add(patience)
	x.out = &lines{t: t, name: "terminal", vars: x.vars, src: tty, deadline: func() time.Time { return limit }}
	if len(args) == 0 {
		args = []string{"-i"}
	}
	shell, err := os.StartProcess("/bin/sh", append([]string{"sh"}, args...), &os.ProcAttr{
		Env:   append(os.Environ(), testMark+dir, "PS1=", "DP="+daemonBinary, "HELPER="+selfBinary, "DIR="+dir),
		Files: []*os.File{tty.slave, tty.slave, tty.slave},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	tty.slave.Close()
	x.pid = shell.Pid
	t.Cleanup(func() {
		if err := shell.Kill(); err != nil {
			t.Log(err) // it has ended
		}
		if _, err := shell.Wait(); err != nil {
			t.Error(err)
		}
		endLeftovers(t, testMark+dir)
		if t.Failed() {
			x.out.drain()
			t.Log("\n" + x.out.report())
		}
	})
	return x
}

// input types lines.
func (x *session) input(text ...string) {
	x.t.Helper()
	if _, err := x.w.WriteString(strings.Join(text, "\n") + "\n"); err != nil {
		x.t.Fatal(err)
	}
}

// key types one character that means something to the terminal.
func (x *session) key(c byte) {
	x.t.Helper()
	if _, err := x.w.Write([]byte{c}); err != nil {
		x.t.Fatal(err)
	}
}

const (
	ctrlC = 'C' - '@'
	ctrlZ = 'Z' - '@'
)

// state waits until a process is in one of these states of /proc.
func (x *session) state(pid int, states string) {
	x.t.Helper()
	for limit := x.out.deadline(); ; {
		s, ok := readStat(pid)
		if ok && strings.Contains(states, s.state) {
			return
		}
		if time.Now().After(limit) {
			x.t.Fatalf("process %d is %+v, not in %q", pid, s, states)
		}
		time.Sleep(2 * time.Millisecond) // the kernel tells of a stop or a foreground group only those who look
	}
}

// ended waits until a process is no more.
func (x *session) ended(pid int) {
	x.t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		x.t.Fatal(err)
	}
	defer unix.Close(fd)
	for err = unix.EINTR; err == unix.EINTR; {
		var n int
		wait := time.Until(x.out.deadline())
		n, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(max(wait, 0).Milliseconds()))
		if err == nil && n == 0 {
			x.t.Fatalf("process %d has not ended", pid)
		}
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

const where = "{any}pid {pid=main} parent {pid=daemon} group {pid=group} foreground {pid=foreground} "

func init() {
	register(map[string]func(*testing.T){"C204_job_control": jobControl})
	helperArgs("reader")
	helperArgs("terminal")
}

func jobControl(t *testing.T) {
	x := openSession(t)
	x.input("$DP -- $HELPER helper reader; echo status $?.")
	x.out.await(where)
	main, daemon := x.num("main"), x.num("daemon")
	if x.num("group") != main || x.num("foreground") != main || main == daemon {
		t.Errorf("main %d of %d leads %d and the foreground is %d", main, daemon, x.num("group"), x.num("foreground"))
	}
	for range 2 {
		x.key(ctrlZ)
		x.state(main, "T")
		x.state(daemon, "T")
		x.out.await("{any}status {int}.")
		x.input("fg; echo status $?.", "hello")
		x.out.await("{any}read hello.")
		if s, _ := readStat(daemon); s.state == "T" {
			t.Error("daemonproxy is still stopped")
		}
	}
	x.key(ctrlC)
	x.out.await("{any}info: daemonproxy exiting")
	x.out.await("{any}status {int=status}.")
	if x.num("status") != 130 {
		t.Errorf("Ctrl-C gave %d", x.num("status"))
	}

	// In the background it does not take the terminal, and main is stopped when it reads from there.
	x.input("$DP -- $HELPER helper reader &")
	x.out.await(where)
	main, daemon = x.num("main"), x.num("daemon")
	if x.num("group") != main || x.num("foreground") == main || x.num("foreground") == daemon {
		t.Errorf("main %d of %d leads %d and the foreground is %d", main, daemon, x.num("group"), x.num("foreground"))
	}
	x.state(main, "T")
	x.state(daemon, "T")
	x.input("fg", "again", "quit")
	x.out.await("{any}read again.")
	x.out.await("{any}reader ends.")
	x.out.await("{any}info: daemonproxy exiting")
	x.input("echo status $?")
	x.out.await("{any}status 5")
}

// TestCtrlZWithoutAShell stops nothing: nobody is there who could continue main, or daemonproxy.
func TestCtrlZWithoutAShell(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"leads the session":          "exec $DP -- $HELPER helper reader",
		"in the group of its leader": "$DP -- $HELPER helper reader; exit $?",
	} {
		t.Run(name, func(t *testing.T) {
			x := openSession(t, "-c", script)
			x.out.await(where)
			for range 2 {
				x.key(ctrlZ)
				x.input("hello")
				x.out.await("{any}read hello.")
			}
			x.input("quit")
			x.out.await("{any}info: daemonproxy exiting")
		})
	}
}

// TestCtrlZInTheFirstMoment comes before main is known to run, and is met once it is. The daemon hears of an exec by the
// hang-up of a pipe, so who holds its other end, too, keeps the news from it.
func TestCtrlZInTheFirstMoment(t *testing.T) {
	t.Parallel()
	x := openSession(t, "-c", `read -r go; exec $DP -S $DIR/ctl -- $DIR/program`)
	program := filepath.Join(x.dir, "program")
	if err := writeProgram(program, []byte("#!/bin/sh\necho it runs\nread -r line\necho \"read $line.\"\n")); err != nil {
		t.Fatal(err)
	}
	gate := newGate(t, program)
	x.input("go")
	open := gate.knock(x.out.deadline())
	main := children(x.pid)[0].pid
	pipe := holdPipe(t, main)
	open()
	x.out.await("it runs")
	x.key(ctrlZ)
	x.state(main, "T")
	control, err := net.Dial("unix", x.dir+"/ctl")
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	answers := bufio.NewReader(control)
	for range 2 { // by then it has heard of the stop
		if _, err := io.WriteString(control, "echo\tdone\n"); err != nil {
			t.Fatal(err)
		}
		for line := ""; line != "done\n"; {
			if line, err = answers.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, "service.state\tmain\tup\t") {
				t.Fatal("main is known to run already")
			}
		}
	}
	pipe.Close()
	x.input("hello")
	x.out.await("{any}read hello.")
	x.out.await("{any}info: daemonproxy exiting")
}

// holdPipe opens, once more, the write end of the only pipe that a process has.
func holdPipe(t *testing.T, pid int) *os.File {
	t.Helper()
	for fd, target := range openDescriptors(pid) {
		if strings.HasPrefix(target, "pipe:") {
			f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", pid, fd), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		}
	}
	t.Fatal("it has no pipe")
	return nil
}

// TestTerminalIsGivenBack looks who has it after each kind of end. The shell is not interactive, so it does not care
// for the terminal itself.
func TestTerminalIsGivenBack(t *testing.T) {
	t.Parallel()
	breakable, err := provokable()
	if err != nil {
		t.Fatal(err)
	}
	// main tells a service when it runs, which then writes a command.
	orders := func(command string) string {
		return `printf 'fd.pipe\tr\tw\nservice.args\ts\t/bin/sh\t-c\tread x; printf "` + command + `\\n"\nservice.fds\ts\tr\tcontrol.cmd\nservice.start\ts\n'` +
			`'service.fds\tmain\tstdin\tstdout\tstderr\tw\n' >$DIR/conf; `
	}
	const tells = `-c $DIR/conf -- /bin/sh -c 'echo main runs >&3; read x'`
	for name, script := range map[string]string{
		"main ends":    "$DP -- $HELPER helper terminal 7",
		"terminate":    orders(`terminate\\0114`) + "$DP " + tells,
		"collapse":     orders(`echo\\011provoke map`) + breakable + ` -E "$(printf '/bin/echo\texecuted')" ` + tells,
		"exec on exit": `$DP -E "$(printf '/bin/echo\texecuted')" -- $HELPER helper terminal`,
		"fatal signal": "$DP -- /bin/sh -c 'kill -SEGV $PPID; sleep 1000'",
		"no program":   "$DP -- nosuchprogram",
	} {
		t.Run(name, func(t *testing.T) {
			x := openSession(t, "-c", script+"\necho status $?\n$HELPER helper terminal; read x")
			x.out.await("{any}status {int}")
			x.out.await(where)
			if x.num("foreground") != x.num("group") || x.num("group") != x.pid {
				t.Errorf("the shell is %d, the foreground is %d", x.pid, x.num("foreground"))
			}
		})
	}
}

// TestInteractiveShellAsMain has job control of its own.
func TestInteractiveShellAsMain(t *testing.T) {
	t.Parallel()
	x := openSession(t, "-c", "$DP -- /bin/sh -i; echo status $?; read x")
	x.input("$HELPER helper reader")
	x.out.await(where)
	if x.num("foreground") != x.num("main") {
		t.Errorf("the job %d is not in the foreground, that is %d", x.num("main"), x.num("foreground"))
	}
	x.key(ctrlZ)
	x.state(x.num("main"), "T")
	x.input("echo the shell goes on")
	x.out.await("{any}the shell goes on")
	x.input("fg", "hello")
	x.out.await("{any}read hello.")
	x.key(ctrlC)
	x.ended(x.num("main")) // until then it might read what is meant for the shell
	x.input("exit 6", "exit 6")
	x.out.await("{any}status 6")
}
