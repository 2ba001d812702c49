//go:build amd64 || arm64 || riscv64

package main

// programHeader is the Elf64_Phdr of elf(5).
type programHeader struct {
	kind, flags                                uint32
	offset, vaddr, paddr, filesz, memsz, align uint64
}
