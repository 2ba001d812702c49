package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// crossBuilds are what `make cross` builds. QEMU's emulation of a user's program runs them, as a processor of that kind
// which has the least. The one for 386 boots a machine (package boot): in this emulation of its processor, threads share
// what each must have for its own, and no Go program gets beyond its first steps.
var crossBuilds = []struct {
	name, emulator, processor string
	startPath                 string
	magic                     string // how the kernel knows one, as binfmt_misc wants it: to start a service it has to
}{
	{name: "amd64", emulator: "qemu-x86_64-static", startPath: "clone"},
	{name: "arm64", emulator: "qemu-aarch64-static", startPath: "clone"},
	{name: "armv6", emulator: "qemu-arm-static", processor: "arm1176", startPath: "clone"},
	{name: "armv7", emulator: "qemu-arm-static", processor: "cortex-a7", startPath: "clone"},
	{name: "riscv64", emulator: "qemu-riscv64-static", startPath: "clone"},
	{name: "mipsle", emulator: "qemu-mipsel-static", processor: "24Kc", startPath: "applet", magic: mipsel},
}

// mipsel is the ELF header of a program for little-endian MIPS of 32 bits, and the bits of it that count.
const mipsel = `\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x08\x00:` +
	`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`

func TestCrossBuilds(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("make", "-C", "..", "cross").CombinedOutput(); err != nil {
		t.Fatalf("make cross: %v\n%s", err, out)
	}
	for _, b := range crossBuilds {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs("../build/daemonproxy-" + b.name)
			if err != nil {
				t.Fatal(err)
			}
			emulator, err := exec.LookPath(b.emulator)
			if err != nil {
				t.Fatal(err)
			}
			s := setup{build: path, loose: true, wrap: []string{emulator}}
			if b.magic != "" {
				s.user, s.wrap = true, append(program("emulate"), emulator, b.magic)
			}
			if b.processor != "" {
				s.env = []string{"QEMU_CPU=" + b.processor}
			}
			sayVersion(t, s, b.startPath)
			serve(t, s)
			// A vfork is emulated as a fork, so its report of a failed exec is not seen.
			if b.startPath == "applet" {
				reportFailedExec(t, s)
			}
		})
	}
	// A processor of the sixth generation refuses what is made for the seventh: the emulation is worth something.
	emulator, err := exec.LookPath("qemu-arm-static")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(emulator, "-cpu", "arm1176", "../build/daemonproxy-armv7", "--version")
	if out, err := c.CombinedOutput(); err == nil || c.ProcessState.ExitCode() == 1 {
		t.Errorf("ARMv7 on an ARMv6: %v\n%s", err, out)
	}
}

func sayVersion(t *testing.T, s setup, startPath string) {
	t.Helper()
	s.args = []string{"--version"}
	d := s.launch(t)
	d.out.expect("daemonproxy version {any}")
	d.out.await(" start path: " + startPath)
	d.expectExit(1)
}

// serve starts services by a command and by a signal. They end only when they have been announced: QEMU writes the pid
// of an emulated vfork's child where the daemon does not see it, so the end of one that nobody has heard of is an orphan's.
func serve(t *testing.T, s setup) {
	t.Helper()
	s.args = []string{"-i", "-S", "{dir}/ctl", "-c", "{dir}/conf"}
	s.files = map[string]string{"conf": "fd.pipe\tr\tw\nservice.args\tfirst\t/bin/sh\t-c\tread line; echo \"$line\" >&2; exit 5\n" +
		"service.fds\tfirst\tr\tnull\tstderr\nservice.auto_up\tfirst\t1\tSIGUSR1\n"}
	d := s.start(t)
	a := d.client("a")
	d.signal("USR1")
	a.awaitAll("signal⇥SIGUSR1⇥{now}⇥1", "service.state⇥first⇥up⇥{now}⇥{pid=p}⇥-⇥-⇥0⇥-")
	a.send("signal.clear⇥USR1⇥1", "service.args⇥s⇥/bin/sh⇥-c⇥echo through the pipe; exec sleep 1000", "service.fds⇥s⇥null⇥w⇥null", "service.start⇥s")
	a.await("service.state⇥s⇥up⇥{now}⇥{pid=q}⇥-⇥-⇥0⇥-")
	d.log.expect("through the pipe")
	d.i.await("service.state⇥first⇥down⇥{now}⇥{p}⇥exit⇥5⇥{int}⇥{int}")
	a.send("service.signal⇥s⇥TERM")
	a.await("service.state⇥s⇥down⇥{now}⇥{q}⇥signal⇥SIGTERM⇥{int}⇥{int}")
	a.send("terminate⇥4")
	d.expectExit(4)
}

func reportFailedExec(t *testing.T, s setup) {
	t.Helper()
	for name, status := range map[string]int{"/no/such/program": 127, "/etc/passwd": 126} {
		s.args = []string{"--", name}
		d := s.start(t)
		d.expectExit(status)
	}
}

func init() { helpers["emulate"] = helperEmulate }

// emulate EMULATOR MAGIC PROGRAM ARG…: becomes PROGRAM, for another processor. It and all that it executes run with the
// emulator. It is in a user namespace of its own, which from Linux 6.7 on has its own list of such programs: the
// machine's stays as it is.
func helperEmulate(args []string) int {
	const list = "/proc/sys/fs/binfmt_misc"
	if err := syscall.Mount("binfmt_misc", list, "binfmt_misc", 0, ""); err != nil {
		fmt.Fprintln(os.Stderr, "mount binfmt_misc (needs Linux 6.7):", err)
		return 1
	}
	if err := os.WriteFile(list+"/register", []byte(":emulated:M::"+args[1]+":"+args[0]+":"), 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return becomes(args[2:])
}
