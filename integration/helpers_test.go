package integration

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
)

// A helper is a program for services to run: the arguments `{helper NAME}⇥ARG…` execute this test binary as that
// program. It returns its exit status.
var helpers = map[string]func(args []string) int{}

// helpersUsed is what tests and conversation files named; a helper that nothing names fails the run.
var helpersUsed sync.Map

// helperArgs is what {helper NAME} stands for.
func helperArgs(name string) string {
	if helpers[name] == nil {
		panic("no helper is called " + name)
	}
	helpersUsed.Store(name, true)
	return selfBinary + "\thelper\t" + name
}

// runHelperIfNamed turns this process into a helper if its arguments say so.
func runHelperIfNamed() {
	if len(os.Args) < 3 || os.Args[1] != "helper" {
		return
	}
	program := helpers[os.Args[2]]
	if program == nil {
		fmt.Fprintf(os.Stderr, "no helper is called %q\n", os.Args[2])
		os.Exit(125)
	}
	os.Exit(program(os.Args[3:]))
}

func reportUnusedHelpers() (code int) {
	for _, name := range slices.Sorted(maps.Keys(helpers)) {
		if _, used := helpersUsed.Load(name); !used {
			fmt.Fprintf(os.Stderr, "helper %q is not used by any test\n", name)
			code = 1
		}
	}
	return code
}
