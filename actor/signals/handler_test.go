//go:build amd64 || arm64 || arm.6 || riscv64

package signals

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// early is how many signals of a kind come before anybody waits for them: each is counted.
const early = 3

// TestSenderCannotPose: a siginfo of the sender's making may name any sender.
func TestSenderCannotPose(t *testing.T) {
	s := newSubject(t)
	const siQueue = -1
	info := [32]int32{int32(unix.SIGABRT), 0, siQueue}
	at := 3
	if unsafe.Sizeof(uintptr(0)) == 8 {
		at = 4
	}
	info[at] = int32(s.process.Pid)
	if _, _, errno := unix.Syscall(unix.SYS_RT_SIGQUEUEINFO, uintptr(s.process.Pid), uintptr(unix.SIGABRT), uintptr(unsafe.Pointer(&info))); errno != 0 {
		t.Fatal(errno)
	}
	s.want("fatal SIGABRT 6")
}
