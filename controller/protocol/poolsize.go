package protocol

import (
	"math/bits"
	"strings"
)

// ParsePoolSize reads N or NxM of the pool options: a count, and a size with an
// optional suffix. Numbers saturate at 64 bits; hasM is false for "8" and "8x".
func ParsePoolSize(s string) (n, m int64, hasM, ok bool) {
	n, s, ok = cutInteger(s)
	if !ok || s == "" {
		return n, 0, false, ok
	}
	if s[0] != 'x' {
		return 0, 0, false, false
	}
	if s = s[1:]; s == "" {
		return n, 0, false, true
	}
	if m, s, ok = cutInteger(s); !ok {
		return 0, 0, false, false
	}
	unit, ok := sizeUnit(s)
	if !ok {
		return 0, 0, false, false
	}
	return n, saturatingMul(m, unit), true, true
}

// cutInteger reads a decimal integer with an optional sign off the front of s.
func cutInteger(s string) (n int64, rest string, ok bool) {
	sign := s
	s = strings.TrimPrefix(s, "+")
	end := 0
	for end < len(s) && ('0' <= s[end] && s[end] <= '9' || end == 0 && sign[0] == '-') {
		end++
	}
	n, ok = ParseInteger([]byte(s[:end]))
	return n, s[end:], ok
}

// sizeUnit is the factor of a size's suffix: b k m g t in either case are
// powers of 1024, and so are KiB and its like; kB and its like are powers of
// 1000.
func sizeUnit(s string) (unit int64, ok bool) {
	if s == "" {
		return 1, true
	}
	power := 0
	switch s[0] | 0x20 {
	case 'b':
		return 1, len(s) == 1
	case 'k':
		power = 1
	case 'm':
		power = 2
	case 'g':
		power = 3
	case 't':
		power = 4
	default:
		return 0, false
	}
	base := int64(1024)
	switch s[1:] {
	case "", "iB", "ib", "IB", "Ib":
	case "B", "b":
		base = 1000
	default:
		return 0, false
	}
	for unit = 1; power > 0; power-- {
		unit *= base
	}
	return unit, true
}

// saturatingMul multiplies by a positive factor.
func saturatingMul(n, factor int64) int64 {
	if n < 0 {
		return -saturatingMul(-max(n, -1<<63+1), factor)
	}
	hi, lo := bits.Mul64(uint64(n), uint64(factor))
	if hi != 0 || lo > 1<<63-1 {
		return 1<<63 - 1
	}
	return int64(lo)
}
