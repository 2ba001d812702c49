//go:build !amd64 && !arm64 && !riscv64

package main

// programHeader is the Elf32_Phdr of elf(5).
type programHeader struct {
	kind, offset, vaddr, paddr, filesz, memsz, flags, align uint32
}
