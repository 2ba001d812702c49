package service

import (
	"testing"
	"unsafe"
)

// TestSlotFitsAClassOfSize: the allocator would give the next larger class to a slot with a word more, which is an eighth
// more for each service.
func TestSlotFitsAClassOfSize(t *testing.T) {
	const class, header = 1024, 8 // runtime/sizeclasses.go; the header is that of an object with pointers
	if size := unsafe.Sizeof(Actor{}); unsafe.Sizeof(uintptr(0)) == 8 && size > class-header {
		t.Errorf("a slot has %d bytes, more than %d", size, class-header)
	}
}
