package controller

import (
	"bytes"
	"runtime"
	"sync"
	"unsafe"

	"daemonproxy/actor"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

// usage is scratch for the command memory: one for all connections, since the
// runtime's statistics alone are some kilobytes.
var usage struct {
	mu    sync.Mutex
	stats runtime.MemStats
	text  [4096]byte
}

// memory answers with figures of this process. It allocates nothing itself.
func memory(c *Conn, _ *protocol.Command) (ok protocol.Error) {
	usage.mu.Lock()
	defer usage.mu.Unlock()
	runtime.ReadMemStats(&usage.stats)
	values := [5]int64{int64(usage.stats.Mallocs), int64(usage.stats.Sys), -1, -1, openDescriptors()}
	if pages, ok := procField(statm, 1); ok {
		values[2] = pages * int64(unix.Getpagesize())
	}
	if threads, ok := procField(stat, 19); ok {
		values[3] = threads
	}
	l := actor.NewLine()
	defer l.Free()
	c.send(protocol.AppendMemory(l.B, &values))
	return ok
}

// The files of /proc, as the kernel takes a path: package unix would make a copy
// with a NUL at each call.
var (
	statm       = []byte("/proc/self/statm\x00")
	stat        = []byte("/proc/self/stat\x00")
	descriptors = []byte("/proc/self/fd\x00")
)

func openProc(path []byte) (fd int, ok bool) {
	at := unix.AT_FDCWD
	n, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(at),
		uintptr(unsafe.Pointer(&path[0])), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	return int(n), errno == 0
}

// procField returns a number from a line of blank separated fields. Those of
// stat are counted from behind the parenthesis, as the command name may hold
// blanks.
func procField(path []byte, n int) (int64, bool) {
	fd, ok := openProc(path)
	if !ok {
		return 0, false
	}
	defer unix.Close(fd)
	size, err := unix.Read(fd, usage.text[:])
	if err != nil || size <= 0 {
		return 0, false
	}
	text := usage.text[:size]
	if i := bytes.LastIndexByte(text, ')'); i >= 0 {
		text, n = text[i+2:], n-2
	}
	for ; n > 0; n-- {
		i := bytes.IndexByte(text, ' ')
		if i < 0 {
			return 0, false
		}
		text = text[i+1:]
	}
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		text = text[:i]
	}
	return protocol.ParseInteger(text)
}

// openDescriptors counts the entries of /proc/self/fd, without the one for the
// count itself; -1 if that cannot be known.
func openDescriptors() int64 {
	fd, ok := openProc(descriptors)
	if !ok {
		return -1
	}
	defer unix.Close(fd)
	n := int64(-3) // ".", ".." and fd
	for {
		size, err := unix.ReadDirent(fd, usage.text[:])
		if err != nil {
			return -1
		}
		if size == 0 {
			return n
		}
		for at := 0; at < size; n++ {
			at += int((*unix.Dirent)(unsafe.Pointer(&usage.text[at])).Reclen)
		}
	}
}
