package signals

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds waits that only a failing test sees the end of.
const patience = 10 * time.Second

// helper as first argument makes the test binary a receiver that says what it
// gets.
const helper = "helper:receiver"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == helper {
		receive()
	}
	goleak.VerifyTestMain(m)
}
