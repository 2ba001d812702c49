package actor

// workingDepth is how deep an actor's calls go, in bytes, with some to spare.
const workingDepth = 2 << 10

// GrowStack gives the calling goroutine the stack that an actor needs at most.
// Slots that are made at start call it first, so that they do not ask for
// memory when they first go deep.
//
//go:noinline
func GrowStack() {
	var deep [workingDepth]byte
	Touch(deep[:])
}

// Touch makes memory that nobody uses yet resident.
//
//go:noinline
func Touch(b []byte) {
	const page = 4096 // the smallest there is
	for i := 0; i < len(b); i += page {
		b[i] = 0
	}
}
