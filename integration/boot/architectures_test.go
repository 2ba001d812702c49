package boot

import (
	"cmp"
	"os"
	"strings"
	"testing"
)

// An architecture is a machine that QEMU emulates, by the name of its build/daemonproxy-NAME.
type architecture struct {
	name     string
	qemu     []string
	console  string // the kernel's name for the first serial port
	options  string // further ones for the kernel
	keyboard bool
	host     string // whose kernel and busybox the machine has; "": those of its own name
	applet   bool   // programs are begun through the applet
}

// A busy host makes the kernel of the PC doubt its clock, which it then patches its code for, while it runs.
var architectures = []architecture{
	{name: "amd64", qemu: pc, console: "ttyS0", options: "tsc=reliable", keyboard: true},
	{name: "arm64", qemu: []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57"}, console: "ttyAMA0"},
	{name: "armv7", qemu: []string{"qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15"}, console: "ttyAMA0"},
	{name: "riscv64", qemu: []string{"qemu-system-riscv64", "-M", "virt"}, console: "ttyS0"},
	// The amd64 kernel's CONFIG_IA32_EMULATION, which the host's own need not have.
	{name: "386", qemu: pc, console: "ttyS0", options: "tsc=reliable", host: "amd64", applet: true},
}

var pc = []string{"qemu-system-x86_64", "-M", "q35"}

// onEach runs a test on all architectures that BOOT names.
func onEach(t *testing.T, test func(t *testing.T, a architecture)) {
	wanted := strings.Fields(os.Getenv("BOOT"))
	if len(wanted) == 0 {
		wanted = []string{"amd64", "arm64", "386"}
	}
	for _, name := range wanted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, a := range architectures {
				if a.name == name {
					test(t, a)
					return
				}
			}
			t.Fatal("no such architecture")
		})
	}
}

func (a architecture) binary() string { return "../../build/daemonproxy-" + a.name }

// tests is a binary of unit tests, by the last element of its package.
func (a architecture) tests(pkg string) string {
	return "../../build/boot/" + a.name + "/" + pkg + ".test"
}

// fetched is a file of Debian's.
func (a architecture) fetched(n string) string {
	return "../../build/boot/" + cmp.Or(a.host, a.name) + "/" + n
}

func (a architecture) startPath() string {
	if a.applet {
		return "applet"
	}
	return "clone"
}
