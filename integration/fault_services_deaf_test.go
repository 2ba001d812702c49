package integration

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// deaf returns the writing end of a pipe that is full and that nobody reads.
func deaf(t *testing.T) *os.File {
	t.Helper()
	_, w := pipe(t)
	fd := int(w.Fd())
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for err := error(nil); err != unix.EAGAIN; {
		_, err = unix.Write(fd, make([]byte, 4096))
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// TestComplaintsThatNobodyReads: programs that can't be executed say so on their descriptor 2. If that is a full pipe they
// end nevertheless, each as it should, and as many as there can be starts hold up nobody else's.
func TestComplaintsThatNobodyReads(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{3: deaf(t)}}.start(t)
	const services = 20 // more than starts that may hang
	for i := range services {
		d.i.send(fmt.Sprintf("service.args⇥s%d⇥{dir}/missing", i), fmt.Sprintf("service.fds⇥s%d⇥null⇥null⇥fd_3", i))
	}
	for i := range services {
		d.i.send(fmt.Sprintf("service.start⇥s%d", i))
	}
	for range services { // in any order
		d.i.await("service.state⇥{any}⇥exit⇥3⇥{any}")
	}
	d.i.send("service.args⇥good⇥/bin/true", "service.start⇥good")
	d.i.await("service.state⇥good⇥down⇥{any}⇥exit⇥0⇥{any}")
}

// TestEntrypointWhoseComplaintNobodyReads ends with status 127 all the same.
func TestEntrypointWhoseComplaintNobodyReads(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"--", "{dir}/missing"}, fds: map[int]*os.File{2: deaf(t)}, loose: true}.start(t)
	d.expectExit(127)
}
