package model

import (
	"math"
	"strconv"
	"strings"
)

const (
	maxLine = 4095 // bytes of a command, without its LF
	maxName = 31
)

// arguments are the fields of a command line.
type arguments struct {
	rest string
	more bool // there is another field, maybe an empty one
}

func (a *arguments) next() (field string, ok bool) {
	if !a.more {
		return "", false
	}
	field, a.rest, a.more = strings.Cut(a.rest, "\t")
	return field, true
}

// silent tells whether a line is neither command nor error: a comment, or blank.
func silent(line string) bool {
	return strings.HasPrefix(line, "#") || len(line) <= maxLine && strings.Trim(line, " \t\r") == ""
}

// failed is the error event for a command that failed.
func failed(line, text string) string {
	head := line
	if len(line) > 29 {
		head = line[:30] + "..."
	}
	return "error\t" + text + ", for command \"" + head + "\""
}

// legal tells whether s consists of the bytes of names, and of no more than a name may have.
func legal(s string) bool {
	for _, b := range []byte(s) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return len(s) <= maxName
}

// integer reads an optional minus and digits. What is too large stands for the largest there is.
func integer(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = math.MaxInt64
		if s[0] == '-' {
			n = math.MinInt64
		}
	}
	return n, true
}

// numbers are the signals that have names, by their numbers on most machines.
var numbers = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
	"SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CLD": 17, "CONT": 18,
	"STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27,
	"WINCH": 28, "IO": 29, "POLL": 29, "PWR": 30, "SYS": 31,
}

// named gives the number of a signal by name.
func named(name string) (number int, ok bool) {
	number, ok = numbers[strings.TrimPrefix(name, "SIG")]
	return number, ok
}

// signalName is how events call a signal.
func signalName(number int) string {
	switch number {
	case 6:
		return "SIGABRT"
	case 17:
		return "SIGCHLD"
	case 29:
		return "SIGIO"
	}
	for name, n := range numbers {
		if n == number {
			return "SIG" + name
		}
	}
	return "SIG-?"
}

// signal reads a signal argument.
func signal(a *arguments) (number int, fault string) {
	field, _ := a.next()
	if field == "" {
		return 0, "Expected signal argument"
	}
	if '0' <= field[0] && field[0] <= '9' {
		n, ok := integer(field)
		if !ok || n > 64 {
			return 0, "Invalid signal number"
		}
		return int(n), ""
	}
	number, ok := named(field)
	if !ok {
		return 0, "Invalid signal argument"
	}
	return number, ""
}
