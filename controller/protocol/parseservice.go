package protocol

// parseService reads the commands whose first argument is a service.
func (c *Command) parseService(a *args) Code {
	name, _ := a.next()
	if len(name) == 0 {
		return ServiceNameExpected
	}
	if !ValidName(name) {
		return ServiceNameInvalid
	}
	c.Name, c.Named = name, true
	switch c.Verb {
	case ServiceTags, ServiceArgs:
		c.Value, c.HasValue = a.rest, a.more
	case ServiceFDs:
		c.Value, c.HasValue = a.rest, a.more
		return checkFDs(c.Value)
	case ServiceAutoUp:
		return c.parseAutoUp(a)
	case ServiceStart:
		return c.parseStart(a)
	case ServiceSignal:
		return c.parseServiceSignal(a)
	}
	return OK
}

// checkFDs checks a list of handle names, in which a name may be empty.
func checkFDs(list []byte) Code {
	for rest, more := list, true; more; {
		var name []byte
		name, rest, more = NextField(rest)
		if !nameBytes(name) {
			return FDsNameInvalid
		}
	}
	return OK
}

func (c *Command) parseAutoUp(a *args) Code {
	interval, _ := a.next()
	if string(interval) == "-" {
		c.KeepInterval = true
	} else {
		n, ok := ParseInteger(interval)
		if !ok {
			return IntegerExpected
		}
		if n < 1 || n > MaxInterval {
			return IntervalInvalid
		}
		c.Interval = n
	}
	if !a.more {
		return OK
	}
	var ok bool
	if c.Triggers, c.Value, ok = parseTriggers(a.rest); !ok {
		return TriggersFailed
	}
	c.HasValue = true
	return OK
}

func (c *Command) parseStart(a *args) Code {
	field, given := a.next()
	switch {
	case !given:
		c.When = Now
	case string(field) == "-":
		c.When = Cancel
	default:
		n, ok := ParseInteger(field)
		if !ok {
			return TimestampInvalid
		}
		c.When, c.Time = At, n
	}
	return OK
}

func (c *Command) parseServiceSignal(a *args) (code Code) {
	field, ok := a.next()
	if c.Signal, code = parseSignal(field, ok); code != OK {
		return code
	}
	options, given := a.next()
	for rest, more := options, given; more; {
		var item []byte
		item, rest, more = cut(rest, ',')
		if string(item) != "group" {
			c.Err = Error{Code: OptionUnknown, Arg: item}
			return OptionUnknown
		}
		c.Group = true
	}
	return OK
}
