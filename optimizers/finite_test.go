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

// rule is an update rule written down again, plainly, on the finite training set of package opttest: g(terms, x) is the
// mean gradient of some examples, all of the whole set.
type rule func(x []float64, step int, g func(rows []int, x []float64) []float64, batch, all []int)

func less(a, b []float64) []float64 {
	c := slices.Clone(a)
	for i, v := range b {
		c[i] -= v
	}
	return c
}

func added(a []float64, c float64, b []float64) []float64 {
	d := slices.Clone(a)
	for i, v := range b {
		d[i] += c * v
	}
	return d
}

func squared(a []float64) (s float64) {
	for _, v := range a {
		s += v * v
	}
	return s
}

// The training set has 96 examples and minibatches 32, so that a pass is three steps.
var finiteRules = map[string]func() rule{
	"svrg:lr=0.3": func() rule {
		var snapshot, full []float64
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			if step%3 == 0 {
				snapshot, full = slices.Clone(x), g(all, x)
			}
			d := added(less(g(batch, x), g(batch, snapshot)), 1, full)
			copy(x, added(x, -0.3, d))
		}
	},
	"svrg:lr=0.3,passes=1.5": func() rule { // four steps are 128 examples, of which 144 are wanted; five
		var snapshot, full []float64
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			if step%5 == 0 {
				snapshot, full = slices.Clone(x), g(all, x)
			}
			copy(x, added(x, -0.3, added(less(g(batch, x), g(batch, snapshot)), 1, full)))
		}
	},
	"sarah:lr=0.3": func() rule {
		var last, v []float64
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			if step%3 == 0 {
				v = g(all, x)
			} else {
				v = added(less(g(batch, x), g(batch, last)), 1, v)
			}
			last = slices.Clone(x)
			copy(x, added(x, -0.3, v))
		}
	},
	"sarah:lr=2,passes=4,gamma=0.5": func() rule {
		var last, v []float64
		first, since := 0.0, 12
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			if since == 12 {
				v, since = g(all, x), 0
				first = squared(v)
			} else {
				v = added(less(g(batch, x), g(batch, last)), 1, v)
			}
			since++
			if since > 1 && squared(v) <= 0.5*first {
				since = 12
			}
			last = slices.Clone(x)
			copy(x, added(x, -2, v))
		}
	},
	"saga:lr=0.3": func() rule {
		var table [][]float64
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			if step == 0 {
				for _, i := range all {
					table = append(table, g([]int{i}, x))
				}
			}
			mean, old := make([]float64, len(x)), make([]float64, len(x))
			for _, row := range table {
				mean = added(mean, 1.0/96, row)
			}
			for _, i := range batch {
				old = added(old, 1.0/32, table[i])
			}
			d := added(less(g(batch, x), old), 1, mean)
			for _, i := range batch {
				table[i] = g([]int{i}, x)
			}
			copy(x, added(x, -0.3, d))
		}
	},
	"storm:lr=0.2,w=0.02,c=3": func() rule {
		var last, d []float64
		sum, rate := 0.0, 0.0
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			now := g(batch, x)
			if step == 0 {
				d = now
			} else {
				a := min(1, 3*rate*rate)
				d = added(now, 1-a, less(d, g(batch, last)))
			}
			sum += squared(now)
			rate = 0.2 / math.Pow(0.02+sum, 1./3)
			last = slices.Clone(x)
			copy(x, added(x, -rate, d))
		}
	},
	"storm:elementwise,lr=0.4,w=0.1,c=2,largest=0.03": func() rule {
		var last, d, sums []float64
		bounds := []float64{0.03, 0.03, 0.03}
		return func(x []float64, step int, g func([]int, []float64) []float64, batch, all []int) {
			if step == 0 {
				last, d = slices.Clone(x), make([]float64, len(x))
				sums = slices.Repeat([]float64{0.03 * 0.03 * 0.03}, len(x))
			}
			now, then := g(batch, x), g(batch, last)
			for k, at := range [][2]int{{0, 6}, {6, 10}, {10, 11}} {
				bounds[k] = max(bounds[k], math.Sqrt(squared(now[at[0]:at[1]])))
				for i := at[0]; i < at[1]; i++ {
					sums[i] += now[i] * now[i]
					rate := 0.4 / math.Pow(0.1+sums[i], 1./3)
					d[i] = now[i] + (1-min(1, 2*rate*rate))*(d[i]-then[i])
					d[i] = min(max(d[i], -bounds[k]), bounds[k])
					last[i] = x[i]
					x[i] -= rate * d[i]
				}
			}
		}
	},
}

// TestFiniteRules runs each method beside its rule. Both add the same numbers in another order, and errors of rounding
// grow with the steps: 20 of them, at a rate below that of instability.
func TestFiniteRules(t *testing.T) {
	for spec, start := range finiteRules {
		t.Run(spec, func(t *testing.T) {
			p := opttest.NewExamples[float64]()
			o, err := optimizers.New[float64](parsed(spec)(), p.Layout())
			if err != nil {
				t.Fatal(err)
			}
			var all []int
			for i := range 96 {
				all = append(all, i)
			}
			single := func(s optimizers.Sample[float64], x []float64) map[int][]float64 {
				grads := map[int][]float64{}
				err := s.(optimizers.ExampleGrads[float64]).ExampleGrads(x, func(i int, _ float64, g []float64) error {
					grads[i] = slices.Clone(g)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				return grads
			}
			g := func(rows []int, x []float64) []float64 {
				grads := single(p.Full(), x)
				mean := make([]float64, len(x))
				for _, i := range rows {
					mean = added(mean, 1/float64(len(rows)), grads[i])
				}
				return mean
			}
			x, want, apply := p.Start(), p.Start(), start()
			moved := 0.0
			for step := range 20 {
				p.At(step)
				var batch []int
				for i := range single(p.Batch(), x) {
					batch = append(batch, i)
				}
				slices.Sort(batch)
				before := slices.Clone(want)
				apply(want, step, g, batch, all)
				moved = max(moved, math.Sqrt(squared(less(want, before))))
				if _, err := o.Step(t.Context(), x, p); err != nil {
					t.Fatal(err)
				}
				if e := math.Sqrt(squared(less(x, want))); e > 1e-12*moved {
					t.Fatalf("after step %d it is at %v, the rule at %v, %.2g apart", step+1, x, want, e)
				}
			}
		})
	}
}

// logistic is regularised logistic regression of 50 random vectors with 4 numbers, which has one minimum.
func logistic() *optimizers.Sum[float64] {
	const n, d, l2 = 50, 4, 0.05
	r := rand.New(rand.NewPCG(3, 1))
	a, y := make([]float64, n*d), make([]float64, n)
	for i := range a {
		a[i] = r.NormFloat64()
	}
	for i := range y {
		y[i] = float64(r.IntN(2))
	}
	score := func(i int, x []float64) (z, p float64) {
		for j, v := range a[i*d : (i+1)*d] {
			z += v * x[j]
		}
		return z, 1 / (1 + math.Exp(-z))
	}
	s := &optimizers.Sum[float64]{N: n, Batch: 8, Seed: 5}
	s.F = func(x []float64, terms []int) (f float64) {
		for _, i := range terms {
			z, _ := score(i, x)
			f += (math.Log1p(math.Exp(z)) - y[i]*z) / float64(len(terms))
		}
		return f + l2/2*squared(x)
	}
	s.G = func(dst, x []float64, terms []int) float64 {
		for j, v := range x {
			dst[j] = l2 * v
		}
		for _, i := range terms {
			_, p := score(i, x)
			for j, v := range a[i*d : (i+1)*d] {
				dst[j] += (p - y[i]) * v / float64(len(terms))
			}
		}
		return s.F(x, terms)
	}
	s.H = func(dst, x, v []float64, terms []int) {
		for j, u := range v {
			dst[j] = l2 * u
		}
		for _, i := range terms {
			_, p := score(i, x)
			av := 0.0
			for j, u := range a[i*d : (i+1)*d] {
				av += u * v[j]
			}
			for j, u := range a[i*d : (i+1)*d] {
				dst[j] += p * (1 - p) * av * u / float64(len(terms))
			}
		}
	}
	s.GN = s.H
	return s
}

// TestMinimizeASum brings methods of every kind to the minimum that Newton's method finds.
func TestMinimizeASum(t *testing.T) {
	f := logistic()
	whole := logistic()
	whole.Batch = whole.N
	exact, err := optimizers.Minimize(t.Context(), whole, make([]float64, 4), parsed("newton_cg")(), optimizers.Until{GradNorm: 1e-12})
	if err != nil || exact.Status != optimizers.GradNormReached {
		t.Fatal(exact, err)
	}
	for _, c := range []struct {
		spec  string
		until optimizers.Until
		want  optimizers.Status
	}{
		{"svrg:lr=0.5", optimizers.Until{GradNorm: 1e-9}, optimizers.GradNormReached},
		{"saga:lr=0.5", optimizers.Until{GradNorm: 1e-9}, optimizers.GradNormReached},
		{"sarah:lr=0.5", optimizers.Until{GradNorm: 1e-9}, optimizers.GradNormReached},
		{"svrg:lr=0.5", optimizers.Until{Loss: exact.Loss + 1e-12}, optimizers.LossReached},
		{"storm:lr=0.1", optimizers.Until{Loss: exact.Loss + 1e-3, Steps: 2000}, optimizers.LossReached},
		{"sgd:lr=0.5", optimizers.Until{GradNorm: 1e-9, Steps: 705}, optimizers.StepsDone},
		{"hf:curvature=20,damping=1e-3", optimizers.Until{Loss: exact.Loss + 1e-2, Steps: 100}, optimizers.LossReached},
		{"svrg:lr=0.5", optimizers.Until{Work: 1111}, optimizers.WorkDone},
	} {
		r, err := optimizers.Minimize(t.Context(), f, make([]float64, 4), parsed(c.spec)(), c.until)
		if err != nil || r.Status != c.want {
			t.Errorf("%s: %v after %d steps, loss %v (%v)", c.spec, r.Status, r.Steps, r.Loss, err)
			continue
		}
		g := make([]float64, 4)
		loss, err := f.Grad(g, r.X)
		if err != nil || loss != r.Loss || math.Abs(math.Sqrt(squared(g))-r.GradNorm) > 1e-14*r.GradNorm {
			t.Errorf("%s: the result's loss is %v and gradient %v; at its X they are %v and %v (%v)", c.spec, r.Loss, r.GradNorm, loss, math.Sqrt(squared(g)), err)
		}
		if c.want == optimizers.GradNormReached && math.Sqrt(squared(less(r.X, exact.X))) > 1e-9/0.05 {
			t.Errorf("%s: it is at %v, the minimum at %v", c.spec, r.X, exact.X)
		}
		if c.want == optimizers.StepsDone && (r.Steps != 705 || r.Loss < exact.Loss+1e-6) {
			t.Errorf("%s: %d steps to %v, which is where SGD stalls", c.spec, r.Steps, r.Loss-exact.Loss)
		}
	}
}

// TestSumsGoThroughTheirTerms looks at the minibatches that a method sees.
func TestSumsGoThroughTheirTerms(t *testing.T) {
	f := &optimizers.Sum[float64]{N: 10, Batch: 4, Seed: 1}
	f.F = func(x []float64, terms []int) float64 { return 1 }
	f.G = func(dst, x []float64, terms []int) float64 { dst[0] = 1; return 1 }
	var seen [][]int
	var drawn []int
	looker := optimizers.StepFunc[float64](func(_ context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
		var terms []int
		note := func(i int, _ float64, _ []float64) error { terms = append(terms, i); return nil }
		if err := p.Batch().(optimizers.ExampleGrads[float64]).ExampleGrads(x, note); err != nil {
			return optimizers.Report{}, err
		}
		seen = append(seen, terms)
		terms = nil
		s, err := p.Draw(6)
		if err != nil {
			return optimizers.Report{}, err
		}
		if err := s.(optimizers.ExampleGrads[float64]).ExampleGrads(x, note); err != nil {
			return optimizers.Report{}, err
		}
		sorted := slices.Sorted(slices.Values(terms))
		if len(slices.Compact(sorted)) != 6 {
			t.Errorf("drawn are %v", terms)
		}
		drawn = append(drawn, terms...)
		for _, n := range []int{0, 10} {
			if _, err := p.Draw(n); err == nil || !strings.Contains(err.Error(), "1 to 9") {
				t.Errorf("drawing %d of 10 gives %v", n, err)
			}
		}
		return optimizers.Report{}, nil
	})
	r, err := optimizers.Minimize(t.Context(), f, []float64{0}, optimizers.Of[float64](looker), optimizers.Until{Steps: 900})
	if err != nil || r.Steps != 900 {
		t.Fatal(r, err)
	}
	for pass := range 300 {
		terms := slices.Concat(seen[3*pass : 3*pass+3]...)
		if len(seen[3*pass+2]) != 2 || !slices.Equal(slices.Sorted(slices.Values(terms)), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Fatalf("pass %d has the minibatches %v", pass, seen[3*pass:3*pass+3])
		}
	}
	// Each term is first in 30 of 300 passes and in 540 of 900 draws, give or take five standard deviations.
	first, often := make([]int, 10), make([]int, 10)
	for pass := range 300 {
		first[seen[3*pass][0]]++
	}
	for _, i := range drawn {
		often[i]++
	}
	for i := range 10 {
		if math.Abs(float64(first[i])-30) > 5*math.Sqrt(27) || math.Abs(float64(often[i])-540) > 5*math.Sqrt(216) {
			t.Errorf("term %d is first in %d passes and in %d draws", i, first[i], often[i])
		}
	}
}

func TestSumsThatAreNone(t *testing.T) {
	g := func(dst, x []float64, terms []int) float64 { return 0 }
	for want, f := range map[string]*optimizers.Sum[float64]{
		"0 terms":                       {G: g},
		"minibatches of -1":             {N: 3, Batch: -1, G: g},
		"neither F nor G":               {N: 3},
		"svrg needs gradients":          {N: 3, F: func([]float64, []int) float64 { return 0 }},
		"gradient of x is NaN at index": {N: 3, G: func(dst, _ []float64, _ []int) float64 { dst[0] = math.NaN(); return 0 }},
	} {
		_, err := optimizers.Minimize(t.Context(), f, []float64{1}, parsed("svrg")(), optimizers.Until{Steps: 3})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one with %q", err, want)
		}
	}
	f := &optimizers.Sum[float64]{N: 3, F: func([]float64, []int) float64 { return 0 }}
	for what, err := range map[string]error{
		"Grad":           second(f.Grad(nil, nil)),
		"HessianMul":     f.HessianMul(nil, nil),
		"GaussNewtonMul": f.GaussNewtonMul(nil, nil),
		"SquaredGrads":   f.SquaredGrads(nil, nil),
		"ExampleGrads":   f.ExampleGrads(nil, nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "is not given") {
			t.Errorf("%s without its function gives %v", what, err)
		}
	}
	stop := errors.New("enough")
	f.G = g
	if err := f.ExampleGrads([]float64{1}, func(int, float64, []float64) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error ends in %v", err)
	}
}

func second[A any](_ A, err error) error { return err }

// misnumbered gives its examples numbers that the training set does not have.
type misnumbered struct{ *opttest.Examples[float64] }

func (p misnumbered) Batch() optimizers.Sample[float64] { return misnumberedSample{p.Examples.Batch()} }

type misnumberedSample struct{ optimizers.Sample[float64] }

func (s misnumberedSample) ExampleGrads(x []float64, f func(int, float64, []float64) error) error {
	return s.Sample.(optimizers.ExampleGrads[float64]).ExampleGrads(x, func(i int, loss float64, g []float64) error { return f(i+96, loss, g) })
}

func TestSAGARefusesNumbersOutsideTheTable(t *testing.T) {
	p := misnumbered{opttest.NewExamples[float64]()}
	o, err := optimizers.New[float64](parsed("saga")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x := p.Start()
	if _, err := o.Step(t.Context(), x, p); err == nil || !strings.Contains(err.Error(), "its training set has 96") {
		t.Errorf("the error is %v", err)
	}
	if o.State().Step != 0 || !slices.Equal(x, p.Start()) {
		t.Error("the failed step changed something")
	}
	s := o.State()
	s.Scalars["examples"] = math.NaN()
	if err := o.Restore(s); err == nil {
		t.Error("a table of NaN examples was restored")
	}
}

// Methods that go back to points of earlier steps would find the other groups elsewhere, unless those are frozen.
func TestGroupsOfMethodsThatGoBack(t *testing.T) {
	l := opttest.NewExamples[float64]().Layout()
	for _, m := range []string{"svrg", "sarah", "storm+lookahead"} {
		_, err := optimizers.New[float64](parsed(m+"+group:bias:lr=0.1x")(), l)
		if err == nil || !strings.Contains(err.Error(), "group cannot stand around "+m+": it goes back to points of earlier steps") {
			t.Errorf("%s: the error is %v", m, err)
		}
		if _, err := optimizers.New[float64](parsed(m+"+group:bias,norm:freeze")(), l); err != nil {
			t.Error(err)
		}
	}
	if _, err := optimizers.New[float64](parsed("saga+group:bias:lr=0.1x")(), l); err != nil {
		t.Error(err)
	}
}
