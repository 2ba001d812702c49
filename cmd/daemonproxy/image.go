package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// forgetSetUp has the kernel unmap the pages of the program's file that cannot be
// written: code and constants. Most of them were for the set-up alone. What runs
// on comes back from the page cache as it is used, some 64 kB at a time: that is
// half of it, so 1 MB less is resident. Pages that are locked as they are used are so
// again.
func forgetSetUp(locked bool) {
	auxv, err := unix.Auxv()
	if err != nil {
		return
	}
	var headers, n uintptr
	for _, entry := range auxv {
		switch entry[0] {
		case atPHDR:
			headers = entry[1]
		case atPHNUM:
			n = entry[1]
		}
	}
	page := uintptr(unix.Getpagesize())
	for _, h := range unsafe.Slice((*programHeader)(address(headers)), n) {
		if h.kind != ptLoad || h.flags&pfW != 0 {
			continue
		}
		from := uintptr(h.vaddr) &^ (page - 1)
		size := uintptr(h.vaddr) + uintptr(h.memsz) - from
		if locked {
			unix.Syscall(unix.SYS_MUNLOCK, from, size, 0)
		}
		unix.Syscall(unix.SYS_MADVISE, from, size, unix.MADV_DONTNEED)
		if locked {
			lockOnFault(from, size)
		}
	}
}

// lockOnFault locks pages as they are used or, before Linux 4.4, all of them now.
func lockOnFault(from, size uintptr) {
	const onFault = 1 // MLOCK_ONFAULT
	if _, _, errno := unix.Syscall(unix.SYS_MLOCK2, from, size, onFault); errno != 0 {
		unix.Syscall(unix.SYS_MLOCK, from, size, 0)
	}
}

// address is a pointer to memory that is not Go's.
func address(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

// Of elf(5) and getauxval(3).
const (
	atPHDR  = 3
	atPHNUM = 5
	ptLoad  = 1
	pfW     = 2
)
