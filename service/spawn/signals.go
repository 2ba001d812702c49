package spawn

import (
	"math/bits"
	"syscall"
	"unsafe"

	"daemonproxy/service/spawn/birthright"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's, as words: where the handler stands and whether there
// is a restorer depends on the architecture, and so does the size of the mask at
// its end. No architecture has more words.
type sigaction [8]uintptr

// bornIgnored are the signals that this process was started with as ignored: bit
// N-1 stands for signal N. It is looked up before main could change anything.
var bornIgnored = birthright.Ignored() | stillIgnored(leftAlone)

// leftAlone are the signals that the runtime leaves as they are born. The others it takes over as
// it begins, and birthright knows what those were.
const leftAlone = 1<<(unix.SIGCONT-1) | 1<<(unix.SIGTSTP-1) | 1<<(unix.SIGTTIN-1) | 1<<(unix.SIGTTOU-1) |
	1<<(32-1) | 1<<(33-1) | 1<<(34-1)

// stillIgnored returns those of the set that are ignored now.
func stillIgnored(of uint64) (set uint64) {
	for ; of != 0; of &= of - 1 {
		sig := uintptr(bits.TrailingZeros64(of)) + 1
		var a sigaction
		_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&a)), sigsetSize, 0, 0)
		if errno == 0 && a[actionHandler] == sigIgn {
			set |= 1 << (sig - 1)
		}
	}
	return set
}
