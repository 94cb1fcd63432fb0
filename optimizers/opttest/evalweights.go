package opttest

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// checkEvalWeights is for an optimizer whose iterates are not the weights to use.
func (s *suite[T]) checkEvalWeights(t *testing.T) {
	c := s.begin(t, s.method())
	a, ok := optimizers.As[optimizers.Averaging[T]](c.o)
	if !ok {
		return
	}
	look := func(what string, from optimizers.Averaging[T]) []T {
		t.Helper()
		dst := make([]T, len(c.x))
		for i := range dst {
			dst[i] = T(math.NaN()) // what is not written shows
		}
		x, state := slices.Clone(c.x), c.o.State()
		from.EvalWeights(dst, c.x)
		if !sameBits(x, c.x) {
			t.Errorf("%s: asking for the weights changed x", what)
		}
		if diff := stateDiff(state, c.o.State()); diff != "" {
			t.Errorf("%s: asking for the weights changed the state: %s", what, diff)
		}
		for i, v := range dst {
			if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: weight %d is %v", what, i, v)
			}
		}
		return dst
	}
	if first := look("before the first step", a); !sameBits(first, c.x) {
		t.Errorf("before the first step the weights are %v, x is %v", first, c.x)
	}
	for range 6 {
		c.steps(1)
		want := look("after a step", a)
		again := s.begin(t, s.method())
		again.steps(2)
		if err := again.o.Restore(c.o.State()); err != nil {
			t.Fatal(err)
		}
		b, _ := optimizers.As[optimizers.Averaging[T]](again.o)
		if got := look("restored", b); !sameBits(got, want) {
			t.Errorf("after %d steps and restoring the weights are %v, they were %v", c.k, got, want)
		}
	}
	dst := make([]T, len(c.x))
	if n := testing.AllocsPerRun(20, func() { a.EvalWeights(dst, c.x) }); n != 0 {
		t.Errorf("asking for the weights allocates %v times", n)
	}
}
