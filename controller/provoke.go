//go:build provoke

package controller

import (
	"math"
	"runtime"
	_ "unsafe" // for the linkname

	"golang.org/x/sys/unix"
)

// provoke breaks the program in the way that the text of an echo says. Only test
// binaries have it.
func provoke(text []byte) {
	switch string(text) {
	case "provoke panic":
		panic("provoked")
	case "provoke nil":
		touch(nil)
	case "provoke nil elsewhere":
		go touch(nil)
		select {}
	case "provoke panic elsewhere":
		go panic("provoked")
		select {}
	case "provoke stack":
		hoard = append(hoard, make([]byte, deep(math.MaxInt)))
	case "provoke map":
		collide()
	case "provoke memory":
		exhaust()
	case "provoke fault":
		fault()
	}
}

//go:noinline
func touch(p *int) { *p = 1 }

//go:noinline
func deep(n int) int {
	if n == 0 {
		return 0
	}
	var room [128]byte
	room[n%128] = byte(n)
	return deep(n-1) + int(room[(n+1)%128])
}

// collide writes to a map from several goroutines at the same time, for which a
// bounded program has too few processors.
func collide() {
	runtime.GOMAXPROCS(4)
	m := map[int]int{}
	for range 4 {
		go func() {
			for i := 0; ; i++ {
				m[i%8]++
			}
		}()
	}
	select {}
}

// exhaust takes all of the little memory that it leaves the process.
func exhaust() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_DATA, &limit) != nil {
		return
	}
	limit.Cur = 1 << 20
	if unix.Setrlimit(unix.RLIMIT_DATA, &limit) != nil {
		return
	}
	for {
		hoard = append(hoard, make([]byte, 1<<20))
	}
}

var hoard [][]byte

// fault meets a bad address on the runtime's own stack, where nothing can panic.
func fault() { asRuntime(func() { touch(nil) }) }

//go:linkname asRuntime runtime.systemstack
func asRuntime(f func())
