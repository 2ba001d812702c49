package actor

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// readSource reads one piece and waits for it.
func readSource(t *testing.T, s *Source, b bell, buf []byte) (int, error) {
	t.Helper()
	for {
		n, err := s.Read(buf)
		if err != unix.EAGAIN {
			return n, err
		}
		await(t, b, "input")
	}
}

func TestSourceReads(t *testing.T) {
	r, w := sharedPipe(t)
	b := newBell()
	s := NewSource(r, b)
	if _, err := s.Read(make([]byte, 10)); err != unix.EAGAIN {
		t.Fatalf("got %v, want EAGAIN", err)
	}
	want := bytes.Repeat([]byte("0123456789"), 3000)
	go func() {
		for rest := want; len(rest) > 0; {
			n, err := unix.Write(w, rest)
			if err != nil {
				return
			}
			rest = rest[n:]
		}
		closeFD(w)
	}()
	var got []byte
	buf := make([]byte, 777)
	for {
		n, err := readSource(t, s, b, buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		got = append(got, buf[:n]...)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, want %d", len(got), len(want))
	}
	for range 3 {
		if n, err := s.Read(buf); n != 0 || err != nil {
			t.Fatalf("after the end: %d, %v", n, err)
		}
	}
	s.Stop()
}

func TestSourceTellsErrors(t *testing.T) {
	_, w := sharedPipe(t)
	b := newBell()
	s := NewSource(w, b) // not open for reading
	for range 2 {
		if _, err := readSource(t, s, b, make([]byte, 1)); err != unix.EBADF {
			t.Fatalf("got %v, want EBADF", err)
		}
	}
	s.Stop()
}

// A descriptor that somebody has made non-blocking serves as well.
func TestSourceOfANonBlockingDescriptor(t *testing.T) {
	r, w := sharedPipe(t)
	if err := unix.SetNonblock(r, true); err != nil {
		t.Fatal(err)
	}
	b := newBell()
	s := NewSource(r, b)
	if _, err := unix.Write(w, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 9)
	if n, err := readSource(t, s, b, buf); err != nil || string(buf[:n]) != "hello" {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	s.Stop()
	closeFD(w)
	await(t, b, "the end of the read that was under way")
}

func TestSourceStopsAfterTheReadItIsIn(t *testing.T) {
	r, w := sharedPipe(t)
	b := newBell()
	s := NewSource(r, b)
	s.Stop()
	if _, err := unix.Write(w, []byte("x")); err != nil {
		t.Fatal(err)
	}
	await(t, b, "the last read")
}
