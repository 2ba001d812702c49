package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStreamsAreFiles: the streams of a controller may be regular files, which nothing can poll.
func TestStreamsAreFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := filepath.Join(dir, "input")
	commands := "echo\tone\nservice.tags\ts\tx\n" + strings.Repeat("statedump\n", 50) + "echo\ttwo\nterminate\t6\n"
	if err := os.WriteFile(input, []byte(commands), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-i"}, {"-c", "-"}, {"-c", input}} {
		in, err := os.Open(input)
		if err != nil {
			t.Fatal(err)
		}
		output := filepath.Join(dir, "output")
		out, err := os.Create(output)
		if err != nil {
			t.Fatal(err)
		}
		d := setup{args: args, fresh: true, fds: map[int]*os.File{0: in, 1: out, 2: out}}.start(t)
		d.expectExit(6)
		in.Close()
		out.Close()
		text, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		if args[0] == "-i" && (!strings.Contains(string(text), "\none\n") || !strings.Contains(string(text), "\ntwo\n")) {
			t.Errorf("%q wrote %q", args, text)
		}
		if !strings.HasSuffix(string(text), "info: daemonproxy exiting\n") {
			t.Errorf("%q wrote %q", args, text)
		}
	}
}

// TestStdinIsNull: the interactive session ends at once.
func TestStdinIsNull(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, fresh: true, fds: map[int]*os.File{0: devNull(t, os.O_RDONLY)}}.start(t)
	d.log.expect("info: interactive session ended", "info: daemonproxy exiting")
	d.expectExit(0)
}

// TestConfigIsAFIFO: without a writer it is at its end at once, with one it is read to the end.
func TestConfigIsAFIFO(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, "-i", "-c", fifo)
	d.i.sync()
	d.i.send("terminate⇥0")
	d.expectExit(0)

	both, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	d = start(t, "-i", "-c", fifo)
	for n := range 3 {
		fmt.Fprintf(both, "service.tags\ts\t%d\n", n)
		d.i.expect(fmt.Sprintf("service.tags⇥s⇥%d", n))
	}
}

// TestLogReaderGoesAway: a log that nobody reads any more is as good as blocked; the text goes to the next one.
func TestLogReaderGoesAway(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	d.log.src.Close()
	want := d.messages(3, 60)
	d.i.send("fd.open⇥stderr⇥write,create⇥{dir}/log")
	d.i.expect("fd.state⇥stderr⇥file⇥write,create⇥{dir}/log")
	d.awaitFile("log", strings.Join(want, "\n")+"\n")
}

// TestControllersComeAndGo looks, through settle, for slots and descriptors that are not given back.
func TestControllersComeAndGo(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl", "--max-clients", "3")
	d.i.send("service.args⇥s⇥{helper exit}", "service.fds⇥s⇥control.socket")
	d.i.skip()
	for n := range 12 {
		a := d.dial("a")
		switch n % 4 {
		case 0:
			a.sync()
		case 1:
			a.raw("echo\thalf a line")
		case 2:
			a.raw("statedump\nexit\n")
		}
		a.close()
		d.i.send("service.start⇥s")
		d.i.await("service.state⇥s⇥down⇥{any}")
	}
}

// TestServicePassesADescriptor: fd.take works for the controller of a service, too.
func TestServicePassesADescriptor(t *testing.T) {
	t.Parallel()
	d := start(t, "-i")
	d.i.send("service.args⇥s⇥{helper pass}⇥fd.take|mine", "service.fds⇥s⇥null⇥control.socket⇥stderr", "service.start⇥s")
	d.i.await("fd.state⇥mine⇥file⇥read,write⇥unknown")
}

func init() { helpers["pass"] = helperPass }

// pass LINE: sends LINE, whose TABs are written as |, together with its descriptor 0, over descriptor 1.
func helperPass(args []string) int {
	line := strings.ReplaceAll(args[0], "|", "\t") + "\n"
	if err := unix.Sendmsg(1, []byte(line), unix.UnixRights(0), nil, 0); err != nil {
		return 1
	}
	return helperHang(nil)
}

// TestStatedumpIsNeverOlderThanAnEvent compares the states that one client is told of with those that it dumps, while
// another changes them.
func TestStatedumpIsNeverOlderThanAnEvent(t *testing.T) {
	t.Parallel()
	d := start(t, "-i", "-S", "{dir}/ctl")
	a := d.client("a")
	const changes = 2000
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for n := range changes {
			a.raw(fmt.Sprintf("service.tags\ts\t%d\n", n))
		}
	}()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for n := 0; n < changes; n++ {
			if _, err := a.next(a.deadline()); err != nil {
				return
			}
		}
	}()
	last := -1
	for last < changes-1 {
		d.i.send("statedump", "echo⇥end")
		for _, line := range d.i.until("end") {
			var n int
			if _, err := fmt.Sscanf(line, "service.tags\ts\t%d", &n); err != nil {
				continue
			}
			if n < last {
				t.Fatalf("%d after %d", n, last)
			}
			last = n
		}
	}
	<-sent
	<-drained
}
