package protocol

// How much of a failed command is quoted, in events and in the log.
const (
	eventQuote = 30
	logQuote   = 90
)

// AppendError appends the error line of a failed command; line is the command
// without its LF. Errors that say all by themselves do not quote it.
func AppendError(b []byte, e Error, line []byte) []byte {
	b = append(b, "error\t"...)
	b = e.Append(b)
	if e.Code.bare() {
		return append(b, '\n')
	}
	b = append(b, `, for command "`...)
	if len(line) < eventQuote {
		b = append(b, line...)
	} else {
		b = append(b, line[:eventQuote]...)
		b = append(b, "..."...)
	}
	return append(b, "\"\n"...)
}

// AppendLogQuote appends a failed command as the log quotes it: in single
// quotes, and if it is cut, with dots after them. No LF follows.
func AppendLogQuote(b, line []byte) []byte {
	b = append(b, '\'')
	if len(line) < logQuote {
		b = append(b, line...)
		return append(b, '\'')
	}
	b = append(b, line[:logQuote]...)
	return append(b, "'..."...)
}

// AppendNotDefined appends the warning of service.fds about a handle that is
// not there yet. It has the form of a log line, without TAB; clients know it so.
func AppendNotDefined(b, name []byte) []byte {
	b = append(b, `warning: fd "`...)
	b = append(b, name...)
	return append(b, "\" is not yet defined\n"...)
}

// AppendNotExist appends the warning of log.dest about a handle that is not
// there yet.
func AppendNotExist(b, name []byte) []byte {
	b = append(b, "warning\tfd \""...)
	b = append(b, name...)
	return append(b, "\" does not exist\n"...)
}
