package protocol

import "bytes"

// args walks the fields of a line. After the last one, more is false.
type args struct {
	rest []byte
	more bool
}

// next takes a field; ok is false if it is missing.
func (a *args) next() (field []byte, ok bool) {
	if !a.more {
		return nil, false
	}
	field, a.rest, a.more = NextField(a.rest)
	return field, true
}

// integer takes a field that must be one.
func (a *args) integer() (int64, Code) {
	field, _ := a.next()
	n, ok := ParseInteger(field)
	if !ok {
		return 0, IntegerExpected
	}
	return n, OK
}

// Parse reads a line without its LF into c, all of whose fields it sets.
func Parse(line []byte, c *Command) {
	*c = Command{}
	c.UID, c.GID = -1, -1
	a := args{rest: line, more: true}
	name, _ := a.next()
	c.Verb = verbByName(name)
	if c.Verb == Unknown {
		c.Name = name
		c.Err = Error{Code: UnknownCommand, Arg: name}
		return
	}
	if code := c.parse(&a); code != OK && c.Err.Code == OK {
		c.Err.Code = code
	}
}

// parse reads the arguments. An error with more than its code is left in
// c.Err, and wins over the code returned.
func (c *Command) parse(a *args) Code {
	switch c.Verb {
	case Echo:
		c.Value, c.HasValue = a.rest, len(a.rest) > 0
	case Chdir:
		return c.parseChdir(a)
	case ServiceTags, ServiceArgs, ServiceFDs, ServiceAutoUp, ServiceStart, ServiceSignal, ServiceDelete:
		return c.parseService(a)
	case SocketCreate:
		return c.parseSocketCreate(a)
	case FDPipe:
		return c.parsePipe(a)
	case FDOpen:
		return c.parseOpen(a)
	case FDSocket:
		return c.parseSocket(a)
	case FDTake, FDDelete:
		return parseHandle(a, &c.Name)
	case LogFilter:
		return c.parseLogFilter(a)
	case LogDest:
		return c.parseLogDest(a)
	case ConnEventTimeout:
		return c.parseTimeout(a)
	case SignalClear:
		return c.parseSignalClear(a)
	case TerminateExecArgs:
		c.Value, c.HasValue = a.rest, a.more
		if len(c.Value) > MaxExecArgs {
			return ExecArgsTooLong
		}
	case TerminateGuard:
		return c.parseGuard(a)
	case Terminate:
		return c.parseTerminate(a)
	}
	return OK
}

func (c *Command) parseChdir(a *args) Code {
	path, ok := a.next()
	if !ok {
		return PathMissing
	}
	if a.more {
		return PathExtra
	}
	c.Path = path
	return OK
}

func (c *Command) parseSocketCreate(a *args) Code {
	options, _ := a.next()
	path, ok := a.next()
	if !ok {
		return ArgumentMissing
	}
	c.Mode, c.Path = DefaultMode, path
	if len(options) == 0 || string(options) == "-" {
		return OK
	}
	for rest, more := options, true; more; {
		var item []byte
		item, rest, more = cut(rest, ',')
		if !c.addSocketOption(item) {
			return OptionsInvalid
		}
	}
	return OK
}

func (c *Command) addSocketOption(item []byte) (ok bool) {
	i := bytes.IndexByte(item, '=')
	if i < 0 {
		return false
	}
	value := item[i+1:]
	switch string(item[:i]) {
	case "mode":
		c.Mode, ok = parseMode(value)
	case "uid":
		c.UID, ok = parseID(value)
	case "gid":
		c.GID, ok = parseID(value)
	}
	return ok
}

func parseMode(b []byte) (mode uint32, ok bool) {
	for _, c := range b {
		if c < '0' || c > '7' {
			return 0, false
		}
		if mode = mode<<3 | uint32(c-'0'); mode > 0o777 {
			return 0, false
		}
	}
	return mode, len(b) > 0
}

// parseID reads a user or group ID. The highest, -1 to chown(2), is not one.
// Where an int has 32 bits the upper half comes out negative, as the system
// call wants it.
func parseID(b []byte) (int, bool) {
	n, ok := parseDigits(b)
	if !ok || n >= 1<<32-1 {
		return -1, false
	}
	return int(uint32(n)), true
}

func (c *Command) parseLogFilter(a *args) Code {
	field, ok := a.next()
	if !ok {
		c.LevelSet = LevelQuery
		return OK
	}
	switch string(field) {
	case "+":
		c.LevelSet = LevelUp
	case "-":
		c.LevelSet = LevelDown
	default:
		if c.Level, ok = ParseLevel(field); !ok {
			return LevelInvalid
		}
		c.LevelSet = LevelTo
	}
	return OK
}

func (c *Command) parseLogDest(a *args) Code {
	kind, ok := a.next()
	if !ok {
		return ArgumentMissing
	}
	if string(kind) != "fd" {
		return LogTypeUnknown
	}
	return parseHandleName(a, &c.Name)
}

func (c *Command) parseTimeout(a *args) (code Code) {
	if c.Reset, code = a.integer(); code != OK {
		return code
	}
	if c.Close, code = a.integer(); code != OK {
		return code
	}
	if c.Reset < 0 || c.Reset > MaxTimeout || c.Close < 0 || c.Close > MaxTimeout {
		return TimeoutInvalid
	}
	if c.Reset > c.Close {
		return TimeoutOrder
	}
	return OK
}

func (c *Command) parseSignalClear(a *args) (code Code) {
	field, ok := a.next()
	if c.Signal, code = parseSignal(field, ok); code != OK {
		return code
	}
	c.Count, code = a.integer()
	return code
}

func (c *Command) parseGuard(a *args) (code Code) {
	sign, _ := a.next()
	if string(sign) != "+" && string(sign) != "-" {
		return GuardSignExpected
	}
	c.Plus = sign[0] == '+'
	if c.Code, code = a.integer(); code != OK {
		return code
	}
	if c.Code == 0 {
		return GuardCodeZero
	}
	return OK
}

func (c *Command) parseTerminate(a *args) (code Code) {
	if c.Code, code = a.integer(); code != OK {
		return code
	}
	// Whether a guard code is needed, and right, only the guard knows.
	field, _ := a.next()
	c.Guard, c.HasGuard = ParseInteger(field)
	return OK
}
