package actor

import "golang.org/x/sys/unix"

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
	memory, err := unix.Mmap(-1, 0, total, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	return Arena{memory, size}, err
}

// Next takes the next room, empty.
func (a *Arena) Next() []byte {
	room := a.memory[:0:a.size]
	a.memory = a.memory[a.size:]
	return room
}
