//go:build linux && (applet || !(amd64 || arm64 || arm.6 || riscv64))

package spawn

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func dyingChild() int32 { return 0 }

// endBy: the applet has a memory of its own, of which no core is made.
func endBy(sig syscall.Signal, status syscall.WaitStatus) bool {
	return status.Signal() == sig && !status.CoreDump()
}

// ready: until the applet lets all signals through, a fault makes its runtime give
// up.
func ready(pid int) bool {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return strings.Contains(string(status), "SigBlk:\t0000000000000000\n")
}

// A process that only looks like the applet must do nothing.
func TestAppletWithoutAnOrder(t *testing.T) {
	for _, input := range []string{"", "short", strings.Repeat("long", 100)} {
		c := exec.Command(self, appletArg)
		c.Stdin = strings.NewReader(input)
		text, err := c.CombinedOutput()
		if c.ProcessState.ExitCode() != exitFailed || len(text) != 0 {
			t.Errorf("%.10q: %v, wrote %.200q", input, err, text)
		}
	}
}

func TestImagePath(t *testing.T) {
	own, err := os.Stat(self)
	if err != nil {
		t.Fatal(err)
	}
	if named, err := os.Stat(imagePath()); err != nil || !os.SameFile(own, named) || imagePath() == itself {
		t.Errorf("%s is not %s: %v", imagePath(), self, err)
	}
	defer func(was imageFile) { executed = was }(executed)
	executed.inode++ // somebody has put another file there
	p := newPool(t)
	if text, _, _ := output(t, p, "/bin/sh\t-c\techo by the link"); imagePath() != itself || text != "by the link\n" {
		t.Errorf("by %s: %q", imagePath(), text)
	}
}
