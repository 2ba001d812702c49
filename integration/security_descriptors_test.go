package integration

import (
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The promise that no descriptor of daemonproxy ever gets into a program: each has those that were declared, under their
// numbers, and no other.

func init() {
	helpers["table"] = helperTable
}

// table FD: writes each descriptor that it was given, with what it refers to, to FD.
func helperTable(args []string) int {
	var all []string
	for _, fd := range givenDescriptors() {
		target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if err != nil {
			return 1
		}
		all = append(all, fmt.Sprintf("%d=%s", fd, target))
	}
	fd, _ := strconv.Atoi(args[0])
	if _, err := unix.Write(fd, []byte(strings.Join(all, " ")+"\n")); err != nil {
		return 1
	}
	return 0
}

// furnish makes c's daemon hold a descriptor of every kind, most of them under names.
func (d *daemon) furnish(c *controller) {
	d.t.Helper()
	c.ask("chdir⇥{dir}", "fd.open⇥out⇥write,append,create,mkdir⇥{dir}/deep/out", "fd.open⇥relative⇥read,write,create,mkdir⇥sub/file",
		"fd.pipe⇥p.r⇥p.w", "fd.pipe⇥u.a⇥u.b⇥unix,nonblock", "fd.socket⇥tcp⇥tcp,listen⇥127.0.0.1:0", "fd.socket⇥sock⇥unix,listen,mkdir⇥sub/sock",
		"fd.open⇥deleted⇥read⇥/dev/zero", "fd.delete⇥deleted", "fd.open⇥null2⇥read⇥/dev/null")
}

// declared are lists of descriptors, and at which numbers a service with them has something open. The first
// number is where it writes what it has.
var declared = []struct {
	fds  string
	open []int
}{
	{"null⇥null⇥null⇥out", []int{3, 0, 1, 2}},
	{"null⇥out⇥null", []int{1, 0, 2}},
	{"null⇥out⇥null⇥-⇥p.r⇥-⇥p.w⇥out⇥out", []int{1, 0, 2, 4, 6, 7, 8}},
	{"out⇥out⇥out⇥tcp⇥sock⇥u.a⇥u.b⇥relative⇥null2", []int{0, 1, 2, 3, 4, 5, 6, 7, 8}},
	{"null⇥out⇥null⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥-⇥tcp", []int{1, 0, 2, 30}},
	{"control.event⇥control.cmd⇥null⇥out", []int{3, 0, 1, 2}},
	{"null⇥null⇥null⇥control.socket⇥out⇥control.socket", []int{4, 0, 1, 2, 3, 5}},
	{"null⇥out⇥null⇥control.event⇥-⇥control.cmd", []int{1, 0, 2, 3, 5}},
}

// expectTables runs a service with each list and reads what it had.
func (d *daemon) expectTables(c *controller) {
	d.t.Helper()
	out := filepath.Join(d.dir, "deep", "out")
	for n, tt := range declared {
		c.send(fmt.Sprintf("service.args⇥table⇥{helper table}⇥%d", tt.open[0]), "service.fds⇥table⇥"+tt.fds, "service.start⇥table")
		c.await("service.state⇥table⇥down⇥{now}⇥{pid}⇥exit⇥0⇥{int}⇥0")
		text, err := os.ReadFile(out)
		if err != nil {
			d.t.Fatal(err)
		}
		tables := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		d.expectTable(tables[len(tables)-1], strings.Split(tt.fds, "⇥"), tt.open)
		if d.t.Failed() {
			d.t.Fatalf("list %d", n)
		}
	}
}

// expectTable compares what a program had with what was declared for it. Of sockets and pipes only the kind is known here.
func (d *daemon) expectTable(table string, fds []string, open []int) {
	d.t.Helper()
	kinds := map[string]string{
		"null": "/dev/null", "null2": "/dev/null", "out": filepath.Join(d.dir, "deep/out"), "relative": filepath.Join(d.dir, "sub/file"),
		"p.r": "pipe:", "p.w": "pipe:", "u.a": "socket:", "u.b": "socket:", "tcp": "socket:", "sock": "socket:",
		"control.event": "socket:", "control.cmd": "socket:", "control.socket": "socket:",
	}
	var want []string
	for _, fd := range slices.Sorted(slices.Values(open)) {
		want = append(want, fmt.Sprintf("%d=%s", fd, kinds[fds[fd]]))
	}
	got := strings.Split(table, " ")
	for i, entry := range got {
		if kind, _, found := strings.Cut(entry, "["); found {
			got[i] = kind
		}
	}
	if !slices.Equal(got, want) {
		d.t.Errorf("a service with %q has\n%q, want\n%q", fds, got, want)
	}
}

func TestServicesHaveNoOtherDescriptors(t *testing.T) {
	t.Parallel()
	inherited := func() map[int]*os.File {
		return map[int]*os.File{5: devNull(t, os.O_RDONLY), 99: devNull(t, os.O_RDWR)}
	}
	for name, s := range map[string]setup{
		"interactive":  {args: []string{"-i", "-S", "{dir}/ctl", "-c", "{dir}/endless"}},
		"inherited":    {args: []string{"-i", "-S", "{dir}/ctl"}, fds: inherited()},
		"pools":        {args: []string{"-i", "-S", "{dir}/ctl", "--service-pool", "9", "--fd-pool", "30", "-M"}, fds: inherited()},
		"entrypoint":   {args: []string{"-S", "{dir}/ctl", "--", selfBinary, "helper", "hang"}, fds: inherited()},
		"no standards": {args: []string{"-S", "{dir}/ctl", "-c", "/dev/null"}, fds: map[int]*os.File{0: nil, 1: nil, 2: nil}},
	} {
		t.Run(name, func(t *testing.T) {
			if slices.Contains(s.args, "{dir}/endless") {
				s.files = map[string]string{"endless": ""} // replaced by a FIFO that stays open below
			}
			d := s.start(t)
			c := d.client("c")
			d.furnish(c)
			// Connections of all kinds: idle, blocked in an open, with descriptors that nobody has taken, ended.
			d.client("idle")
			fifo := namedPipe(t, d.dir)
			d.dial("waiting").send("fd.open⇥never⇥read,mkdir⇥" + filepath.Base(fifo))
			bearer := d.client("bearer")
			bearer.pass("echo⇥passed", devNull(t, os.O_RDONLY), devNull(t, os.O_WRONLY))
			bearer.await("passed")
			d.client("gone").close()
			c.ask("log.dest⇥fd⇥out2", "fd.open⇥out2⇥write,create⇥{dir}/log")
			d.expectTables(c)
			c.ask("socket.create⇥-⇥{dir}/ctl2", "service.args⇥stays⇥{helper hang}", "service.fds⇥stays⇥control.event⇥control.cmd⇥null", "service.start⇥stays")
			d.expectTables(c)
			if f, err := os.OpenFile(fifo, os.O_RDWR, 0); err != nil { // for the one that waits
				t.Error(err)
			} else {
				f.Close()
			}
		})
	}
}

func TestServicesOfADaemonInTheBackgroundHaveNoOtherDescriptors(t *testing.T) {
	t.Parallel()
	d := daemonize(t, nil, "-S", "{dir}/ctl")
	c := d.client("c")
	d.furnish(c)
	d.expectTables(c)
}

// TestNoDescriptorSlipsThrough starts services while others make and close descriptors of all kinds as fast as they can:
// none may be caught before it is close-on-exec.
func TestNoDescriptorSlipsThrough(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i", "-S", "{dir}/ctl"}}.start(t)
	d.furnish(d.i)
	null := devNull(t, os.O_RDONLY)
	done := make(chan struct{})
	errs := make(chan error, 3)
	repeat := func(f func() error) {
		go func() {
			for {
				select {
				case <-done:
					errs <- nil
					return
				default:
				}
				if err := f(); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	make1, make2 := d.client("make1"), d.client("make2")
	repeat(func() error {
		return roundTrip(make1.conn, "fd.open\tx\tread,mkdir\tsub/file\nfd.pipe\ty\tz\nfd.pipe\ty\tz\tunix\n", nil)
	})
	repeat(func() error {
		return roundTrip(make2.conn, "fd.take\tt\nfd.socket\tk\ttcp,listen\t127.0.0.1:0\nsocket.create\t-\t"+d.dir+"/ctl\n", null)
	})
	repeat(func() error { // sometimes there is no socket just then, or it goes before it is served
		if conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: d.controlSocket(), Net: "unix"}); err == nil {
			roundTrip(conn, "", nil)
			conn.Close()
		}
		return nil
	})
	for range 12 {
		d.expectTables(d.i)
	}
	close(done)
	for range 3 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// roundTrip sends commands, with a descriptor if it is given, and waits until they are carried out.
func roundTrip(conn *net.UnixConn, commands string, file *os.File) error {
	const end = "the end of a round\n"
	var rights []byte
	if file != nil {
		raw, err := file.SyscallConn()
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) { rights = unix.UnixRights(int(fd)) }); err != nil {
			return err
		}
	}
	if _, _, err := conn.WriteMsgUnix([]byte(commands+"echo\t"+end), rights, nil); err != nil {
		return err
	}
	var text string
	buffer := make([]byte, 64<<10)
	for !strings.Contains(text, end) { // what others cause may follow
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		text = text[max(0, len(text)-len(end)):] + string(buffer[:n])
		if strings.Contains(text, "error\t") {
			return fmt.Errorf("commands failed: %s", buffer[:n])
		}
	}
	return nil
}

// TestExecOnExitHasNoOtherDescriptors: it has the three standard ones and those under names.
func TestExecOnExitHasNoOtherDescriptors(t *testing.T) {
	t.Parallel()
	d := setup{
		args: []string{"-i", "-S", "{dir}/ctl", "-E", helperArgs("table") + "\t1"},
		fds:  map[int]*os.File{8: devNull(t, os.O_RDWR)},
	}.start(t)
	d.furnish(d.i)
	d.client("idle")
	d.i.send("terminate⇥0")
	table := d.i.await("0=pipe:{any}")
	d.expectExit(0)
	kinds := map[string]int{}
	for _, entry := range strings.Split(table, " ") {
		_, target, _ := strings.Cut(entry, "=")
		kind, _, _ := strings.Cut(target, "[")
		kinds[kind]++
	}
	want := map[string]int{
		"pipe:":     3 + 2, // 0, 1, 2; p.r, p.w
		"socket:":   4,     // u.a, u.b, tcp, sock
		"/dev/null": 3,     // null, for which stdin and stdout stand as well; null2, fd_8

		filepath.Join(d.dir, "deep/out"): 1, filepath.Join(d.dir, "sub/file"): 1,
	}
	if !maps.Equal(kinds, want) {
		t.Errorf("it has %q", table)
	}
}
