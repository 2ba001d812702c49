package spawn

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	nameMax = 255
	pathMax = 4096 // with the NUL
)

// execute is execvp: it returns only if nothing could be executed, and why.
//
//go:norace
//go:nosplit
//go:nocheckptr
func execute(im *image) syscall.Errno {
	name := program(im)
	size, slash := uintptr(0), false
	for c := byteAt(name, 0); c != 0; c = byteAt(name, size) {
		slash = slash || c == '/'
		size++
	}
	switch {
	case size == 0:
		return syscall.ENOENT
	case slash:
		return execFile(im, name)
	case size > nameMax:
		return syscall.ENAMETOOLONG
	}
	return search(im, name)
}

// search tries the program in each directory of PATH. An empty one is the
// current directory; one that can't be part of a path is passed over.
//
//go:norace
//go:nosplit
//go:nocheckptr
func search(im *image, name unsafe.Pointer) syscall.Errno {
	last, denied := syscall.ENAMETOOLONG, false
	for dir := im.path; ; {
		size := uintptr(0)
		for c := byteAt(dir, 0); c != 0 && c != ':'; c = byteAt(dir, size) {
			size++
		}
		if size < pathMax {
			last = execFile(im, join(im, dir, size, name))
			switch last {
			case syscall.EACCES:
				denied = true
			case syscall.ENOENT, syscall.ESTALE, syscall.ENOTDIR, syscall.ENODEV, syscall.ETIMEDOUT:
			default:
				return last
			}
		}
		if byteAt(dir, size) == 0 {
			break
		}
		dir = unsafe.Add(dir, size+1)
	}
	if denied {
		return syscall.EACCES
	}
	return last
}

// join writes the path of name in a directory into the text.
//
//go:norace
//go:nosplit
//go:nocheckptr
func join(im *image, dir unsafe.Pointer, size uintptr, name unsafe.Pointer) unsafe.Pointer {
	n := 0
	for i := uintptr(0); i < size; i++ {
		im.text[n] = byteAt(dir, i)
		n++
	}
	if size > 0 {
		im.text[n] = '/'
		n++
	}
	n = putString(im, n, name)
	im.text[n] = 0
	return unsafe.Pointer(im.text)
}

// execFile executes a file, or has the shell execute it if the kernel does not
// know what it is.
//
//go:norace
//go:nosplit
//go:nocheckptr
func execFile(im *image, file unsafe.Pointer) syscall.Errno {
	argv := unsafe.Add(im.argv, wordSize)
	errno := execve(im, file, argv)
	if errno != syscall.ENOEXEC {
		return errno
	}
	// The word before the arguments is spare: the shell goes there, and the file
	// takes the place of the program's name.
	spare, first := (*uintptr)(im.argv), (*uintptr)(argv)
	was := *first
	*spare = uintptr(unsafe.Pointer(&shell))
	*first = uintptr(file)
	errno = execve(im, unsafe.Pointer(&shell), im.argv)
	*first = was
	return errno
}

// complain writes to descriptor 2 what could not be executed, in one write if it
// goes in one. It is not stopped for being a background process on a terminal, and
// who does not read there does not keep it: a child that waits holds its spawner, and
// sixteen would hold all starts.
//
//go:norace
//go:nosplit
//go:nocheckptr
func complain(im *image, errno syscall.Errno) {
	setSignal(sigPipe, &im.ignores)
	setSignal(sigTtou, &im.ignores)
	n := putText(im, 0, "error: exec(")
	n = putString(im, n, program(im))
	n = putText(im, n, ", ...) failed: ")
	n = putError(im, n, errno)
	n = putText(im, n, "\n")
	for done := 0; done < n; {
		r, errno := writeOrGiveUp(im, done, n-done)
		if errno != 0 {
			return
		}
		done += r
	}
}

// audience is how long a full pipe is given to get room for the text, in
// nanoseconds.
const audience = 50_000_000

// writeOrGiveUp writes a piece of the text to descriptor 2 once that takes some.
// Another writer may fill it between the look and the write, so the write itself
// must not wait either; files that can't be written like that (terminals, say) have
// no such rivals.
//
//go:norace
//go:nosplit
//go:nocheckptr
func writeOrGiveUp(im *image, from, size int) (n int, errno syscall.Errno) {
	poll := unix.PollFd{Fd: 2, Events: unix.POLLOUT}
	wait := unix.Timespec{Nsec: audience}
	ready, errno := uintptr(0), syscall.EINTR
	for errno == syscall.EINTR { // the rest of the time stands in wait then
		ready, _, errno = syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&wait)), 0, 0, 0)
	}
	if errno != 0 || ready == 0 {
		return 0, syscall.EAGAIN
	}
	piece := iovec{&im.text[from], uintptr(size)}
	const here, noWait = ^uintptr(0), 0x8 // no offset; RWF_NOWAIT
	r, _, errno := syscall.RawSyscall6(unix.SYS_PWRITEV2, 2, uintptr(unsafe.Pointer(&piece)), 1, here, here, noWait)
	if errno == syscall.EOPNOTSUPP || errno == syscall.ENOSYS || errno == syscall.EINVAL {
		r, _, errno = syscall.RawSyscall(syscall.SYS_WRITE, 2, uintptr(unsafe.Pointer(piece.base)), piece.size)
	}
	return int(r), errno
}

// iovec is the kernel's. The one of package unix has a method in the place of a
// length, and that is none that a child may call.
type iovec struct {
	base *byte
	size uintptr
}

// putError puts the text of an error. The kernel has no number beyond the table.
//
//go:norace
//go:nosplit
//go:nocheckptr
func putError(im *image, n int, errno syscall.Errno) int {
	if int(errno) > lastErrno {
		return putText(im, n, "Unknown error")
	}
	return putText(im, n, im.texts[errno])
}

//go:norace
//go:nosplit
//go:nocheckptr
func putString(im *image, n int, s unsafe.Pointer) int {
	for i := uintptr(0); byteAt(s, i) != 0; i++ {
		n = putByte(im, n, byteAt(s, i))
	}
	return n
}

//go:norace
//go:nosplit
//go:nocheckptr
func putText(im *image, n int, s string) int {
	for i := 0; i < len(s); i++ {
		n = putByte(im, n, s[i])
	}
	return n
}

// putByte cuts off what does not fit.
//
//go:norace
//go:nosplit
//go:nocheckptr
func putByte(im *image, n int, c byte) int {
	if n == len(im.text) {
		return n
	}
	im.text[n] = c
	return n + 1
}

// program is the first argument.
//
//go:norace
//go:nosplit
//go:nocheckptr
func program(im *image) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Add(im.argv, wordSize))
}

//go:norace
//go:nosplit
//go:nocheckptr
func byteAt(s unsafe.Pointer, i uintptr) byte {
	return *(*byte)(unsafe.Add(s, i))
}
