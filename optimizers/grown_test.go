package optimizers_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// fourBits is n, at least 4, an eighth of the minibatch, rounded up to four significant bits, by trying; 0 stays.
func fourBits(n int) int {
	if n > 0 {
		n = max(n, 4)
	}
	for ; n > 0; n++ {
		if m := n; m>>(max(0, bitLength(m)-4))<<(max(0, bitLength(m)-4)) == n {
			return n
		}
	}
	return 0
}

func bitLength(n int) (k int) {
	for ; n > 0; n >>= 1 {
		k++
	}
	return k
}

// TestNormTestGrowsByNeed computes the variance of single gradients again, around their mean, and from it what the
// sample of the next step has to be. The sample itself is that of the step: the test reads it through a method inside.
func TestNormTestGrowsByNeed(t *testing.T) {
	const theta = 0.4
	var variance, length, loss float64 // of the sample that the method has seen
	var size int
	looker := func(x []float64, p optimizers.Problem[float64]) optimizers.Report {
		s := p.Batch()
		size = s.Len()
		g, q := make([]float64, 11), 0.0
		var err error
		if loss, err = s.Grad(g, x); err != nil {
			t.Fatal(err)
		}
		var grads [][]float64
		mean, total := make([]float64, 11), 0.0
		err = s.(optimizers.ExampleGrads[float64]).ExampleGrads(x, func(_ int, l float64, one []float64) error {
			grads = append(grads, slices.Clone(one))
			mean = added(mean, 1/float64(size), one)
			total += l / float64(size)
			return nil
		})
		if err != nil || len(grads) != size {
			t.Fatal(len(grads), size, err)
		}
		for _, one := range grads {
			q += squared(less(one, mean))
		}
		if d := math.Sqrt(squared(less(mean, g))); d > 1e-14 || math.Abs(total-loss) > 1e-14 {
			t.Errorf("the gradient of %d examples is %v off the mean of theirs, the loss %v", size, d, total-loss)
		}
		variance, length = q/float64(size-1), squared(g)
		for i, v := range g {
			x[i] -= 0.5 * v
		}
		return optimizers.Report{Loss: loss, GradNorm: math.Sqrt(length), Work: int64(size) * (optimizers.WorkGrad + optimizers.WorkExampleGrads)}
	}
	p := opttest.NewExamples[float64]()
	m := &optimizers.NormTest{Theta: theta, Every: 2, Factor: 1.8, Of: optimizers.Of[float64](optimizers.StepFunc[float64](
		func(_ context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
			return looker(x, p), nil
		}))}
	o, err := optimizers.New[float64](m, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x, wanted := p.Start(), 32
	sizes := []int{}
	for k := range 24 {
		p.At(k)
		before := p.Work
		r := step(t, o, x, optimizers.Problem[float64](p))
		want := 32 + fourBits(wanted-32)
		if want >= 96 {
			want = 96
		}
		if size != want || r.Batch != want || r.Loss != loss {
			t.Fatalf("step %d sees %d examples and reports %d with loss %v, want %d with %v", k, size, r.Batch, r.Loss, want, loss)
		}
		if done := p.Work - before; r.Work != done {
			t.Errorf("step %d reports %d forward-equivalents of %d", k, r.Work, done)
		}
		sizes = append(sizes, size)
		noise := variance / (float64(size) * length)
		if k%2 == 1 || size == 96 {
			if r.Noise != 0 {
				t.Errorf("step %d reports noise %v without a test", k, r.Noise)
			}
			continue
		}
		if math.Abs(r.Noise-noise) > 1e-12*noise {
			t.Errorf("step %d reports noise %v, it is %v", k, r.Noise, noise)
		}
		if noise > theta*theta {
			wanted = max(wanted, int(math.Ceil(min(float64(size)*noise/(theta*theta), 1.8*float64(size)))))
		}
	}
	if sizes[23] != 96 || len(slices.Compact(slices.Clone(sizes))) < 3 {
		t.Errorf("the sizes are %v; want some on the way to 96", sizes)
	}
}

func TestGeometricBatchesGrowGeometrically(t *testing.T) {
	for spec, want := range map[string]func(k int) int{
		"sgd+geometric_batch:tau=1.1":         func(k int) int { return int(math.Ceil(32 * math.Pow(1.1, float64(k)))) },
		"sgd+geometric_batch:tau=1.1,most=50": func(k int) int { return min(50, int(math.Ceil(32*math.Pow(1.1, float64(k))))) },
		"sgd+geometric_batch:tau=1":           func(int) int { return 32 },
	} {
		p := opttest.NewExamples[float64]()
		o, err := optimizers.New[float64](parsed(spec)(), p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x := p.Start()
		for k := range 16 {
			p.At(k)
			n := min(96, 32+fourBits(want(k)-32))
			if r := step(t, o, x, optimizers.Problem[float64](p)); r.Batch != n {
				t.Errorf("%s: step %d has %d examples, want %d", spec, k, r.Batch, n)
			}
		}
	}
}

// TestGrowingSamplesLetSGDConverge: with a constant rate SGD stalls, and with samples that grow it comes as near as they
// let it: with geometric growth linearly in the steps, until the sample is the whole sum.
func TestGrowingSamplesLetSGDConverge(t *testing.T) {
	f := logistic()
	whole := logistic()
	whole.Batch = whole.N
	exact, err := optimizers.Minimize(t.Context(), whole, make([]float64, 4), parsed("newton_cg")(), optimizers.Until{GradNorm: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	gap := func(spec string, steps int) float64 {
		r, err := optimizers.Minimize(t.Context(), f, make([]float64, 4), parsed(spec)(), optimizers.Until{Steps: steps})
		if err != nil {
			t.Fatal(err)
		}
		return r.Loss - exact.Loss
	}
	stalled := min(gap("sgd:lr=1", 100), gap("sgd:lr=1", 200), gap("sgd:lr=1", 400))
	if stalled < 1e-5 {
		t.Errorf("SGD comes to %v of the minimum", stalled)
	}
	for _, spec := range []string{"sgd:lr=1+geometric_batch:tau=1.02", "sgd:lr=1+norm_test:theta=0.5,every=2", "adam:lr=0.1+norm_test:theta=0.5"} {
		if got := gap(spec, 400); got > 1e-9 {
			t.Errorf("%s comes to %v of the minimum, SGD to %v", spec, got, stalled)
		}
	}
}

// What needs more of a minibatch than its parts can give together is refused early.
func TestGrownMinibatchesRefuseWhatTheyCannot(t *testing.T) {
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](parsed("sgd+norm_test")(), p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	p.Lacks = optimizers.NeedSquaredGrads
	if err := optimizers.Check(o, optimizers.Problem[float64](p)); err == nil || !strings.Contains(err.Error(), "squared per-example gradients") {
		t.Errorf("the check says %v", err)
	}
	// A plain function is the whole of itself: there is nothing to grow.
	r, err := optimizers.Minimize(t.Context(), rosenbrock, []float64{-1, 1}, parsed("sgd:lr=1e-3+geometric_batch:tau=2")(), optimizers.Until{Steps: 5})
	if err != nil || r.Last.Batch != 1 {
		t.Errorf("a plain function has a sample of %d (%v)", r.Last.Batch, err)
	}
}
