package controller

import (
	"fmt"
	"os"
)

func dumpFDs() {
	e, _ := os.ReadDir("/proc/self/fd")
	for _, x := range e {
		l, _ := os.Readlink("/proc/self/fd/" + x.Name())
		fmt.Println(x.Name(), l)
	}
}
