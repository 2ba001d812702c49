package config

import (
	"bytes"
	"strconv"

	"daemonproxy/controller/protocol"
)

const spacesHint = "; fields are separated by single TABs, and here are spaces"

// explain is what the daemon says of a line, with what a person needs to find the mistake in it.
func explain(line []byte, command *protocol.Command) string {
	text := string(command.Err.Append(nil))
	if command.Verb == protocol.Unknown {
		return text + aboutUnknown(command.Name)
	}
	fields := bytes.Split(line, []byte{'\t'})[1:]
	switch command.Err.Code {
	case protocol.ServiceNameInvalid:
		return text + aboutName(fields[0])
	case protocol.FDNameInvalid, protocol.FDsNameInvalid:
		for _, field := range fields {
			if about := aboutName(field); about != "" {
				return text + about
			}
		}
	case protocol.FDConstant:
		for _, field := range fields {
			if protocol.IsConstant(field) {
				return text + ": " + quote(field)
			}
		}
	case protocol.TriggersFailed:
		return text + aboutTriggers(fields[2:])
	case protocol.IntegerExpected, protocol.SignalInvalid, protocol.SignalNumberInvalid, protocol.LevelInvalid,
		protocol.TimestampInvalid, protocol.OptionsInvalid, protocol.AddressInvalid, protocol.IntervalInvalid:
		if bytes.IndexByte(line, ' ') >= 0 {
			return text + spacesHint
		}
	case protocol.ServiceNameExpected, protocol.FDNameExpected, protocol.PathMissing, protocol.FlagsMissing,
		protocol.ArgumentMissing, protocol.SignalExpected:
		if len(fields) > 0 && len(fields[0]) == 0 {
			return text + "; two TABs in a row make an empty field"
		}
		if bytes.IndexByte(line, ' ') >= 0 {
			return text + spacesHint
		}
	}
	return text
}

// aboutUnknown tells what is known about a first field that is no command.
func aboutUnknown(name []byte) string {
	word, _, spaced := bytes.Cut(bytes.TrimLeft(name, " "), []byte{' '})
	switch {
	case len(name) == 0:
		return "; the line begins with a TAB"
	case !isVerb(word):
		if isVerb(bytes.ToLower(word)) {
			return "; commands are in lower case"
		}
		return ""
	case name[0] == ' ':
		return "; the line begins with a space"
	case spaced:
		return spacesHint
	}
	return ""
}

func isVerb(word []byte) bool {
	var c protocol.Command
	protocol.Parse(word, &c)
	return c.Verb != protocol.Unknown
}

// aboutName tells what is wrong with a name, nothing if it is good.
func aboutName(name []byte) string {
	switch {
	case len(name) == 0 || protocol.ValidName(name):
		return ""
	case bytes.IndexByte(name, ' ') >= 0:
		return ": " + quote(name) + spacesHint
	case len(name) > protocol.MaxName:
		return ": " + quote(name) + " has " + bytesText(len(name)) + ", and may have " + strconv.Itoa(protocol.MaxName)
	}
	return ": " + quote(name) + " may have only letters, digits and . _ -"
}

// aboutTriggers names the one that is none.
func aboutTriggers(triggers [][]byte) string {
	for _, trigger := range triggers {
		if len(trigger) == 0 {
			break
		}
		if _, ok := protocol.SignalByName(trigger); ok || string(trigger) == "always" {
			continue
		}
		if bytes.IndexByte(trigger, ' ') >= 0 {
			return ": " + quote(trigger) + spacesHint
		}
		return ": " + quote(trigger) + " is neither always nor a signal's name"
	}
	return ""
}

func quote[T ~string | ~[]byte](text T) string { return strconv.Quote(string(text)) }

func bytesText(n int) string { return strconv.Itoa(n) + " bytes" }
