package actor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Arena is memory for the texts of a pool's slots, of one size each. It is
// mapped, not allocated: if the system refuses it, that can be reported.
type Arena struct {
	memory []byte
	size   int
}

// NewArena maps n rooms of the given size.
func NewArena(n, size int) (Arena, error) {
	if n == 0 || size == 0 {
		return Arena{size: size}, nil
	}
	total := n * size
	if total/size != n || total < 0 {
		return Arena{}, unix.ENOMEM
	}
	at, err := Map(uintptr(total))
	if err != nil {
		return Arena{}, err
	}
	return Arena{unsafe.Slice((*byte)(at), total), size}, nil
}

// Map maps fresh memory.
func Map(size uintptr) (unsafe.Pointer, error) {
	return unix.MmapPtr(-1, 0, nil, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// Next takes the next room, empty.
func (a *Arena) Next() []byte {
	room := a.memory[:0:a.size]
	a.memory = a.memory[a.size:]
	return room
}

// firstArena is the part of its first arena (64 MiB of address space on 64 bits,
// 4 MiB on 32) that the Go runtime has mapped anyway. A heap that outgrows it
// goes on in arenas of that size.
const (
	arenaSize  = 4 << 20 << (^uint(0) >> 63 * 4)
	firstArena = arenaSize / 4
)

// HasHeap asks the system whether it would let the heap grow by so many bytes.
// The runtime does not ask: what it is refused ends the program.
func HasHeap(size int) error {
	if size > firstArena {
		size += arenaSize
	}
	at, err := Map(uintptr(size))
	if err != nil {
		return err
	}
	return unix.MunmapPtr(at, uintptr(size))
}
