package signals

import (
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

// helper as first argument makes the test binary a receiver that says what it
// gets.
const helper = "helper:receiver"

// blocked in its place blocks blockable first.
const blocked = "helper:blocked"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == blocked {
		block()
		os.Args[1] = helper
		panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	}
	if len(os.Args) > 1 && os.Args[1] == helper {
		also := uint64(0)
		if len(os.Args) > 2 {
			also, _ = strconv.ParseUint(os.Args[2], 10, 64)
		}
		receive(also)
	}
	goleak.VerifyTestMain(m)
}
