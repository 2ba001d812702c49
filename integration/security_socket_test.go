package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The promise that nobody gets through the control socket whom its options did not let in, not even for a moment.

func init() {
	helpers["knock"] = helperKnock
}

// knock UID GID PATH: connects to a socket as somebody else, and says how that went.
func helperKnock(args []string) int {
	uid, _ := strconv.Atoi(args[0])
	gid, _ := strconv.Atoi(args[1])
	if syscall.Setgroups(nil) != nil || syscall.Setgid(gid) != nil || syscall.Setuid(uid) != nil {
		return 1
	}
	conn, err := net.Dial("unix", args[2])
	if err != nil {
		var errno syscall.Errno
		errors.As(err, &errno)
		fmt.Println(errno)
		return 0
	}
	conn.Close()
	fmt.Println("connected")
	return 0
}

// TestControlSocketModeIsObeyed by the kernel: owner, group and others, each with and without the right to write.
func TestControlSocketModeIsObeyed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("only root can be somebody else: the modes alone are looked at")
	}
	const user, group, stranger = 65501, 65502, 65503
	for _, tt := range []struct {
		options             string
		mode                os.FileMode
		owner, member, rest bool // who may connect
	}{
		{"-", 0o600, false, false, false},
		{fmt.Sprintf("uid=%d", user), 0o600, true, false, false},
		{fmt.Sprintf("mode=660,gid=%d", group), 0o660, false, true, false},
		{fmt.Sprintf("gid=%d,uid=%d,mode=060", group, user), 0o060, false, true, false},
		{fmt.Sprintf("mode=440,gid=%d,uid=%d", group, user), 0o440, false, false, false},
		{"mode=666", 0o666, true, true, true},
		{"mode=0", 0, false, false, false},
	} {
		d := start(t, "-i")
		if err := os.Chmod(d.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() != 0 && strings.Contains(tt.options, "id=") {
			continue
		}
		d.i.send("socket.create⇥" + tt.options + "⇥{dir}/ctl")
		d.i.sync()
		expectMode(t, d.controlSocket(), os.ModeSocket|tt.mode)
		if os.Geteuid() != 0 {
			continue
		}
		for _, who := range []struct {
			uid, gid int
			may      bool
		}{{user, stranger, tt.owner}, {stranger, group, tt.member}, {stranger, stranger, tt.rest}} {
			want := "permission denied"
			if who.may {
				want = "connected"
			}
			d.i.send(fmt.Sprintf("service.args⇥s⇥{helper knock}⇥%d⇥%d⇥{dir}/ctl", who.uid, who.gid),
				"service.fds⇥s⇥null⇥stderr⇥stderr", "service.start⇥s")
			d.log.expect(want)
			d.i.await("service.state⇥s⇥down⇥{any}")
		}
	}
}

// TestControlSocketIsNeverWider looks at each system call: the umask denies everything to others before there is a file,
// the file never gets more than it is to have, and nobody can connect before it is complete.
func TestControlSocketIsNeverWider(t *testing.T) {
	t.Parallel()
	calls := filepath.Join(t.TempDir(), "calls")
	d := setup{
		args: []string{"-i", "-S", "{dir}/first"},
		wrap: []string{"/usr/bin/env", "strace", "-D", "-f", "-qq", "-e", "signal=none", "-o", calls,
			"-e", "trace=umask,fchmod,bind,listen,fchownat,fchmodat,?fchmodat2,chmod,chown,lchown,fchown,rename,?renameat,?renameat2"},
		fresh: true, loose: true,
	}.start(t)
	d.i.send(fmt.Sprintf("socket.create⇥mode=666,uid=%d,gid=%d⇥{dir}/second", os.Geteuid(), os.Getegid()), "socket.create⇥mode=400⇥{dir}/third")
	d.i.skip()
	expectMode(t, filepath.Join(d.dir, "third"), os.ModeSocket|0o400)
	d.i.send("terminate⇥0")
	d.expectExit(0)

	var steps []string
	d.eventually("the last calls", func() bool {
		text, err := os.ReadFile(calls)
		if err != nil {
			t.Fatal(err)
		}
		steps = socketSteps(t, string(text))
		return slices.Contains(steps, "listen third")
	})
	want := []string{
		"umask 077",
		"fchmod 0600", "bind first", "listen first",
		"fchmod 0666", "bind second", "chown", "chmod 0666", "listen second",
		"fchmod 0400", "bind third", "listen third",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("the daemon did %q\nwant %q", steps, want)
	}
}

var (
	traced     = regexp.MustCompile(`^(\d+) +(\w+)\((.*)\) += (\S+)`)
	unfinished = regexp.MustCompile(`^((\d+) .*) <unfinished \.\.\.>\n$`)
	resumed    = regexp.MustCompile(`^(\d+) +<\.\.\. \w+ resumed>(.*\n)$`)
	boundTo    = regexp.MustCompile(`sun_path="([^"]*)"`)
)

// socketSteps tells the story of a trace in short words, without the calls that have failed.
func socketSteps(t *testing.T, trace string) (steps []string) {
	t.Helper()
	bound := ""
	begun := map[string]string{}
	for line := range strings.Lines(trace) {
		if part := unfinished.FindStringSubmatch(line); part != nil {
			begun[part[2]] = part[1]
			continue
		}
		if rest := resumed.FindStringSubmatch(line); rest != nil {
			line = begun[rest[1]] + rest[2]
		}
		call := traced.FindStringSubmatch(line)
		if call == nil || call[4] != "0" && call[2] != "umask" {
			continue
		}
		args := strings.Split(call[3], ", ")
		switch call[2] {
		case "umask":
			steps = append(steps, "umask "+args[0])
		case "bind":
			bound = filepath.Base(boundTo.FindStringSubmatch(call[3])[1])
			steps = append(steps, "bind "+bound)
		case "listen":
			steps = append(steps, "listen "+bound)
		case "fchmod":
			steps = append(steps, "fchmod "+args[1])
		case "fchmodat", "fchmodat2":
			steps = append(steps, "chmod "+args[2])
		case "syscall_0x1c4": // what strace calls fchmodat2 before it knows it
			mode, _ := strconv.ParseUint(args[2], 0, 32)
			steps = append(steps, fmt.Sprintf("chmod 0%o", mode))
		case "fchownat":
			steps = append(steps, "chown")
		default:
			t.Errorf("an unexpected step: %s", line)
		}
	}
	return steps
}

// attacker does something as fast as it can until it is called, at the latest at the end of the test. It tells how often
// that has succeeded.
func attacker(t *testing.T, try func() bool) (stop func() int) {
	t.Helper()
	done, ended := make(chan struct{}), make(chan struct{})
	count := 0
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			default:
			}
			if try() {
				count++
			}
		}
	}()
	once := sync.OnceFunc(func() { close(done); <-ended })
	t.Cleanup(once)
	return func() int { once(); return count }
}

// TestControlSocketUnderAttack: somebody who may replace a directory on the socket's path does so all the time. He cannot
// have daemonproxy remove, replace or open up anything in the other directory.
func TestControlSocketUnderAttack(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}}.start(t)
	for _, dir := range []string{"own", "precious"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	precious := filepath.Join(d.dir, "precious", "ctl")
	if err := os.WriteFile(precious, []byte("dear content\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, precious)
	link, next := filepath.Join(d.dir, "link"), filepath.Join(d.dir, "next")
	if err := os.Symlink("own", link); err != nil {
		t.Fatal(err)
	}
	target := 0
	attack := attacker(t, func() bool {
		target = 1 - target
		return os.Symlink([]string{"own", "precious"}[target], next) == nil && os.Rename(next, link) == nil
	})
	made := 0
	for range 600 {
		answer := d.i.ask("socket.create⇥mode=666⇥{dir}/link/ctl", "socket.delete")
		if len(answer) == 0 {
			made++
		}
	}
	n := attack()
	if n < 100 || made == 0 {
		t.Fatalf("%d swaps, %d sockets: nothing was tried", n, made)
	}
	if after := snapshot(t, precious); !slices.Equal(before, after) {
		t.Errorf("after %d swaps and %d sockets the files were %q\nthey are %q", n, made, before, after)
	}
}

// TestControlSocketFollowsNoLink that somebody puts in its place while it is made again and again: where the link leads to
// nothing is ever made, removed or altered.
func TestControlSocketFollowsNoLink(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}}.start(t)
	target, path := filepath.Join(d.dir, "target"), d.controlSocket()
	if err := os.WriteFile(target, []byte("dear content\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(target)
	if err != nil {
		t.Fatal(err)
	}
	attack := attacker(t, func() bool {
		if os.Symlink("target", path) != nil && os.Symlink("nowhere", path) != nil {
			return false
		}
		os.Remove(path)
		return true
	})
	for range 400 {
		d.i.ask("socket.create⇥mode=666⇥{dir}/ctl", "socket.delete")
	}
	if attack() == 0 {
		t.Fatal("nothing was tried")
	}
	expectSame(t, target, info)
	expectMode(t, target, 0o640)
	if _, err := os.Lstat(filepath.Join(d.dir, "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was made where the link leads to")
	}
}

// TestControlSocketModesInBetween looks at the file as fast as it can while it is made and removed: at no moment may
// anybody do more with it than was asked for.
func TestControlSocketModesInBetween(t *testing.T) {
	t.Parallel()
	d := setup{args: []string{"-i"}}.start(t)
	modes := map[os.FileMode]int{}
	look := attacker(t, func() bool {
		var st unix.Stat_t
		if unix.Lstat(d.controlSocket(), &st) != nil {
			return false
		}
		modes[os.FileMode(st.Mode&0o777)]++
		return true
	})
	for range 300 {
		d.i.ask("socket.create⇥mode=620⇥{dir}/ctl", "socket.delete")
	}
	look()
	for mode := range modes {
		if mode&^0o620 != 0 {
			t.Errorf("at some moment the mode was %o", mode)
		}
	}
	if modes[0o620] == 0 {
		t.Errorf("the socket was never seen: %v", modes)
	}
}
