package main

import (
	"math"

	"daemonproxy/actor/mainthread"
	"daemonproxy/controller/protocol"
)

// bound is the range of a number that is clamped into it, with a warning.
type bound struct {
	min, max int64
	belowMin string
	aboveMax string
	preset   int64 // the value where none was given
}

// poolBounds belong to one of the pool options.
type poolBounds struct{ n, m bound }

var fdPoolBounds = poolBounds{
	n: bound{
		min: 7, belowMin: "At least 7 fd objects required; using minimum",
		max: 1024, aboveMax: "fd pool size exceeds max number of allowed file descriptors; limiting to 1024",
	},
	m: bound{
		min: 32, belowMin: "fd obj size increased to minimum of 32",
		max: 4096, aboveMax: "fd obj size limited to maximum of 4096",
		preset: 96,
	},
}

var servicePoolBounds = poolBounds{
	n: bound{
		min: 1, belowMin: "At least 1 service objects required; using minimum",
		max: 65535, aboveMax: "service pool size exceeds maximum; limiting to 65535",
	},
	m: bound{
		// The misspelling is what scripts have always seen.
		min: 64, belowMin: "servce obj size increased to minimum of 64",
		max:    math.MaxInt64,
		preset: 512,
	},
}

func (p *parser) setPool(pool *poolSize, arg string, b *poolBounds) *stop {
	n, m, hasM, ok := protocol.ParsePoolSize(arg)
	if !ok {
		return p.fatal(mainthread.ExitBadOptions, "Expected 'N' or 'NxM' where N and M are integers and M has an optional size suffix")
	}
	pool.set = true
	pool.n = p.clamp(n, &b.n)
	pool.m = b.m.preset
	if hasM {
		pool.m = p.clamp(m, &b.m)
	}
	return nil
}

func (p *parser) clamp(v int64, b *bound) int64 {
	switch {
	case v < b.min:
		p.log(protocol.LevelWarning, b.belowMin)
		return b.min
	case v > b.max:
		p.log(protocol.LevelWarning, b.aboveMax)
		return b.max
	}
	return v
}
