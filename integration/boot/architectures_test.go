package boot

import (
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
}

// A busy host makes the kernel of the PC doubt its clock, which it then patches its code for, while it runs.
var architectures = []architecture{
	{"amd64", []string{"qemu-system-x86_64", "-M", "q35"}, "ttyS0", "tsc=reliable", true},
	{"arm64", []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57"}, "ttyAMA0", "", false},
	{"armv7", []string{"qemu-system-arm", "-M", "virt", "-cpu", "cortex-a15"}, "ttyAMA0", "", false},
	{"riscv64", []string{"qemu-system-riscv64", "-M", "virt"}, "ttyS0", "", false},
}

// onEach runs a test on all architectures that BOOT names.
func onEach(t *testing.T, test func(t *testing.T, a architecture)) {
	wanted := strings.Fields(os.Getenv("BOOT"))
	if len(wanted) == 0 {
		wanted = []string{"amd64", "arm64"}
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

func (a architecture) binary() string          { return "../../build/daemonproxy-" + a.name }
func (a architecture) fetched(n string) string { return "../../build/boot/" + a.name + "/" + n }
