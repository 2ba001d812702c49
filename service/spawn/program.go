package spawn

import "unsafe"

// Program returns the name of the program that SetArgs or SetArgv set, until
// Release.
func (s *Spawner) Program() []byte {
	name := program(&s.image)
	n := uintptr(0)
	for byteAt(name, n) != 0 {
		n++
	}
	return unsafe.Slice((*byte)(name), n)
}
