package main

import (
	"math"
	"strings"

	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"

	"golang.org/x/sys/unix"
)

const defaultGrace = 10

// forwarded signals are passed on to the main service.
const forwarded = 1<<(unix.SIGHUP-1) | 1<<(unix.SIGINT-1) | 1<<(unix.SIGQUIT-1) |
	1<<(unix.SIGTERM-1) | 1<<(unix.SIGUSR1-1) | 1<<(unix.SIGUSR2-1) | 1<<(unix.SIGWINCH-1)

// remap is a --signal-map: to is passed on in place of from, 0 is nothing.
type remap struct{ from, to protocol.Signal }

// deliver is the signal that the main service gets for one that was received, 0
// for none.
func (o *options) deliver(received protocol.Signal) protocol.Signal {
	if forwarded>>(received-1)&1 == 0 {
		return 0
	}
	to := received
	for _, m := range o.signalMap {
		if m.from == received {
			to = m.to
		}
	}
	return to
}

// entrypoint says whether the words have a -- that is no option's argument. It
// must be known before any option acts.
func (p *parser) entrypoint() bool {
	for i := 0; i < len(p.words); i++ {
		word := p.words[i]
		name, long := strings.CutPrefix(word, "--")
		switch {
		case word == "--":
			return true
		case long:
			i += p.long(name).arguments()
		case len(word) > 1 && word[0] == '-':
			for j := 1; j < len(word); j++ {
				i += p.short(word[j]).arguments()
			}
		}
	}
	return false
}

// setProgram takes all the words that are left.
func (p *parser) setProgram() *stop {
	program := p.words
	p.words = nil
	if len(program) == 0 {
		return p.fatal(mainthread.ExitBadOptions, "Missing argument for --")
	}
	if p.interactive {
		return p.fatal(mainthread.ExitBadOptions, "-i cannot be combined with --")
	}
	p.program = program
	return nil
}

func (p *parser) setGrace(arg string) *stop {
	n, ok := protocol.ParseInteger([]byte(arg))
	if !ok || n < 0 || n > math.MaxInt32 {
		return p.fatal(mainthread.ExitBadOptions, "Grace period must be a number of seconds")
	}
	p.grace = n
	return nil
}

func (p *parser) addSignalMap(arg string) *stop {
	left, right, _ := strings.Cut(arg, "=")
	from, ok := protocol.SignalByName([]byte(left))
	ok = ok && forwarded>>(from-1)&1 != 0
	to := protocol.Signal(0)
	if ok && right != "-" {
		to, ok = protocol.SignalByName([]byte(right))
	}
	if !ok {
		return p.fatal(mainthread.ExitBadOptions, "Expected FROM=TO where FROM and TO are signals")
	}
	p.signalMap = append(p.signalMap, remap{from, to})
	return nil
}

func (p *parser) setSignalGroup(string) *stop {
	p.signalGroup = true
	return nil
}
