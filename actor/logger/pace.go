package logger

import (
	"strconv"
	"time"
)

// pace says when the next attempt may be made. While writes succeed: at once. After a failure each of the next
// two messages still causes an attempt at once; else they come retryDelay apart, until one succeeds. Messages
// that came in one burst count one by one, so that it makes no difference how soon the pen gets to run.
type pace struct {
	failing  bool
	unserved int8          // messages that caused no attempt yet, up to 3: more make no difference
	credits  int8          // attempts that messages may still cause at once
	retry    time.Duration // on the clock of now
}

var begun = time.Now()

// now is the time since the program's start.
func now() time.Duration { return time.Since(begun) }

func (p *pace) arrived() {
	if p.unserved < 3 {
		p.unserved++
	}
}

// hurries says that a message may cause an attempt before the delay is over.
func (p *pace) hurries() bool { return p.credits > 0 && p.unserved > 0 }

// wait is how long to wait before the next attempt; now is only asked while writes fail.
func (p *pace) wait() time.Duration {
	if !p.failing || p.hurries() {
		return 0
	}
	return p.retry - now()
}

// failed notes an attempt that wrote nothing.
func (p *pace) failed() {
	switch {
	case !p.failing:
		p.failing, p.credits = true, 2
	case p.hurries():
		p.credits--
	}
	if p.unserved > 0 {
		p.unserved--
	}
	p.retry = now() + retryDelay
}

// succeeded notes an attempt that wrote something.
func (p *pace) succeeded() { *p = pace{} }

// renewed notes another destination, to which messages that have waited for it are new.
func (p *pace) renewed() { *p = pace{unserved: p.unserved} }

func appendLost(b []byte, n int64) []byte {
	b = append(b, "warning: lost "...)
	b = strconv.AppendInt(b, n, 10)
	return append(b, " log messages\n"...)
}
