package spawn

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestArgs(t *testing.T) {
	p := newPool(t)
	many := strings.Repeat("x\t", 1500) + "end"
	for _, args := range []string{"", "\t\t", "a\t\tb\t", " \xff", strings.Repeat("\t", 4000), many} {
		words := append([]string{self, "helper:args"}, strings.Split(args, "\t")...)
		text, status, out := output(t, p, strings.Join(words, "\t"))
		if want := fmt.Sprintf("%q", words); text != want || status != 0 || out.Step != StepNone {
			t.Errorf("args %.20q: status %#x, %+v, got %.200s", args, status, out, text)
		}
	}
}

func TestArgvOfAnyText(t *testing.T) {
	p := newPool(t)
	for _, size := range []int{1, 100 << 10} {
		words := []string{self, "helper:args", "tab\tnewline\n", "", strings.Repeat("y", size)}
		text, status, _ := outputOf(t, p, func(s *Spawner) { s.SetArgv(words) })
		if want := fmt.Sprintf("%q", words); text != want || status != 0 {
			t.Errorf("size %d: status %#x, got %.200s", size, status, text)
		}
	}
}

func TestEnvironment(t *testing.T) {
	environ := []string{"PATH=/nowhere", "EMPTY=", "A=b=c", "odd", noSleep, "PATH=/second"}
	p := newPool(t, environ...)
	text, _, _ := output(t, p, "/bin/sh\t-c\texec \"$0\" helper:environ\t"+self)
	for _, e := range []string{"EMPTY=", "A=b=c"} {
		if !strings.Contains(text, fmt.Sprintf("%q", e)) {
			t.Errorf("%q is not in %s", e, text)
		}
	}
	direct, _, _ := output(t, p, self+"\thelper:environ")
	if want := fmt.Sprintf("%q", environ[:5]); direct != want { // Go drops the second of a name
		t.Errorf("got %s, want %s", direct, want)
	}
}

// failure is what a program that can't be executed leaves behind.
func failure(program string, e syscall.Errno) string {
	return fmt.Sprintf("error: exec(%s, ...) failed: errno %d\n", program, int(e))
}

func TestExecFails(t *testing.T) {
	dir := t.TempDir()
	plain := script(t, 0o644, dir, "plain", "exit 9")
	p := newPool(t, "PATH="+dir+":/nowhere")
	long := strings.Repeat("n", 256)
	deep := strings.Repeat("/d", 2040)
	for _, c := range []struct {
		program string
		errno   syscall.Errno
	}{
		{"", syscall.ENOENT},
		{"missing", syscall.ENOENT},
		{"/missing", syscall.ENOENT},
		{plain, syscall.EACCES},
		{"plain", syscall.EACCES},
		{plain + "/x", syscall.ENOTDIR},
		{dir, syscall.EACCES},
		{long[:255], syscall.ENOENT},
		{long, syscall.ENAMETOOLONG},
		{"/" + long, syscall.ENAMETOOLONG},
		{deep, syscall.ENOENT},
		{deep + strings.Repeat("/d", 7) + "d", syscall.ENOENT},
	} {
		text, status, out := output(t, p, c.program+"\targument")
		if want := failure(c.program, c.errno); text != want {
			t.Errorf("%.50q: wrote %.200q, want %.200q", c.program, text, want)
		}
		if status.ExitStatus() != exitFailed || out.Step != StepExec || out.StepErrno != c.errno || out.PID == 0 || out.ForkErrno != 0 {
			t.Errorf("%.50q: status %#x, %+v", c.program, status, out)
		}
	}
}

func TestExecFailsWithNowhereToSaySo(t *testing.T) {
	p := newPool(t)
	r, w := pipe(t)
	r.Close()
	for _, fd := range []int{-1, int(w.Fd())} {
		s, out := newClient().start(t, p, "/missing", -1, -1, fd)
		s.Release()
		if status := reap(t, out.PID); !status.Exited() || status.ExitStatus() != exitFailed {
			t.Errorf("status %#x", status)
		}
	}
}

func TestSearch(t *testing.T) {
	dir := t.TempDir()
	sub := func(name string) string {
		d := filepath.Join(dir, name)
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		return d
	}
	none, denied, good, other, here := sub("none"), sub("denied"), sub("good"), sub("other"), sub("here")
	const say = "#!/bin/sh\necho \"$0\" \"$@\""
	script(t, 0o644, denied, "prog", say)
	script(t, 0o755, good, "prog", say)
	script(t, 0o755, other, "prog", say)
	script(t, 0o755, here, "prog", say)
	script(t, 0o755, here, "text", "echo text \"$0\" \"$@\"") // no #!
	script(t, 0o755, good, "bad", "#!/no/interpreter\n")
	script(t, 0o755, other, "bad", say)
	file := script(t, 0o644, dir, "file", "")
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	endless := "/" + strings.Repeat("e", 5000)
	deep := strings.Repeat("/d", 2045)
	t.Chdir(here)

	for _, c := range []struct{ path, program, want string }{
		{good + ":" + other, "prog", good + "/prog 1\n"},
		{none + ":" + good, "prog", good + "/prog 1\n"},
		{denied + ":" + good, "prog", good + "/prog 1\n"},
		{denied + ":" + none, "prog", failure("prog", syscall.EACCES)},
		{none + ":" + denied, "prog", failure("prog", syscall.EACCES)},
		{file + ":" + good, "prog", good + "/prog 1\n"},
		{"/no/such/directory:" + good, "prog", good + "/prog 1\n"},
		{loop + ":" + good, "prog", failure("prog", syscall.ELOOP)},
		{"", "prog", "prog 1\n"},
		{none + ":", "prog", "prog 1\n"},
		{none + "::" + good, "prog", "prog 1\n"},
		{":" + good, "prog", "prog 1\n"},
		{"./", "prog", ".//prog 1\n"},
		{none + ":", "text", "text text 1\n"},
		{".", "text", "text ./text 1\n"},
		{none, here + "/text", "text " + here + "/text 1\n"},
		{none, "./text", "text ./text 1\n"},
		{good + ":" + other, "bad", other + "/bad 1\n"},
		{endless + ":" + good, "prog", good + "/prog 1\n"},
		{endless, "prog", failure("prog", syscall.ENAMETOOLONG)},
		{deep + ":" + good, "prog", good + "/prog 1\n"},
		{deep + "/xxx:" + good, "prog", failure("prog", syscall.ENAMETOOLONG)},
	} {
		p := newPool(t, "PATH="+c.path)
		text, _, _ := output(t, p, c.program+"\t1")
		if text != c.want {
			t.Errorf("PATH %.60q, %s: got %.100q, want %.100q", c.path, c.program, text, c.want)
		}
	}

	p := newPool(t, "HOME=/") // no PATH: /bin:/usr/bin
	if text, _, _ := output(t, p, "sh\t-c\techo $0 found"); text != "sh found\n" {
		t.Errorf("without PATH: got %q", text)
	}
}

func TestShellIsGivenTheArguments(t *testing.T) {
	dir := t.TempDir()
	path := script(t, 0o755, dir, "noheader", "for a; do echo \"<$a>\"; done")
	p := newPool(t)
	text, status, _ := output(t, p, path+"\t\ta b\t")
	if want := "<>\n<a b>\n<>\n"; text != want || status != 0 {
		t.Errorf("got %q, status %#x", text, status)
	}
	if text, _, _ = output(t, p, path); text != "" {
		t.Errorf("without arguments: got %q", text)
	}
}
