package controller

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

func at(path string) *protocol.Command {
	return &protocol.Command{Path: []byte(path), Mode: protocol.DefaultMode, UID: -1, GID: -1}
}

// listens makes a listener that must come about and closes it at the end.
func listens(t *testing.T, cmd *protocol.Command) *listener {
	t.Helper()
	l := &listener{fd: -1}
	step, err := l.listen(cmd)
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	t.Cleanup(func() {
		if l.fd >= 0 {
			l.close()
		}
	})
	return l
}

func refuses(t *testing.T, cmd *protocol.Command, step string, errno error) {
	t.Helper()
	l := listener{fd: -1}
	gotStep, err := l.listen(cmd)
	if err != errno || gotStep != step {
		t.Fatalf("%s%v, want %s%v", gotStep, err, step, errno)
	}
	if l.fd != -1 {
		t.Fatal("a descriptor came with the error")
	}
}

func lstat(t *testing.T, path string) (st unix.Stat_t) {
	t.Helper()
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

func connects(path string) bool {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l := listens(t, at(path))
	if !connects(path) {
		t.Fatal("nobody listens")
	}
	flags, _ := unix.FcntlInt(uintptr(l.fd), unix.F_GETFD, 0)
	status, _ := unix.FcntlInt(uintptr(l.fd), unix.F_GETFL, 0)
	if flags&unix.FD_CLOEXEC == 0 || status&unix.O_NONBLOCK == 0 {
		t.Fatal("not close-on-exec, or blocking")
	}
	if !l.close() || l.fd != -1 {
		t.Fatal("not unlinked")
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Fatal(err)
	}
}

func TestListenModes(t *testing.T) {
	for _, mode := range []uint32{0, 0o600, 0o666, 0o777, 0o070, 0o001} {
		path := filepath.Join(t.TempDir(), "s")
		cmd := at(path)
		cmd.Mode = mode
		listens(t, cmd)
		if st := lstat(t, path); st.Mode&0o7777 != mode {
			t.Errorf("mode %o, want %o", st.Mode&0o7777, mode)
		}
	}
}

func TestListenOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	cmd := at(path)
	cmd.Mode, cmd.UID, cmd.GID = 0o660, os.Geteuid(), os.Getegid()
	if os.Geteuid() == 0 {
		cmd.UID, cmd.GID = 1234, 2345
	}
	l := listens(t, cmd)
	if st := lstat(t, path); int(st.Uid) != cmd.UID || int(st.Gid) != cmd.GID || st.Mode&0o7777 != 0o660 {
		t.Fatalf("%d:%d %o", st.Uid, st.Gid, st.Mode)
	}
	if !l.close() {
		t.Fatal("our own socket is not unlinked, since it has another owner")
	}
}

func TestListenReplacesAStaleSocketOnly(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	stale := listens(t, at(path("stale")))
	_ = unix.Close(stale.fd)
	stale.fd = -1
	before := lstat(t, path("stale")).Ino
	listens(t, at(path("stale")))
	if !connects(path("stale")) || before == 0 {
		t.Fatal("a stale socket was not replaced")
	}

	if err := os.Symlink(path("stale"), path("link")); err != nil {
		t.Fatal(err)
	}
	refuses(t, at(path("link")), stepBind, unix.EADDRINUSE)
	if err := os.Symlink(path("nowhere"), path("dangling")); err != nil {
		t.Fatal(err)
	}
	refuses(t, at(path("dangling")), stepBind, unix.EADDRINUSE)
	if err := os.WriteFile(path("file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, at(path("file")), stepBind, unix.EADDRINUSE)
	if err := os.Mkdir(path("dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	refuses(t, at(path("dir")), stepBind, unix.EADDRINUSE)
	if err := unix.Mkfifo(path("fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, at(path("fifo")), stepBind, unix.EADDRINUSE)
	refuses(t, at(path("file/s")), stepBind, unix.ENOTDIR)
	refuses(t, at(path("absent/s")), stepBind, unix.ENOENT)
	for _, name := range []string{"link", "dangling", "file", "dir", "fifo"} {
		lstat(t, path(name))
	}
	if text, err := os.ReadFile(path("file")); err != nil || string(text) != "text" {
		t.Fatal("the file was harmed")
	}
	if !connects(path("stale")) {
		t.Fatal("a link to a socket harmed the socket")
	}
	if os.Geteuid() == 0 {
		listens(t, at(path("foreign")))
		if err := os.Chown(path("foreign"), 1234, -1); err != nil {
			t.Fatal(err)
		}
		refuses(t, at(path("foreign")), stepBind, unix.EADDRINUSE)
	}
}

func TestListenLengths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{
		"x", "@", "@x", "@" + strings.Repeat("y", 106), strings.Repeat("x", 107), "./@z",
	} {
		l := listens(t, at(name))
		if st := lstat(t, name); st.Mode&unix.S_IFMT != unix.S_IFSOCK {
			t.Errorf("%.10s: no socket in the file system", name)
		}
		if !l.close() {
			t.Errorf("%.10s: not unlinked", name)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 108), "@" + strings.Repeat("y", 107)} {
		refuses(t, at(name), stepBind, unix.EINVAL)
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 0 {
		t.Fatal(entries, err)
	}
}

// A later chdir does not matter.
func TestCloseAfterChdir(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	l := listens(t, at("s"))
	t.Chdir(t.TempDir())
	if string(l.path) != dir+"/s" {
		t.Errorf("path %s", l.path)
	}
	if !l.close() {
		t.Error("not unlinked")
	}
	if _, err := os.Lstat(filepath.Join(dir, "s")); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// What somebody has put in the socket's place stays.
func TestCloseLeavesOthersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	for name, replace := range map[string]func(){
		"nothing": func() {},
		"a file":  func() { _ = os.WriteFile(path, nil, 0o600) },
		"a link":  func() { _ = os.Symlink("elsewhere", path) },
		"another socket": func() {
			fd, _ := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			_ = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
			_ = unix.Close(fd)
		},
	} {
		l := listens(t, at(path))
		_ = os.Remove(path)
		replace()
		if l.close() {
			t.Errorf("%s was unlinked", name)
		}
		if _, err := os.Lstat(path); (err == nil) != (name != "nothing") {
			t.Errorf("%s: %v", name, err)
		}
		_ = os.Remove(path)
	}
}
