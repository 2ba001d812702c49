package service

import "slices"

// key names one of the texts of a service.
type key uint8

const (
	tags key = iota
	args
	fds
	triggers
	keys // their number
)

var keyLengths = [keys]int{len("tags"), len("args"), len("fds"), len("triggers")}

// values holds the texts of one service, one after the other, in one buffer
// that is reused: setting a text allocates only to make the buffer larger.
type values struct {
	limit  int // 0 = none; otherwise of the sum of cost over all set texts
	buffer []byte
	length [keys]int32
	isSet  [keys]bool
}

// cost is what a text takes off the limit: it counts as KEY=VALUE and a NUL.
func cost(k key, length int) int { return keyLengths[k] + 1 + length + 1 }

func (v *values) get(k key) (text []byte, isSet bool) {
	from := v.offset(k)
	return v.buffer[from : from+int(v.length[k])], v.isSet[k]
}

func (v *values) offset(k key) int {
	n := 0
	for i := range k {
		n += int(v.length[i])
	}
	return n
}

// set stores a copy of text, or changes nothing and reports false if that
// exceeds the limit.
func (v *values) set(k key, text []byte) bool {
	if v.limit > 0 {
		total := cost(k, len(text))
		for i := range keys {
			if i != k && v.isSet[i] {
				total += cost(i, int(v.length[i]))
			}
		}
		if total > v.limit {
			return false
		}
	}
	v.replace(k, text)
	v.isSet[k] = true
	return true
}

// unset makes the text as if it had never been set.
func (v *values) unset(k key) {
	v.replace(k, nil)
	v.isSet[k] = false
}

func (v *values) replace(k key, text []byte) {
	from := v.offset(k)
	end := from + int(v.length[k])
	used := len(v.buffer)
	if grow := len(text) - int(v.length[k]); grow > 0 {
		v.buffer = slices.Grow(v.buffer, grow)[:used+grow]
	}
	copy(v.buffer[from+len(text):], v.buffer[end:used])
	copy(v.buffer[from:], text)
	v.buffer = v.buffer[:used+len(text)-int(v.length[k])]
	v.length[k] = int32(len(text))
}

func (v *values) clear() {
	v.buffer = v.buffer[:0]
	v.length, v.isSet = [keys]int32{}, [keys]bool{}
}
