// Empty does nothing, and imports what daemonproxy imports: what is left of the size of the daemon's file and memory
// without the daemon. With a number as argument it keeps that many goroutines parked, each with 512 bytes of its own; with a
// program and its arguments it becomes that, which is the least that a Go program takes to begin another one.
package main

import (
	"strconv"
	"syscall"
	"time"
	_ "unsafe" // for go:linkname

	"golang.org/x/sys/unix"
)

//go:linkname arguments os.runtime_args
func arguments() []string

func main() {
	args := arguments()
	if len(args) > 2 {
		_ = unix.Exec(args[1], args[1:], syscall.Environ())
	}
	ended := make(chan struct{})
	time.AfterFunc(time.Hour, func() { close(ended) }).Stop()
	if len(args) > 1 {
		n, _ := strconv.Atoi(args[1])
		for range n {
			go park(new([512]byte), ended)
		}
	}
	_ = unix.Pause()
}

func park(arena *[512]byte, ended chan struct{}) {
	<-ended
	arena[0]++
}
