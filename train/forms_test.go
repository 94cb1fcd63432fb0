package train

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// Forms are products multiplied by the directions: for any loss, with a penalty,
// in one part or several of unequal size.
func TestGaussNewtonFormsAreThoseOfTheProducts(t *testing.T) {
	for name, loss := range map[string]nn.Loss{
		"softmax": nn.SoftmaxCrossEntropy{}, "with a penalty": nn.L2{Of: nn.SoftmaxCrossEntropy{}, Lambda: 0.3},
	} {
		t.Run(name, func(t *testing.T) {
			_, d := small[float64](t)
			m, err := nn.Build[float64](nn.Sequential{nn.Dense{Units: 6}, nn.Tanh{}, nn.Dropout{Rate: 0.4}, nn.Dense{Units: 3}}, loss, []int{5}, 1)
			if err != nil {
				t.Fatal(err)
			}
			b := batch[float64](t, d, 0, 50)
			for _, part := range []int{50, 20} {
				s := &sample[float64]{programs: newPrograms(m), seed: 3, step: 7}
				s.programs.part = part
				s.hold(b.X, b.Y, b.N)
				if err := s.GaussNewtonForms(make([]float64, 1), [][]float64{m.Params}); err == nil {
					t.Error("forms before Linearize succeeded")
				}
				x := slices.Clone(m.Params)
				for k := range 3 {
					x[k] += 0.2
					if err := s.Linearize(x); err != nil {
						t.Fatal(err)
					}
					v, got := [][]float64{}, make([]float64, (k+1)*(k+1))
					for i := range k + 1 {
						v = append(v, direction(len(x), uint64(10*k+i)))
					}
					if err := s.GaussNewtonForms(got, v); err != nil {
						t.Fatal(err)
					}
					product := make([]float64, len(x))
					for j := range v {
						if err := s.GaussNewtonMul(product, v[j]); err != nil {
							t.Fatal(err)
						}
						for i := range v {
							if want := inner(v[i], product); !(math.Abs(got[i*len(v)+j]-want) <= 1e-12*math.Abs(got[j*len(v)+j])) {
								t.Errorf("parts of %d: form %d, %d is %v, by the product %v", part, i, j, got[i*len(v)+j], want)
							}
						}
					}
				}
			}
		})
	}
}

// The first examples of a sample are a sample with the same loss as those alone.
func TestFirstExamples(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 6}, nn.Tanh{}, nn.Dropout{Rate: 0.4}, nn.Dense{Units: 3})
	b := batch[float64](t, d, 0, 40)
	s := &sample[float64]{programs: newPrograms(m), seed: 3, step: 7}
	s.hold(b.X, b.Y, b.N)
	for _, n := range []int{1, 13, 40} {
		first, err := s.First(n)
		if err != nil {
			t.Fatal(err)
		}
		in, out := sizes(m)
		alone := &sample[float64]{programs: newPrograms(m), seed: 3, step: 7}
		alone.hold(b.X[:n*in], b.Y[:n*out], n)
		g, h := make([]float64, len(m.Params)), make([]float64, len(m.Params))
		got, err := first.Grad(g, m.Params)
		if err != nil {
			t.Fatal(err)
		}
		want, err := alone.Grad(h, m.Params)
		if err != nil {
			t.Fatal(err)
		}
		if first.Len() != n || got != want || !slices.Equal(g, h) {
			t.Errorf("the first %d of 40 have the loss %v, alone %v", n, got, want)
		}
	}
	for _, n := range []int{0, 41} {
		if _, err := s.First(n); err == nil {
			t.Errorf("the first %d of 40 were given", n)
		}
	}
	var _ optimizers.Cut[float64] = s
}
