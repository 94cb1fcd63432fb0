package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// far is the largest difference of two vectors over the largest element.
func far[T Float](a, b []T) float64 {
	diff, size := 0.0, 0.0
	for i := range a {
		diff = max(diff, math.Abs(float64(a[i]-b[i])))
		size = max(size, math.Abs(float64(a[i])), math.Abs(float64(b[i])))
	}
	return diff / max(size, 1e-300)
}

func direction(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	return v
}

// answers are all that a sample can say at a point.
func answers(t *testing.T, s optimizers.Sample[float64], x, v []float64) map[string][]float64 {
	t.Helper()
	n := len(x)
	out := map[string][]float64{"loss": {0}, "gradient": make([]float64, n), "Hessian": make([]float64, n), "Gauss-Newton": make([]float64, n), "squares": make([]float64, n)}
	loss, err := s.Loss(x)
	if err != nil {
		t.Fatal(err)
	}
	out["loss"][0] = loss
	if again, err := s.Grad(out["gradient"], x); err != nil || again != loss {
		t.Fatalf("Grad gives loss %v, Loss %v (%v)", again, loss, err)
	}
	if err := s.Linearize(x); err != nil {
		t.Fatal(err)
	}
	if err := s.HessianMul(out["Hessian"], v); err != nil {
		t.Fatal(err)
	}
	if err := s.GaussNewtonMul(out["Gauss-Newton"], v); err != nil {
		t.Fatal(err)
	}
	if err := s.(optimizers.SquaredGrads[float64]).SquaredGrads(out["squares"], x); err != nil {
		t.Fatal(err)
	}
	return out
}

// A sample in parts is the sample: dropout masks too are the same, because they
// go by the place in the sample.
func TestPartsMakeTheWhole(t *testing.T) {
	m, d := small[float64](t, nn.Dense{Units: 6}, nn.Tanh{}, nn.Dropout{Rate: 0.4}, nn.Dense{Units: 3})
	b := batch[float64](t, d, 0, 50)
	v := direction(len(m.Params), 1)
	var want map[string][]float64
	for _, size := range []int{50, 49, 25, 16, 1} {
		s := &sample[float64]{programs: newPrograms(m), seed: 3, step: 7}
		s.programs.part = size
		s.hold(b.X, b.Y, b.N)
		got := answers(t, s, m.Params, v)
		if want == nil {
			want = got
		}
		for name := range want {
			// Sums of at most 50 parts in another order.
			if e := far(got[name], want[name]); e > 1e-13 {
				t.Errorf("parts of %d: %s differs by %.2g of its largest element", size, name, e)
			}
		}
	}
}

// TestProgramsOfManySizes: a program that was forgotten is made again, also under a
// sample that holds its linearisation.
func TestProgramsOfManySizes(t *testing.T) {
	m, d := small[float64](t, plain()...)
	p := newPrograms(m)
	of := func(n int) *sample[float64] {
		b := batch[float64](t, d, 0, n)
		s := &sample[float64]{programs: p}
		s.hold(b.X, b.Y, b.N)
		return s
	}
	v := direction(len(m.Params), 1)
	first := of(5)
	want := answers(t, first, m.Params, v)
	for n := 6; n < 6+2*mostSizes; n++ {
		answers(t, of(n), m.Params, v)
	}
	if _, ok := p.made[request{want: wantGrad, size: 5}]; ok || len(p.made) > 5*mostSizes {
		t.Errorf("%d programs of five ends are kept, that of the first size too (%v)", len(p.made), ok)
	}
	again := make([]float64, len(v))
	if err := first.HessianMul(again, v); err != nil || far(again, want["Hessian"]) != 0 {
		t.Errorf("the product of a sample whose program was forgotten: %v, %.2g apart", err, far(again, want["Hessian"]))
	}
	for name, got := range answers(t, first, m.Params, v) {
		if far(got, want[name]) != 0 {
			t.Errorf("%s differs after its program was forgotten", name)
		}
	}
}

// The first central difference has the error h²/6 times the third derivative,
// and 1e-16/h of rounding: 1e-5 leaves room for both.
func TestProductsAreDerivatives(t *testing.T) {
	m, d := small[float64](t, plain()...)
	s, err := ProblemOf(m, batch[float64](t, d, 0, 40))
	if err != nil {
		t.Fatal(err)
	}
	x, v := m.Params, direction(len(m.Params), 2)
	got := answers(t, s, x, v)
	const h = 1e-5
	at := func(sign float64) ([]float64, float64) {
		y, g := make([]float64, len(x)), make([]float64, len(x))
		for i := range y {
			y[i] = x[i] + sign*h*v[i]
		}
		loss, err := s.Grad(g, y)
		if err != nil {
			t.Fatal(err)
		}
		return g, loss
	}
	plus, lossPlus := at(1)
	minus, lossMinus := at(-1)
	slope, diff := 0.0, make([]float64, len(x))
	for i := range x {
		slope += got["gradient"][i] * v[i]
		diff[i] = (plus[i] - minus[i]) / (2 * h)
	}
	if want := (lossPlus - lossMinus) / (2 * h); math.Abs(slope-want) > 1e-7*math.Abs(want) {
		t.Errorf("slope %v, differences give %v", slope, want)
	}
	if e := far(got["Hessian"], diff); e > 1e-7 {
		t.Errorf("Hessian product differs from differences by %.2g", e)
	}
}

func TestSquaredGradsAreOfSingleExamples(t *testing.T) {
	m, d := small[float64](t, plain()...)
	const n = 12
	s, err := ProblemOf(m, batch[float64](t, d, 0, n))
	if err != nil {
		t.Fatal(err)
	}
	got := answers(t, s, m.Params, direction(len(m.Params), 3))["squares"]
	want, g := make([]float64, len(m.Params)), make([]float64, len(m.Params))
	for i := range n {
		one, err := ProblemOf(m, batch[float64](t, d, i, i+1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := one.Grad(g, m.Params); err != nil {
			t.Fatal(err)
		}
		for j := range want {
			want[j] += g[j] * g[j] / n
		}
	}
	if e := far(got, want); e > 1e-13 {
		t.Errorf("mean squared gradients differ by %.2g of the largest", e)
	}
	// One after another they are the same, with their numbers.
	rows, mean := 0, 0.0
	b := batch[float64](t, d, 20, 20+n)
	s, err = ProblemOf(m, b)
	if err != nil {
		t.Fatal(err)
	}
	clear(want)
	err = s.(optimizers.ExampleGrads[float64]).ExampleGrads(m.Params, func(example int, loss float64, g []float64) error {
		if example != 20+rows {
			t.Errorf("example %d has the number %d", 20+rows, example)
		}
		for j, v := range g {
			want[j] += v / n
		}
		rows++
		mean += loss / n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	loss, err := s.Grad(g, m.Params)
	if e := far(g, want); err != nil || rows != n || e > 1e-13 || math.Abs(loss-mean) > 1e-13*loss {
		t.Errorf("%d single gradients have a mean %.2g off and a mean loss of %v, want %v (%v)", rows, e, mean, loss, err)
	}
	stop := errors.New("enough")
	if err := s.(optimizers.ExampleGrads[float64]).ExampleGrads(m.Params, func(int, float64, []float64) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("an error ends in %v", err)
	}
	norm, d2 := small[float64](t)
	s, err = ProblemOf(norm, batch[float64](t, d2, 0, n))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.(optimizers.SquaredGrads[float64]).SquaredGrads(g, norm.Params); err == nil {
		t.Error("single examples have gradients under batch normalisation")
	}
	if err := s.(optimizers.ExampleGrads[float64]).ExampleGrads(norm.Params, nil); err == nil {
		t.Error("single examples have gradients under batch normalisation, one by one")
	}
}

// Full is the whole set, whatever the parts, and a drawn sample is one of its
// subsets, another at every draw and step and the same again for the same seed.
func TestFullAndDrawnSamples(t *testing.T) {
	m, d := small[float64](t, plain()...)
	newP := func() *problem[float64] {
		p := newProblem(m, &data.Loader[float64]{Data: d, Batch: 30, Seed: 5}, 5, 1)
		p.programs.part = 64
		p.begin(context.Background(), batch[float64](t, d, 0, 30), 2)
		return p
	}
	p := newP()
	whole, err := ProblemOf(m, batch[float64](t, d, 0, d.Len()))
	if err != nil {
		t.Fatal(err)
	}
	a, err := p.Full().Loss(m.Params)
	if err != nil {
		t.Fatal(err)
	}
	b, err := whole.Loss(m.Params)
	if err != nil || math.Abs(a-b) > 1e-13*b {
		t.Errorf("Full has loss %v, all examples at once %v (%v)", a, b, err)
	}
	draw := func(p *problem[float64]) *drawn[float64] {
		s, err := p.Draw(10)
		if err != nil {
			t.Fatal(err)
		}
		return s.(*drawn[float64])
	}
	first, second := draw(p), draw(p)
	again := draw(newP())
	if equal(first.batch.Index, second.batch.Index) || !equal(first.batch.Index, again.batch.Index) {
		t.Errorf("draws %v, %v, and again %v", first.batch.Index, second.batch.Index, again.batch.Index)
	}
	for _, n := range []int{0, -1, d.Len(), d.Len() + 1} {
		if _, err := p.Draw(n); err == nil {
			t.Errorf("a sample of %d of %d examples", n, d.Len())
		}
	}
}

func equal(a, b []int) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func TestMisuseOfASampleIsAnError(t *testing.T) {
	m, d := small[float32](t, plain()...)
	b := batch[float32](t, d, 0, 4)
	s, err := ProblemOf(m, b)
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float32, len(m.Params))
	if s.HessianMul(v, v[:len(v):len(v)]) == nil {
		t.Error("a product before Linearize")
	}
	if _, err := s.Grad(v[1:], m.Params); err == nil {
		t.Error("a gradient that is too short")
	}
	b.N = 5
	if _, err := ProblemOf(m, b); err == nil {
		t.Error("a batch without its last example")
	}
}

// The buffers of batch normalisation change once a step, by the minibatch and
// the parameters before it, however often the step looks at either.
func TestBuffersChangeOnceAStep(t *testing.T) {
	m, d := small[float64](t)
	p := newProblem(m, &data.Loader[float64]{Data: d, Batch: 30}, 0, 1)
	before := append([]float64{}, m.Buffers...)
	b := batch[float64](t, d, 0, 30)
	p.begin(context.Background(), b, 0)
	g := make([]float64, len(m.Params))
	if _, err := p.Batch().Grad(g, m.Params); err != nil {
		t.Fatal(err)
	}
	if far(m.Buffers, before) != 0 {
		t.Fatal("buffers changed before the step was done")
	}
	other := append([]float64{}, m.Params...)
	for i := range other {
		other[i] *= 2
	}
	if _, err := p.Batch().Grad(g, other); err != nil {
		t.Fatal(err)
	}
	p.commit()
	once := append([]float64{}, m.Buffers...)
	if far(once, before) == 0 {
		t.Fatal("buffers did not change")
	}
	copy(m.Buffers, before)
	p.begin(context.Background(), b, 1)
	if _, err := p.Batch().Loss(m.Params); err != nil {
		t.Fatal(err)
	}
	p.commit()
	if far(once, m.Buffers) != 0 {
		t.Error("buffers depend on how often the step looks")
	}
}
