package spawn

import (
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// words reads back what a child would be executed with.
func (s *Spawner) words() (all []string) {
	at := unsafe.Add(s.image.argv, wordSize) // the first place is spare
	for ; *(*uintptr)(at) != 0; at = unsafe.Add(at, wordSize) {
		all = append(all, unix.BytePtrToString(*(**byte)(at)))
	}
	return all
}

// FuzzArguments: a program gets exactly the fields of a text, or exactly the words of a command line, however many and
// long they are, and whatever the spawner was used for before.
func FuzzArguments(f *testing.F) {
	for _, text := range []string{"", "\t", "a", "/bin/sh\t-c\techo a b", "\t\ta\t", "\xff\x01\n\r\t ", strings.Repeat("x\t", 100)} {
		f.Add(text, uint16(0))
		f.Add(text, uint16(5000))
	}
	pool := NewPool(nil, nil, 0, strerror)
	f.Cleanup(pool.Stop)
	s := &pool.spawners[Spawners-1]
	f.Fuzz(func(t *testing.T, text string, more uint16) {
		if strings.IndexByte(text, 0) >= 0 {
			return // no line and no argument has one
		}
		text += strings.Repeat("\tx", int(more)) // more than a fuzzer would ever write
		fields := strings.Split(text, "\t")
		s.Reset()
		s.SetArgs([]byte(text))
		if got := s.words(); !slices.Equal(got, fields) {
			t.Errorf("%q: %q", text, got)
		}
		lines := strings.Split(text, "x")
		s.SetArgv(lines)
		if got := s.words(); !slices.Equal(got, lines) {
			t.Errorf("%q: %q", lines, got)
		}
		if s.fault != 0 {
			t.Errorf("%d bytes: %v", len(text), s.fault)
		}
	})
}
