package spawn

import (
	"syscall"
	"unsafe"

	"daemonproxy/actor"

	"golang.org/x/sys/unix"
)

const (
	wordSize = int(unsafe.Sizeof(uintptr(0)))

	// The child needs less than a kilobyte, but the kernel puts a frame there for
	// a signal, which has all registers of the machine: up to 11 kB on amd64.
	stackSize = 30 << 10
	// A line of arguments has 4095 bytes, so at most 4096 arguments. Their
	// pointers are kept with one in front, for /bin/sh, and a nil behind.
	arenaSize = (4096+2)*wordSize + 4096 + 512
	// A line of descriptors has 4095 bytes, so at most 2048 of them.
	maxFDs = 2112
	// The longest path tried is 4095 + 1 + 255 bytes; the text about a failed
	// exec has a program name of one line in it.
	textSize = 4096 + 512
)

// scratch is what a spawner needs for a start. It is mapped on first use and
// kept. Usual starts touch three of its pages: what follows the end of the stack
// shares its page.
type scratch struct {
	stack [stackSize]byte
	fds   [maxFDs]descriptor
	text  [textSize]byte
	_     [0]uintptr
	arena [arenaSize]byte
}

// A descriptor is one position of a child's descriptors.
type descriptor struct {
	source int32 // as given to AddFD; -1 to close
	now    int32 // where the child has moved it to
}

// Reset empties the scratch. It is called first after a grant.
func (s *Spawner) Reset() {
	s.dropLong()
	s.fault = 0
	s.image = image{world: s.pool.world}
	if s.scratch == nil {
		at, err := mapMemory(unsafe.Sizeof(scratch{}))
		if err != 0 {
			s.fault = err
			return
		}
		s.scratch = (*scratch)(at)
	}
	s.image.fds = &s.scratch.fds
	s.image.text = &s.scratch.text
}

// SetArgs sets the arguments, the program first, from one text with a TAB
// between each two. Empty ones count; an empty text is one empty argument.
func (s *Spawner) SetArgs(tabSeparated []byte) {
	count := 1
	for _, c := range tabSeparated {
		if c == '\t' {
			count++
		}
	}
	words, text := s.room(count, len(tabSeparated)+1)
	if words == nil {
		return
	}
	copy(text, tabSeparated)
	next, start := 0, 0
	for i, c := range tabSeparated {
		if c == '\t' {
			text[i] = 0
			words[next] = address(text[start:])
			next, start = next+1, i+1
		}
	}
	text[len(tabSeparated)] = 0
	words[next] = address(text[start:])
	words[next+1] = 0
}

// SetArgv is SetArgs for arguments that may contain any byte but NUL.
func (s *Spawner) SetArgv(argv []string) {
	if len(argv) == 0 {
		s.SetArgs(nil)
		return
	}
	size := 0
	for _, a := range argv {
		size += len(a) + 1
	}
	words, text := s.room(len(argv), size)
	if words == nil {
		return
	}
	for i, a := range argv {
		words[i] = address(text)
		n := copy(text, a)
		text[n] = 0
		text = text[n+1:]
	}
	words[len(argv)] = 0
}

// AddFD lists a descriptor: the first becomes number 0, and so on. source is
// one of the daemon's, or -1: that number is closed in the child. It must stay
// open until Begun.
func (s *Spawner) AddFD(source int) {
	if s.scratch == nil {
		return
	}
	if s.image.count == maxFDs {
		s.fault = syscall.EMFILE
		return
	}
	s.scratch.fds[s.image.count] = descriptor{int32(source), int32(source)}
	s.image.count++
}

// Lead makes the child the leader of a process group of its own. If terminal is a
// descriptor, not -1, and our own group is that terminal's foreground group, the
// child's group takes its place, and lent becomes 1. All is done before the program begins.
func (s *Spawner) Lead(terminal int, lent *uint32) {
	s.image.leads, s.image.terminal, s.image.lent = true, int32(terminal), lent
	s.image.group = int32(syscall.Getpgrp())
}

// Abort lets the child die of SIGABRT instead of executing anything.
func (s *Spawner) Abort() { s.image.abort = true }

// seal completes what was not set.
func (s *Spawner) seal() {
	if s.image.world == nil {
		s.Reset()
	}
	if s.image.argv == nil {
		s.SetArgs(nil)
	}
	// The daemon's own 0, 1 and 2 are nobody's.
	for s.scratch != nil && s.image.count < 3 {
		s.AddFD(-1)
	}
}

// room returns where to put count pointers with a nil behind, and size bytes of
// text; nil if there is no memory.
func (s *Spawner) room(count, size int) (words []uintptr, text []byte) {
	if s.scratch == nil {
		return nil, nil
	}
	s.dropLong()
	arena := s.scratch.arena[:]
	if need := (count+2)*wordSize + size; need > len(arena) {
		at, err := mapMemory(uintptr(need))
		if err != 0 {
			s.fault = err
			return nil, nil
		}
		s.long = unsafe.Slice((*byte)(at), need)
		arena = s.long
	}
	all := unsafe.Slice((*uintptr)(unsafe.Pointer(&arena[0])), count+2)
	s.image.argv = unsafe.Pointer(&all[0])
	start := (count + 2) * wordSize
	return all[1:], arena[start : start+size]
}

func (s *Spawner) dropLong() {
	if s.long != nil {
		s.image.argv = nil
		_ = unix.MunmapPtr(unsafe.Pointer(&s.long[0]), uintptr(len(s.long)))
		s.long = nil
	}
}

// mapMemory maps fresh memory outside of Go's heap, so that a refusal is an
// error and not the end.
func mapMemory(size uintptr) (unsafe.Pointer, syscall.Errno) {
	at, err := actor.Map(size)
	if err != nil {
		errno, _ := err.(syscall.Errno)
		return nil, errno
	}
	return at, 0
}

func address(text []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(text))) }
