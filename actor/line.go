package actor

import "sync"

const (
	// lineSize is the longest event line with its LF (docs/protocol.md, Limits).
	lineSize = 4224
	// lineCount is how many lines can be encoded at a time.
	lineCount = 8
)

// Line is a scratch buffer in which one event line is encoded. There are a few
// for all actors. Whoever holds one calls nothing but the bus, outboxes and the
// log, which wait for nobody, until it frees the line: so to wait for a line is
// to wait for a moment, and no crowd of actors can make the memory grow.
type Line struct {
	B    []byte
	room *[lineSize]byte
}

// spareLines is a stack: the line used last is used next.
var spareLines struct {
	mu    sync.Mutex
	freed sync.Cond
	lines [lineCount]*Line
	n     int
}

var (
	allLines  [lineCount]Line
	lineRooms [lineCount][lineSize]byte // apart: they take no memory until they are used
)

func init() {
	spareLines.freed.L = &spareLines.mu
	for i := range allLines {
		allLines[i].room = &lineRooms[i]
		allLines[i].Free()
	}
}

// NewLine takes an empty line.
func NewLine() *Line {
	s := &spareLines
	s.mu.Lock()
	for s.n == 0 {
		s.freed.Wait()
	}
	s.n--
	l := s.lines[s.n]
	s.mu.Unlock()
	l.B = l.room[:0]
	return l
}

// Free gives the line back.
func (l *Line) Free() {
	s := &spareLines
	s.mu.Lock()
	s.lines[s.n] = l
	s.n++
	s.mu.Unlock()
	s.freed.Signal()
}
