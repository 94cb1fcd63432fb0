package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// eachLevel runs f as a subtest with the kernels of every level that this
// processor has.
func eachLevel(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	was := level
	defer func() { level = was }()
	for l := Generic; l <= detect(); l++ {
		level = l
		t.Run(l.String(), f)
	}
}

func TestLevelsByName(t *testing.T) {
	for _, c := range []struct {
		name string
		best Level
		want Level
		ok   bool
	}{
		{"", AVX2, AVX2, true},
		{"generic", AVX512, Generic, true},
		{"avx2", AVX512, AVX2, true},
		{"avx512", AVX512, AVX512, true},
		{"avx512", AVX2, AVX2, false},
		{"AVX2", AVX512, AVX512, false},
		{"sse", Generic, Generic, false},
	} {
		got, err := choose(c.name, c.best)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%q on a processor with %s: %s, %v; want %s", c.name, c.best, got, err, c.want)
		}
	}
}

// fenced is a slice of n elements with canaries around it.
type fenced[T Float] struct {
	x   []T
	all []T
	at  int
}

const fence = 40

// newFenced begins at an odd place, so that nothing is aligned by luck.
func newFenced[T Float](r *rand.Rand, n int) fenced[T] {
	at := fence + r.IntN(17)
	f := fenced[T]{all: make([]T, n+2*fence+17), at: at}
	for i := range f.all {
		f.all[i] = T(math.NaN()) // whoever reads it shows it
	}
	f.x = f.all[at : at+n : at+n]
	for i := range f.x {
		f.x[i] = T(r.NormFloat64())
	}
	return f
}

// check reports writes outside the slice.
func (f fenced[T]) check(t *testing.T, what string) {
	t.Helper()
	for i, v := range f.all {
		if (i < f.at || i >= f.at+len(f.x)) && v == v {
			t.Errorf("%s: element %d of %d was written", what, i-f.at, len(f.x))
			return
		}
	}
}
