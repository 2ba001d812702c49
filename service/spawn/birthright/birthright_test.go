// The test must not be in the package: it imports what the package must not.
package birthright_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"daemonproxy/service/spawn/birthright"
)

// show, as the only argument, makes the test binary tell what it was born with.
const show = "birthright"

// leftBehind are the signals 32 and 33, which make leaves ignored in what it
// starts, this test among them.
const leftBehind = 1<<(32-1) | 1<<(33-1)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == show {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil {
			panic(err)
		}
		soft, hard, ok := birthright.Limit()
		fmt.Printf("%d %d %v %v %x", soft, hard, ok, now.Cur != soft, birthright.Ignored()&^leftBehind)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func TestBirthright(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ours := birthright.Ignored() &^ leftBehind // under nohup(1), say
	ignored := func(more ...syscall.Signal) string { return fmt.Sprintf("%x", ours|set(more...)) }
	for _, c := range []struct{ before, want string }{
		{"ulimit -n 300", "300 300 true false " + ignored()},
		{"ulimit -n 300; ulimit -S -n 100", "100 300 true true " + ignored()}, // raised by package syscall
		{"ulimit -n 300; trap '' HUP INT USR1 PIPE URG XCPU 34 40 64", "300 300 true false " +
			ignored(syscall.SIGHUP, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGPIPE, syscall.SIGURG, syscall.SIGXCPU, 34, 40, 64)},
	} {
		if !slices.Contains([]string{"amd64", "arm64", "arm", "riscv64"}, runtime.GOARCH) {
			c.want = "0 0 false true " + c.want[strings.LastIndexByte(c.want, ' ')+1:]
		}
		cmd := exec.Command("/bin/sh", "-c", c.before+`; exec "$0" `+show, self)
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		cmd.Stderr = os.Stderr
		got, err := cmd.Output()
		if err != nil || strings.TrimSpace(string(got)) != c.want {
			t.Errorf("%s: got %q, want %q, %v", c.before, got, c.want, err)
		}
	}
}

func set(signals ...syscall.Signal) (s uint64) {
	for _, sig := range signals {
		s |= 1 << (sig - 1)
	}
	return s
}
