package integration

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func init() {
	register(map[string]func(*testing.T){
		"C175_log_waits_for_its_handle":         logWaitsForItsHandle,
		"C176_log_buffer_keeps_4000_bytes":      logBufferKeeps4000Bytes,
		"C177_lost_messages_are_counted":        lostMessagesAreCounted,
		"C179_blocked_log_blocks_nothing_else":  blockedLogBlocksNothingElse,
		"C180_full_device_is_not_written_often": fullDeviceIsNotWrittenOften,
		"C181_full_pipe_is_not_written_often":   fullPipeIsNotWrittenOften,
		"C182_text_survives_a_full_device":      textSurvivesAFullDevice,
		"C183_log_resumes_on_a_new_handle":      logResumesOnANewHandle,
	})
}

// logged is the log line of an unknown command.
func logged(command string) string { return "error: controller[0] sent unknown command " + command }

// messages makes the daemon log so many lines of so many bytes each, and returns them.
func (d *daemon) messages(count, length int) (lines []string) {
	d.t.Helper()
	for n := range count {
		command := fmt.Sprintf("nosuch.%d.", n)
		command += strings.Repeat("x", max(0, length-len(logged(command))-1))
		d.i.send(command)
		lines = append(lines, logged(command))
	}
	d.i.skip()
	return lines
}

func logWaitsForItsHandle(t *testing.T) {
	d := start(t, "-i")
	d.i.send("log.dest⇥fd⇥later")
	d.i.expect(`warning⇥fd "later" does not exist`)
	want := d.messages(3, 60)
	d.i.send("fd.open⇥later⇥write,create⇥{dir}/log")
	d.i.expect("fd.state⇥later⇥file⇥write,create⇥{dir}/log")
	d.awaitFile("log", strings.Join(want, "\n")+"\n")
	want = append(want, d.messages(1, 60)...)
	d.awaitFile("log", strings.Join(want, "\n")+"\n")
	d.i.send("log.dest⇥fd⇥stderr")
	d.i.sync()
	d.messages(1, 60)
	d.log.expect(logged("nosuch.0.{any}"))
	d.awaitFile("log", strings.Join(want, "\n")+"\n")
}

// logToFullPipe starts a daemon whose log is a pipe that is full, and returns the stream of that pipe.
func logToFullPipe(t *testing.T) (d *daemon, out *lines) {
	t.Helper()
	r, w, filler := fullPipe(t)
	d = setup{args: []string{"-i"}, fds: map[int]*os.File{2: w}}.start(t)
	d.set("filler", filler)
	return d, d.stream("pipe", r)
}

func logBufferKeeps4000Bytes(t *testing.T) {
	d, out := logToFullPipe(t)
	want := d.messages(40, 100)
	out.expect("{filler}")
	out.expect(want...)
	out.expect(d.messages(1, 60)...)

	d, out = logToFullPipe(t)
	want = d.messages(80, 100)
	out.expect("{filler}")
	out.expect(want[:40]...)
	before := out.until("warning: lost {int} log messages")
	if len(before) >= 40 {
		t.Errorf("all messages were kept")
	}
}

func lostMessagesAreCounted(t *testing.T) {
	d, out := logToFullPipe(t)
	want := d.messages(80, 100)
	out.expect("{filler}")
	kept := out.until("warning: lost {int=lost} log messages")
	if len(kept)+d.num("lost") != len(want) {
		t.Errorf("%d of %d messages were kept, and %d lost", len(kept), len(want), d.num("lost"))
	}
	out.expect(d.messages(1, 60)...)
}

func blockedLogBlocksNothingElse(t *testing.T) {
	d, _ := logToFullPipe(t)
	d.messages(200, 100)
	d.i.send("service.args⇥s⇥{helper exit}", "service.start⇥s")
	d.i.await("service.state⇥s⇥down⇥{any}")
	d.signal("HUP")
	d.i.expect("signal⇥SIGHUP⇥{now}⇥1")
	d.i.send("log.dest⇥fd⇥null", "log.dest⇥fd⇥stderr")
	d.i.sync()
	begun := time.Now()
	d.messages(2, 100)
	d.i.send("terminate⇥2")
	d.expectExit(2)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("exit took %v", took)
	}
}

func devFull(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// fullDeviceIsNotWrittenOften looks at the first 1.25 s of attempts, whose end the first later attempt shows.
func fullDeviceIsNotWrittenOften(t *testing.T) {
	for _, count := range []int{5, 500} {
		w := watchWrites(t, "/dev/full")
		d := setup{args: []string{"-i"}, wrap: w.wrap, fds: map[int]*os.File{2: devFull(t), 9: w.passed}}.start(t)
		d.messages(count, 60)
		first, attempts := w.next(t, d.limit), 1
		for w.next(t, d.limit).Sub(first) < 1250*time.Millisecond {
			attempts++
		}
		if attempts < 4 || attempts > 9 {
			t.Errorf("%d messages: %d attempts to write within 1.25 s", count, attempts)
		}
	}
}

func fullPipeIsNotWrittenOften(t *testing.T) {
	r, log, filler := fullPipe(t)
	name := ""
	control(t, log, func(fd int) (err error) {
		name, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		return err
	})
	w := watchWrites(t, name)
	d := setup{args: []string{"-i"}, wrap: w.wrap, fds: map[int]*os.File{2: log, 9: w.passed}}.start(t)
	out := d.stream("pipe", r)
	want := d.messages(30, 100)
	out.expect(filler)
	out.expect(want...)
	d.i.sync()
	if n := len(w.attempts); n == 0 || n >= 6 {
		t.Errorf("%d attempts to write", n)
	}
}

func textSurvivesAFullDevice(t *testing.T) {
	d := setup{args: []string{"-i"}, fds: map[int]*os.File{2: devFull(t)}}.start(t)
	want := strings.Join(d.messages(5, 60), "\n") + "\n"
	d.i.send("fd.open⇥good⇥write,create⇥{dir}/log", "log.dest⇥fd⇥good")
	d.i.expect("fd.state⇥good⇥file⇥write,create⇥{dir}/log")
	d.i.sync()
	d.awaitFile("log", want)
}

func logResumesOnANewHandle(t *testing.T) {
	d := start(t, "-i")
	// The stderr of the start …
	d.i.send("fd.delete⇥stderr")
	d.i.expect("fd.state⇥stderr⇥deleted")
	want := d.messages(3, 60)
	d.i.send("fd.open⇥stderr⇥write,create⇥{dir}/one")
	d.i.expect("fd.state⇥stderr⇥file⇥write,create⇥{dir}/one")
	d.awaitFile("one", strings.Join(want, "\n")+"\n")
	// … and one opened since.
	d.i.send("fd.delete⇥stderr")
	d.i.expect("fd.state⇥stderr⇥deleted")
	want = d.messages(2, 60)
	d.i.send("fd.open⇥stderr⇥write,create⇥{dir}/two")
	d.i.expect("fd.state⇥stderr⇥file⇥write,create⇥{dir}/two")
	d.awaitFile("two", strings.Join(want, "\n")+"\n")
	// Replacing it by another needs no deletion.
	d.i.send("fd.open⇥stderr⇥write,create⇥{dir}/three")
	d.i.expect("fd.state⇥stderr⇥file⇥write,create⇥{dir}/three")
	want = d.messages(2, 60)
	d.awaitFile("three", strings.Join(want, "\n")+"\n")
}
