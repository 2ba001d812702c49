// Empty does nothing, and imports what daemonproxy imports: what is left of the size of the daemon's file and memory
// without the daemon. With a number as argument it keeps that many goroutines parked, each with 512 bytes of its own; with a
// program and its arguments it becomes that, which is the least that a Go program takes to begin another one.
package main

import (
	"os"
	"os/signal"
	"strconv"

	"github.com/oklog/run"
	"golang.org/x/sys/unix"
)

func main() {
	var group run.Group
	ended := make(chan struct{})
	group.Add(func() error { <-ended; return nil }, func(error) { close(ended) })
	if len(os.Args) > 2 {
		_ = unix.Exec(os.Args[1], os.Args[1:], os.Environ())
	}
	if len(os.Args) > 1 {
		n, _ := strconv.Atoi(os.Args[1])
		for range n {
			go park(new([512]byte), ended)
		}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM)
	group.Add(func() error { <-signals; return nil }, func(error) {})
	_ = group.Run()
}

func park(arena *[512]byte, ended chan struct{}) {
	<-ended
	arena[0]++
}
