package protocol

// Triggers say what starts a service by itself. The zero value is none.
type Triggers struct {
	Always bool   // after every exit
	Mask   uint64 // bit s-1: while signal s is pending
}

// Enabled reports whether there is any trigger.
func (t Triggers) Enabled() bool { return t.Always || t.Mask != 0 }

// parseTriggers reads TAB separated triggers up to the first empty field; what
// follows that is kept in the text, but means nothing. value is the text to
// store, empty if the first trigger is.
func parseTriggers(text []byte) (t Triggers, value []byte, ok bool) {
	for rest, more := text, true; more; {
		var field []byte
		field, rest, more = NextField(rest)
		if len(field) == 0 {
			break
		}
		if string(field) == "always" {
			t.Always = true
			continue
		}
		s, known := SignalByName(field)
		if !known {
			return Triggers{}, nil, false
		}
		t.Mask |= 1 << (s - 1)
	}
	if !t.Enabled() {
		return t, nil, true
	}
	return t, text, true
}
