package protocol

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tabs writes '|' for TAB, as the tables of these tests do.
func tabs(s string) []byte {
	b := []byte(s)
	for i, c := range b {
		if c == '|' {
			b[i] = '\t'
		}
	}
	return b
}
