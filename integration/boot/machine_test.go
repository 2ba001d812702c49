package boot

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a machine may take for everything: seconds if the host has nothing else to do.
const patience = 5 * time.Minute

// A machine is a running QEMU, seen from its console.
type machine struct {
	t        testing.TB
	qemu     *exec.Cmd
	console  *os.File // what the machine writes there
	keys     *os.File // what is typed there
	monitor  *os.File // QEMU's own commands
	deadline time.Time
	began    time.Time
	buf      []byte // read and not yet a line
	seen     bytes.Buffer
}

// boot switches a machine on.
func boot(t testing.TB, a architecture, fs initramfs) *machine {
	t.Helper()
	image := filepath.Join(t.TempDir(), "initramfs")
	if err := os.WriteFile(image, fs.archive(), 0o600); err != nil {
		t.Fatal(err)
	}
	monitor := socketpair(t)
	console, consoleEnd := pipe(t)
	keysEnd, keys := pipe(t)
	m := &machine{
		t: t, console: console, keys: keys, monitor: monitor[0],
		began: time.Now(), deadline: time.Now().Add(patience),
	}
	m.qemu = exec.Command(a.qemu[0], append(a.qemu[1:],
		"-accel", "tcg,thread=multi", "-smp", "2", "-m", "128M",
		"-no-reboot", "-nodefaults", "-no-user-config", "-display", "none",
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
		"-chardev", "socket,id=monitor,fd=3", "-mon", "chardev=monitor",
		"-kernel", a.fetched("vmlinuz"), "-initrd", image,
		"-append", "console="+a.console+" panic=10 quiet "+a.options)...)
	m.qemu.Stdin, m.qemu.Stdout, m.qemu.Stderr = keysEnd, consoleEnd, consoleEnd
	m.qemu.ExtraFiles = []*os.File{monitor[1]}
	m.qemu.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.qemu.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*os.File{monitor[1], keysEnd, consoleEnd} {
		f.Close()
	}
	t.Cleanup(m.switchOff)
	return m
}

// switchOff is for a machine that has not done so itself.
func (m *machine) switchOff() {
	_ = m.qemu.Process.Kill()
	_ = m.qemu.Wait() // whose verdict is not QEMU's to give
	if m.t.Failed() {
		m.t.Logf("the console:\n%s%s", m.seen.Bytes(), m.buf)
	}
}

// await reads on to the first line that matches, and returns it with its submatches.
func (m *machine) await(pattern string) []string {
	m.t.Helper()
	match, err := m.find(pattern)
	if err != nil {
		m.t.Fatal(err)
	}
	return match
}

// awaitBoth reads on until there was a line for each, in whichever order.
func (m *machine) awaitBoth(a, b string) {
	m.t.Helper()
	first := m.await("(" + a + ")|" + b)
	if first[1] != "" {
		a = b
	}
	m.await(a)
}

// A panicked error is the line in which a kernel says so.
type panicked string

func (p panicked) Error() string { return string(p) }

func (m *machine) find(pattern string) ([]string, error) {
	wanted := regexp.MustCompile(pattern)
	for {
		line, err := m.line()
		if err != nil {
			return nil, fmt.Errorf("waited in vain for %q on the console: %w", pattern, err)
		}
		if strings.Contains(line, "Kernel panic") {
			return nil, panicked(line)
		}
		if match := wanted.FindStringSubmatch(line); match != nil {
			return match, nil
		}
	}
}

// awaitEnd waits until the machine is off. It is so, too, after its kernel has restarted it.
func (m *machine) awaitEnd() {
	m.t.Helper()
	for {
		if _, err := m.line(); err != nil {
			if os.IsTimeout(err) {
				m.t.Fatal("the machine is not off")
			}
			return
		}
	}
}

// line takes one line, without what a terminal ends it with.
func (m *machine) line() (string, error) {
	for {
		if line, rest, found := bytes.Cut(m.buf, []byte("\n")); found {
			text := string(bytes.Trim(line, "\r"))
			m.buf = rest
			fmt.Fprintf(&m.seen, "%7.2f %s\n", time.Since(m.began).Seconds(), text)
			return text, nil
		}
		if err := m.console.SetReadDeadline(m.deadline); err != nil {
			return "", err
		}
		var chunk [4096]byte
		n, err := m.console.Read(chunk[:])
		if err != nil {
			return "", err
		}
		m.buf = append(m.buf, chunk[:n]...)
	}
}

// enter types a line at the console.
func (m *machine) enter(text string) { m.write(m.keys, text) }

// press presses keys together, of a keyboard that is not the console. Their names are QEMU's.
func (m *machine) press(keys string) { m.write(m.monitor, "sendkey "+keys) }

func (m *machine) write(to *os.File, text string) {
	m.t.Helper()
	if _, err := to.WriteString(text + "\n"); err != nil {
		m.t.Fatal(err)
	}
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func socketpair(t testing.TB) (ends [2]*os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, fd := range fds {
		ends[i] = os.NewFile(uintptr(fd), "monitor")
		t.Cleanup(func() { ends[i].Close() })
	}
	return ends
}
