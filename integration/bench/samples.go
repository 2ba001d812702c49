package main

import "slices"

// samples of one figure, from all rounds.
type samples []float64

func (s *samples) add(v float64) { *s = append(*s, v) }

// quantile of the samples; 0 if there are none.
func (s samples) quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func (s samples) median() float64 { return s.quantile(0.5) }

// constant is a figure that needs no rounds.
func constant(v float64) samples { return samples{v} }
