package logger

import (
	"runtime"
	"strconv"
	"sync"
)

const (
	entrySize  = 8 << 10 // longer than any line that a command or an event can cause
	entryCount = 8       // entries made beforehand
)

// An Entry is a message in the making. It belongs to the goroutine that asked for it, until Send. A nil Entry,
// which is what a filtered level gives, ignores everything.
//
// Text is the line so far, for append-style encoders of other packages:
//
//	if e := log.Entry(logger.Error); e != nil {
//		e.Text = err.Append(e.Text)
//		e.Send()
//	}
type Entry struct {
	Text []byte

	log   *Log
	next  *Entry
	fixed [entrySize]byte
}

// entries keeps the idle entries, the last used on top, so that usually one of them is all that is resident.
// Arguments of a message are evaluated while its entry is out; hence entries, rather than a lock on the log's
// buffer that a panic or a nested message would meet held.
type entries struct {
	mu    sync.Mutex
	idle  *Entry
	used  int // entries of first that were ever taken; the memory of the others is not touched
	first [entryCount]Entry
}

// take waits a moment when entryCount messages are in the making already, whose senders may be giving way to a write.
// It makes another entry only if that does not help: when panics have abandoned some.
func (s *entries) take(l *Log) *Entry {
	e := s.spare()
	for i := 0; e == nil && i < maxYields; i++ {
		runtime.Gosched()
		e = s.spare()
	}
	for i := 0; e == nil && i < maxNaps; i++ {
		l.nap()
		e = s.spare()
	}
	if e == nil {
		e = new(Entry)
	}
	e.log, e.next = l, nil
	e.Text = e.fixed[:0]
	return e
}

func (s *entries) spare() *Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.idle
	switch {
	case e != nil:
		s.idle = e.next
	case s.used < entryCount:
		e = &s.first[s.used]
		s.used++
	}
	return e
}

func (s *entries) put(e *Entry) {
	e.Text = nil // a text that outgrew the entry goes to the collector
	s.mu.Lock()
	e.next = s.idle
	s.idle = e
	s.mu.Unlock()
}

// Str appends s as it is.
func (e *Entry) Str(s string) *Entry {
	if e != nil {
		e.Text = append(e.Text, s...)
	}
	return e
}

// Bytes appends b as it is.
func (e *Entry) Bytes(b []byte) *Entry {
	if e != nil {
		e.Text = append(e.Text, b...)
	}
	return e
}

// Int appends n in decimal.
func (e *Entry) Int(n int64) *Entry {
	if e != nil {
		e.Text = strconv.AppendInt(e.Text, n, 10)
	}
	return e
}

// Send ends the line and hands it to the log; e must not be used again.
func (e *Entry) Send() {
	if e == nil {
		return
	}
	e.Text = append(e.Text, '\n')
	e.log.put(e.Text)
	e.log.entries.put(e)
}
