package actor

import "sync"

// lineSize is the longest event line with its LF (docs/protocol.md, Limits).
const lineSize = 4224

// Line is a scratch buffer in which one event line is encoded. Lines are few
// and shared by all actors, since an actor needs one only while it publishes.
type Line struct {
	B    []byte
	next *Line
	room [lineSize]byte
}

var spareLines struct {
	mu   sync.Mutex
	head *Line
}

// NewLine takes an empty line from the spare ones, or makes one if all are in
// use.
func NewLine() *Line {
	spareLines.mu.Lock()
	l := spareLines.head
	if l != nil {
		spareLines.head = l.next
	}
	spareLines.mu.Unlock()
	if l == nil {
		l = new(Line)
	}
	l.B = l.room[:0]
	return l
}

// Free gives the line back.
func (l *Line) Free() {
	spareLines.mu.Lock()
	l.next, spareLines.head = spareLines.head, l
	spareLines.mu.Unlock()
}
