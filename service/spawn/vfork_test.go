//go:build linux && !applet && (amd64 || arm64 || arm.6 || riscv64)

package spawn

import "syscall"

// dyingChild is the child that may make the process undumpable now.
func dyingChild() int32 { return undumpable }

// endBy tells whether a child that was sent a signal before its exec ended as it
// should.
func endBy(sig syscall.Signal, status syscall.WaitStatus) bool {
	if dumping&set(sig) != 0 {
		return status.ExitStatus() == 128+int(sig)
	}
	return status.Signal() == sig
}

// ready tells whether such a child is to be sent it yet: that may come at any time.
func ready(int) bool { return true }
