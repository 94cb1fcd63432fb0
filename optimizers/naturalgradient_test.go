package optimizers_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// TestNaturalGradientSolvesTheSystem compares with Cholesky: (F + λI) s = -g, both on their own samples.
func TestNaturalGradientSolvesTheSystem(t *testing.T) {
	for _, m := range []optimizers.NaturalGradient{{Curvature: 30}, {Curvature: 30, WeightDecay: 0.3, LR: 0.2}, {Damping: 3, Adapt: optimizers.Off, Curvature: 30}} {
		m.CGIters, m.CGTol = 60, 1e-12
		p := newRegression(5)
		o, err := optimizers.New[float64](&m, optimizers.Flat(6))
		if err != nil {
			t.Fatal(err)
		}
		x, damping := []float64{1, -2, 3, -1, 0.5, 2}, 0.0
		for k := range 4 {
			p.next()
			before, g := slices.Clone(x), make([]float64, 6)
			if _, err := p.batch.Grad(g, before); err != nil {
				t.Fatal(err)
			}
			r := step(t, o, x, optimizers.Problem[float64](p))
			if r.Rejected || r.CGStop != optimizers.StopResidual {
				t.Fatalf("step %d: rejected %v, CG stopped by %s", k, r.Rejected, r.CGStop)
			}
			want := newton(t, p.drawn[0], g, before, r.Damping, m.WeightDecay)
			for i := range want {
				want[i] *= r.LR
			}
			agree(t, "step", plus(x, -1, before), want, 1e-8)
			if m.Adapt == optimizers.Off && damping != 0 && r.Damping != damping {
				t.Errorf("damping from %v to %v", damping, r.Damping)
			}
			damping = r.Damping
		}
	}
}

// TestNaturalGradientDoesNotSeeTheParameters: where they are replaced by A y, with almost no damping, the step is the same.
func TestNaturalGradientDoesNotSeeTheParameters(t *testing.T) {
	p := opttest.NewExamples[float64]()
	n := len(p.Start())
	a := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, math.Sin(float64(3*i+7*j*j+i*j)))
		}
		a.Set(i, i, a.At(i, i)+3)
	}
	full := p.Full()
	multiply := func(dst []float64, m mat.Matrix, x []float64) {
		mat.NewVecDense(n, dst).MulVec(m, mat.NewVecDense(n, x))
	}
	at, v := make([]float64, n), make([]float64, n)
	f := &optimizers.Func[float64]{
		G: func(dst, y []float64) float64 {
			multiply(at, a, y)
			loss, _ := full.Grad(v, at)
			multiply(dst, a.T(), v)
			return loss
		},
		GN: func(dst, y, w []float64) {
			multiply(at, a, y)
			_ = full.Linearize(at)
			u := make([]float64, n)
			multiply(u, a, w)
			_ = full.GaussNewtonMul(v, u)
			multiply(dst, a.T(), v)
		},
	}
	method := &optimizers.NaturalGradient{Damping: 1e-12, CGIters: 500, CGTol: 1e-13, LR: 0.01}
	y := mat.NewVecDense(n, nil)
	if err := y.SolveVec(a, mat.NewVecDense(n, p.Start())); err != nil {
		t.Fatal(err)
	}
	moved := func(o optimizers.Objective[float64], x []float64) []float64 {
		b := &bowl{Func: *o.(*optimizers.Func[float64])}
		run, err := optimizers.New[float64](method, optimizers.Flat(n))
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(x)
		step(t, run, x, optimizers.Problem[float64](b))
		return plus(x, -1, before)
	}
	direct := &optimizers.Func[float64]{
		G:  func(dst, x []float64) float64 { loss, _ := full.Grad(dst, x); return loss },
		GN: func(dst, x, w []float64) { _ = full.Linearize(x); _ = full.GaussNewtonMul(dst, w) },
	}
	want := moved(direct, p.Start())
	got := make([]float64, n)
	multiply(got, a, moved(f, y.RawVector().Data))
	// The loss does not depend on elements 6 to 9, so that F says nothing of them.
	seen := func(s []float64) []float64 { return append(slices.Clone(s[:6]), s[10]) }
	agree(t, "step", seen(got), seen(want), 1e-6)
}

// TestNaturalGradientStepsHaveTheDivergence: s'Fs/2 is what was asked for, and where the model is of probabilities it is
// their divergence, up to the third order.
func TestNaturalGradientStepsHaveTheDivergence(t *testing.T) {
	const kl = 1e-4
	for k := range 5 {
		p := opttest.NewExamples[float64]()
		p.At(k)
		o, err := optimizers.New[float64](&optimizers.NaturalGradient{KL: kl, Damping: 1e-6, Curvature: 1, CGIters: 50}, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x := p.Start()
		r := step(t, o, x, optimizers.Problem[float64](p))
		s, fs := plus(x, -1, p.Start()), make([]float64, len(x))
		if err := p.Full().Linearize(p.Start()); err != nil {
			t.Fatal(err)
		}
		if err := p.Full().GaussNewtonMul(fs, s); err != nil {
			t.Fatal(err)
		}
		if got := inner(s, fs) / 2; math.Abs(got-kl) > 1e-6*kl || r.LR >= 1 {
			t.Errorf("minibatch %d: divergence %v at rate %v, want %v", k, got, r.LR, kl)
		}
	}
}

// TestNaturalGradientRejectsWhatRises and grows the damping, whether or not it adapts.
func TestNaturalGradientRejectsWhatRises(t *testing.T) {
	for _, adapt := range []optimizers.Toggle{optimizers.On, optimizers.Off} {
		b := newBowl(1, 4, 9)
		o, err := optimizers.New[float64](&optimizers.NaturalGradient{Adapt: adapt}, optimizers.Flat(3))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 3)
		start := b.G(make([]float64, 3), x)
		for _, worse := range []float64{start + 1, math.NaN(), math.Inf(1)} {
			before := o.State().Scalars["damping"]
			b.F = func([]float64) float64 { return worse }
			r := step(t, o, x, optimizers.Problem[float64](b))
			if !r.Rejected || r.LR != 0 || r.StepNorm != 0 || x[0] != 0 {
				t.Errorf("a loss of %v: %+v at %v", worse, r, x)
			}
			if d := o.State().Scalars["damping"]; math.Abs(d-1.5*before) > 1e-12 {
				t.Errorf("damping from %v to %v", before, d)
			}
		}
	}
}
