package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	register(map[string]func(*testing.T){
		"C033_inherited_descriptor":                    inheritedDescriptor,
		"C034_inherited_descriptor_1500":               inheritedDescriptor1500,
		"C035_no_handles_but_the_standard_ones":        noHandlesButTheStandardOnes,
		"C036_closed_stderr_becomes_null":              closedStderrBecomesNull,
		"C038_interactive_changes_no_blocking_mode":    interactiveChangesNoBlockingMode,
		"C039_interactive_without_stdin_ends":          interactiveWithoutStdinEnds,
		"C040_config_on_stdin_leaves_the_others":       configOnStdinLeavesTheOthers,
		"C041_stdin_is_null_after_the_config":          stdinIsNullAfterTheConfig,
		"C042_socket_alone_leaves_stdin_to_services":   socketAloneLeavesStdin,
		"C110_child_has_the_limits_of_the_start":       childHasTheLimitsOfTheStart,
		"C109_child_has_the_environment_of_the_daemon": childHasTheEnvironment,
		"C108_child_shares_group_and_session":          childSharesGroupAndSession,
	})
}

// devNull opens /dev/null in blocking mode, as a shell would.
func devNull(t *testing.T, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/null", flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func inheritedDescriptor(t *testing.T) {
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{
		5: devNull(t, os.O_RDONLY), 7: devNull(t, os.O_WRONLY), 9: devNull(t, os.O_RDWR),
	}}.start(t)
	handles := d.i.handles()
	for name, flags := range map[string]string{"fd_5": "read", "fd_7": "write", "fd_9": "read,write"} {
		if got, want := strings.Join(handles[name], "\t"), "fd.state\t"+name+"\tfile\t"+flags+"\tunknown"; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	if len(handles) != 10 {
		t.Errorf("%d handles: %q", len(handles), handles)
	}
}

func inheritedDescriptor1500(t *testing.T) {
	r, w := pipe(t)
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{3: w, 1500: devNull(t, os.O_RDONLY)}}.start(t)
	out := d.stream("out", r)
	if got := strings.Join(d.i.handles()["fd_1500"], "\t"); got != "fd.state\tfd_1500\tfile\tread\tunknown" {
		t.Errorf("fd_1500 is %q", got)
	}
	d.i.send("service.args⇥s⇥{helper descriptors}⇥1", "service.fds⇥s⇥null⇥fd_3⇥stderr", "service.start⇥s")
	out.expect(" 0 1 2")
	d.i.send("service.fds⇥s⇥null⇥fd_3⇥stderr⇥fd_1500")
	d.i.await("service.state⇥s⇥down⇥{any}")
	d.i.send("service.start⇥s")
	out.expect(" 0 1 2 3")
}

var standardHandles = []string{"control.cmd", "control.event", "control.socket", "null", "stderr", "stdin", "stdout"}

func noHandlesButTheStandardOnes(t *testing.T) {
	for _, closed := range []map[int]*os.File{nil, {0: nil}, {2: nil}, {0: nil, 1: nil, 2: nil}} {
		d := setup{args: []string{"-S", "{dir}/ctl", "-c", "/dev/null"}, fds: closed}.start(t)
		handles := d.client("a").handles()
		if len(handles) != len(standardHandles) {
			t.Errorf("without %v: %q", closed, handles)
		}
		for _, name := range standardHandles {
			if handles[name] == nil {
				t.Errorf("without %v there is no %s", closed, name)
			}
		}
		for fd := range closed {
			name := []string{"stdin", "stdout", "stderr"}[fd]
			if got := strings.Join(handles[name], " "); got != "fd.state "+name+" file read,write unknown" {
				t.Errorf("closed %s is shown as %q", name, got)
			}
		}
	}
}

func closedStderrBecomesNull(t *testing.T) {
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{2: nil}}.start(t)
	if got := strings.Join(d.i.handles()["stderr"], "\t"); got != "fd.state\tstderr\tfile\tread,write\tunknown" {
		t.Errorf("a closed stderr is shown as %q", got)
	}
	d.i.send("service.args⇥s⇥{helper hang}", "service.fds⇥s⇥stderr⇥stderr⇥stderr", "service.start⇥s")
	d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	for fd, target := range openDescriptors(d.num("p")) {
		if fd < 3 && target != "/dev/null" {
			t.Errorf("descriptor %d of a service on stderr is %q", fd, target)
		}
	}
}

func interactiveChangesNoBlockingMode(t *testing.T) {
	inR, inW := pipe(t)
	outR, outW := pipe(t)
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{0: inR, 1: outW}}.launch(t)
	i := &controller{lines: d.stream("i", outR), w: inW}
	i.skip()
	blocking := func(when string) {
		t.Helper()
		for _, end := range []*os.File{inR, outW} {
			control(t, end, func(fd int) error { // not through Fd(), which itself would make it block
				flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
				if flags&unix.O_NONBLOCK != 0 {
					t.Errorf("%s: flags of %v are %o", when, end.Name(), flags)
				}
				return err
			})
		}
	}
	blocking("during the run")
	i.send("service.tags⇥s⇥x")
	i.expect("service.tags⇥s⇥x")
	blocking("after traffic")
	i.send("terminate⇥0")
	d.expectExit(0)
	blocking("after the run")
}

func interactiveWithoutStdinEnds(t *testing.T) {
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{0: nil}, fresh: true}.start(t)
	d.log.expect("info: interactive session ended", "info: daemonproxy exiting")
	d.expectExit(0)
}

func configOnStdinLeavesTheOthers(t *testing.T) {
	d := setup{args: []string{"-c", "-"}}.start(t)
	c := &controller{lines: d.out, w: d.stdin}
	c.send("service.args⇥s⇥{helper cat}", "service.fds⇥s⇥stdin⇥stdout⇥stderr", "service.start⇥s")
	d.out.expect("end of input")
	c.send("service.args⇥t⇥{helper print}⇥2⇥real", "service.fds⇥t⇥stdin⇥stdout⇥stderr", "service.start⇥t")
	d.log.expect("real")
}

func stdinIsNullAfterTheConfig(t *testing.T) {
	d := setup{args: []string{"-c", "-", "-S", "{dir}/ctl"}}.start(t)
	a := d.client("a")
	if got := openDescriptors(d.pid)[0]; !strings.HasPrefix(got, "pipe:") {
		t.Errorf("during the config descriptor 0 is %q", got)
	}
	d.stdin.Close()
	d.eventually("descriptor 0 on /dev/null", func() bool { return openDescriptors(d.pid)[0] == "/dev/null" })
	a.sync()
	d.expectRunning()
}

func socketAloneLeavesStdin(t *testing.T) {
	d := setup{args: []string{"-S", "{dir}/ctl"}}.start(t)
	a := d.client("a")
	a.send("service.args⇥s⇥{helper cat}", "service.fds⇥s⇥stdin⇥stdout⇥stderr", "service.start⇥s")
	fmt.Fprintln(d.stdin, "from the real stdin")
	d.out.expect("from the real stdin")
	d.stdin.Close()
	d.out.expect("end of input")
}

// childHasTheLimitsOfTheStart asks a shell: a Go program would raise its own limit before it could tell.
func childHasTheLimitsOfTheStart(t *testing.T) {
	r, w := pipe(t)
	d := setup{
		args: []string{"-i"},
		wrap: strings.Split(helperArgs("limited")+"\t200\t4000", "\t"),
		fds:  map[int]*os.File{3: w},
	}.start(t)
	out := d.stream("out", r)
	d.i.send("service.args⇥s⇥/bin/sh⇥-c⇥ulimit -Sn; ulimit -Hn", "service.fds⇥s⇥null⇥fd_3⇥stderr", "service.start⇥s")
	out.expect("200", "4000")
}

func childHasTheEnvironment(t *testing.T) {
	r, w := pipe(t)
	d := setup{args: []string{"-i"}, env: []string{"DP_ONE=a b", "DP_TWO="}, fds: map[int]*os.File{3: w}}.start(t)
	out := d.stream("out", r)
	d.i.send("service.args⇥s⇥{helper env}⇥DP_ONE⇥DP_TWO⇥DAEMONPROXY_TEST", "service.fds⇥s⇥null⇥fd_3⇥stderr", "service.start⇥s")
	out.expect("DP_ONE=a b", "DP_TWO=", "DAEMONPROXY_TEST={dir}")
}

func childSharesGroupAndSession(t *testing.T) {
	d := start(t, "-i")
	d.i.send("service.args⇥s⇥{helper hang}", "service.start⇥s")
	d.i.await("service.state⇥s⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	self, _ := readStat(d.pid)
	child, ok := readStat(d.num("p"))
	if !ok || child.parent != d.pid || child.group != self.group || child.session != self.session {
		t.Errorf("the daemon is %+v, its child %+v", self, child)
	}
}
