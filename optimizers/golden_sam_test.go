package optimizers_test

import (
	"context"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// followSAM compares every step of SAM with a reference that computes the length of the perturbation, rho/(|g| + 1e-12),
// in float32 (some of it by a square root that is not rounded correctly, so that it cannot be computed again). That is
// a rho which is off by a few parts in 1e7, and another in every step. So each step is taken with the rho that comes
// nearest, which must be as close to the case's as float32 allows, and then all parameters must be within the bound.
func followSAM(t *testing.T, m *optimizers.SAM, l optimizers.Layout, f *goldenObjective, x0 []float64, c goldenCase, within float64) {
	t.Helper()
	p := newGoldenProblem[float64](f)
	start := func(off float64) optimizers.Optimizer[float64] {
		s := *m
		s.Rho *= 1 + off
		o, err := optimizers.New[float64](&s, l)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	x, state := x0, start(0).State()
	try := func(off float64) ([]float64, optimizers.State[float64]) {
		o, y := start(off), append([]float64{}, x...)
		if err := o.Restore(state); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Step(context.Background(), y, p); err != nil {
			t.Fatal(err)
		}
		return y, o.State()
	}
	const h = 1e-4
	for step, want := range c.Path {
		if len(want) != len(x) {
			t.Fatalf("%d numbers for %d parameters", len(want), len(x))
		}
		plain, _ := try(0)
		other, _ := try(h)
		above, below := 0.0, 0.0
		for i, v := range plain {
			slope := (other[i] - v) / h
			above += (want[i] - v) * slope
			below += slope * slope
		}
		off := above / below
		if !(math.Abs(off) <= 0x1p-22) {
			t.Fatalf("step %d: the reference's perturbation is %v of the rule's; float32 explains %v", step, 1+off, 0x1p-22)
		}
		x, state = try(off)
		for i := range x {
			if d := math.Abs(x[i] - want[i]); !(d <= within) {
				t.Fatalf("step %d, parameter %d: %v, golden %v, apart %v", step, i, x[i], want[i], d)
			}
		}
	}
	if got := f.loss(make([]float64, len(x)), x); math.Abs(got-c.FinalLoss) > within {
		t.Errorf("loss in the end %v, golden %v", got, c.FinalLoss)
	}
}
