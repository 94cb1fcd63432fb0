package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// Products with weights are those of single examples, weighted and added up.
func TestWeightedProductsAddUpSingleOnes(t *testing.T) {
	for name, c := range map[string]struct {
		net   nn.Layer
		loss  nn.Loss
		input []int
	}{
		"convolution":   {nn.Sequential{nn.Conv2D{Filters: 2, Kernel: 3}, nn.Tanh{}, nn.Flatten{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, []int{2, 5, 5}},
		"squares":       {nn.Sequential{nn.Dense{Units: 4}, nn.Sigmoid{}, nn.Dense{Units: 2}}, nn.MeanSquaredError{}, []int{3}},
		"with penalty":  {nn.Sequential{nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: 3}}, nn.L2{Of: nn.SoftmaxCrossEntropy{}, Lambda: 0.3}, []int{3}},
		"sigmoid":       {nn.Sequential{nn.Dense{Units: 4}, nn.Tanh{}, nn.Dense{Units: 3}}, nn.SigmoidCrossEntropy{}, []int{3}},
		"normalisation": {nn.Sequential{nn.Dense{Units: 4}, nn.LayerNorm{}, nn.Tanh{}, nn.Dense{Units: 3}}, nn.SoftmaxCrossEntropy{}, []int{3}},
	} {
		const n = 7
		f := newFactored(t, c.net, c.loss, c.input, n)
		size := len(f.m.Params)
		weights := make([]float64, n)
		r, total := rand.New(rand.NewPCG(1, 9)), 0.0
		for i := range weights {
			weights[i] = r.Float64()
			total += weights[i]
		}
		for i := range weights { // of mean 1, so that a penalty counts once
			weights[i] *= n / total
		}
		v := [][]float64{direction(size, 1), direction(size, 2), direction(size, 3)}
		for _, gaussNewton := range []bool{false, true} {
			multiply := func(s *sample[float64]) [][]float64 {
				if err := s.Linearize(f.m.Params); err != nil {
					t.Fatal(err)
				}
				dst := [][]float64{make([]float64, size), make([]float64, size), make([]float64, size)}
				mul := s.HessianMuls
				if gaussNewton {
					mul = s.GaussNewtonMuls
				}
				if err := mul(dst, v); err != nil {
					t.Fatal(err)
				}
				return dst
			}
			want := [][]float64{make([]float64, size), make([]float64, size), make([]float64, size)}
			for i := range n {
				for k, p := range multiply(f.sample(i, i+1, 1)) {
					for j, e := range p {
						want[k][j] += weights[i] / n * e
					}
				}
			}
			for _, part := range []int{n, 3} {
				s := f.sample(0, n, part)
				s.weights = weights
				for k, got := range multiply(s) {
					if e := far(got, want[k]); e > 1e-12 {
						t.Errorf("%s, parts of %d, Gauss-Newton %t: product %d is %.2g off", name, part, gaussNewton, k, e)
					}
				}
				if !gaussNewton {
					continue
				}
				forms := make([]float64, 9)
				if err := s.GaussNewtonForms(forms, v); err != nil {
					t.Fatal(err)
				}
				for i := range v {
					for j := range v {
						if q := inner(v[i], want[j]); math.Abs(forms[3*i+j]-q) > 1e-11*math.Abs(inner(v[i], want[i])) {
							t.Errorf("%s: form %d, %d is %v, want %v", name, i, j, forms[3*i+j], q)
						}
					}
				}
			}
		}
	}
}

// drawing is a problem with a few examples that curve far more than the others.
func drawing(t *testing.T, n int, net ...nn.Layer) *problem[float64] {
	t.Helper()
	r := rand.New(rand.NewPCG(8, 8))
	x, y := make([]float64, 4*n), make([]float64, n)
	for i := range y {
		size := 0.3
		if i%10 == 3 {
			size = 3
		}
		for j := range 4 {
			x[4*i+j] = size * r.NormFloat64()
		}
		y[i] = float64(r.IntN(3))
	}
	d, err := data.New(x, []int{4}, y, data.Target{Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	m, err := nn.Build[float64](nn.Sequential(net), nn.SoftmaxCrossEntropy{}, []int{4}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return newProblem(m, &data.Loader[float64]{Data: d, Batch: 10, Seed: 2}, 2, 0)
}

// Over targets drawn from the model an example's score is, in the mean, the trace of its Gauss-Newton matrix; of a
// convolution, no less.
func TestScoresAreTraces(t *testing.T) {
	const n, passes = 12, 3000
	for name, c := range map[string]struct {
		net   []nn.Layer
		bound bool
	}{
		"dense":       {net: []nn.Layer{nn.Dense{Units: 5}, nn.LayerNorm{}, nn.Tanh{}, nn.Dense{Units: 3}}},
		"convolution": {net: []nn.Layer{nn.Reshape{To: []int{1, 2, 2}}, nn.Conv2D{Filters: 3, KernelHW: [2]int{1, 2}}, nn.Tanh{}, nn.Flatten{}, nn.Dense{Units: 3}}, bound: true},
	} {
		p := drawing(t, n, c.net...)
		p.programs.part = 5 // the last part is shorter
		x := p.programs.model.Params
		mean, square := make([]float64, n), make([]float64, n)
		for pass := range passes {
			p.step = pass
			p.masks(p.full, useFull)
			scores, err := p.full.traces(x)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range scores {
				mean[i] += v / passes
				square[i] += v * v / passes
			}
		}
		b := batch[float64](t, p.loader.Data, 0, n)
		v, gv := make([]float64, len(x)), make([]float64, len(x))
		for i := range n {
			s, err := ProblemOf(p.programs.model, data.Batch[float64]{X: b.X[4*i : 4*i+4], Y: b.Y[i : i+1], N: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Linearize(x); err != nil {
				t.Fatal(err)
			}
			trace := 0.0
			for j := range v {
				v[j] = 1
				if err := s.GaussNewtonMul(gv, v); err != nil {
					t.Fatal(err)
				}
				trace += gv[j]
				v[j] = 0
			}
			off := mean[i] - trace
			if c.bound {
				off = min(off, 0)
			}
			// Five deviations of the mean.
			if most := 5 * math.Sqrt(max(square[i]-mean[i]*mean[i], 0)/passes); math.Abs(off) > most+1e-12*trace {
				t.Errorf("%s: example %d has a mean score of %v and a trace of %v, allowed is %.2g", name, i, mean[i], trace, most)
			}
		}
	}
}

// The curvature of samples drawn by norms is that of all in the mean, and nearer to it than that of uniform ones.
func TestDrawByNormIsUnbiased(t *testing.T) {
	const n, size, steps = 200, 12, 3000
	p := drawing(t, n, plain()...)
	x := p.programs.model.Params
	for _, gaussNewton := range []bool{false, true} {
		v := direction(len(x), 4)
		form := func(s optimizers.Sample[float64]) float64 {
			c := s.(optimizers.Curvature[float64])
			if err := c.Linearize(x); err != nil {
				t.Fatal(err)
			}
			hv := make([]float64, len(x))
			mul := c.HessianMul
			if gaussNewton {
				mul = c.GaussNewtonMul
			}
			if err := mul(hv, v); err != nil {
				t.Fatal(err)
			}
			return inner(v, hv)
		}
		p.begin(context.Background(), batch[float64](t, p.loader.Data, 0, 10), 0)
		want := form(p.Full())
		spread := map[bool]float64{}
		for _, byNorm := range []bool{false, true} {
			mean, square := 0.0, 0.0
			for step := range steps {
				p.begin(context.Background(), batch[float64](t, p.loader.Data, 0, 10), step)
				var s optimizers.Sample[float64]
				var err error
				if byNorm {
					var work int64
					s, work, err = p.full.DrawByNorm(size, x, gaussNewton)
					if want := int64(2 * n); work != want {
						t.Fatalf("the norms of %d examples are a work of %d, want %d", n, work, want)
					}
				} else {
					s, err = p.Draw(size)
				}
				if err != nil {
					t.Fatal(err)
				}
				if s.Len() != size {
					t.Fatalf("%d examples, want %d", s.Len(), size)
				}
				q := form(s)
				mean += q / steps
				square += q * q / steps
			}
			spread[byNorm] = math.Sqrt(square - mean*mean)
			if most := 5 * spread[byNorm] / math.Sqrt(steps); math.Abs(mean-want) > most {
				t.Errorf("Gauss-Newton %t, by norms %t: mean form %v, of all %v, allowed is a difference of %.2g", gaussNewton, byNorm, mean, want, most)
			}
		}
		most := spread[false]
		if gaussNewton { // whose norms they are
			most *= 0.7
		}
		if spread[true] > most {
			t.Errorf("Gauss-Newton %t: a form is spread by %.3g in samples drawn by norms, by %.3g in uniform ones", gaussNewton, spread[true], spread[false])
		}
	}
}

// Weights are bounded, and the same step draws the same; what cannot be drawn so is refused.
func TestDrawByNormWeights(t *testing.T) {
	p := drawing(t, 60, plain()...)
	p.begin(context.Background(), batch[float64](t, p.loader.Data, 0, 10), 3)
	s, _, err := p.full.DrawByNorm(40, p.programs.model.Params, false)
	if err != nil {
		t.Fatal(err)
	}
	d := s.(*drawn[float64])
	first, weights := slices.Clone(d.index), slices.Clone(d.weights)
	if low, high := slices.Min(weights), slices.Max(weights); low <= 0 || high > 2 || low > 0.5 {
		t.Errorf("weights from %v to %v", low, high)
	}
	if _, err := s.Loss(p.programs.model.Params); err == nil {
		t.Error("a weighted sample has a loss")
	}
	p.begin(context.Background(), batch[float64](t, p.loader.Data, 0, 10), 3)
	if s, _, err = p.full.DrawByNorm(40, p.programs.model.Params, true); err != nil {
		t.Fatal(err)
	}
	if again := s.(*drawn[float64]); !slices.Equal(again.index, first) || !slices.Equal(again.weights, weights) {
		t.Error("the same step has other examples")
	}
	// The next uniform sample counts all alike.
	p.begin(context.Background(), batch[float64](t, p.loader.Data, 0, 10), 4)
	if s, err = p.Draw(20); err != nil || s.(*drawn[float64]).weights != nil {
		t.Errorf("weights are left in a uniform sample (%v)", err)
	}
	for name, c := range map[string]struct {
		s    *sample[float64]
		n    int
		x    float64
		want string
	}{
		"of a minibatch": {p.batch, 5, 0, "of the whole training set"},
		"of none":        {p.full, 0, 0, "allowed are 1 and more"},
		"not finite":     {p.full, 5, math.NaN(), "add up to NaN"},
	} {
		x := slices.Clone(p.programs.model.Params)
		x[0] += c.x
		if _, _, err := c.s.DrawByNorm(c.n, x, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, d2 := small[float64](t)
	joint := newProblem(m, &data.Loader[float64]{Data: d2, Batch: 10}, 1, 0)
	if _, _, err := joint.full.DrawByNorm(5, m.Params, false); err == nil || joint.Has()&optimizers.NeedNormDraws != 0 {
		t.Errorf("examples under batch normalisation have norms: %v", err)
	}
}

// Methods train by such samples, to the same weights each time.
func TestTrainWithSamplesByNorm(t *testing.T) {
	for _, spec := range []string{"tr:curvature=40,sampling=norms", "arc:curvature=40,sampling=norms", "newton_cg:curvature=40,sampling=norms", "gn:curvature=40,sampling=norms"} {
		var ends [2][]float64
		for k := range ends {
			m, d := small[float64](t, plain()...)
			loss := func() float64 {
				s, err := ProblemOf(m, batch[float64](t, d, 0, d.Len()))
				if err != nil {
					t.Fatal(err)
				}
				l, err := s.Loss(m.Params)
				if err != nil {
					t.Fatal(err)
				}
				return l
			}
			before := loss()
			mustFit(t, m, d, Config{Optimizer: parse(t, spec), Epochs: 10, Batch: 75})
			if after := loss(); !(after < 0.5*before) {
				t.Errorf("%s: loss %v after %v", spec, after, before)
			}
			ends[k] = m.Params
		}
		if !slices.Equal(ends[0], ends[1]) {
			t.Errorf("%s: two runs end %v apart", spec, far(ends[0], ends[1]))
		}
	}
}
