package protocol

import "bytes"

// Input cuts a stream of bytes into lines, in a buffer of fixed size. The zero
// value is ready. Its user alternates between filling and taking:
//
//	n, err := read(in.Space()); in.Filled(n)
//	for { line, kind := in.Next(); if kind == None { break } ... }
//	// at EOF: in.Rest()
//
// A line is valid until the next call of Space, Rest or Reset. So is what was
// kept, which takes the place of lines that were taken.
type Input struct {
	kept    int  // bytes at the front of buf, less than start
	start   int  // of the bytes not yet taken
	end     int  // of the bytes received
	scanned int  // start <= scanned <= end: no LF before it
	discard bool // inside an overlong line, up to its LF
	nul     bool // a NUL may be in the bytes not yet taken
	buf     [MaxLine]byte
}

// LineKind is what Next found.
type LineKind uint8

// The kinds of lines. Comments and blank lines are never reported.
const (
	None    LineKind = iota // no whole line is there
	Line                    // a line to parse, without its LF
	TooLong                 // an overlong line; its text is lost
	HasNUL                  // a line that must not be executed
)

// Keep puts text, a part of the line taken last, behind what it has kept before.
func (in *Input) Keep(text []byte) { in.kept += copy(in.buf[in.kept:], text) }

// Kept returns how much that is.
func (in *Input) Kept() int { return in.kept }

// TakeKept returns it and keeps it no longer.
func (in *Input) TakeKept() []byte {
	kept := in.buf[:in.kept]
	in.kept = 0
	return kept
}

// Space returns the free part of the buffer, after moving what is not yet
// taken to its front. It is empty when the buffer is full. Nothing may be kept.
func (in *Input) Space() []byte {
	if in.start > 0 {
		copy(in.buf[:], in.buf[in.start:in.end])
		in.end -= in.start
		in.scanned -= in.start
		in.start = 0
	}
	return in.buf[in.end:]
}

// Filled says that n bytes were read into Space.
func (in *Input) Filled(n int) {
	in.nul = in.nul && in.start < in.end || bytes.IndexByte(in.buf[in.end:in.end+n], 0) >= 0
	in.end += n
}

// Full reports whether the buffer holds nothing but bytes not yet taken.
func (in *Input) Full() bool { return in.end-in.start == MaxLine }

// Reset forgets everything, for the next stream.
func (in *Input) Reset() {
	in.start, in.end, in.scanned, in.kept, in.discard, in.nul = 0, 0, 0, 0, false, false
}

// Next takes the next line that needs an answer. Its LF stands behind it, within its
// capacity. An overlong line is reported
// once, as soon as a full buffer shows that it has no LF; the rest of it is
// skipped by later calls.
func (in *Input) Next() (line []byte, kind LineKind) {
	for {
		i := bytes.IndexByte(in.buf[in.scanned:in.end], '\n')
		if i < 0 {
			return nil, in.noLF()
		}
		lf := in.scanned + i
		line = in.buf[in.start : lf : lf+1]
		in.start, in.scanned = lf+1, lf+1
		if in.discard {
			in.discard = false
			continue
		}
		if kind = classify(line, in.nul); kind != None {
			return line, kind
		}
	}
}

func (in *Input) noLF() LineKind {
	if in.discard {
		in.start, in.end, in.scanned = 0, 0, 0
		return None
	}
	in.scanned = in.end
	if !in.Full() {
		return None
	}
	in.start, in.end, in.scanned = 0, 0, 0
	in.discard = true
	if in.buf[0] == '#' {
		return None
	}
	return TooLong
}

// Rest takes the line that the end of the stream left without LF, empty if
// there is none or if it was overlong. It is not classified: a comment counts
// as an unterminated line too. Next must have returned None before.
func (in *Input) Rest() []byte {
	line := in.buf[in.start:in.end:in.end]
	if in.discard {
		line = nil
	}
	in.Reset()
	return line
}

// Classify says how a line without LF is to be treated: None (silently not at
// all), Line or HasNUL.
func Classify(line []byte) LineKind { return classify(line, true) }

// classify looks for a NUL only if there may be one.
func classify(line []byte, nul bool) LineKind {
	switch {
	case IsSilent(line):
		return None
	case nul && bytes.IndexByte(line, 0) >= 0:
		return HasNUL
	}
	return Line
}

// IsSilent reports whether a line is a comment, or made only of blanks, TABs
// and CRs, or empty.
func IsSilent(line []byte) bool {
	if len(line) > 0 && line[0] == '#' {
		return true
	}
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
