package actor

import "sync/atomic"

var panicHandler atomic.Pointer[func(text string)]

// OnPanic sets what is told of a panic in an actor's step. It runs on the
// goroutine that panicked, may hold no lock of any actor, and returns only if
// the program is to go on without the failed step.
func OnPanic(handle func(text string)) { panicHandler.Store(&handle) }

// Panicked hands a recovered value to the handler of OnPanic. An actor's loop
// calls it from the deferred function at its top; without a handler the panic
// goes on.
func Panicked(v any) {
	handle := panicHandler.Load()
	if handle == nil {
		panic(v)
	}
	(*handle)(panicText(v))
}

// Persist runs a loop that is no actor's until it returns. A panic in it takes
// the fatal path; if the program goes on, the loop is begun anew.
func Persist(loop func()) {
	for !Attempt(loop) {
	}
}

// Attempt runs a step that is no actor's. It reports false if the step panicked
// and the program goes on.
func Attempt(step func()) (done bool) {
	defer func() {
		if v := recover(); v != nil {
			Panicked(v)
		}
	}()
	step()
	return true
}

func panicText(v any) string {
	switch v := v.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "panic"
}
