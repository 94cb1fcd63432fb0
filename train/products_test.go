package train

import (
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// Several directions at once are each what it is alone, in one part or many, and
// at every new point.
func TestManyDirectionsAtOnce(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 6}, nn.Tanh{}, nn.Dropout{Rate: 0.4}, nn.Dense{Units: 3})
	b := batch[float64](t, d, 0, 50)
	n := len(m.Params)
	for _, size := range []int{50, 20} {
		s := &sample[float64]{programs: newPrograms(m), seed: 3, step: 7}
		s.programs.part = size
		s.hold(b.X, b.Y, b.N)
		x := slices.Clone(m.Params)
		for point := range 3 {
			for i := range x {
				x[i] += 0.1 * float64(point)
			}
			if err := s.Linearize(x); err != nil {
				t.Fatal(err)
			}
			for _, count := range []int{1, 2, 8, 11} {
				var v, many [][]float64
				for k := range count {
					v, many = append(v, direction(n, uint64(100*point+k))), append(many, make([]float64, n))
				}
				for name, mul := range map[string]struct {
					all func(dst, v [][]float64) error
					one func(dst, v []float64) error
				}{"Hessian": {s.HessianMuls, s.HessianMul}, "Gauss-Newton": {s.GaussNewtonMuls, s.GaussNewtonMul}} {
					if err := mul.all(many, v); err != nil {
						t.Fatal(err)
					}
					one := make([]float64, n)
					for k := range v {
						if err := mul.one(one, v[k]); err != nil {
							t.Fatal(err)
						}
						if !slices.Equal(one, many[k]) {
							t.Errorf("parts of %d, point %d: %s product %d of %d differs from that alone by %.2g", size, point, name, k, count, far(one, many[k]))
						}
					}
				}
			}
		}
	}
}

// Two samples of one size take turns with one program.
func TestSamplesDoNotMixTheirPoints(t *testing.T) {
	m, d := small[float64](t, plain()...)
	b := batch[float64](t, d, 0, 60)
	in, out := sizes(m)
	programs := newPrograms(m)
	half := func(i int) *sample[float64] {
		s := &sample[float64]{programs: programs}
		s.hold(b.X[30*i*in:30*(i+1)*in], b.Y[30*i*out:30*(i+1)*out], 30)
		return s
	}
	one, two := half(0), half(1)
	v := direction(len(m.Params), 1)
	product := func(s *sample[float64]) []float64 {
		hv := make([]float64, len(v))
		if err := s.HessianMul(hv, v); err != nil {
			t.Fatal(err)
		}
		return hv
	}
	if err := one.Linearize(m.Params); err != nil {
		t.Fatal(err)
	}
	want := product(one)
	if err := two.Linearize(m.Params); err != nil {
		t.Fatal(err)
	}
	if other := product(two); slices.Equal(want, other) {
		t.Error("other examples give the same product")
	}
	if again := product(one); !slices.Equal(want, again) {
		t.Errorf("after the other sample's product the first one's differs by %.2g", far(want, again))
	}
}

func TestProductsRefuseWrongArguments(t *testing.T) {
	m, d := small[float64](t, plain()...)
	s, err := ProblemOf(m, batch[float64](t, d, 0, 10))
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float64, len(m.Params))
	if err := s.HessianMul(v, v); err == nil {
		t.Error("a product before Linearize")
	}
	if err := s.Linearize(m.Params); err != nil {
		t.Fatal(err)
	}
	if err := optimizers.HessianMuls(s, [][]float64{v}, [][]float64{v, v}); err == nil {
		t.Error("one result for two directions")
	}
	if err := optimizers.GaussNewtonMuls(s, [][]float64{v[1:]}, [][]float64{v}); err == nil {
		t.Error("a result that is too short")
	}
	if err := optimizers.HessianMuls(s, nil, nil); err != nil {
		t.Errorf("no directions: %v", err)
	}
}
