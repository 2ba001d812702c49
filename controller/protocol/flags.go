package protocol

import (
	"bytes"
	"strconv"
)

// OpenFlags are the flags of fd.open, and of every handle that is a file.
type OpenFlags uint8

// The flags in the order in which events show them.
const (
	OpenRead OpenFlags = 1 << iota
	OpenWrite
	OpenAppend
	OpenCreate
	OpenTrunc
	OpenNonBlock
	OpenMkdir
)

var openNames = [...]string{"read", "write", "append", "create", "trunc", "nonblock", "mkdir"}

// Append appends the list as events show it; without read and write it is
// shown as read.
func (f OpenFlags) Append(b []byte) []byte {
	if f&(OpenRead|OpenWrite) == 0 {
		f |= OpenRead
	}
	first := true
	for i, name := range &openNames {
		if f>>i&1 == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, name...)
	}
	return b
}

// parseOpenFlags reads the list of fd.open. Neither read nor write is read.
func parseOpenFlags(list []byte) (f OpenFlags, err Error) {
	for rest, more := list, true; more; {
		var item []byte
		item, rest, more = cut(rest, ',')
		if len(item) == 0 {
			continue
		}
		bit := openFlag(item)
		if bit == 0 {
			return 0, Error{Code: FlagUnknown, Arg: item}
		}
		f |= bit
	}
	if f&(OpenRead|OpenWrite) == 0 {
		f |= OpenRead
	}
	return f, Error{}
}

func openFlag(item []byte) OpenFlags {
	for i, name := range &openNames {
		if name == string(item) {
			return 1 << i
		}
	}
	return 0
}

// Domain is the address family of a socket.
type Domain uint8

// The domains; unix is the default.
const (
	Unix Domain = iota
	Inet
	Inet6
)

// String gives the domain's name on the wire.
func (d Domain) String() string {
	switch d {
	case Inet:
		return "inet"
	case Inet6:
		return "inet6"
	}
	return "unix"
}

// Kind is the type of a socket.
type Kind uint8

// The kinds; stream is the default.
const (
	Stream Kind = iota
	Dgram
	Seqpacket
)

// String gives the kind's name on the wire.
func (k Kind) String() string {
	switch k {
	case Dgram:
		return "dgram"
	case Seqpacket:
		return "seqpacket"
	}
	return "stream"
}

// SocketFlags are the flags of fd.pipe and fd.socket, and of every handle that
// is a pipe or a socket.
type SocketFlags struct {
	Domain   Domain
	Kind     Kind
	NonBlock bool
	Bind     bool // fd.socket: an address is given
	Listen   bool // fd.socket: implies Bind
	Mkdir    bool
	Pair     bool // fd.pipe: a socketpair and not a pipe
}

// socketParser gathers the flags of one list, whose items may contradict each
// other: the domain and kind are known only at its end.
type socketParser struct {
	flags                         SocketFlags
	inet, inet6, dgram, seqpacket bool
	listen                        int
}

// add takes one item that fd.pipe and fd.socket share.
func (p *socketParser) add(item []byte) bool {
	socket := true
	switch string(item) {
	case "unix":
		p.inet, p.inet6 = false, false
	case "inet":
		p.inet = true
	case "inet6":
		p.inet6 = true
	case "tcp":
		p.inet, p.dgram, p.seqpacket = true, false, false
	case "udp":
		p.inet, p.dgram = true, true
	case "stream":
		p.dgram, p.seqpacket = false, false
	case "dgram":
		p.dgram = true
	case "seqpacket":
		p.seqpacket = true
	case "nonblock":
		p.flags.NonBlock, socket = true, false
	default:
		return false
	}
	p.flags.Pair = p.flags.Pair || socket
	return true
}

// result resolves contradictions: inet wins over inet6, dgram over seqpacket.
func (p *socketParser) result() SocketFlags {
	f := p.flags
	switch {
	case p.inet:
		f.Domain = Inet
	case p.inet6:
		f.Domain = Inet6
	}
	switch {
	case p.dgram:
		f.Kind = Dgram
	case p.seqpacket:
		f.Kind = Seqpacket
	}
	return f
}

// parsePipeFlags reads the list of fd.pipe.
func parsePipeFlags(list []byte) (f SocketFlags, err Error) {
	var p socketParser
	for rest, more := list, true; more; {
		var item []byte
		item, rest, more = cut(rest, ',')
		if len(item) == 0 || string(item) == "-" {
			continue
		}
		if !p.add(item) {
			return SocketFlags{}, Error{Code: FlagUnknown, Arg: item}
		}
	}
	return p.result(), Error{}
}

// parseSocketFlags reads the list of fd.socket; an item may carry a value,
// which means something for listen only.
func parseSocketFlags(list []byte) (f SocketFlags, listen int, err Error) {
	var p socketParser
	for rest, more := list, true; more; {
		var item []byte
		item, rest, more = cut(rest, ',')
		if len(item) == 0 {
			continue
		}
		if code := p.addValued(item); code != OK {
			return SocketFlags{}, 0, itemError(code, item)
		}
	}
	f = p.result()
	f.Pair = false
	return f, p.listen, Error{}
}

func itemError(code Code, item []byte) Error {
	if code == FlagUnknown {
		return Error{Code: code, Arg: item}
	}
	return Error{Code: code}
}

func (p *socketParser) addValued(item []byte) Code {
	name, value := item, []byte(nil)
	if i := bytes.IndexByte(item, '='); i >= 0 {
		name, value = item[:i], item[i+1:]
	}
	switch string(name) {
	case "bind":
		p.flags.Bind = true
	case "mkdir":
		p.flags.Mkdir = true
	case "listen":
		n, ok := parseListen(value)
		if !ok {
			return ListenInvalid
		}
		p.flags.Bind, p.flags.Listen, p.listen = true, true, n
	default:
		if !p.add(name) {
			return FlagUnknown
		}
	}
	return OK
}

// parseListen reads N of listen=N; an empty one is the default.
func parseListen(b []byte) (int, bool) {
	if len(b) == 0 {
		return DefaultListen, true
	}
	n, ok := parseDigits(b)
	if !ok || n < 1 || n > MaxListen {
		return 0, false
	}
	return int(n), true
}

// AppendSocket appends the flags of a socket as events show them.
func (f SocketFlags) AppendSocket(b []byte, listen int) []byte {
	b = append(b, f.Domain.String()...)
	b = append(b, ',')
	b = append(b, f.Kind.String()...)
	if f.Bind {
		b = append(b, ",bind"...)
	}
	if f.Listen {
		b = append(b, ",listen="...)
		b = strconv.AppendInt(b, int64(listen), 10)
	}
	if f.Mkdir {
		b = append(b, ",mkdir"...)
	}
	if f.NonBlock {
		b = append(b, ",nonblock"...)
	}
	return b
}

// AppendPipe appends the flags of one end of a pipe as events show them; both
// ends of a socketpair are a "to".
func (f SocketFlags) AppendPipe(b []byte, writeEnd bool) []byte {
	if f.Pair {
		b = append(b, f.Domain.String()...)
		b = append(b, ',')
		b = append(b, f.Kind.String()...)
		b = append(b, ',')
	}
	if f.NonBlock {
		b = append(b, "nonblock,"...)
	}
	if f.Pair || writeEnd {
		return append(b, "to"...)
	}
	return append(b, "from"...)
}
