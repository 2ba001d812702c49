package protocol

import "strconv"

// Append appends the line, without LF, that c would be parsed from: names in
// full, defaults spelled out, ignored arguments left out. c must have no Err.
func (c *Command) Append(b []byte) []byte {
	if c.Verb == Unknown {
		return append(b, c.Name...)
	}
	b = append(b, c.Verb.String()...)
	switch c.Verb {
	case Echo, TerminateExecArgs:
		b = c.appendValue(b)
	case Chdir:
		b = appendField(b, c.Path)
	case ServiceTags, ServiceArgs, ServiceFDs:
		b = appendField(b, c.Name)
		b = c.appendValue(b)
	case ServiceAutoUp:
		b = appendField(b, c.Name)
		b = c.appendInterval(b)
		b = c.appendValue(b)
	case ServiceStart:
		b = appendField(b, c.Name)
		b = c.appendWhen(b)
	case ServiceSignal:
		b = appendField(b, c.Name)
		b = appendIntField(b, int64(c.Signal))
		if c.Group {
			b = append(b, "\tgroup"...)
		}
	case ServiceDelete, FDTake, FDDelete:
		b = appendField(b, c.Name)
	case SocketCreate:
		b = c.appendSocketOptions(b)
		b = appendField(b, c.Path)
	case FDPipe:
		b = appendField(b, c.Name)
		b = appendField(b, c.Peer)
		b = c.appendPipeFlags(b)
	case FDOpen:
		b = appendField(b, c.Name)
		b = append(b, '\t')
		b = c.Open.Append(b)
		b = appendField(b, c.Path)
	case FDSocket:
		b = appendField(b, c.Name)
		b = append(b, '\t')
		b = c.Socket.AppendSocket(b, c.Listen)
		if c.Socket.Bind {
			b = appendField(b, c.Path)
		}
	case LogFilter:
		b = c.appendLevel(b)
	case LogDest:
		b = append(b, "\tfd"...)
		b = appendField(b, c.Name)
	case ConnEventTimeout:
		b = appendIntField(b, c.Reset)
		b = appendIntField(b, c.Close)
	case SignalClear:
		b = appendIntField(b, int64(c.Signal))
		b = appendIntField(b, c.Count)
	case TerminateGuard:
		if c.Plus {
			b = append(b, "\t+"...)
		} else {
			b = append(b, "\t-"...)
		}
		b = appendIntField(b, c.Code)
	case Terminate:
		b = appendIntField(b, c.Code)
		if c.HasGuard {
			b = appendIntField(b, c.Guard)
		}
	}
	return b
}

func appendField(b, field []byte) []byte {
	b = append(b, '\t')
	return append(b, field...)
}

func appendIntField(b []byte, n int64) []byte {
	b = append(b, '\t')
	return strconv.AppendInt(b, n, 10)
}

func (c *Command) appendValue(b []byte) []byte {
	if !c.HasValue {
		return b
	}
	return appendField(b, c.Value)
}

func (c *Command) appendInterval(b []byte) []byte {
	if c.KeepInterval {
		return append(b, "\t-"...)
	}
	return appendIntField(b, c.Interval)
}

func (c *Command) appendWhen(b []byte) []byte {
	switch c.When {
	case At:
		return appendIntField(b, c.Time)
	case Cancel:
		return append(b, "\t-"...)
	}
	return b
}

func (c *Command) appendSocketOptions(b []byte) []byte {
	b = append(b, "\tmode="...)
	b = strconv.AppendUint(b, uint64(c.Mode), 8)
	if c.UID != -1 {
		b = append(b, ",uid="...)
		b = strconv.AppendUint(b, uint64(uint32(c.UID)), 10)
	}
	if c.GID != -1 {
		b = append(b, ",gid="...)
		b = strconv.AppendUint(b, uint64(uint32(c.GID)), 10)
	}
	return b
}

func (c *Command) appendPipeFlags(b []byte) []byte {
	b = append(b, '\t')
	if c.Socket.Pair {
		b = append(b, c.Socket.Domain.String()...)
		b = append(b, ',')
		b = append(b, c.Socket.Kind.String()...)
	}
	if c.Socket.NonBlock {
		if c.Socket.Pair {
			b = append(b, ',')
		}
		b = append(b, "nonblock"...)
	}
	return b
}

func (c *Command) appendLevel(b []byte) []byte {
	switch c.LevelSet {
	case LevelUp:
		return append(b, "\t+"...)
	case LevelDown:
		return append(b, "\t-"...)
	case LevelTo:
		b = append(b, '\t')
		return append(b, c.Level.String()...)
	}
	return b
}
