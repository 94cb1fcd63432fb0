package train

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// The mean over draws of n times the square of the gradient is the diagonal of
// the Gauss-Newton matrix, also of a net whose normalisation mixes the
// examples; the mean of the gradient is 0. Six standard errors of 3000 draws,
// as measured, are exceeded once in 5e8 times.
func TestSampledGradsAreOfTheModel(t *testing.T) {
	for name, layers := range map[string][]nn.Layer{
		"plain": plain(), "normalised": {nn.Dense{Units: 4}, nn.BatchNorm{}, nn.Tanh{}, nn.Dense{Units: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			m, d := small[float64](t, layers...)
			const n, draws = 7, 3000
			s, err := ProblemOf(m, batch[float64](t, d, 0, n))
			if err != nil {
				t.Fatal(err)
			}
			size := len(m.Params)
			g, mean, square, fourth := make([]float64, size), make([]float64, size), make([]float64, size), make([]float64, size)
			for k := range draws {
				if err := s.(optimizers.SampledGrads[float64]).SampledGrad(g, m.Params, k); err != nil {
					t.Fatal(err)
				}
				for i, v := range g {
					mean[i] += v / draws
					square[i] += n * v * v / draws
					fourth[i] += n * v * v * n * v * v / draws
				}
			}
			if err := s.Linearize(m.Params); err != nil {
				t.Fatal(err)
			}
			largest := 0.0
			for i := range size {
				unit := make([]float64, size)
				unit[i] = 1
				if err := s.GaussNewtonMul(g, unit); err != nil {
					t.Fatal(err)
				}
				deviation := math.Sqrt((fourth[i] - square[i]*square[i]) / draws)
				if !(math.Abs(square[i]-g[i]) <= 6*deviation+1e-12) {
					t.Errorf("parameter %d: mean square %v, want %v, standard error %v", i, square[i], g[i], deviation)
				}
				// The bias before a normalisation has no gradient but for rounding.
				if !(math.Abs(mean[i]) <= 6*math.Sqrt(square[i]/n/draws)+1e-12) {
					t.Errorf("parameter %d: mean %v", i, mean[i])
				}
				largest = max(largest, g[i])
			}
			if largest < 0.01 {
				t.Errorf("the diagonal is %v at most: the test sees nothing", largest)
			}
		})
	}
}

// The draws are the same for the same number and go by the place in the sample,
// so that parts make the whole; the gradient beside them stays what it was.
func TestSampledGradsComeAgain(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 6}, nn.Tanh{}, nn.Dropout{Rate: 0.4}, nn.Dense{Units: 3})
	b := batch[float64](t, d, 0, 50)
	var want [3][]float64
	for _, size := range []int{50, 17, 1} {
		s := &sample[float64]{programs: newPrograms(m), seed: 3, step: 7}
		s.programs.part = size
		s.hold(b.X, b.Y, b.N)
		plain := make([]float64, len(m.Params))
		if _, err := s.Grad(plain, m.Params); err != nil {
			t.Fatal(err)
		}
		for k := range want {
			g := make([]float64, len(m.Params))
			if err := s.SampledGrad(g, m.Params, k); err != nil {
				t.Fatal(err)
			}
			if want[k] == nil {
				want[k] = g
			}
			// Sums of at most 50 parts in another order.
			if e := far(g, want[k]); e > 1e-13 {
				t.Errorf("parts of %d, draw %d: differs by %.2g of its largest element", size, k, e)
			}
		}
		after := make([]float64, len(m.Params))
		if _, err := s.Grad(after, m.Params); err != nil || far(after, plain) != 0 {
			t.Errorf("the gradient was changed by draws (%v)", err)
		}
	}
	if far(want[0], want[1]) < 0.1 || far(want[1], want[2]) < 0.1 {
		t.Error("draws with other numbers are the same")
	}
	s, err := ProblemOf(m, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.(optimizers.SampledGrads[float64]).SampledGrad(want[0][1:], m.Params, 0); err == nil {
		t.Error("a gradient that is too short")
	}
}
