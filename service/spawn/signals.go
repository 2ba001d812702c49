package spawn

import (
	"syscall"
	"unsafe"

	"daemonproxy/service/spawn/birthright"
)

// sigaction is the kernel's, as words: where the handler stands and whether there
// is a restorer depends on the architecture, and so does the size of the mask at
// its end. No architecture has more words.
type sigaction [8]uintptr

// bornIgnored are the signals that this process was started with as ignored: bit
// N-1 stands for signal N. It is looked up before main could change anything.
var bornIgnored = birthright.Ignored() | stillIgnored()

// stillIgnored returns the signals that are ignored now. The runtime takes over
// most as it begins, and birthright knows what those were; it leaves some alone,
// the stops among them, as they are born.
func stillIgnored() (set uint64) {
	for sig := uintptr(1); sig <= 64; sig++ {
		var a sigaction
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&a)), sigsetSize, 0, 0)
		if errno == 0 && a[actionHandler] == sigIgn {
			set |= 1 << (sig - 1)
		}
	}
	return set
}
