package integration

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// setup says how to start a daemon. The zero value of every field is the usual case.
type setup struct {
	args   []string          // its command line; {dir} and its like are expanded
	files  map[string]string // files to write below {dir} first; contents are expanded
	fds    map[int]*os.File  // descriptors to pass; nil leaves the number closed. Default: 0, 1, 2 are pipes
	env    []string          // additions to the environment
	wrap   []string          // words before the daemon's own: a helper that changes its process, then execs
	build  string            // another binary than daemonBinary
	user   bool              // in a user and a mount namespace of its own, as root there
	fresh  bool              // with -i: leave the banner and all that follows to the test
	time   time.Duration     // deadline of the whole test, if patience is not enough
	job    bool              // in a process group of its own, as a shell's job: Ctrl-Z stops nobody whom nobody could continue
	pid1   bool              // it is process 1 of a PID namespace; d.pid and /proc go on showing it as we see it
	broken bool              // it breaks, and its log may say so
	loose  bool              // don't undo and compare at the end: the daemon can't answer by then
}

// patience is how long a test may take: seconds, on a machine that does nothing else. Whether something comes in time,
// where that is promised, is for the test itself to measure.
const patience = 5 * time.Minute

// daemon is one running daemonproxy. It belongs to the goroutine of its test.
type daemon struct {
	*vars
	t       testing.TB
	setup   setup
	dir     string      // {dir}: a scratch directory with a path short enough for sockets
	pid     int         // {daemon}
	stdin   *os.File    // our end of descriptor 0
	out     *lines      // descriptor 1
	log     *lines      // descriptor 2
	i       *controller // the interactive controller on stdin and out, if -i was given
	streams []*lines    // everything to report on failure
	clients []*controller
	limit   time.Time
	exited  chan struct{}
	adopted bool             // by -D: a child of ours once its launcher has ended
	state   *os.ProcessState // once exited is closed
	before  map[int]string   // the descriptors that it held at first, if settle is to compare
}

// start runs the daemon with these options. With -i it returns after the banner.
func start(t testing.TB, args ...string) *daemon {
	t.Helper()
	return setup{args: args}.start(t)
}

func (s setup) start(t testing.TB) *daemon {
	t.Helper()
	d := s.launch(t)
	if slices.ContainsFunc(s.options(), interactive) {
		d.i = &controller{lines: d.out, w: d.stdin}
		d.out.name = "i"
		if !s.fresh {
			d.i.skip()
			d.before = openDescriptors(d.pid)
		}
	}
	return d
}

// options are the words that are not those of an entrypoint's program.
func (s setup) options() []string {
	if i := slices.Index(s.args, "--"); i >= 0 {
		return s.args[:i]
	}
	return s.args
}

// interactive recognises -i, -ivv and -vi.
func interactive(arg string) bool {
	return arg == "--interactive" || regexp.MustCompile(`^-[a-zA-Z]*i`).MatchString(arg)
}

// run starts the daemon, closes its stdin and lets it come to its own end.
func (s setup) run(t testing.TB) (stdout string, log []string, code int) {
	t.Helper()
	s.fresh = true
	d := s.launch(t)
	d.stdin.Close()
	log = d.log.rest()
	if err := d.out.src.SetReadDeadline(d.limit); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(d.out.src)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), log, d.wait()
}

func run(t testing.TB, args ...string) (stdout string, log []string, code int) {
	t.Helper()
	return setup{args: args}.run(t)
}

func (s setup) launch(t testing.TB) *daemon {
	t.Helper()
	dir, err := os.MkdirTemp("", "dp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{vars: newVars(), t: t, setup: s, dir: dir, limit: time.Now().Add(cmp.Or(s.time, patience)), exited: make(chan struct{})}
	d.set("dir", dir)
	d.set("self", selfBinary)
	for name, content := range s.files {
		d.write(name, content)
	}
	files := d.descriptors()
	argv := append(slices.Clone(s.wrap), cmp.Or(s.build, daemonBinary))
	for _, arg := range s.args {
		argv = append(argv, d.text(arg))
	}
	process, err := os.StartProcess(argv[0], argv, &os.ProcAttr{
		Env:   append(append(os.Environ(), testMark+dir), s.env...),
		Files: files,
		Sys:   s.process(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for fd, f := range files {
		if _, given := s.fds[fd]; !given && f != nil {
			f.Close()
		}
	}
	d.pid = process.Pid
	d.setInt("daemon", d.pid)
	go func() {
		d.state, _ = process.Wait()
		close(d.exited)
	}()
	t.Cleanup(d.stop)
	t.Cleanup(d.settle)
	return d
}

func (s setup) process() *syscall.SysProcAttr {
	if s.pid1 {
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	}
	if s.user {
		root := []syscall.SysProcIDMap{{Size: 1}}
		return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: root, GidMappings: root}
	}
	if s.job {
		return &syscall.SysProcAttr{Setpgid: true}
	}
	return nil
}

// descriptors lays out what the daemon inherits: pipes on 0, 1 and 2, but for what setup.fds says.
func (d *daemon) descriptors() []*os.File {
	inR, inW := pipe(d.t)
	outR, outW := pipe(d.t)
	logR, logW := pipe(d.t)
	files := []*os.File{inR, outW, logW}
	for fd, f := range d.setup.fds {
		for len(files) <= fd {
			files = append(files, nil)
		}
		files[fd] = f
	}
	for i, ours := range []*os.File{inR, outW, logW} {
		if files[i] != ours {
			ours.Close()
		}
	}
	d.stdin = inW
	d.out = d.stream("out", outR)
	d.log = d.stream("log", logR)
	return files
}

// stream makes lines of a source, with the deadline and the variables of this test.
func (d *daemon) stream(name string, src source) *lines {
	l := &lines{t: d.t, name: name, vars: d.vars, src: src, deadline: func() time.Time { return d.limit }}
	d.streams = append(d.streams, l)
	return l
}

// write makes a file below {dir} and returns its path.
func (d *daemon) write(name, content string) string {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := writeProgram(path, []byte(d.text(content))); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// signal sends a signal to the daemon itself, by the name that the wire uses.
func (d *daemon) signal(name string) {
	d.t.Helper()
	if err := syscall.Kill(d.pid, signalNumber(name)); err != nil {
		d.t.Fatalf("kill %s: %v", name, err)
	}
}

// kill ends a service by its pid.
func (d *daemon) kill(pid int) {
	d.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		d.t.Fatalf("kill %d: %v", pid, err)
	}
}

// wait returns the daemon's exit status; death by signal fails the test.
func (d *daemon) wait() int {
	d.t.Helper()
	select {
	case <-d.exited:
	case <-time.After(time.Until(d.limit)):
		d.t.Fatal("daemonproxy does not exit")
	}
	status, ok := d.state.Sys().(syscall.WaitStatus)
	if !ok || !status.Exited() {
		d.t.Fatalf("daemonproxy ended by %v", d.state)
	}
	return status.ExitStatus()
}

func (d *daemon) expectExit(code int) {
	d.t.Helper()
	if got := d.wait(); got != code {
		d.t.Fatalf("exit status %d, want %d", got, code)
	}
}

// expectRunning fails if the daemon has ended.
func (d *daemon) expectRunning() {
	d.t.Helper()
	select {
	case <-d.exited:
		d.t.Fatalf("daemonproxy has ended: %v", d.state)
	default:
	}
}

// eventually polls a condition that has no event: the state of /proc or of the file system.
func (d *daemon) eventually(what string, condition func() bool) {
	d.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(d.limit) {
			d.t.Fatalf("never: %s", what)
		}
		<-tick.C
	}
}

// stop ends the daemon and whatever it left running, and searches its log for alarms.
func (d *daemon) stop() {
	if err := syscall.Kill(d.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		d.t.Error(err)
	}
	<-d.exited
	if d.adopted {
		// Its children are ours once it has gone. ECHILD: it has been waited for.
		if _, err := syscall.Wait4(d.pid, nil, 0, nil); err != nil && !errors.Is(err, syscall.ECHILD) {
			d.t.Error(err)
		}
	}
	endLeftovers(d.t, testMark+d.dir)
	for _, c := range d.clients {
		c.src.Close()
	}
	d.log.drain()
	for _, line := range d.log.seen {
		for _, alarm := range []string{"internal error", "DATA RACE", "fatal error:", "goroutine "} {
			if strings.Contains(line, alarm) && !strings.HasPrefix(line, "debug:") && !d.setup.broken {
				d.t.Errorf("the log says %q", line)
			}
		}
	}
	if d.t.Failed() {
		for _, l := range d.streams {
			l.drain()
			d.t.Log("\n" + l.report())
		}
	}
}

// alive is only asked when nobody else waits for the process.
func (d *daemon) alive() bool {
	select {
	case <-d.exited:
		return false
	default:
		return true
	}
}

// writeProgram writes a file that can be executed at once. A child that another test forks meanwhile would hold it open
// for writing until its own exec, and the kernel executes no such file (ETXTBSY); so nothing forks meanwhile.
func writeProgram(path string, content []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, content, 0o755)
}
