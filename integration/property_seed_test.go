package integration

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// seedFor gives a test with random input its seed, and logs how to repeat the run.
func seedFor(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("PROPERTY_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("PROPERTY_SEED=%d repeats this", seed)
	return seed
}
