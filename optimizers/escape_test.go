package optimizers_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// strict is (u²-v²)/2 + v⁴/4 in a basis that is turned, with a strict saddle at 0.
var strict = &optimizers.Func[float64]{
	G: func(dst, x []float64) float64 {
		u, v := 0.6*x[0]+0.8*x[1], -0.8*x[0]+0.6*x[1]
		gu, gv := u, -v+v*v*v
		dst[0], dst[1] = 0.6*gu-0.8*gv, 0.8*gu+0.6*gv
		return u*u/2 - v*v/2 + v*v*v*v/4
	},
	H: func(dst, x, w []float64) {
		v := -0.8*x[0] + 0.6*x[1]
		u, wv := 0.6*w[0]+0.8*w[1], -0.8*w[0]+0.6*w[1]
		hu, hv := u, (-1+3*v*v)*wv
		dst[0], dst[1] = 0.6*hu-0.8*hv, 0.8*hu+0.6*hv
	},
}

// TestSaddlesAreLeft begins where the gradient is exactly 0 and the lowest curvature -1: gradient descent stays.
func TestSaddlesAreLeft(t *testing.T) {
	for spec, most := range map[string]int{"perturbed_gd": 200, "negative_curvature": 60, "negative_curvature:l=1e4,m=1e4": 120} {
		r, err := optimizers.Minimize(context.Background(), strict, []float64{0, 0}, parsed(spec)(), optimizers.Until{GradNorm: 1e-3, Curvature: 0.5, Steps: most})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != optimizers.GradNormReached || math.Abs(r.Loss+0.25) > 1e-5 {
			t.Errorf("%s: %s after %d steps at %v, loss %v", spec, r.Status, r.Steps, r.X, r.Loss)
		}
	}
	r, err := optimizers.Minimize(context.Background(), strict, []float64{0, 0}, &optimizers.SGD{}, optimizers.Until{GradNorm: 1e-3, Curvature: 0.5, Steps: 200})
	if err != nil || r.Status != optimizers.StepsDone || r.Loss != 0 {
		t.Errorf("gradient descent left a saddle: %+v %v", r, err)
	}
}

// TestPushesOfPerturbedGD: they are within the radius, at most one in Wait steps, and at a minimum x comes back to the
// very point and stays.
func TestPushesOfPerturbedGD(t *testing.T) {
	const radius, rate = 0.3, 1e-9
	b := newBowl(1, 2, 3)
	o, err := optimizers.New[float64](&optimizers.PerturbedGD{LR: rate, Threshold: 0.01, Radius: radius, Wait: 4}, optimizers.Flat(3))
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1, 1, 1} // the minimum
	before := slices.Clone(x)
	for k := range 20 {
		r := step(t, o, x, optimizers.Problem[float64](b))
		moved := plus(x, -1, before)
		far := math.Sqrt(inner(moved, moved))
		switch {
		case k < 4 && !(far > 1e-3 && far <= radius*(1+1e-6)):
			t.Errorf("step %d: at a distance of %v after a push of at most %v", k, far, radius)
		case k >= 4 && far != 0:
			t.Errorf("step %d: %v from a minimum", k, far)
		}
		if want := map[int]int64{0: 4, 4: 3}[k]; r.Work != max(2, want) {
			t.Errorf("step %d: work %d", k, r.Work)
		}
	}
	// Away from it and back, x is pushed again.
	x[0] = 2
	step(t, o, x, optimizers.Problem[float64](b))
	copy(x, before)
	if r := step(t, o, x, optimizers.Problem[float64](b)); r.Work != 4 {
		t.Errorf("not pushed again: %+v", r)
	}
}

// TestPushesAreUniformInTheBall looks at where many pushes lead: their squared distance over the radius' has the mean
// d/(d+2), and no direction is preferred.
func TestPushesAreUniformInTheBall(t *testing.T) {
	const n, d = 4000, 3
	square, mean := 0.0, make([]float64, d)
	for seed := range n {
		o, err := optimizers.New[float64](&optimizers.PerturbedGD{LR: optimizers.Zero, Threshold: 1, Radius: 2, Seed: seed}, optimizers.Flat(d))
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{1, 1, 1}
		step(t, o, x, optimizers.Problem[float64](newBowl(1, 1, 1)))
		for i := range x {
			x[i]--
		}
		square += inner(x, x) / 4 / n
		mean = plus(mean, 1.0/n, x)
	}
	if want := float64(d) / (d + 2); math.Abs(square-want) > 0.02 {
		t.Errorf("mean squared distance %v, want %v", square, want)
	}
	if off := math.Sqrt(inner(mean, mean)); off > 0.1 {
		t.Errorf("the mean push is %v", mean)
	}
}

// TestNegativeCurvatureKeepsItsPromises: every step gives at least what it promised, along the gradient or along the
// lowest curvature, whichever promised more.
func TestNegativeCurvatureKeepsItsPromises(t *testing.T) {
	for _, k := range opttest.Functions() {
		along, down := 0, 0
		x := slices.Clone(k.Start)
		if k.Name == "Saddle" {
			x[1] = 0 // the gradient leads to the saddle itself
		}
		f := opttest.Func[float64](k)
		o, err := optimizers.New[float64](&optimizers.NegativeCurvature{}, optimizers.Flat(len(x)))
		if err != nil {
			t.Fatal(err)
		}
		p := &bowl{Func: *f}
		for range 300 {
			before, g := slices.Clone(x), make([]float64, len(x))
			start := f.G(g, before)
			l, m := o.State().Scalars["l"], o.State().Scalars["m"]
			r := step(t, o, x, optimizers.Problem[float64](p))
			if r.Rejected || r.ModelDecrease == 0 {
				continue
			}
			if gave := start - f.F(x); gave < r.ModelDecrease-1e-13*start || math.Abs(gave-r.Decrease) > 1e-9*math.Abs(gave)+1e-13*start {
				t.Fatalf("%s: promised %v, gave %v, reported %v", k.Name, r.ModelDecrease, gave, r.Decrease)
			}
			hessian := dense(f, before)
			var e mat.EigenSym
			e.Factorize(hessian, false)
			if lowest := e.Values(nil)[0]; math.Abs(r.MinCurvature-lowest) > 1e-6*math.Abs(lowest)+0.01*math.Max(0, -lowest) {
				t.Fatalf("%s: lowest curvature %v, want %v", k.Name, r.MinCurvature, lowest)
			}
			moved := plus(x, -1, before)
			cosine := -inner(moved, g) / math.Sqrt(inner(moved, moved)*inner(g, g))
			if next := o.State().Scalars; math.Abs(cosine-1) < 1e-6 {
				down++
				if next["l"] < l/2 {
					t.Fatalf("%s: from l = %v to %v", k.Name, l, next["l"])
				}
			} else {
				along++
				if r.MinCurvature >= 0 || next["m"] < m/2 {
					t.Fatalf("%s: along a direction of curvature %v, m from %v to %v", k.Name, r.MinCurvature, m, next["m"])
				}
			}
		}
		if down == 0 || k.Name == "Saddle" && along == 0 {
			t.Errorf("%s: %d steps along the gradient, %d along negative curvature", k.Name, down, along)
		}
	}
}

// dense is the Hessian of f at x.
func dense(f *optimizers.Func[float64], x []float64) *mat.SymDense {
	n := len(x)
	h := mat.NewSymDense(n, nil)
	for i := range n {
		unit, column := make([]float64, n), make([]float64, n)
		unit[i] = 1
		f.H(column, x, unit)
		for j := i; j < n; j++ {
			h.SetSym(i, j, column[j])
		}
	}
	return h
}

// TestNegativeCurvatureNeverDown: where no step lowers the loss, all are taken back, and in the end the estimates are as
// large as they may be.
func TestNegativeCurvatureNeverDown(t *testing.T) {
	b := newBowl(1, 4)
	o, err := optimizers.New[float64](&optimizers.NegativeCurvature{Tries: 10}, optimizers.Flat(2))
	if err != nil {
		t.Fatal(err)
	}
	b.F = func([]float64) float64 { return math.NaN() }
	x := make([]float64, 2)
	for range 10 {
		if r := step(t, o, x, optimizers.Problem[float64](b)); !r.Rejected || r.StepNorm != 0 || x[0] != 0 || x[1] != 0 {
			t.Fatalf("%+v at %v", r, x)
		}
	}
	if l := o.State().Scalars["l"]; l != 1e16 {
		t.Errorf("l is %v", l)
	}
	b.H = func(dst, _, _ []float64) { dst[0] = math.Inf(1) }
	var bad *optimizers.NonFiniteError
	if _, err := o.Step(context.Background(), x, b); !errors.As(err, &bad) || bad.What != "Hessian product" {
		t.Errorf("a product that is not finite: %v", err)
	}
}
