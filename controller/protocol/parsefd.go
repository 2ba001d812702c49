package protocol

import "bytes"

// parseHandleName takes the name of any handle.
func parseHandleName(a *args, name *[]byte) Code {
	field, _ := a.next()
	if len(field) == 0 {
		return FDNameExpected
	}
	if !ValidName(field) {
		return FDNameInvalid
	}
	*name = field
	return OK
}

// parseHandle takes the name of a handle that is to be made, replaced or
// deleted.
func parseHandle(a *args, name *[]byte) Code {
	if code := parseHandleName(a, name); code != OK {
		return code
	}
	if IsConstant(*name) {
		return FDConstant
	}
	return OK
}

func (c *Command) parsePipe(a *args) Code {
	if code := parseHandle(a, &c.Name); code != OK {
		return code
	}
	if code := parseHandle(a, &c.Peer); code != OK {
		return code
	}
	if bytes.Equal(c.Name, c.Peer) {
		return NamesEqual
	}
	flags, _ := a.next()
	c.Socket, c.Err = parsePipeFlags(flags)
	return c.Err.Code
}

// parseOpen counts the fields before it reads the flags.
func (c *Command) parseOpen(a *args) Code {
	if code := parseHandle(a, &c.Name); code != OK {
		return code
	}
	flags, ok := a.next()
	if !ok {
		return FlagsMissing
	}
	path, ok := a.next()
	if !ok {
		return PathMissing
	}
	if a.more {
		return PathExtra
	}
	c.Path = path
	c.Open, c.Err = parseOpenFlags(flags)
	return c.Err.Code
}

// parseSocket reads the flags before it counts the fields.
func (c *Command) parseSocket(a *args) Code {
	if code := parseHandle(a, &c.Name); code != OK {
		return code
	}
	flags, ok := a.next()
	if !ok {
		return FlagsMissing
	}
	c.Socket, c.Listen, c.Err = parseSocketFlags(flags)
	if c.Err.Code != OK {
		return c.Err.Code
	}
	text, given := a.next()
	if !given {
		if c.Socket.Bind {
			return AddressExpected
		}
		return OK
	}
	if c.Address, ok = parseAddress(c.Socket.Domain, text); !ok {
		return AddressInvalid
	}
	c.Path, c.Socket.Bind = text, true
	if a.more {
		return AddressExtra
	}
	return OK
}
