package controller

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"
)

func TestProcField(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, c := range []struct {
		text string
		n    int
		want int64
		ok   bool
	}{
		{"10 20 30\n", 0, 10, true},
		{"10 20 30\n", 1, 20, true},
		{"10 20 30", 2, 30, true},
		{"10 20 30", 3, 0, false},
		{"10 x 30", 1, 0, false},
		{"", 0, 0, false},
		{"77 (a b) S 1 2 3\n", 3, 1, true},
		{"77 (a) 9 8) S 1 2 3\n", 4, 2, true},
		{"77 (a) S 1 -2 3\n", 4, -2, true},
		{"77 (a) S 1 2 3", 5, 3, true},
		{"77 (a) S 1 2 3", 6, 0, false},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := procField([]byte(path+"\x00"), c.n); got != c.want || ok != c.ok {
			t.Errorf("field %d of %q: %d, %v", c.n, c.text, got, ok)
		}
	}
	if _, ok := procField([]byte("/nonexistent\x00"), 0); ok {
		t.Error("a field of nothing")
	}
	if got, ok := procField([]byte("/proc/self/stat\x00"), 0); ok && got != int64(os.Getpid()) {
		t.Errorf("pid %d", got)
	}
}

func TestOpenDescriptors(t *testing.T) {
	count := func() int64 {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return int64(len(entries)) - 1 // the one that is read
	}
	before := openDescriptors()
	if want := count(); before != want {
		t.Fatalf("%d, want %d", before, want)
	}
	var files []*os.File // so many that one read is not enough
	for range 300 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if got := openDescriptors(); got != before+300 {
		t.Errorf("%d, want %d", got, before+300)
	}
	for _, f := range files {
		_ = f.Close()
	}
	if got := openDescriptors(); got != before {
		t.Errorf("%d, want %d", got, before)
	}
}

func TestMemory(t *testing.T) {
	h := newHouse(t, 2)
	c := h.connect()
	mallocs := func() int64 {
		c.say("memory")
		line, err := c.in.ReadString('\n')
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if err != nil || len(f) != 6 || f[0] != "memory" {
			t.Fatalf("%q, %v", line, err)
		}
		for _, field := range f[1:] {
			if n, err := strconv.ParseInt(field, 10, 64); err != nil || n < 1 {
				t.Fatalf("%q", line)
			}
		}
		n, _ := strconv.ParseInt(f[1], 10, 64)
		return n
	}
	if mallocs() <= 0 {
		t.Fatal("no objects")
	}
}

func TestMemoryAllocatesNothing(t *testing.T) {
	h := newHouse(t, 2)
	c := &Conn{world: h.world, lines: new(protocol.Input)}
	c.outbox.Init(h.world.Clock, ignorant{})
	if allocs := testing.AllocsPerRun(20, func() { memory(c, nil) }); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}

type ignorant struct{}

func (ignorant) OutboxChanged() {}

var _ actor.OutboxOwner = ignorant{}
