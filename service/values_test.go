package service

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

var keyNames = [keys]string{"tags", "args", "fds", "triggers"}

func TestValuesProperty(t *testing.T) {
	for _, limit := range []int{0, 40, 300} {
		random := rand.New(rand.NewPCG(uint64(limit), 1))
		v := values{limit: limit}
		model := map[key]string{}
		refused := 0
		for range 20000 {
			k := key(random.IntN(int(keys)))
			switch random.IntN(8) {
			case 0:
				v.unset(k)
				delete(model, k)
			case 1:
				if random.IntN(20) == 0 {
					v.clear()
					clear(model)
				}
			default:
				text := strings.Repeat(string(rune('a'+random.IntN(26))), random.IntN(1<<random.IntN(9)))
				sum := len(keyNames[k]) + 1 + len(text) + 1
				for other, text := range model {
					if other != k {
						sum += len(keyNames[other]) + 1 + len(text) + 1
					}
				}
				fits := limit == 0 || sum <= limit
				b := []byte(text)
				if v.set(k, b) != fits {
					t.Fatalf("limit %d, sum %d: fits %v", limit, sum, !fits)
				}
				if fits {
					model[k] = text
				} else {
					refused++
				}
				for i := range b { // a copy was stored
					b[i] = '!'
				}
			}
			size := 0
			for k := range keys {
				want, isSet := model[k]
				if text, got := v.get(k); string(text) != want || got != isSet {
					t.Fatalf("key %d: %q, %v; want %q, %v", k, text, got, want, isSet)
				}
				size += len(want)
			}
			if len(v.buffer) != size {
				t.Fatalf("%d bytes in the buffer for %d", len(v.buffer), size)
			}
		}
		if limit > 0 && refused == 0 {
			t.Error("the limit was never met")
		}
	}
}

// The exact limit: one byte more is refused, and changes nothing.
func TestValuesLimit(t *testing.T) {
	v := values{limit: len("args=") + 10 + 1 + len("fds=") + 1}
	if !v.set(args, bytes.Repeat([]byte("x"), 10)) || !v.set(fds, nil) {
		t.Fatal("what fits was refused")
	}
	if v.set(args, bytes.Repeat([]byte("y"), 11)) || v.set(tags, nil) {
		t.Fatal("what does not fit was taken")
	}
	if text, _ := v.get(args); string(text) != "xxxxxxxxxx" {
		t.Fatalf("a refused text changed the old one to %q", text)
	}
	if _, isSet := v.get(tags); isSet {
		t.Fatal("a refused text is set")
	}
	v.unset(fds)
	if !v.set(args, bytes.Repeat([]byte("y"), 15)) {
		t.Fatal("what was unset still counts")
	}
}

func TestValuesReuseTheirBuffer(t *testing.T) {
	var v values
	long, short := bytes.Repeat([]byte("x"), 100), []byte("y")
	v.set(args, long)
	v.set(tags, long)
	if allocs := testing.AllocsPerRun(100, func() {
		v.set(tags, short)
		v.set(args, long)
		v.unset(tags)
		v.clear()
		v.set(fds, long)
		v.set(tags, long)
		v.clear()
	}); allocs != 0 {
		t.Fatalf("%v objects", allocs)
	}
}
