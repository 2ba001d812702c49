package boot

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// applets are the programs that the scripts, the tests' typing and the unit tests of service/spawn call.
var applets = strings.Fields("sh mount umount sync sleep grep killall loadkmap poweroff cat true false echo env ls kill")

// newBoard is examples/board as it stands, for a machine that has nothing else.
func newBoard(t testing.TB, a architecture) initramfs {
	fs := initramfs{}
	fs.copy(t, "init", a.binary())
	fs.link("sbin/daemonproxy", "/init")
	const example = "../../examples/board/"
	fs.copy(t, "etc/daemonproxy.conf", example+"daemonproxy.conf")
	fs.copy(t, "sbin/boss", example+"boss.sh")
	fs.copy(t, "sbin/rescue", example+"rescue.sh")
	for _, pkg := range unitTests {
		fs.copy(t, pkg+".test", a.tests(pkg))
	}
	fs.copy(t, "bin/busybox", a.fetched("busybox"))
	for _, name := range applets {
		fs.link("bin/"+name, "busybox")
	}
	fs.file("etc/keymap", keymap())
	fs.device("dev/console", 5, 1)
	fs.device("dev/null", 1, 3)
	fs.device("dev/tty0", 4, 0)
	for _, name := range []string{"proc", "sys", "tmp"} {
		fs.dir(name)
	}
	return fs
}

// up boots the example, and waits until it is at work. On a very busy host the PC's kernel has been seen to panic before
// process 1 was there: in QEMU 7.2 it met a breakpoint (int3) of its own, with which it patches its code. Such a boot is
// tried again; one in which process 1 ended, or was not found, is not.
func up(t testing.TB, a architecture) *machine {
	t.Helper()
	for attempt := 1; ; attempt++ {
		m := boot(t, a, newBoard(t, a))
		_, err := m.find(`log: at work`)
		var fault panicked
		if errors.As(err, &fault) && attempt < 3 && !strings.Contains(string(fault), "init") {
			t.Logf("boot %d: %v\n%s", attempt, fault, m.seen.Bytes())
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

// TestBoard looks around in the machine and switches it off.
func TestBoard(t *testing.T) {
	onEach(t, func(t *testing.T, a architecture) {
		m := up(t, a)
		m.enter("/init --version")
		m.await(`start path: ` + a.startPath())
		m.enter("cat /proc/version")
		version := m.await(`Linux version (\S+)`)[1]
		m.enter("cat /proc/1/smaps_rollup")
		rss, own := m.await(`Rss: *(\d+) kB`)[1], m.await(`Anonymous: *(\d+) kB`)[1]
		t.Logf("Linux %s: process 1 has %s kB resident, of which %s kB are not pages of its file", version, rss, own)
		m.startPrograms()
		m.enter("killall -KILL sleep")
		m.await(`boss: worker ended \(signal SIGKILL\)`)
		m.await(`log: at work`)
		m.enter("poweroff")
		m.await(`boss: SIGUSR2: poweroff`)
		m.await(`reboot: Power down`)
		m.awaitEnd()
	})
}

// startPrograms is about the assembly that begins programs, where no emulation of system calls is between it and a
// kernel: a child that shares the memory of its parent reports there that it could not execute its program, which alone
// brings that error into the log, as this child has no descriptors; and the unit tests of service/spawn pass.
func (m *machine) startPrograms() {
	m.t.Helper()
	m.command("service.args", "ghost", "/no/such")
	m.command("service.fds", "ghost", "-", "-", "-")
	m.command("service.start", "ghost")
	m.awaitBoth(`error: exec\(/no/such, \.\.\.\) failed: No such file or directory`, `boss: ghost ended \(exit 3\)`)

	m.command("service.fds", "unit", "console", "console", "console")
	for _, pkg := range unitTests {
		m.command("service.args", "unit", "env", "PATH=/bin", "/"+pkg+".test", "-test.v", "-test.short", "-test.skip="+long)
		m.command("service.start", "unit")
		if how := m.await(`boss: unit ended \((.*)\)`)[1]; how != "exit 0" {
			m.t.Fatalf("unit tests of %s: %s", pkg, how)
		}
	}
}

// unitTests are those of the packages that speak to the kernel without a library: in assembly, or with structures that
// have another layout on each architecture.
var unitTests = []string{"spawn", "mainthread", "signals"}

// long are those unit tests that take half a minute in an emulation, as they start thousands of programs.
const long = "DoNotAllocate|AnyPermutation|UnderCollection"

// command sends one to daemonproxy, by way of the shell.
func (m *machine) command(fields ...string) {
	m.t.Helper()
	m.enter(`printf '` + strings.Join(fields, `\t`) + `\n' >&3`)
}

// TestRescue faults process 1. It does not end, as then the kernel would panic, but becomes the rescue script.
func TestRescue(t *testing.T) {
	onEach(t, func(t *testing.T, a architecture) {
		m := up(t, a)
		m.enter("kill -SEGV 1")
		m.await(`rescue: process 1 is here, because of: Received signal SIGSEGV \(11\) \(exit status 4\)`)
		m.await(`reboot: Restarting system`)
		m.awaitEnd()
	})
}

// TestHalt stops the machine by a controller's commands. It stays on, so that nothing but the console tells.
func TestHalt(t *testing.T) {
	onEach(t, func(t *testing.T, a architecture) {
		m := up(t, a)
		m.command("terminate.exec_args", "/sbin/daemonproxy", "--system", "halt")
		m.command("terminate", "0", "1")
		m.await(`reboot: System halted`)
	})
}

// TestKeyboard presses what the kernel itself would obey: without daemonproxy, Ctrl-Alt-Del resets the machine on the spot.
func TestKeyboard(t *testing.T) {
	onEach(t, func(t *testing.T, a architecture) {
		if !a.keyboard {
			return
		}
		m := up(t, a)
		m.enter("loadkmap </etc/keymap && echo loaded: $?")
		m.await(`loaded: 0`)
		m.press("alt-up")
		m.await(`boss: SIGWINCH`)
		m.press("ctrl-alt-delete")
		m.await(`boss: SIGINT: reboot`)
		m.await(`reboot: Restarting system`)
		m.awaitEnd()
	})
}

// keymap makes Alt-Up the keyboard request, which the kernel's own keymap does not. The format is that of busybox's
// loadkmap: which of 256 tables follow, and each with what 128 keys mean in linux/keyboard.h.
func keymap() []byte {
	const (
		alt         = 8      // K_ALTTAB
		keyUp       = 103    // KEY_UP
		keyAlt      = 56     // KEY_LEFTALT
		request     = 0x0212 // K_SPAWNCONSOLE
		altModifier = 0x0703 // K_ALT: or it would never be released
	)
	var tables [256]byte
	var keys [128]uint16
	tables[alt] = 1
	keys[keyUp], keys[keyAlt] = request, altModifier
	b := append([]byte("bkeymap"), tables[:]...)
	for _, meaning := range keys {
		b = binary.LittleEndian.AppendUint16(b, meaning)
	}
	return b
}
