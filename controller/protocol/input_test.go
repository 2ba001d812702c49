package protocol

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// feed passes stream through an Input in pieces of the given sizes, repeated,
// and lists what comes out. It keeps the ends of some lines.
func feed(stream []byte, sizes []byte) (got []string) {
	var in Input
	var kept []byte
	take := func() {
		for {
			line, kind := in.Next()
			switch kind {
			case None:
				return
			case TooLong:
				got = append(got, "too long")
			case HasNUL:
				got = append(got, "NUL")
			default:
				got = append(got, "line "+string(line))
				if end := line[len(line)/2:]; len(got)%3 > 0 {
					kept = append(kept, end...)
					in.Keep(end)
				}
			}
			if n := in.Kept(); n != len(kept) {
				got = append(got, fmt.Sprintf("%d bytes kept of %q", n, kept))
			}
		}
	}
	for i := 0; len(stream) > 0; i++ {
		n := 1 << 20
		if len(sizes) > 0 {
			n = int(sizes[i%len(sizes)])*16 + 1
		}
		space := in.Space()
		n = copy(space, stream[:min(n, len(stream))])
		in.Filled(n)
		stream = stream[n:]
		// Now and then bytes are left to pile up, as they do while a connection waits.
		if i%3 != 1 || in.Full() {
			take()
			if text := in.TakeKept(); string(text) != string(kept) {
				got = append(got, fmt.Sprintf("kept %q of %q", text, kept))
			}
			kept = kept[:0]
		}
	}
	take()
	return append(got, "rest "+string(in.Rest()))
}

// reference says what feed must list, from the whole stream.
func reference(stream []byte) (want []string) {
	for {
		line, rest, terminated := bytes.Cut(stream, []byte("\n"))
		comment := len(line) > 0 && line[0] == '#'
		switch {
		case len(line) >= MaxLine:
			if !comment {
				want = append(want, "too long")
			}
			line = nil
		case !terminated, comment, len(bytes.Trim(line, " \t\r")) == 0:
		case bytes.IndexByte(line, 0) >= 0:
			want = append(want, "NUL")
		default:
			want = append(want, "line "+string(line))
		}
		if !terminated {
			return append(want, "rest "+string(line))
		}
		stream = rest
	}
}

func TestInput(t *testing.T) {
	x := strings.Repeat
	tests := map[string][]string{
		"":                              {"rest "},
		"a\nb\n":                        {"line a", "line b", "rest "},
		"a\n b":                         {"line a", "rest  b"},
		"\n \n\t\r \n# x\n#\x00\n":      {"rest "},
		" #x\n":                         {"line  #x", "rest "},
		"a\x00b\n \x00\nc\n":            {"NUL", "NUL", "line c", "rest "},
		"#x":                            {"rest #x"},
		x("x", 4095) + "\ny\n":          {"line " + x("x", 4095), "line y", "rest "},
		x("x", 4096) + "\ny\n":          {"too long", "line y", "rest "},
		x("x", 9000) + "\n\ny\n":        {"too long", "line y", "rest "},
		x("x", 4096):                    {"too long", "rest "},
		x("x", 4095):                    {"rest " + x("x", 4095)},
		x("x", 9000):                    {"too long", "rest "},
		x("#", 9000) + "\ny\n":          {"line y", "rest "},
		x("#", 9000):                    {"rest "},
		" " + x("#", 9000) + "\ny\n":    {"too long", "line y", "rest "},
		x(" ", 4096) + "\n":             {"too long", "rest "},
		x("x\x00", 4000) + "\ny\n":      {"too long", "line y", "rest "},
		"a\n" + x("x", 4096) + "\n#\nb": {"line a", "too long", "rest b"},
		x("x", 9000) + "\n" + x("y", 5000) + "\nz\n": {"too long", "too long", "line z", "rest "},
	}
	for stream, want := range tests {
		for _, sizes := range []string{"", "\x00", "\x01\x07", "\xff", "\x00\xff\x30"} {
			if got := feed([]byte(stream), []byte(sizes)); !reflect.DeepEqual(got, want) {
				t.Errorf("%.20q of %d, pieces %q: %s", stream, len(stream), sizes, brief(got))
			}
		}
		if got := reference([]byte(stream)); !reflect.DeepEqual(got, want) {
			t.Errorf("reference, %.20q of %d: %s", stream, len(stream), brief(got))
		}
	}
}

func brief(lines []string) string {
	var b strings.Builder
	for _, s := range lines {
		fmt.Fprintf(&b, "%.20q(%d) ", s, len(s))
	}
	return b.String()
}

func TestInputFull(t *testing.T) {
	var in Input
	if in.Full() {
		t.Error("an empty Input is full")
	}
	n := copy(in.Space(), bytes.Repeat([]byte("echo\n"), 1000))
	in.Filled(n)
	if n != MaxLine || !in.Full() || len(in.Space()) != 0 {
		t.Errorf("after %d bytes it is not full", n)
	}
	if line, kind := in.Next(); string(line) != "echo" || kind != Line {
		t.Errorf("%q %d", line, kind)
	}
	if in.Full() || len(in.Space()) != 5 {
		t.Error("a taken line left no room")
	}
	in.Reset()
	if _, kind := in.Next(); kind != None || len(in.Space()) != MaxLine {
		t.Error("Reset left something")
	}
}

func FuzzInput(f *testing.F) {
	x := strings.Repeat
	f.Add([]byte("a\n\nb\x00\n#c\nd"), []byte{0, 3}, uint16(0))
	f.Add([]byte("a\n\nb\x00\n#c\nd\n"), []byte{255}, uint16(4095))
	f.Add([]byte("#"), []byte{1}, uint16(4096))
	f.Add([]byte("\n"+x(" ", 4090)+"\n"), []byte{40, 2}, uint16(5000))
	f.Fuzz(func(t *testing.T, stream, sizes []byte, pad uint16) {
		// A long run in the middle, which a fuzzer does not find by itself.
		half := len(stream) / 2
		long := append([]byte{}, stream[:half]...)
		long = append(long, x("p", int(pad%10000))...)
		long = append(long, stream[half:]...)
		for _, s := range [][]byte{stream, long} {
			if got, want := feed(s, sizes), reference(s); !reflect.DeepEqual(got, want) {
				t.Errorf("%s\nwant %s", brief(got), brief(want))
			}
		}
	})
}
