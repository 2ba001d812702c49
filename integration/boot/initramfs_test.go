package boot

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"sort"
	"testing"

	"golang.org/x/sys/unix"
)

// initramfs is what the kernel unpacks into its first root file system, by path without a leading slash.
type initramfs map[string]entry

// An entry's mode has the type of the file, as in stat(2).
type entry struct {
	mode uint32
	data []byte // of a file; of a symbolic link, where it leads
	dev  uint64 // of a device
}

func (fs initramfs) file(name string, data []byte) {
	fs[name] = entry{mode: unix.S_IFREG | 0o755, data: data}
}

// copy takes a file of the host.
func (fs initramfs) copy(t testing.TB, name, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatalf("%v (make boot-test builds and fetches what these tests use)", err)
	}
	fs.file(name, data)
}

func (fs initramfs) link(name, to string) {
	fs[name] = entry{mode: unix.S_IFLNK | 0o777, data: []byte(to)}
}

func (fs initramfs) device(name string, major, minor uint32) {
	fs[name] = entry{mode: unix.S_IFCHR | 0o666, dev: unix.Mkdev(major, minor)}
}

func (fs initramfs) dir(name string) {
	if name != "." {
		fs[name] = entry{mode: unix.S_IFDIR | 0o755}
		fs.dir(path.Dir(name))
	}
}

// archive packs it as the kernel wants it: cpio's "newc" format (Documentation/driver-api/early-userspace/
// buffer-format.rst), directories before what is in them.
func (fs initramfs) archive() []byte {
	for name := range fs {
		fs.dir(path.Dir(name))
	}
	names := make([]string, 0, len(fs))
	for name := range fs {
		names = append(names, name)
	}
	sort.Strings(names)
	var b bytes.Buffer
	for i, name := range names {
		appendEntry(&b, i+1, name, fs[name])
	}
	appendEntry(&b, 0, "TRAILER!!!", entry{})
	return b.Bytes()
}

func appendEntry(b *bytes.Buffer, inode int, name string, e entry) {
	const links, owner, group, mtime, major, minor, check = 1, 0, 0, 0, 0, 0, 0
	b.WriteString("070701")
	for _, field := range []int{
		inode, int(e.mode), owner, group, links, mtime, len(e.data), major, minor,
		int(unix.Major(e.dev)), int(unix.Minor(e.dev)), len(name) + 1, check,
	} {
		fmt.Fprintf(b, "%08x", field)
	}
	b.WriteString(name + "\x00")
	pad(b)
	b.Write(e.data)
	pad(b)
}

func pad(b *bytes.Buffer) {
	for b.Len()%4 != 0 {
		b.WriteByte(0)
	}
}
