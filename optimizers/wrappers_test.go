package optimizers_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// path is the points of a run of a method on Examples after each of n steps, its optimizer, and its parameters, which
// change with further steps.
func path(t *testing.T, m optimizers.Method, n int) (points [][]float64, o optimizers.Optimizer[float64], x []float64) {
	t.Helper()
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](m, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	x = p.Start()
	for k := range n {
		p.At(k)
		step(t, o, x, optimizers.Problem[float64](p))
		points = append(points, append([]float64{}, x...))
	}
	return points, o, x
}

func evalWeights(t *testing.T, o optimizers.Optimizer[float64], x []float64) []float64 {
	t.Helper()
	a, ok := optimizers.As[optimizers.Averaging[float64]](o)
	if !ok {
		t.Fatal("no weights for evaluation")
	}
	dst := make([]float64, len(x))
	a.EvalWeights(dst, x)
	return dst
}

// agree wants two vectors to agree, relative to the second.
func agree(t *testing.T, what string, got, want []float64, within float64) {
	t.Helper()
	size := 0.0
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i, v := range want {
		if !(math.Abs(got[i]-v) <= within*size) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], v)
			return
		}
	}
}

// TestDecayMakesAdamW: decoupled decay around Adam is AdamW, around SGD the formula.
func TestDecayMakesAdamW(t *testing.T) {
	want, _, _ := path(t, parsed("adamw:weight_decay=0.3,lr=0.1")(), 8)
	got, _, _ := path(t, parsed("adam:lr=0.1+decay:weight_decay=0.3")(), 8)
	for k := range want {
		agree(t, "adam+decay", got[k], want[k], 1e-14)
	}
	// A parameter with gradient 0 shrinks by itself; norm.scale has elements 6 to 9.
	got, _, _ = path(t, parsed("sgd:lr=0.5+decay:weight_decay=0.2")(), 3)
	if w := opttest.NewExamples[float64]().Start()[6] * 0.9 * 0.9 * 0.9; math.Abs(got[2][6]-w) > 1e-15 {
		t.Errorf("after 3 steps %v, want %v", got[2][6], w)
	}
	got, _, _ = path(t, parsed("sgd:lr=0.5+decay:weight_decay=0.2,kinds=weight")(), 3)
	if w := opttest.NewExamples[float64]().Start()[6]; got[2][6] != w {
		t.Errorf("a norm's scale decays to %v, want %v", got[2][6], w)
	}
	got, _, _ = path(t, parsed("sgd:lr=0.5+decay:weight_decay=0.2,by_rate=false")(), 1)
	if w := opttest.NewExamples[float64]().Start()[6] * 0.8; math.Abs(got[0][6]-w) > 1e-15 {
		t.Errorf("without the rate %v, want %v", got[0][6], w)
	}
}

// TestClipByValueAndTensor compares gradient descent's steps with the clipped gradients.
func TestClipByValueAndTensor(t *testing.T) {
	p := opttest.NewExamples[float64]()
	g := make([]float64, len(p.Start()))
	if _, err := p.Batch().Grad(g, p.Start()); err != nil {
		t.Fatal(err)
	}
	most := math.Abs(g[2]) / 2
	cut := func(v float64) float64 { return max(-most, min(most, v)) }
	var byValue, byTensor []float64
	for _, v := range g {
		byValue = append(byValue, cut(v))
	}
	for _, tensor := range p.Layout() {
		length := 0.0
		for _, v := range g[tensor.Offset : tensor.Offset+tensor.Size()] {
			length += v * v
		}
		for _, v := range g[tensor.Offset : tensor.Offset+tensor.Size()] {
			byTensor = append(byTensor, v*min(1, most/(math.Sqrt(length)+1e-6)))
		}
	}
	for _, c := range []struct {
		clip optimizers.Clip
		want []float64
	}{{optimizers.Clip{Value: most}, byValue}, {optimizers.Clip{Norm: most, PerTensor: true}, byTensor}} {
		c.clip.Of = &optimizers.SGD{LR: 1}
		got, _, _ := path(t, &c.clip, 1)
		for i, v := range p.Start() {
			got[0][i] = v - got[0][i]
		}
		agree(t, optimizers.Spec(&c.clip), got[0], c.want, 1e-13)
	}
	whole, _, _ := path(t, parsed("sgd+clip:norm=0.01")(), 1)
	tensors, _, _ := path(t, parsed("sgd+clip:norm=0.01,per_tensor")(), 1)
	if whole[0][0] == tensors[0][0] {
		t.Error("the norm by tensor is that of all")
	}
}

// TestLookaheadFollowsTheFormula computes slow weights and momentum beside it.
func TestLookaheadFollowsTheFormula(t *testing.T) {
	const lr, mu, alpha, k = 0.5, 0.9, 0.3, 3
	for _, momentum := range []string{"keep", "reset", "interpolate"} {
		m := &optimizers.Lookahead{K: k, Alpha: alpha, Momentum: momentum, Of: &optimizers.SGD{LR: lr, Momentum: mu}}
		got, o, last := path(t, m, 10)
		p := opttest.NewExamples[float64]()
		x, slow := p.Start(), p.Start()
		n := len(x)
		g, b, past := make([]float64, n), make([]float64, n), make([]float64, n)
		for s := range 10 {
			p.At(s)
			if _, err := p.Batch().Grad(g, x); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				b[i] = mu*b[i] + g[i]
				x[i] -= lr * b[i]
			}
			if s%k == k-1 {
				for i := range x {
					slow[i] += alpha * (x[i] - slow[i])
					x[i] = slow[i]
					switch momentum {
					case "reset":
						b[i] = 0
					case "interpolate":
						past[i] = alpha*b[i] + (1-alpha)*past[i]
						b[i] = past[i]
					}
				}
			}
			agree(t, momentum, got[s], x, 1e-13)
		}
		agree(t, "slow weights", evalWeights(t, o, last), slow, 1e-13)
	}
}

// TestAveragesAreMeans recomputes each average from the points of the run, which it does not change.
func TestAveragesAreMeans(t *testing.T) {
	const n = 12
	bare, _, _ := path(t, parsed("sgd:lr=0.5,momentum=0.9")(), n)
	mean := func(which ...int) []float64 {
		sum := make([]float64, len(bare[0]))
		for _, k := range which {
			for i, v := range bare[k] {
				sum[i] += v / float64(len(which))
			}
		}
		return sum
	}
	exponential := func(decay func(n int) float64) []float64 {
		e := append([]float64{}, bare[0]...)
		for k := 1; k < n; k++ {
			for i, v := range bare[k] {
				d := decay(k + 1)
				e[i] = d*e[i] + (1-d)*v
			}
		}
		return e
	}
	for spec, want := range map[string][]float64{
		"polyak":               mean(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
		"polyak:start=9":       mean(9, 10, 11),
		"polyak:start=12":      bare[n-1],
		"swa:start=5,every=3":  mean(5, 8, 11),
		"swa:start=6,every=4":  mean(6, 10),
		"swa":                  mean(9, 10, 11),
		"swa:steps=4,every=2":  mean(3, 5, 7, 9, 11),
		"ema:decay=0.7":        exponential(func(int) float64 { return 0.7 }),
		"ema:decay=0.7,warmup": exponential(func(n int) float64 { return min(0.7, float64(1+n)/float64(10+n)) }),
	} {
		m := optimizers.ForSteps(parsed("sgd:lr=0.5,momentum=0.9+"+spec)(), n)
		points, o, x := path(t, m, n)
		agree(t, spec+": the run", points[n-1], bare[n-1], 0)
		agree(t, spec, evalWeights(t, o, x), want, 1e-14)
	}
}

// TestPolyakAveragesNoiseAway: on a quadratic with noisy gradients the iterates of SGD at a constant rate stay at a
// distance from the minimum that their mean does not have.
func TestPolyakAveragesNoiseAway(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	f := &optimizers.Func[float64]{G: func(dst, x []float64) float64 {
		for i, v := range x {
			dst[i] = v + r.NormFloat64()
		}
		return 0
	}}
	o, err := optimizers.New[float64](parsed("sgd:lr=0.5+polyak:start=100")(), optimizers.Flat(10))
	if err != nil {
		t.Fatal(err)
	}
	x, last := make([]float64, 10), 0.0
	for k := range 2100 {
		if _, err := o.Step(context.Background(), x, noisy{f}); err != nil {
			t.Fatal(err)
		}
		if k >= 2000 {
			last += squares(x) / 100
		}
	}
	// The iterates' variance is lr/(2-lr) = 1/3 an element, that of a mean of 2000 about 1/2000.
	if mean := squares(evalWeights(t, o, x)); !(last > 2 && last < 5 && mean < 0.02) {
		t.Errorf("squared distance of the last iterates %v, of the mean %v", last, mean)
	}
}

func squares(x []float64) (sum float64) {
	for _, v := range x {
		sum += v * v
	}
	return sum
}

// noisy is a function as a problem that is asked anew in every step.
type noisy struct{ *optimizers.Func[float64] }

func (p noisy) Batch() optimizers.Sample[float64]            { return p }
func (p noisy) Full() optimizers.Sample[float64]             { return p }
func (p noisy) Draw(int) (optimizers.Sample[float64], error) { return p, nil }
func (p noisy) Len() int                                     { return 1 }

// TestNoiseLeavesASaddle: at an exact saddle gradient descent stands still, perturbed it finds a minimum.
func TestNoiseLeavesASaddle(t *testing.T) {
	at := func(spec string) float64 {
		f := opttest.Func[float64](opttest.Saddle)
		o, err := optimizers.New[float64](parsed(spec)(), optimizers.Flat(2))
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{0, 0}
		for range 400 {
			if _, err := o.Step(context.Background(), x, noisy{f}); err != nil {
				t.Fatal(err)
			}
		}
		return f.F(x)
	}
	for _, spec := range []string{"sgd", "sgd:momentum=0.9", "adam", "sgd+sam"} {
		if f := at(spec); f != 0.25 {
			t.Errorf("%s leaves the saddle by itself, to %v", spec, f)
		}
	}
	for _, spec := range []string{"sgd+noise:eta=1e-6", "sgd:momentum=0.9+noise:eta=1e-6,gamma=0,below=1e-2,seed=5", "adam:lr=0.01+noise:eta=1e-6,gamma=1"} {
		if f := at(spec); !(f < 1e-3) {
			t.Errorf("%s stays at %v; the saddle has 0.25, the minima 0", spec, f)
		}
	}
}

// TestNoiseIsNormal measures the noise of one step on a gradient of 0.
func TestNoiseIsNormal(t *testing.T) {
	const n = 100_000
	at := func(spec string, steps int) []float64 {
		o, err := optimizers.New[float64](parsed(spec)(), optimizers.Flat(n))
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, n)
		for range steps {
			clear(x)
			if _, err := o.Step(context.Background(), x, parabola{}); err != nil {
				t.Fatal(err)
			}
		}
		return x
	}
	x := at("sgd:lr=1+noise:eta=4,gamma=1", 1)
	fourth := 0.0
	for _, v := range x {
		fourth += v * v * v * v / n
	}
	// The variance has a standard error of 4 √(2/n) = 0.018, the fourth moment of 16 √(96/n) = 0.5.
	if v := squares(x) / n; math.Abs(v-4) > 0.1 || math.Abs(fourth-48) > 3 {
		t.Errorf("variance %v and fourth moment %v, want 4 and 48", v, fourth)
	}
	if v := squares(at("sgd:lr=1+noise:eta=4,gamma=1", 4)) / n; math.Abs(v-1) > 0.03 {
		t.Errorf("variance %v in the fourth step, want 1", v)
	}
	again, other := at("sgd:lr=1+noise:eta=4,gamma=1", 1), at("sgd:lr=1+noise:eta=4,gamma=1,seed=1", 1)
	together := 0.0
	for i, v := range x {
		if again[i] != v {
			t.Fatal("the same seed and step give other noise")
		}
		together += v * other[i] / n
	}
	if math.Abs(together) > 0.1 {
		t.Errorf("the noise of two seeds has covariance %v", together)
	}
}

// TestAccumulateIsALargerBatch compares with steps on all examples of the minibatches, of which the last is smaller.
func TestAccumulateIsALargerBatch(t *testing.T) {
	for _, spec := range []string{"sgd:lr=0.5,momentum=0.9", "adam+clip:norm=0.01", "sgd+decay:weight_decay=0.1"} {
		whole, err := optimizers.New[float64](parsed(spec)(), optimizers.Flat(4))
		if err != nil {
			t.Fatal(err)
		}
		parts, err := optimizers.New[float64](parsed(spec+"+accumulate:k=3")(), optimizers.Flat(4))
		if err != nil {
			t.Fatal(err)
		}
		p := newRows(35, 4)
		x, y := []float64{1, -1, 2, 0.5}, []float64{1, -1, 2, 0.5}
		for range 4 {
			p.from, p.to = 0, 35
			r := step(t, whole, x, optimizers.Problem[float64](p))
			before, work := append([]float64{}, y...), int64(0)
			var last optimizers.Report
			for _, cut := range [][2]int{{0, 15}, {15, 30}, {30, 35}} {
				agree(t, spec+": between steps", y, before, 0)
				p.from, p.to = cut[0], cut[1]
				last = step(t, parts, y, optimizers.Problem[float64](p))
				work += last.Work
			}
			agree(t, spec, y, x, 1e-13)
			if work != r.Work || last.LR != r.LR {
				t.Errorf("%s: work %d at rate %v, want %d at %v", spec, work, last.LR, r.Work, r.LR)
			}
		}
	}
}

// rows is the mean of (a'x - b)²/2 over the rows from from to to, as a problem.
type rows struct {
	optimizers.Func[float64]
	a        [][]float64
	b        []float64
	from, to int
}

func newRows(n, size int) *rows {
	r, p := rand.New(rand.NewPCG(1, 2)), &rows{}
	for range n {
		var a []float64
		for range size {
			a = append(a, r.NormFloat64())
		}
		p.a, p.b = append(p.a, a), append(p.b, r.NormFloat64())
	}
	p.G = func(dst, x []float64) float64 {
		clear(dst)
		loss, n := 0.0, float64(p.to-p.from)
		for k := p.from; k < p.to; k++ {
			d := -p.b[k]
			for i, v := range p.a[k] {
				d += v * x[i]
			}
			for i, v := range p.a[k] {
				dst[i] += d * v / n
			}
			loss += d * d / 2 / n
		}
		return loss
	}
	return p
}

func (p *rows) Batch() optimizers.Sample[float64]            { return p }
func (p *rows) Full() optimizers.Sample[float64]             { return p }
func (p *rows) Draw(int) (optimizers.Sample[float64], error) { return p, nil }
func (p *rows) Len() int                                     { return p.to - p.from }

// TestAccumulateCountsStepsOfTheMethod has a schedule inside, which counts steps, and one outside, which counts
// minibatches.
func TestAccumulateCountsStepsOfTheMethod(t *testing.T) {
	rates := func(spec string) (list []float64) {
		p := opttest.NewExamples[float64]()
		o, err := optimizers.New[float64](optimizers.ForSteps(parsed(spec)(), 12), p.Layout())
		if err != nil {
			t.Fatal(err)
		}
		x := p.Start()
		for k := range 12 {
			p.At(k)
			list = append(list, step(t, o, x, optimizers.Problem[float64](p)).LR)
		}
		return list
	}
	inside, short := rates("sgd+cosine+accumulate:k=3"), rates("sgd+cosine:t_max=4")
	for k := 2; k < 12; k += 3 {
		if inside[k] != short[k/3] {
			t.Errorf("minibatch %d has the rate %v, want that of step %d of 4, %v", k, inside[k], k/3, short[k/3])
		}
	}
	outside, long := rates("sgd+accumulate:k=3+cosine"), rates("sgd+cosine")
	agree(t, "a schedule of minibatches", outside, long, 0)
}

// TestAccumulateRefusesOtherPoints: a method of one's own that wants the gradient elsewhere gets an error, not a wrong
// answer.
func TestAccumulateRefusesOtherPoints(t *testing.T) {
	own := optimizers.Own("elsewhere", nil, func(optimizers.Layout) (optimizers.Stepper[float64], error) {
		return optimizers.StepFunc[float64](func(_ context.Context, x []float64, p optimizers.Problem[float64]) (optimizers.Report, error) {
			y, g := append([]float64{}, x...), make([]float64, len(x))
			if _, err := p.Batch().Grad(g, y); err != nil { // the same point in other memory
				return optimizers.Report{}, err
			}
			y[0]++
			_, err := p.Batch().Grad(g, y)
			return optimizers.Report{}, err
		}), nil
	})
	p := opttest.NewExamples[float64]()
	o, err := optimizers.New[float64](&optimizers.Accumulate{K: 1, Of: own}, p.Layout())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(context.Background(), p.Start(), p); err == nil || err.Error() != "optimizers: accumulate: of the minibatches the gradient and loss at the parameters of the step are known, nothing else: the method cannot be accumulated for" {
		t.Errorf("error %v", err)
	}
}
