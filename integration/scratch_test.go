package integration

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNothingButTheBinary runs an entrypoint as an ordinary user in a root directory that holds nothing else, read-only
// to it: no /proc, no /dev/null, no shell. What it runs is itself.
func TestNothingButTheBinary(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	image, err := os.ReadFile(daemonBinary)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeProgram(filepath.Join(root, "daemonproxy"), image); err != nil {
		t.Fatal(err)
	}
	for dir := root; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		flags  uintptr
		words  string
		status int
		stdout string // how it begins
		log    string
	}{
		{syscall.CLONE_NEWPID, "-- /daemonproxy --version", 1, "daemonproxy version ", "info: daemonproxy exiting\n"},
		{0, "-- /daemonproxy --version", 1, "daemonproxy version ", "info: daemonproxy exiting\n"},
		{syscall.CLONE_NEWPID, "-- daemonproxy", 127, "", "error: exec(daemonproxy, ...) failed: No such file or directory\n"},
		{syscall.CLONE_NEWPID, "-- /", 126, "", "error: exec(/, ...) failed: Permission denied\n"},
		{0, "-E /daemonproxy\t--bad -- /daemonproxy --help", 2, "daemonproxy version ", "fatal: Unknown option --bad"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		c := exec.CommandContext(ctx, "/daemonproxy", strings.Split(tt.words, " ")...)
		c.Env = []string{"PATH=/bin"}
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{
			Chroot: root, Cloneflags: tt.flags | syscall.CLONE_NEWNS,
			Credential: &syscall.Credential{Uid: 65534, Gid: 65534},
		}
		var stdout, log bytes.Buffer
		c.Stdin, c.Stdout, c.Stderr = io.MultiReader(), &stdout, &log
		err := c.Run()
		if c.ProcessState == nil {
			t.Fatal(err)
		}
		if got := c.ProcessState.ExitCode(); got != tt.status {
			t.Errorf("%s: status %d, want %d", tt.words, got, tt.status)
		}
		if !strings.HasPrefix(stdout.String(), tt.stdout) {
			t.Errorf("%s: it says %q", tt.words, stdout.String())
		}
		for _, line := range []string{"warning: Can't open /dev/null: No such file or directory\n", tt.log} {
			if !strings.Contains(log.String(), line) {
				t.Errorf("%s: the log does not say %q", tt.words, line)
			}
		}
		if strings.Contains(log.String(), "Ctrl-Alt-Del") || t.Failed() {
			t.Errorf("%s: the log is %q", tt.words, log.String())
		}
	}
}
