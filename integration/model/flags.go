package model

import (
	"fmt"
	"net/netip"
	"strings"
)

var openNames = []string{"read", "write", "append", "create", "trunc", "nonblock", "mkdir"}

func openFlags(list string) (f map[string]bool, fault string) {
	f = map[string]bool{}
	for _, item := range split(list) {
		known := false
		for _, name := range openNames {
			known = known || name == item
		}
		if !known {
			return nil, `unknown flag "` + item + `"`
		}
		f[item] = true
	}
	f["read"] = f["read"] || !f["write"]
	return f, ""
}

func shownOpenFlags(f map[string]bool) string {
	var shown []string
	for _, name := range openNames {
		if f[name] {
			shown = append(shown, name)
		}
	}
	return strings.Join(shown, ",")
}

// socketFlags are what fd.pipe and fd.socket share, and what fd.socket has besides.
type socketFlags struct {
	socket                        bool // any flag of a socket
	inet, inet6, dgram, seqpacket bool
	nonblock, bind, mkdir         bool
	listen                        int64
}

func (f *socketFlags) add(item string) bool {
	switch item {
	case "nonblock":
		f.nonblock = true
		return true
	case "unix":
		f.inet, f.inet6 = false, false
	case "inet":
		f.inet = true
	case "inet6":
		f.inet6 = true
	case "tcp":
		f.inet, f.dgram, f.seqpacket = true, false, false
	case "udp":
		f.inet, f.dgram = true, true
	case "stream":
		f.dgram, f.seqpacket = false, false
	case "dgram":
		f.dgram = true
	case "seqpacket":
		f.seqpacket = true
	default:
		return false
	}
	f.socket = true
	return true
}

func (f *socketFlags) domain() string {
	switch {
	case f.inet:
		return "inet"
	case f.inet6:
		return "inet6"
	}
	return "unix"
}

func (f *socketFlags) kind() string {
	switch {
	case f.dgram:
		return "dgram"
	case f.seqpacket:
		return "seqpacket"
	}
	return "stream"
}

func pipeFlags(list string) (f socketFlags, fault string) {
	for _, item := range split(list) {
		if item != "-" && !f.add(item) {
			return f, `unknown flag "` + item + `"`
		}
	}
	return f, ""
}

func parseSocketFlags(list string) (f socketFlags, fault string) {
	for _, item := range split(list) {
		name, value, _ := strings.Cut(item, "=")
		switch name {
		case "bind":
			f.bind = true
		case "mkdir":
			f.mkdir = true
		case "listen":
			n, ok := integer(value)
			if value == "" {
				n, ok = 32, true
			}
			if !ok || n < 1 || n > 65535 {
				return f, "invalid listen queue length"
			}
			f.bind, f.listen = true, n
		default:
			if !f.add(name) {
				return f, `unknown flag "` + item + `"`
			}
		}
	}
	return f, ""
}

func (f *socketFlags) shown() string {
	shown := f.domain() + "," + f.kind()
	if f.bind {
		shown += ",bind"
	}
	if f.listen > 0 {
		shown += fmt.Sprintf(",listen=%d", f.listen)
	}
	if f.mkdir {
		shown += ",mkdir"
	}
	if f.nonblock {
		shown += ",nonblock"
	}
	return shown
}

// make is what the system says to such a socket: the text of the failure. Addresses of the internet are always free.
func (f *socketFlags) make(files files, address string) (fault string) {
	if f.domain() != "unix" && f.kind() == "seqpacket" {
		return "socket: Socket type not supported"
	}
	if f.domain() == "unix" && f.bind {
		if f.mkdir {
			files.mkdirs(address)
		}
		if errno := files.bind(address); errno != "" {
			return "bind: " + errno
		}
	}
	if f.listen > 0 && f.kind() == "dgram" {
		return "listen: Operation not supported"
	}
	return ""
}

func validAddress(domain, text string) bool {
	if domain == "unix" {
		return len(text) >= 1 && len(text) <= 107
	}
	host, port, given := text, "", false
	if domain == "inet6" && strings.HasPrefix(text, "[") {
		i := strings.IndexByte(text, ']')
		if i < 0 {
			return false
		}
		host, port = text[:i+1], text[i+1:]
		if port != "" {
			if port[0] != ':' {
				return false
			}
			port, given = port[1:], true
		}
	} else {
		host, port, given = strings.Cut(text, ":")
	}
	if n, ok := integer(port); given && (!ok || strings.HasPrefix(port, "-") || n > 65535) {
		return false
	}
	if host == "*" {
		return true
	}
	if domain == "inet" {
		ip, err := netip.ParseAddr(host)
		return err == nil && ip.Is4()
	}
	if !strings.HasPrefix(host, "[") {
		return false
	}
	ip, err := netip.ParseAddr(host[1 : len(host)-1])
	return err == nil && ip.Is6() && ip.Zone() == ""
}
