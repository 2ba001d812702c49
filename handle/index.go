package handle

import (
	"bytes"

	"daemonproxy/controller/protocol"
)

// index finds slots by name, in byte order. It has no lock of its own.
type index []entry

type entry struct {
	slot       *slot
	generation uint64
	nameLen    uint8
	name       [protocol.MaxName]byte
}

func (e *entry) bytes() []byte { return e.name[:e.nameLen] }

// search gives the place of name, or where it would have to be.
func (x index) search(name []byte) (at int, found bool) {
	low, high := 0, len(x)
	for low < high {
		middle := int(uint(low+high) / 2)
		switch bytes.Compare(x[middle].bytes(), name) {
		case 0:
			return middle, true
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

func (x index) has(name []byte) bool {
	_, found := x.search(name)
	return found
}

// after gives the first entry whose name is greater than name.
func (x index) after(name []byte) (e entry, ok bool) {
	at, found := x.search(name)
	if found {
		at++
	}
	if at == len(x) {
		return e, false
	}
	return x[at], true
}

// add inserts a name that is not there.
func (x *index) add(name []byte, s *slot, generation uint64) entry {
	at, _ := x.search(name)
	e := entry{slot: s, generation: generation}
	e.nameLen = uint8(copy(e.name[:], name))
	*x = append(*x, entry{})
	copy((*x)[at+1:], (*x)[at:])
	(*x)[at] = e
	return e
}

// drop takes out a name that is there.
func (x *index) drop(name []byte) {
	if at, found := x.search(name); found {
		last := len(*x) - 1
		copy((*x)[at:], (*x)[at+1:])
		(*x)[last] = entry{}
		*x = (*x)[:last]
	}
}
