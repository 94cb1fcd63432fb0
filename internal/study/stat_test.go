package study

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

func TestStatsAreGonums(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := 2; n < 9; n++ {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		keep := slices.Clone(x)
		s := StatOf(x)
		if !slices.Equal(x, keep) {
			t.Fatal("the numbers were sorted in place")
		}
		mean, sd := stat.MeanStdDev(x, nil)
		slices.Sort(keep)
		if s.N != n || math.Abs(s.Mean-mean) > 1e-14 || math.Abs(s.SD-sd) > 1e-14 || s.Min != keep[0] || s.Max != keep[n-1] || s.Median != keep[n/2] {
			t.Errorf("%v: %+v", x, s)
		}
	}
	if s := StatOf([]float64{3}); s.Mean != 3 || s.Median != 3 || !math.IsNaN(s.SD) {
		t.Errorf("one number: %+v", s)
	}
	if s := StatOf(nil); s.N != 0 || !math.IsNaN(s.Mean) || !math.IsNaN(s.Median) {
		t.Errorf("no numbers: %+v", s)
	}
	// A run that misses its target makes the mean endless, and the median where it
	// is one of the half.
	if s := StatOf([]float64{1, math.Inf(1), 2}); s.Median != 2 || !math.IsInf(s.Mean, 1) {
		t.Errorf("one miss of three: %+v", s)
	}
	if s := StatOf([]float64{1, math.Inf(1)}); !math.IsInf(s.Median, 1) {
		t.Errorf("one miss of two: %+v", s)
	}
}
