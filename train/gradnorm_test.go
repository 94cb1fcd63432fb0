package train

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// TestGradNorm compares the length that comes with a gradient with its elements', in
// float64: only the order of the sum differs. Of a gradient in parts it is not known,
// and a NaN is left to who looks at the elements.
func TestGradNorm(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 40}, nn.LayerNorm{}, nn.Tanh{}, nn.Dense{Units: 3})
	b := batch[float64](t, d, 0, 50)
	s := &sample[float64]{programs: newPrograms(m)}
	s.hold(b.X, b.Y, b.N)
	g := make([]float64, len(m.Params))
	grad := func(x []float64) {
		t.Helper()
		if _, err := s.Grad(g, x); err != nil {
			t.Fatal(err)
		}
	}
	var known optimizers.GradNorms = s
	for k := range 3 {
		x := direction(len(g), uint64(k))
		grad(x)
		sum := 0.0
		for _, v := range g {
			sum += v * v
		}
		if n, ok := known.GradNorm(); !ok || math.Abs(n-math.Sqrt(sum)) > 1e-13*n {
			t.Errorf("the gradient's length is %v (%v), want %v", n, ok, math.Sqrt(sum))
		}
	}
	x := direction(len(g), 9)
	x[0] = math.NaN()
	grad(x)
	if n, ok := known.GradNorm(); ok {
		t.Errorf("a gradient with NaN has length %v", n)
	}
	s.programs.part = 30
	s.hold(b.X, b.Y, b.N)
	grad(m.Params)
	if n, ok := known.GradNorm(); ok {
		t.Errorf("a gradient in parts has length %v", n)
	}
}
