package mainthread

import (
	"sync"
	"sync/atomic"
)

// Running is the table of services that run, for the list that an end logs.
// Each service slot has an Entry of its own; the table only grows.
type Running struct {
	mu      sync.Mutex // for Add only
	entries atomic.Pointer[[]*Entry]
}

// Entry is one service's place in the table.
type Entry struct {
	pid  atomic.Int32
	name [4]atomic.Uint64 // up to 31 bytes, NUL padded
}

// Add enters a service slot, which does not run yet.
func (r *Running) Add(e *Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var entries []*Entry
	if old := r.entries.Load(); old != nil {
		entries = *old
	}
	// Readers see the length that they loaded, so growing in place is safe.
	entries = append(entries, e)
	r.entries.Store(&entries)
}

// Started says that the service of that name runs as pid.
func (e *Entry) Started(name []byte, pid int) {
	var words [len(e.name)]uint64
	for i, b := range name[:min(len(name), 31)] {
		words[i/8] |= uint64(b) << (8 * (i % 8))
	}
	for i := range words {
		e.name[i].Store(words[i])
	}
	e.pid.Store(int32(pid))
}

// Ended says that it does not run any more.
func (e *Entry) Ended() { e.pid.Store(0) }

func (e *Entry) text() string {
	var name []byte
	for i := range 8 * len(e.name) {
		b := byte(e.name[i/8].Load() >> (8 * (i % 8)))
		if b == 0 {
			break
		}
		name = append(name, b)
	}
	return string(name)
}

type runningService struct {
	name string
	pid  int
}

// list returns the running services in name order.
func (r *Running) list() []runningService {
	entries := r.entries.Load()
	if entries == nil {
		return nil
	}
	var running []runningService
	for _, e := range *entries {
		pid := e.pid.Load()
		if pid == 0 {
			continue
		}
		running = append(running, runningService{e.text(), int(pid)})
	}
	sortByName(running)
	return running
}

// sortByName is a heap sort: the one of package slices is 1 % of the program.
func sortByName(list []runningService) {
	for top := len(list)/2 - 1; top >= 0; top-- {
		sift(list, top)
	}
	for end := len(list) - 1; end > 0; end-- {
		list[0], list[end] = list[end], list[0]
		sift(list[:end], 0)
	}
}

// sift lets one of a heap, the one at top, sink to where it belongs.
func sift(list []runningService, top int) {
	for {
		below := 2*top + 1
		if below+1 < len(list) && list[below].name < list[below+1].name {
			below++
		}
		if below >= len(list) || list[below].name <= list[top].name {
			return
		}
		list[top], list[below] = list[below], list[top]
		top = below
	}
}
