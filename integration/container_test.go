package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A container is a root directory with the daemon's binary and busybox, in namespaces of its own, in which the daemon is
// process 1 and an entrypoint. An engine is what makes one: a few system calls, or a program from a distribution.
type engine struct {
	name string
	// command runs `/daemonproxy ARGS` in the container, with standard streams from us and with the exit status as its own.
	command func(c *container, args []string) []string
	attr    syscall.SysProcAttr
	// signal sends one to process 1 of the container.
	signal func(c *container, name string)
}

var engines = []*engine{
	{
		name:    "chroot",
		command: func(_ *container, args []string) []string { return append([]string{"/daemonproxy"}, args...) },
		attr:    syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS | syscall.CLONE_NEWNET},
		signal:  func(c *container, name string) { c.kill(c.process.Pid, name) },
	},
	{
		name: "bwrap",
		command: func(c *container, args []string) []string {
			return append([]string{"/usr/bin/env", "bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--ro-bind", c.root(), "/",
				"--clearenv", "--setenv", "PATH", "/bin", "--info-fd", "3", "--", "/daemonproxy"}, args...)
		},
		signal: func(c *container, name string) { c.kill(c.infoPID(), name) },
	},
	oci("runc", "true", "runc"),
	// It knows no machine with cgroups of both versions, and without a manager it takes its own cgroup for that of the
	// container, and kills all in there at the end. So it gets to see none.
	oci("crun", "umount -R /sys/fs/cgroup && mount -t tmpfs none /sys/fs/cgroup", "crun", "--cgroup-manager=disabled"),
}

// cage is where an OCI runtime runs: in a pid namespace, from which it can't signal anybody outside and which ends with
// it, and in a mount namespace.
const cage = `mount --make-rprivate / && mount -t proc proc /proc && %s && exec "$@"`

// oci is a runtime of the Open Container Initiative, which is started with these words.
func oci(name, prepare string, words ...string) *engine {
	return &engine{
		name: name,
		command: func(c *container, args []string) []string {
			c.writeConfig(args)
			all := append([]string{"/bin/sh", "-c", fmt.Sprintf(cage, prepare), "sh"}, words...)
			return append(all, "--root", filepath.Join(c.dir, "state"), "run", "--bundle", c.dir, c.id())
		},
		attr: syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS},
		signal: func(c *container, signal string) {
			all := append([]string{"-t", fmt.Sprint(c.process.Pid), "-p", "-m"}, words...)
			all = append(all, "--root", filepath.Join(c.dir, "state"), "kill", c.id(), signal)
			kill := exec.Command("nsenter", all...)
			out, err := kill.CombinedOutput()
			if state := kill.ProcessState; state != nil && state.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
				return // the container has ended already, and so has its cage
			}
			if err != nil {
				c.t.Fatalf("%v: %v\n%s", all, err, out)
			}
		},
	}
}

// container is a running one.
type container struct {
	*vars
	t       *testing.T
	dir     string // the bundle
	tty     bool
	process *os.Process
	stdin   *os.File
	out     *lines // descriptors 1 and 2
	info    *os.File
	begun   time.Time
	exited  chan struct{}
	state   *os.ProcessState
}

func (c *container) root() string { return filepath.Join(c.dir, "root") }
func (c *container) id() string   { return "daemonproxy-" + filepath.Base(c.dir) }

// container runs the daemon in one, with this text as its /conf, on a terminal or on pipes.
func (e *engine) container(t *testing.T, config string, tty bool, args ...string) *container {
	t.Helper()
	dir, err := os.MkdirTemp("", "dp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &container{vars: newVars(), t: t, dir: dir, tty: tty}
	c.fillRoot(config)
	attr := e.attr
	if e.name == "chroot" {
		attr.Chroot = c.root()
	}
	t.Cleanup(c.removeCgroups)
	c.launch(e.command(c, args), &attr)
	return c
}

// launch starts the program that makes the container.
func (c *container) launch(argv []string, attr *syscall.SysProcAttr) {
	c.t.Helper()
	var files []*os.File
	limit := time.Now().Add(patience)
	c.out = &lines{t: c.t, name: "container", vars: c.vars, deadline: func() time.Time { return limit }}
	infoR, infoW := pipe(c.t)
	if c.tty {
		tty := newTerminal(c.t)
		c.stdin, c.out.src = tty.File, tty
		attr.Setsid, attr.Setctty = true, true
		files = []*os.File{tty.slave, tty.slave, tty.slave, infoW}
	} else {
		inR, inW := pipe(c.t)
		outR, outW := pipe(c.t)
		c.stdin, c.out.src = inW, outR
		files = []*os.File{inR, outW, outW, infoW}
	}
	c.info = infoR
	c.begun = time.Now()
	process, err := os.StartProcess(argv[0], argv, &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=dumb", testMark + c.dir}, Files: files, Sys: attr,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range files {
		f.Close()
	}
	c.process, c.exited = process, make(chan struct{})
	go func() {
		c.state, _ = process.Wait()
		close(c.exited)
	}()
	c.t.Cleanup(c.stop)
}

func (c *container) stop() {
	if err := c.process.Kill(); err != nil && err != os.ErrProcessDone {
		c.t.Error(err)
	}
	<-c.exited
	endLeftovers(c.t, testMark+c.dir)
	if c.t.Failed() {
		c.out.drain()
		c.t.Log("\n" + c.out.report())
	}
}

// removeCgroups is for a container that was killed with its engine.
func (c *container) removeCgroups() {
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		left, _ := filepath.Glob(pattern + c.id())
		for _, dir := range left {
			c.t.Log(dir, os.Remove(dir))
		}
	}
}

// fillRoot makes the container's root directory: of static programs only, since there is nothing else.
func (c *container) fillRoot(config string) {
	c.t.Helper()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		c.t.Fatal(err)
	}
	for name, source := range map[string]string{"daemonproxy": daemonBinary, "bin/busybox": busybox} {
		image, err := os.ReadFile(source)
		if err != nil {
			c.t.Fatal(err)
		}
		c.write(name, image)
	}
	c.write("conf", []byte(config))
	c.write("script", []byte("#!/no/such/interpreter\n"))
	for _, name := range []string{"sh", "sleep", "cat", "stty"} {
		if err := os.Symlink("busybox", filepath.Join(c.root(), "bin", name)); err != nil {
			c.t.Fatal(err)
		}
	}
	// What scripts wait on: there is no /dev/null in every container, which a shell opens for what it leaves behind it.
	if err := syscall.Mkfifo(filepath.Join(c.root(), "fifo"), 0o666); err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"dev", "proc"} { // for engines that can't do without
		if err := os.Mkdir(filepath.Join(c.root(), name), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *container) write(name string, content []byte) {
	c.t.Helper()
	path := filepath.Join(c.root(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := writeProgram(path, content); err != nil {
		c.t.Fatal(err)
	}
}

// writeConfig makes the directory a bundle, of a read-only root for a process without capabilities.
func (c *container) writeConfig(args []string) {
	c.t.Helper()
	type object = map[string]any
	var namespaces []object
	for _, kind := range []string{"pid", "mount", "ipc", "uts", "network"} {
		namespaces = append(namespaces, object{"type": kind})
	}
	text, err := json.Marshal(object{
		"ociVersion": "1.0.2",
		"process": object{
			"terminal": c.tty, "user": object{"uid": 0, "gid": 0}, "cwd": "/", "noNewPrivileges": true,
			"args": append([]string{"/daemonproxy"}, args...), "env": []string{"PATH=/bin", "TERM=dumb"},
		},
		"root": object{"path": "root", "readonly": true},
		"mounts": []object{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": []string{"mode=755"}},
			{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": []string{"newinstance", "ptmxmode=0666"}},
		},
		"linux": object{"namespaces": namespaces},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), text, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// infoPID is process 1 of the container, as bwrap tells.
func (c *container) infoPID() int {
	c.t.Helper()
	if err := c.info.SetReadDeadline(c.out.deadline()); err != nil {
		c.t.Fatal(err)
	}
	var told struct {
		PID int `json:"child-pid"`
	}
	if err := json.NewDecoder(c.info).Decode(&told); err != nil {
		c.t.Fatal(err)
	}
	return told.PID
}

func (c *container) kill(pid int, name string) {
	c.t.Helper()
	if err := syscall.Kill(pid, signalNumber(name)); err != nil {
		c.t.Fatal(err)
	}
}

// input types lines.
func (c *container) input(text ...string) {
	c.t.Helper()
	if _, err := c.stdin.WriteString(strings.Join(text, "\n") + "\n"); err != nil {
		c.t.Fatal(err)
	}
}

// key types one character that means something to the terminal.
func (c *container) key(key byte) {
	c.t.Helper()
	if _, err := c.stdin.Write([]byte{key}); err != nil {
		c.t.Fatal(err)
	}
}

// status is that of the engine.
func (c *container) status() int {
	c.t.Helper()
	select {
	case <-c.exited:
	case <-time.After(time.Until(c.out.deadline())):
		c.t.Fatal("the container does not end")
	}
	return c.state.ExitCode()
}

func (c *container) expectStatus(code int) {
	c.t.Helper()
	if got := c.status(); got != code {
		c.t.Errorf("exit status %d, want %d", got, code)
	}
}
