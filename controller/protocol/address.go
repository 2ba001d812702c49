package protocol

import "bytes"

// Address is what fd.socket binds to. A unix address is its text alone, in
// Command.Path.
type Address struct {
	Domain Domain
	Any    bool     // "*": IP is zero
	IP     [16]byte // inet: the first 4
	Port   uint16   // 0: the kernel chooses
}

// parseAddress checks the address text of a domain.
func parseAddress(d Domain, b []byte) (a Address, ok bool) {
	a.Domain = d
	switch d {
	case Inet:
		ok = a.parseInet(b)
	case Inet6:
		ok = a.parseInet6(b)
	default:
		ok = ValidSocketPath(b)
	}
	return a, ok
}

// parseInet reads QUAD, QUAD:PORT, * or *:PORT.
func (a *Address) parseInet(b []byte) bool {
	host := b
	if i := bytes.IndexByte(b, ':'); i >= 0 {
		host = b[:i]
		if !a.parsePort(b[i+1:]) {
			return false
		}
	}
	if string(host) == "*" {
		a.Any = true
		return true
	}
	return parseQuad(a.IP[:4], host)
}

// parseInet6 reads [ADDR], [ADDR]:PORT, * or *:PORT.
func (a *Address) parseInet6(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	var rest []byte
	if b[0] == '*' {
		a.Any = true
		rest = b[1:]
	} else {
		i := bytes.IndexByte(b, ']')
		if b[0] != '[' || i < 0 || !parseIPv6(&a.IP, b[1:i]) {
			return false
		}
		rest = b[i+1:]
	}
	if len(rest) == 0 {
		return true
	}
	return rest[0] == ':' && a.parsePort(rest[1:])
}

func (a *Address) parsePort(b []byte) bool {
	n, ok := parseDigits(b)
	a.Port = uint16(n)
	return ok && n <= 65535
}

// parseQuad reads four decimal numbers as inet_pton(3) does: no leading zeros.
func parseQuad(ip, b []byte) bool {
	for i := range 4 {
		part := b
		if i < 3 {
			dot := bytes.IndexByte(b, '.')
			if dot < 0 {
				return false
			}
			part, b = b[:dot], b[dot+1:]
		}
		n, ok := parseDigits(part)
		if !ok || n > 255 || len(part) > 1 && part[0] == '0' {
			return false
		}
		ip[i] = byte(n)
	}
	return true
}

// parseIPv6 reads an address as inet_pton(3) does: groups of 1 to 4 hex
// digits, one "::" for at least one group, and perhaps a dotted quad at the
// end.
func parseIPv6(ip *[16]byte, b []byte) bool {
	at, gap := 0, -1
	if bytes.HasPrefix(b, doubleColon) {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 {
		if at == 16 {
			return false
		}
		n, digits := parseHexGroup(b)
		if digits < len(b) && b[digits] == '.' {
			if at > 12 || !parseQuad(ip[at:at+4], b) {
				return false
			}
			at += 4
			break
		}
		if digits == 0 || digits > 4 {
			return false
		}
		ip[at], ip[at+1] = byte(n>>8), byte(n)
		at += 2
		b = b[digits:]
		if len(b) == 0 {
			break
		}
		switch {
		case len(b) < 2 || b[0] != ':':
			return false
		case b[1] != ':':
			b = b[1:]
		case gap >= 0:
			return false
		default:
			gap, b = at, b[2:]
		}
	}
	return spread(ip, at, gap)
}

var doubleColon = []byte("::")

// spread moves what follows the gap of a "::" to the end.
func spread(ip *[16]byte, at, gap int) bool {
	if gap < 0 {
		return at == 16
	}
	if at == 16 {
		return false
	}
	n := copy(ip[16-(at-gap):], ip[gap:at])
	clear(ip[gap : 16-n])
	return true
}

func parseHexGroup(b []byte) (n uint32, digits int) {
	for digits < len(b) && digits < 5 {
		c := b[digits]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return n, digits
		}
		n = n<<4 | uint32(c)
		digits++
	}
	return n, digits
}
