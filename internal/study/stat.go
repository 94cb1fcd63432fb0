package study

import (
	"math"
	"slices"
)

// Stat is some numbers together.
type Stat struct {
	N        int
	Mean, SD float64 // SD is the sample standard deviation; NaN of fewer than two
	Min, Max float64
	Median   float64 // of an even number, the higher one of the middle
}

// StatOf sums up numbers; all but N are NaN of none.
func StatOf(x []float64) Stat {
	nan := math.NaN()
	s := Stat{N: len(x), Mean: nan, SD: nan, Min: nan, Max: nan, Median: nan}
	if s.N == 0 {
		return s
	}
	x = slices.Clone(x)
	slices.Sort(x)
	s.Min, s.Max, s.Median = x[0], x[s.N-1], x[s.N/2]
	s.Mean = 0
	for _, v := range x {
		s.Mean += v / float64(s.N)
	}
	if s.N > 1 {
		sum := 0.0
		for _, v := range x {
			sum += (v - s.Mean) * (v - s.Mean)
		}
		s.SD = math.Sqrt(sum / float64(s.N-1))
	}
	return s
}
