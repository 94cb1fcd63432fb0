package optimizers_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// bowl is the quadratic Σ d_i (x_i-1)²/2 in a rotated basis, as a problem of one example that records the products.
type bowl struct {
	optimizers.Func[float64]
	products [][]float64 // the vectors that the curvature was multiplied by
	squares  []float64
}

func (b *bowl) Len() int                                     { return 1 }
func (b *bowl) Batch() optimizers.Sample[float64]            { return b }
func (b *bowl) Full() optimizers.Sample[float64]             { return b }
func (b *bowl) Draw(int) (optimizers.Sample[float64], error) { return b, nil }
func (b *bowl) Has() optimizers.Oracle                       { return ^optimizers.Oracle(0) }
func (b *bowl) SquaredGrads(dst, _ []float64) error          { copy(dst, b.squares); return nil }

// newBowl has the curvatures along Hadamard's directions, two by two.
func newBowl(curvatures ...float64) *bowl {
	n := len(curvatures)
	b := &bowl{squares: slices.Clone(curvatures)}
	multiply := func(dst, v []float64) {
		for i := 0; i+1 < n; i += 2 {
			sum, diff := (v[i]+v[i+1])/2*curvatures[i], (v[i]-v[i+1])/2*curvatures[i+1]
			dst[i], dst[i+1] = sum+diff, sum-diff
		}
		if n%2 == 1 {
			dst[n-1] = curvatures[n-1] * v[n-1]
		}
	}
	b.G = func(dst, x []float64) float64 {
		from := make([]float64, n)
		for i, v := range x {
			from[i] = v - 1
		}
		multiply(dst, from)
		f := 0.0
		for i := range from {
			f += from[i] * dst[i] / 2
		}
		return f
	}
	b.H = func(dst, _, v []float64) {
		b.products = append(b.products, slices.Clone(v))
		multiply(dst, v)
	}
	b.GN = b.H
	return b
}

// hfOn starts HF on a problem of n parameters.
func hfOn(t *testing.T, h optimizers.HF, n int) optimizers.Optimizer[float64] {
	t.Helper()
	o, err := optimizers.New[float64](&h, optimizers.Flat(n))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func step[T optimizers.Float](t *testing.T, o optimizers.Optimizer[T], x []T, p optimizers.Problem[T]) optimizers.Report {
	t.Helper()
	r, err := o.Step(context.Background(), x, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHFSolvesAQuadraticInFewSteps(t *testing.T) {
	b := newBowl(1, 2, 5, 10, 20, 50, 100)
	o, x := hfOn(t, optimizers.HF{Damping: 1e-3}, 7), make([]float64, 7)
	for k := range 6 {
		r := step(t, o, x, optimizers.Problem[float64](b))
		if r.ModelDecrease > 1e-9 && math.Abs(r.Rho-1) > 1e-7 || r.Rejected {
			t.Errorf("step %d: rho %v, rate %v, rejected %v", k, r.Rho, r.LR, r.Rejected)
		}
	}
	for i, v := range x {
		if math.Abs(v-1) > 1e-12 {
			t.Errorf("unknown %d is %v after 6 steps", i, v)
		}
	}
}

func TestHFWeightDecayIsPartOfTheObjective(t *testing.T) {
	b := newBowl(1, 1, 1, 1)
	o, x := hfOn(t, optimizers.HF{WeightDecay: 0.25, Damping: 1e-3}, 4), make([]float64, 4)
	for range 8 {
		if r := step(t, o, x, optimizers.Problem[float64](b)); r.ModelDecrease > 1e-12 && math.Abs(r.Rho-1) > 1e-6 {
			t.Errorf("rho %v", r.Rho)
		}
	}
	for i, v := range x {
		if math.Abs(v-0.8) > 1e-10 { // (1 + 0.25) x = 1
			t.Errorf("unknown %d is %v", i, v)
		}
	}
}

// TestHFReportsTheModelOnTheCurvatureSample recomputes both decreases where minibatch and curvature sample differ. The
// loss of every sample is quadratic, so rho must be 1.
func TestHFReportsTheModelOnTheCurvatureSample(t *testing.T) {
	for _, c := range []struct {
		h   optimizers.HF
		all bool // the minibatch is everything
	}{
		{optimizers.HF{Curvature: 7}, false}, {optimizers.HF{Curvature: 7, WeightDecay: 0.3}, false},
		{optimizers.HF{Curvature: 7, Precondition: "squares", Hessian: true}, false}, {optimizers.HF{Curvature: 7, Objective: "full"}, false},
		{optimizers.HF{Curvature: 500, CGIters: 3}, false}, {optimizers.HF{Curvature: 500, Objective: "full", WeightDecay: 0.1}, false},
		{optimizers.HF{Curvature: 500, Objective: "batch"}, false}, {optimizers.HF{Curvature: 7}, true}, {optimizers.HF{WeightDecay: 0.1}, true},
		{optimizers.HF{Curvature: 500, Objective: "full", Augment: optimizers.On}, false},
	} {
		p, h := newRegression(3), c.h
		o, x := hfOn(t, h, 6), make([]float64, 6)
		for k := range 10 {
			if p.next(); c.all {
				p.batch.rows = p.full.rows
			}
			before := slices.Clone(x)
			r := step(t, o, x, optimizers.Problem[float64](p))
			if r.Rejected {
				continue
			}
			sample := &p.batch
			switch {
			case !c.all:
				sample = p.drawn[0]
				if want := min(int(h.Curvature), 99); sample.Len() != want {
					t.Errorf("%+v: a curvature sample of %d examples, want %d", h, sample.Len(), want)
				}
			case h.Curvature == 7:
				sample = p.drawn[0]
			}
			draws := map[bool]int{true: 1, false: 2}[c.all || h.Objective != ""]
			if c.all && h.Curvature == 0 {
				draws = 0
			}
			if len(p.drawn) != draws || draws == 2 && p.drawn[1].Len() != p.batch.Len() {
				t.Errorf("%+v: %d samples drawn, want %d", h, len(p.drawn), draws)
			}
			s := make([]float64, 6)
			for i := range s {
				s[i] = (x[i] - before[i]) / r.LR
			}
			there := slices.Clone(before)
			for i := range there {
				there[i] += s[i]
			}
			want := sample.value(before, h.WeightDecay) - sample.value(there, h.WeightDecay)
			if d := math.Abs(r.Decrease - want); d > 1e-10 {
				t.Errorf("%+v step %d: decrease %v, recomputed %v", h, k, r.Decrease, want)
			}
			if d := math.Abs(r.ModelDecrease - want); d > 1e-10 {
				t.Errorf("%+v step %d: model decrease %v, recomputed %v", h, k, r.ModelDecrease, want)
			}
			if want > 1e-3 && math.Abs(r.Rho-1) > 1e-6 {
				t.Errorf("%+v step %d: rho %v", h, k, r.Rho)
			}
		}
	}
}

// TestHFComparesOnTheObjective: with ratio=objective the decrease is the minibatch's, and the model has its slope.
func TestHFComparesOnTheObjective(t *testing.T) {
	p, x := newRegression(4), make([]float64, 6)
	o := hfOn(t, optimizers.HF{Curvature: 50, Objective: "batch", Ratio: "objective", WeightDecay: 0.1}, 6)
	for k := range 10 {
		p.next()
		before, g, as := slices.Clone(x), make([]float64, 6), make([]float64, 6)
		r := step(t, o, x, optimizers.Problem[float64](p))
		if _, err := p.batch.Grad(g, before); err != nil {
			t.Fatal(err)
		}
		want, model := p.batch.value(before, 0.1), 0.0
		s := make([]float64, 6)
		for i := range s {
			s[i] = (x[i] - before[i]) / r.LR
		}
		if err := p.drawn[0].HessianMul(as, s); err != nil {
			t.Fatal(err)
		}
		for i := range s {
			model -= (g[i]+0.1*before[i])*s[i] + (as[i]+0.1*s[i])*s[i]/2
			before[i] += s[i]
		}
		want -= p.batch.value(before, 0.1)
		if r.Rejected || math.Abs(r.Decrease-want) > 1e-10 || math.Abs(r.ModelDecrease-model) > 1e-10 {
			t.Errorf("step %d: %+v, want a decrease of %v, by the model %v", k, r, want, model)
		}
	}
}

// TestHFAdaptsTheDamping follows the rule from report to report.
func TestHFAdaptsTheDamping(t *testing.T) {
	seen := map[string]int{}
	for _, c := range []struct {
		spec          string
		factor, least float64
	}{{"hf:curvature=8", 1.5, 0}, {"hf:hessian,curvature=8,damping=0.001", 1.5, 0}, {"hf:damping=3", 1.5, 0},
		{"hf:curvature=8,damping_factor=1.1,min_damping=0.09", 1.1, 0.09}, {"hf:curvature=8,ratio=objective,damping_factor=3,min_damping=0.2,damping=0.1", 3, 0.2}} {
		spec := c.spec
		m, err := optimizers.Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		p := opttest.NewExamples[float64]()
		o, err := optimizers.New[float64](m, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x, want := p.Start(), 0.0
		for k := range 60 {
			p.At(k)
			r := step(t, o, x, optimizers.Problem[float64](p))
			if k > 0 && math.Abs(r.Damping-want) > 1e-12*want {
				t.Fatalf("%s step %d: damping %v, by the rule %v", spec, k, r.Damping, want)
			}
			want = r.Damping
			switch {
			case r.Rejected:
				seen["rejected"]++
				want *= max(1.5, c.factor)
			case math.IsNaN(r.Rho):
				seen["undefined"]++
				want *= c.factor
			case r.Rho < 0.25:
				seen["low"]++
				want *= c.factor
			case r.Rho > 0.75:
				seen["high"]++
				want = max(want/c.factor, min(want, c.least))
			default:
				seen["between"]++
			}
		}
	}
	for _, branch := range []string{"undefined", "low", "between", "high"} {
		if seen[branch] == 0 {
			t.Errorf("the runs never came to %s: %v", branch, seen)
		}
	}
}

func TestHFRejectsAStepThatNeverGoesDown(t *testing.T) {
	b := newBowl(1, 4, 9)
	o, x := hfOn(t, optimizers.HF{Damping: 0.5}, 3), make([]float64, 3)
	step(t, o, x, optimizers.Problem[float64](b))
	start := b.G(make([]float64, 3), x)
	for _, worse := range []float64{start + 1, math.NaN(), math.Inf(1)} {
		before, state := slices.Clone(x), o.State()
		b.F = func([]float64) float64 { return worse }
		r := step(t, o, x, optimizers.Problem[float64](b))
		if !r.Rejected || r.LR != 0 || r.StepNorm != 0 {
			t.Errorf("a loss of %v everywhere: rejected %v, rate %v, length %v", worse, r.Rejected, r.LR, r.StepNorm)
		}
		if !slices.Equal(x, before) {
			t.Errorf("a rejected step moved x from %v to %v", before, x)
		}
		after := o.State()
		if want := state.Scalars["damping"] * 1.5; math.Abs(after.Scalars["damping"]-want) > 1e-15 {
			t.Errorf("damping %v after a rejected step, want %v", after.Scalars["damping"], want)
		}
		if slices.ContainsFunc(after.Vectors["cg_solution"], func(v float64) bool { return v != 0 }) {
			t.Error("the next CG does not start at 0")
		}
	}
	b.F = nil
	if r := step(t, o, x, optimizers.Problem[float64](b)); r.Rejected {
		t.Error("rejected although the loss is as modelled")
	}
}

func TestHFStartsFromTheLastSolution(t *testing.T) {
	b := newBowl(1, 2, 3, 4)
	o, x := hfOn(t, optimizers.HF{CGIters: 2}, 4), []float64{3, -1, 2, 5}
	step(t, o, x, optimizers.Problem[float64](b))
	solution := o.State().Vectors["cg_solution"]
	b.products = nil
	step(t, o, x, optimizers.Problem[float64](b))
	for i, v := range b.products[0] {
		if v != 0.95*solution[i] {
			t.Errorf("the first product of a step is with %v, want 0.95 times %v", b.products[0], solution)
			break
		}
	}
	// Without it every step begins with the gradient, and 2 iterations a step come less far.
	end := func(warm float64) float64 {
		b := newBowl(1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
		o, x := hfOn(t, optimizers.HF{CGIters: 2, WarmStart: warm, Damping: 1e-3}, 10), make([]float64, 10)
		for range 30 {
			step(t, o, x, optimizers.Problem[float64](b))
		}
		return b.G(make([]float64, 10), x)
	}
	if warm, cold := end(0), end(optimizers.Zero); warm > cold/10 {
		t.Errorf("loss %v with warm start, %v without", warm, cold)
	}
}

func TestHFPreconditioner(t *testing.T) {
	b := newBowl(1, 1, 1, 1, 1)
	b.squares = []float64{0, 1, 4, 9, 100}
	o, x := hfOn(t, optimizers.HF{Precondition: "squares", Damping: 0.5, WeightDecay: 0.25}, 5), []float64{2, 3, 4, 5, 6}
	g := make([]float64, 5)
	b.G(g, x)
	start := slices.Clone(x)
	step(t, o, x, optimizers.Problem[float64](b))
	for i, v := range b.products[0] {
		want := -(g[i] + 0.25*start[i]) / math.Pow(b.squares[i]+0.75, 0.75)
		if math.Abs(v-want) > 1e-14*math.Abs(want) {
			t.Errorf("first direction %d is %v, want %v", i, v, want)
		}
	}
	// A diagonal system of very different scales: the preconditioner saves most of the iterations.
	end := func(precondition string) float64 {
		curvatures := make([]float64, 24)
		for i := 0; i < len(curvatures); i += 2 {
			curvatures[i] = math.Pow(10, float64(i)/6)
			curvatures[i+1] = curvatures[i]
		}
		b := newBowl(curvatures...)
		o, x := hfOn(t, optimizers.HF{CGIters: 8, Precondition: precondition, Damping: 1e-4}, 24), make([]float64, 24)
		for range 5 {
			step(t, o, x, optimizers.Problem[float64](b))
		}
		return b.G(make([]float64, 24), x)
	}
	if with, without := end("squares"), end("none"); with > without/100 {
		t.Errorf("loss %v with the preconditioner, %v without", with, without)
	}
}

func TestHFLeavesASaddleByTheHessian(t *testing.T) {
	r, err := optimizers.Minimize(context.Background(), opttest.Func[float64](opttest.Saddle), []float64{1, 1e-6},
		&optimizers.HF{Hessian: true}, optimizers.Until{GradNorm: 1e-9, Steps: 100})
	if err != nil {
		t.Fatal(err)
	}
	if r.Loss > 1e-15 || r.Status != optimizers.GradNormReached {
		t.Errorf("%v: loss %v at %v after %d steps", r.Status, r.Loss, r.X, r.Steps)
	}
}

// TestHFAlongNegativeCurvature has f = -x²/2 + x⁴/4 in one dimension, where the first direction is that of -g.
func TestHFAlongNegativeCurvature(t *testing.T) {
	f := &optimizers.Func[float64]{
		G: func(dst, x []float64) float64 {
			dst[0] = -x[0] + math.Pow(x[0], 3)
			return -x[0]*x[0]/2 + math.Pow(x[0], 4)/4
		},
		H: func(dst, x, v []float64) { dst[0] = (-1 + 3*x[0]*x[0]) * v[0] },
	}
	at, damping := 0.1, 0.01
	curvature := -1 + 3*at*at
	want := at - (-at+at*at*at)/math.Abs(curvature+damping)
	r, err := optimizers.Minimize(context.Background(), f, []float64{at}, &optimizers.HF{Hessian: true, Damping: damping}, optimizers.Until{Steps: 1})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.X[0]-want) > 1e-15 {
		t.Errorf("from %v to %v, want %v", at, r.X[0], want)
	}
	if r.Last.CGStop != optimizers.StopCurvature || math.Abs(r.Last.MinCurvature-curvature) > 1e-12 || r.Last.Damping != damping {
		t.Errorf("report %+v; want negative curvature %v", r.Last, curvature)
	}
	s := r.X[0] - at
	if model := -((-at+at*at*at)*s + curvature*s*s/2); math.Abs(r.Last.ModelDecrease-model) > 1e-14 {
		t.Errorf("model decrease %v, want %v", r.Last.ModelDecrease, model)
	}
	// With a warm start the direction of negative curvature is met again, from 0.
	r, err = optimizers.Minimize(context.Background(), f, []float64{1e-4}, &optimizers.HF{Hessian: true}, optimizers.Until{GradNorm: 1e-10, Steps: 50})
	if err != nil || math.Abs(math.Abs(r.X[0])-1) > 1e-9 {
		t.Errorf("ends at %v: %v %v", r.X, r.Status, err)
	}
}

// TestHFWhereDampingCancelsTheCurvature has p'Ap = 0, so that λ alone bounds the step: -g/λ.
func TestHFWhereDampingCancelsTheCurvature(t *testing.T) {
	f := &optimizers.Func[float64]{
		G: func(dst, x []float64) float64 { dst[0] = -x[0] / 4; return -x[0] * x[0] / 8 },
		H: func(dst, _, v []float64) { dst[0] = -v[0] / 4 },
	}
	// At 1 the gradient is -1/4. With λ = 3/8 the matrix is 1/8, and CG solves it.
	for damping, want := range map[float64]float64{0.25: 2, 0.375: 3} {
		r, err := optimizers.Minimize(context.Background(), f, []float64{1}, &optimizers.HF{Hessian: true, Damping: damping}, optimizers.Until{Steps: 1})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.X[0]-want) > 1e-14 || r.Last.MinCurvature != -0.25 {
			t.Errorf("damping %v: from 1 to %v, want %v; curvature %v", damping, r.X[0], want, r.Last.MinCurvature)
		}
	}
}

// TestHFReportsTheLowestCurvatureOfBothSolves has a warm start that leads along (0, 1), where the curvature is -1/2, and
// a gradient along (1, 0), where it is 1.
func TestHFReportsTheLowestCurvatureOfBothSolves(t *testing.T) {
	b := newBowl(1, 1)
	b.G = func(dst, x []float64) float64 {
		dst[0], dst[1] = x[0], -x[1]/2
		return x[0]*x[0]/2 - x[1]*x[1]/4
	}
	b.H = func(dst, _, v []float64) { dst[0], dst[1] = v[0], -v[1]/2 }
	o := hfOn(t, optimizers.HF{Hessian: true, WarmStart: 1, Average: optimizers.Zero}, 2)
	if err := o.Restore(optimizers.State[float64]{Method: "hf", Step: 1, Scalars: optimizers.Scalars{"damping": 0.25},
		Vectors: map[string][]float64{"cg_solution": {-0.8, 0.3}}}); err != nil {
		t.Fatal(err)
	}
	r := step(t, o, []float64{1, 0}, optimizers.Problem[float64](b))
	if math.Abs(r.MinCurvature+0.5) > 1e-12 || r.CGStop != optimizers.StopResidual || r.CGIterations != 1 {
		t.Errorf("lowest curvature %v after %d iterations, stopped by %s; want -0.5 after 1", r.MinCurvature, r.CGIterations, r.CGStop)
	}
}

// withholding is a problem without one of its samples.
type withholding struct {
	*opttest.Examples[float64]
	what  string
	draws *int
}

func (p withholding) Batch() optimizers.Sample[float64] {
	if p.what == "minibatch" {
		return nil
	}
	return p.Examples.Batch()
}

func (p withholding) Full() optimizers.Sample[float64] {
	if p.what == "whole training set" {
		return nil
	}
	return p.Examples.Full()
}

func (p withholding) Draw(n int) (optimizers.Sample[float64], error) {
	*p.draws++
	if p.what == "curvature sample" || p.what == "sample for the objective" && *p.draws == 2 {
		return nil, nil
	}
	return p.Examples.Draw(n)
}

func TestHFSaysWhichSampleIsMissing(t *testing.T) {
	for what, m := range map[string]*optimizers.HF{
		"minibatch": {}, "curvature sample": {Curvature: 5}, "sample for the objective": {}, "whole training set": {Objective: "full", Curvature: 5},
	} {
		p := withholding{opttest.NewExamples[float64](), what, new(int)}
		o, err := optimizers.New[float64](m, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Step(context.Background(), p.Start(), p); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("without a %s: %v", what, err)
		}
	}
}

// TestHFOnProductsThatAreNotFinite has NaN or an infinity in the products from one on. The first is an error that
// leaves everything as it was; after a later one the iterate before it stays.
func TestHFOnProductsThatAreNotFinite(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		b := newBowl(1, 2, 3, 4, 5, 6)
		good := b.GN
		left := math.MaxInt
		b.GN = func(dst, x, v []float64) {
			good(dst, x, v)
			if left--; left < 0 {
				dst[3] = bad
			}
		}
		o, x := hfOn(t, optimizers.HF{CGIters: 4}, 6), make([]float64, 6)
		// From 0 the first product fails, and after a warm start that from 0 too.
		for range 2 {
			before, state := slices.Clone(x), o.State()
			left = 0
			_, err := o.Step(context.Background(), x, b)
			var e *optimizers.NonFiniteError
			if !errors.As(err, &e) || e.What != "curvature product" || e.Tensor != "x" || e.Index != 3 {
				t.Errorf("a product of %v: %v", bad, err)
			}
			if after := o.State(); !slices.Equal(x, before) || after.Step != state.Step || after.Scalars["damping"] != state.Scalars["damping"] ||
				!slices.Equal(after.Vectors["cg_solution"], state.Vectors["cg_solution"]) {
				t.Errorf("a product of %v changed something", bad)
			}
			left = math.MaxInt
			step(t, o, x, optimizers.Problem[float64](b))
		}
		// The warm start's product and two more are good.
		left = 3
		if r := step(t, o, x, optimizers.Problem[float64](b)); r.CGStop != optimizers.StopBreakdown || r.CGIterations != 2 || r.Rejected {
			t.Errorf("a third direction's product of %v: %s after %d iterations, rejected %v", bad, r.CGStop, r.CGIterations, r.Rejected)
		}
		if f := b.G(make([]float64, 6), x); !(f < b.G(make([]float64, 6), make([]float64, 6))) {
			t.Errorf("after that the loss is %v", f)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		b := newBowl(1, 2)
		b.squares[1] = bad
		o := hfOn(t, optimizers.HF{Precondition: "squares"}, 2)
		var e *optimizers.NonFiniteError
		if _, err := o.Step(context.Background(), make([]float64, 2), b); !errors.As(err, &e) || e.What != "mean squared gradient" || e.Index != 1 {
			t.Errorf("a squared gradient of %v: %v", bad, err)
		}
	}
}

// TestHFKeepsTheDampingInItsBounds, in runs that would leave them.
func TestHFKeepsTheDampingInItsBounds(t *testing.T) {
	b := newBowl(1, 4)
	for _, c := range []struct {
		from float64
		f    func([]float64) float64
		ends float64
	}{
		{1e15, func([]float64) float64 { return math.Inf(1) }, 1e16}, // every step is rejected
		{1e-15, nil, 1e-16}, // every step is as modelled
	} {
		b.F = c.f
		o := hfOn(t, optimizers.HF{Damping: c.from}, 2)
		for k := range 12 {
			x := []float64{3, float64(k)}
			state := o.State()
			r, err := o.Step(context.Background(), x, b)
			var damped *optimizers.DampingError
			switch {
			case errors.As(err, &damped):
				// A step that is rejected at the largest damping is an error, and leaves everything.
				if c.f == nil || state.Scalars["damping"] != 1e16 || damped.Damping != 1e16 || o.State().Step != state.Step || x[0] != 3 {
					t.Errorf("from %v, step %d: %v; state %+v", c.from, k, err, o.State())
				}
				continue
			case err != nil:
				t.Fatal(err)
			case state.Scalars["damping"] >= 1e16:
				t.Errorf("from %v, step %d: no error", c.from, k)
			}
			if r.Rejected != (c.f != nil) {
				t.Errorf("from %v: rejected %v, rho %v", c.from, r.Rejected, r.Rho)
			}
		}
		if got := o.State().Scalars["damping"]; got != c.ends {
			t.Errorf("from %v the damping comes to %v, want %v", c.from, got, c.ends)
		}
	}
}

// TestHFLeavesAPointWithoutASlopeAlone, also where the Hessian has negative curvature.
func TestHFLeavesAPointWithoutASlopeAlone(t *testing.T) {
	b := newBowl(-1, -2)
	o, x := hfOn(t, optimizers.HF{Hessian: true}, 2), []float64{1, 1} // the minimum of a bowl is there
	for range 3 {
		r := step(t, o, x, optimizers.Problem[float64](b))
		if x[0] != 1 || x[1] != 1 || r.Rejected || r.CGIterations != 0 || len(b.products) != 0 || !math.IsNaN(r.Rho) || r.Damping != 0.1 {
			t.Errorf("at %v, report %+v", x, r)
		}
	}
	if o.State().Step != 3 {
		t.Errorf("%d steps are counted", o.State().Step)
	}
}

// TestHFBacktracksToAnEarlierIterate has a loss that the model does not know of, which grows far from the start.
func TestHFBacktracksToAnEarlierIterate(t *testing.T) {
	curvatures := make([]float64, 40)
	for i := range curvatures {
		curvatures[i] = math.Pow(1.2, float64(i))
	}
	b := newBowl(curvatures...)
	length := func(reach float64) optimizers.Report {
		o, x := hfOn(t, optimizers.HF{CGIters: 15, CGProgress: optimizers.Zero, Damping: 1e-3}, 40), make([]float64, 40)
		b.F = func(x []float64) float64 {
			f, size := b.G(make([]float64, 40), x), 0.0
			for _, v := range x {
				size += v * v
			}
			return f + 1e4*max(0, math.Sqrt(size)-reach)
		}
		return step(t, o, x, optimizers.Problem[float64](b))
	}
	free, bound := length(math.Inf(1)), length(5.5)
	if free.LR != 1 || bound.LR != 1 {
		t.Errorf("rates %v and %v; an iterate should have done", free.LR, bound.LR)
	}
	if bound.StepNorm > 5.5 || bound.StepNorm >= free.StepNorm || bound.CGIterations != free.CGIterations {
		t.Errorf("steps of length %v and %v after %d and %d iterations", free.StepNorm, bound.StepNorm, free.CGIterations, bound.CGIterations)
	}
}

// TestHFNeverRaisesTheLoss on functions, where the minibatch is everything.
func TestHFNeverRaisesTheLoss(t *testing.T) {
	t.Run("float64", neverRaises[float64])
	t.Run("float32", neverRaises[float32])
}

func neverRaises[T optimizers.Float](t *testing.T) {
	for _, k := range opttest.Functions() {
		for _, hessian := range []bool{false, true} {
			last := math.Inf(1)
			watch := func(r optimizers.Report) error {
				if r.Loss > last*(1+1e-5) {
					t.Errorf("%s, hessian %v: loss from %v to %v", k.Name, hessian, last, r.Loss)
				}
				last = r.Loss
				return nil
			}
			_, err := optimizers.Minimize(context.Background(), opttest.Func[T](k), opttest.Begin[T](k),
				&optimizers.HF{Hessian: hessian}, optimizers.Until{Steps: 60, Loss: 1e-12, Watch: watch})
			if err != nil {
				t.Error(err)
			}
		}
	}
}

func TestHFTrainsOnSamples(t *testing.T) {
	for _, spec := range []string{"hf:curvature=20", "hf:curvature=20,precondition=squares", "hf:curvature=20,hessian", "hf:curvature=20,objective=full"} {
		m, err := optimizers.Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		p := opttest.NewExamples[float32]()
		o, err := optimizers.New[float32](m, p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x := p.Start()
		before, _ := p.Full().Loss(x)
		for k := range 15 {
			p.At(k)
			step(t, o, x, optimizers.Problem[float32](p))
		}
		if after, _ := p.Full().Loss(x); after > before/8 { // the targets' noise is a ninth
			t.Errorf("%s: loss from %v to %v", spec, before, after)
		}
	}
}

// regression is linear least squares on examples, so that every sample's loss is quadratic.
type regression struct {
	random *rand.Rand
	rows   [][]float64 // inputs and, last, the target
	batch  linear
	full   linear
	drawn  []*linear // in this step
}

type linear struct {
	of   *regression
	rows []int
}

func newRegression(seed uint64) *regression {
	p := &regression{random: rand.New(rand.NewPCG(seed, 1))}
	for i := range 100 {
		row := make([]float64, 7)
		for c := range row {
			row[c] = p.random.NormFloat64()
		}
		p.rows = append(p.rows, row)
		p.full.rows = append(p.full.rows, i)
	}
	p.batch.of, p.full.of = p, p
	return p
}

func (p *regression) next()                             { p.batch.rows, p.drawn = p.random.Perm(100)[:40], nil }
func (p *regression) Batch() optimizers.Sample[float64] { return &p.batch }
func (p *regression) Full() optimizers.Sample[float64]  { return &p.full }
func (p *regression) Has() optimizers.Oracle            { return ^optimizers.Oracle(0) }
func (p *regression) Draw(n int) (optimizers.Sample[float64], error) {
	p.drawn = append(p.drawn, &linear{p, p.random.Perm(100)[:n]})
	return p.drawn[len(p.drawn)-1], nil
}

func (l *linear) Len() int { return len(l.rows) }

// each calls f with every example and what the model with weights x gives for it.
func (l *linear) each(x []float64, f func(row []float64, out float64)) {
	for _, i := range l.rows {
		row, out := l.of.rows[i], 0.0
		for c, v := range x {
			out += v * row[c]
		}
		f(row, out)
	}
}

func (l *linear) value(x []float64, decay float64) float64 {
	f, _ := l.Loss(x)
	for _, v := range x {
		f += decay / 2 * v * v
	}
	return f
}

func (l *linear) Loss(x []float64) (float64, error) {
	f := 0.0
	l.each(x, func(row []float64, out float64) { f += (out - row[6]) * (out - row[6]) / 2 })
	return f / float64(len(l.rows)), nil
}

func (l *linear) Grad(dst, x []float64) (float64, error) {
	clear(dst)
	l.each(x, func(row []float64, out float64) {
		for c := range dst {
			dst[c] += (out - row[6]) * row[c] / float64(len(l.rows))
		}
	})
	return l.Loss(x)
}

func (l *linear) SquaredGrads(dst, x []float64) error {
	clear(dst)
	l.each(x, func(row []float64, out float64) {
		for c := range dst {
			dst[c] += math.Pow((out-row[6])*row[c], 2) / float64(len(l.rows))
		}
	})
	return nil
}

func (l *linear) Linearize([]float64) error { return nil }

func (l *linear) HessianMul(dst, v []float64) error {
	clear(dst)
	l.each(v, func(row []float64, out float64) {
		for c := range dst {
			dst[c] += out * row[c] / float64(len(l.rows))
		}
	})
	return nil
}

func (l *linear) GaussNewtonMul(dst, v []float64) error { return l.HessianMul(dst, v) }
