package actor

import "unsafe"

// AppendCStrings appends pointers to copies of the texts with a NUL behind, as execve(2) takes them. All
// copies are in one block of memory.
func AppendCStrings(list []unsafe.Pointer, texts []string) []unsafe.Pointer {
	size := 0
	for _, text := range texts {
		size += len(text) + 1
	}
	block := make([]byte, 0, size) // appended to within its capacity: it stays where it is
	for _, text := range texts {
		start := len(block)
		block = append(append(block, text...), 0)
		list = append(list, unsafe.Pointer(&block[start]))
	}
	return list
}
