package protocol

import "bytes"

// Limits of the wire, in bytes.
const (
	MaxLine       = 4096     // a command line with its LF
	MaxEvent      = 4224     // the longest event line with its LF
	MaxName       = 31       // a service or handle name
	OutboxSize    = 16 << 10 // events that wait for one connection
	OutboxReserve = 8 << 10  // a connection's next command begins only while so much is free
	MaxExecArgs   = 4095     // text of the exec-on-exit arguments
	MaxSocketPath = 107      // sun_path of unix(7) without its NUL
)

// Largest values of numeric arguments, and the listen queue if none is named.
const (
	MaxInterval   = 1<<31 - 1 // seconds of service.auto_up
	MaxTimeout    = 1<<31 - 1 // seconds of conn.event_timeout
	MaxListen     = 65535
	DefaultListen = 32
	DefaultMode   = 0o600 // of a control socket
)

// ValidName reports whether b can name a service or a handle: 1 to MaxName
// bytes from A-Z a-z 0-9 . _ -
func ValidName(b []byte) bool {
	return len(b) > 0 && nameBytes(b)
}

// nameBytes is ValidName that lets the empty name pass.
func nameBytes(b []byte) bool {
	if len(b) > MaxName {
		return false
	}
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// IsConstant reports whether name is one of the built-in handles, which can
// be neither replaced nor deleted.
func IsConstant(name []byte) bool {
	switch string(name) {
	case "null", "control.cmd", "control.event", "control.socket":
		return true
	}
	return false
}

// ValidSocketPath reports whether path can be the address of a unix socket.
func ValidSocketPath(path []byte) bool {
	return len(path) > 0 && len(path) <= MaxSocketPath
}

// NextField cuts the first TAB separated field off b. more tells whether a TAB
// followed it, so that rest holds at least one more field, perhaps an empty
// one. All fields of a value:
//
//	for rest, more := value, true; more; {
//		field, rest, more = NextField(rest)
//	}
//
// An empty value has one field, the empty one; a caller to whom it means "no
// fields" must look first.
func NextField(b []byte) (field, rest []byte, more bool) {
	return cut(b, '\t')
}

// cut is bytes.Cut for a single byte.
func cut(b []byte, separator byte) (before, after []byte, found bool) {
	if i := bytes.IndexByte(b, separator); i >= 0 {
		return b[:i], b[i+1:], true
	}
	return b, nil, false
}

// ParseInteger reads a decimal integer that fills all of b: an optional '-',
// then digits. What does not fit into 64 bits saturates.
func ParseInteger(b []byte) (n int64, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	u, ok := parseDigits(b)
	if !ok {
		return 0, false
	}
	switch {
	case negative && u > 1<<63:
		return -1 << 63, true
	case negative:
		return -int64(u), true // 1<<63 wraps to itself, which is right
	case u > 1<<63-1:
		return 1<<63 - 1, true
	}
	return int64(u), true
}

// parseDigits reads a saturating decimal number without sign.
func parseDigits(b []byte) (n uint64, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	const limit = 1<<64 - 1
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := uint64(c - '0')
		if n > (limit-d)/10 {
			n = limit
		} else {
			n = n*10 + d
		}
	}
	return n, true
}
