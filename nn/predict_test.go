package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/internal/parallel"
	"github.com/saddle-ml/saddle/nn"
)

// TestPredictTakesAnyNumberOfExamples: the outputs are those of one example at a
// time, up to the order of sums, also beyond the batch that it runs at once.
func TestPredictTakesAnyNumberOfExamples(t *testing.T) {
	net := nn.Sequential{nn.Conv2D{Filters: 3, Kernel: 3, Padding: nn.Same}, nn.BatchNorm{}, nn.ReLU{}, nn.MaxPool2D{Size: 2},
		nn.Flatten{}, nn.Dropout{Rate: 0.5}, nn.Dense{Units: 5}}
	p := newProblem(t, 1, net, nn.SoftmaxCrossEntropy{}, 600, 2, 5, 4)
	in, out := 40, 5
	var want []float64
	for i := range p.n {
		want = append(want, must[[]float64](t)(p.m.Predict(p.x[i*in:(i+1)*in]))...)
	}
	if len(want) != p.n*out {
		t.Fatalf("%d outputs", len(want))
	}
	labels := make([]int, p.n)
	for i := range labels {
		row := want[i*out : (i+1)*out]
		labels[i] = slices.Index(row, slices.Max(row))
	}
	for _, n := range []int{0, 1, 2, 3, 7, 64, 255, 256, 257, 512, 600, 1, 7, 7, 255, 3} {
		near(t, "outputs", must[[]float64](t)(p.m.Predict(p.x[:n*in])), want[:n*out], 1e-14)
		if got := must[[]int](t)(p.m.Classify(p.x[:n*in])); !slices.Equal(got, labels[:n]) {
			t.Errorf("classes of %d examples differ from those one at a time", n)
		}
	}
}

// TestPredictLeavesOutDropout: it is the net without it.
func TestPredictLeavesOutDropout(t *testing.T) {
	net := func(rate float64) nn.Layer {
		return nn.Sequential{nn.Dense{Units: 6}, nn.Tanh{}, nn.Dropout{Rate: rate}, nn.Dense{Units: 2}}
	}
	with, without := newProblem(t, 1, net(0.8), nn.MeanSquaredError{}, 9, 3), newProblem(t, 1, net(0), nn.MeanSquaredError{}, 9, 3)
	z := must[[]float64](t)(with.m.Predict(with.x))
	if !slices.Equal(z, must[[]float64](t)(without.m.Predict(with.x))) {
		t.Error("outputs differ from those without dropout")
	}
	g := with.graph(t)
	if slices.Equal(z, run(t, with.m, g, with.at(g), 0, g.Output)[0]) {
		t.Error("dropout does nothing in training")
	}
}

// TestPredictReadsTheParametersOfNow, changed in place or replaced.
func TestPredictReadsTheParametersOfNow(t *testing.T) {
	p := newProblem(t, 1, nn.Sequential{nn.Dense{Units: 2, NoBias: true}, nn.BatchNorm{}}, nn.MeanSquaredError{}, 3, 2)
	predict := func() []float64 { return must[[]float64](t)(p.m.Predict(p.x)) }
	first := predict()
	same := slices.Clone(p.m.Params)
	clear(p.m.Tensor("batchnorm1.weight"))
	clear(p.m.Tensor("batchnorm1.bias"))
	if maxAbs(predict()...) != 0 {
		t.Error("parameters changed in place are not seen")
	}
	p.m.Params = same
	if !slices.Equal(predict(), first) {
		t.Error("parameters that were replaced are not seen")
	}
	p.m.Buffers = []float64{0, 0, 3, 3}
	if slices.Equal(predict(), first) {
		t.Error("buffers that were replaced are not seen")
	}
}

// dropped runs a dropout of ones for rows from row on and gives the outputs.
func dropped(t *testing.T, m *nn.Model[float64], n int, seed, step uint64, row, workers int) []float64 {
	t.Helper()
	g := must[*nn.Graph](t)(m.Graph(n, true))
	prog, err := autodiff.CompileWith[float64]([]*nn.Node{g.Output}, exec.Inputs{g.X}, exec.Params(g.Params), exec.Options{Pool: parallel.New(workers)})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Bind(g, prog, m.Params); err != nil {
		t.Fatal(err)
	}
	ones := make([]float64, n*volume(m.Input()))
	for i := range ones {
		ones[i] = 1
	}
	if err := prog.Set(g.X, ones); err != nil {
		t.Fatal(err)
	}
	prog.Seed(seed, step, row)
	if err := prog.Run(); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(prog.Output(0))
}

// TestDropoutMaskIsThatOfSeedStepAndRow: the same however the batch is split and
// many workers there are, another for any other seed, step, row or layer.
func TestDropoutMaskIsThatOfSeedStepAndRow(t *testing.T) {
	const n, rate = 64, 0.3
	input := []int{5, 40}
	m := build(t, nn.Sequential{nn.Dropout{Rate: rate}, gain}, nn.MeanSquaredError{}, input...)
	size := volume(input)
	whole := dropped(t, m, n, 7, 3, 0, 1)
	for _, workers := range []int{2, 3, 8} {
		if !slices.Equal(whole, dropped(t, m, n, 7, 3, 0, workers)) {
			t.Errorf("%d workers give another mask", workers)
		}
	}
	for _, sizes := range [][]int{{32, 32}, {1, 63}, {10, 20, 34}, {63, 1}} {
		var got []float64
		for _, k := range sizes {
			got = append(got, dropped(t, m, k, 7, 3, len(got)/size, 1+k%3)...)
		}
		if !slices.Equal(got, whole) {
			t.Errorf("a batch split in %v has another mask", sizes)
		}
	}

	// Two masks that know nothing of each other are equal in a share of
	// rate^2 + (1-rate)^2 of the places.
	count := float64(len(whole))
	same := rate*rate + (1-rate)*(1-rate)
	two := build(t, nn.Sequential{nn.Identity{}, nn.Dropout{}, nn.Dropout{Rate: rate}, gain}, nn.MeanSquaredError{}, input...)
	for name, other := range map[string][]float64{
		"seed":  dropped(t, m, n, 8, 3, 0, 1),
		"step":  dropped(t, m, n, 7, 4, 0, 1),
		"row":   dropped(t, m, n, 7, 3, n, 1),
		"layer": dropped(t, two, n, 7, 3, 0, 1),
	} {
		equal := 0.0
		for i, v := range other {
			if v == whole[i] {
				equal++
			}
		}
		if e := math.Abs(equal/count - same); e > 5*math.Sqrt(same*(1-same)/count) {
			t.Errorf("another %s gives a mask that is equal in a share of %g, want %g", name, equal/count, same)
		}
	}

	// What is kept is divided by 1-rate; five standard deviations of the share.
	kept := 0.0
	for _, v := range whole {
		switch v {
		case 0:
		case 1 / (1 - rate):
			kept++
		default:
			t.Fatalf("a one becomes %v", v)
		}
	}
	if e := math.Abs(kept/count - (1 - rate)); e > 5*math.Sqrt(rate*(1-rate)/count) {
		t.Errorf("a share of %g is kept, want %g", kept/count, 1-rate)
	}
}

// TestMetricsByHand compares each loss's value and metric with a sum written
// out.
func TestMetricsByHand(t *testing.T) {
	const n, k = 6, 4
	r := rand.New(rand.NewPCG(5, 16))
	z := uniform(r, n*k, -2, 2)
	class, y := labels(r, n, k), uniform(r, n*k, 0, 1)
	softplus := func(v float64) float64 { return math.Log1p(math.Exp(v)) }
	logSum := func(row []float64) float64 {
		s := 0.0
		for _, v := range row {
			s += math.Exp(v)
		}
		return math.Log(s)
	}
	type numbers struct{ loss, metric float64 }
	perElement := func(f func(z, y float64) numbers) (sum numbers) {
		for i := range z {
			v := f(z[i], y[i])
			sum.loss, sum.metric = sum.loss+v.loss/n, sum.metric+v.metric/n
		}
		return sum
	}
	var hard, smooth, soft numbers
	for i := range n {
		row, c := z[i*k:(i+1)*k], int(class[i])
		hit := func(target []float64) float64 {
			if slices.Index(row, slices.Max(row)) == slices.Index(target, slices.Max(target)) {
				return 1.0 / n
			}
			return 0
		}
		oneHot := make([]float64, k)
		oneHot[c] = 1
		hard.metric += hit(oneHot)
		soft.metric += hit(y[i*k : (i+1)*k])
		hard.loss += (logSum(row) - row[c]) / n
		for j, v := range row {
			q := 0.1 / k
			if j == c {
				q += 0.9
			}
			smooth.loss += q * (logSum(row) - v) / n
			soft.loss += y[i*k+j] * (logSum(row) - v) / n
		}
	}
	smooth.metric = hard.metric
	squared := func(z, y float64) float64 { return (z - y) * (z - y) }
	for _, c := range []struct {
		loss nn.Loss
		y    []float64
		want numbers
	}{
		{nn.SoftmaxCrossEntropy{}, class, hard},
		{nn.SoftmaxCrossEntropy{Smoothing: 0.1}, class, smooth},
		{nn.SoftmaxCrossEntropy{Probs: true}, y, soft},
		{nn.SigmoidCrossEntropy{}, y, perElement(func(z, y float64) numbers {
			return numbers{y*softplus(-z) + (1-y)*softplus(z), squared(1/(1+math.Exp(-z)), y)}
		})},
		{nn.MeanSquaredError{}, y, perElement(func(z, y float64) numbers { return numbers{squared(z, y) / k, squared(z, y)} })},
		{nn.Huber{Delta: 0.7}, y, perElement(func(z, y float64) numbers {
			r := math.Abs(z - y)
			if r < 0.7 {
				return numbers{r * r / 2 / k, r * r}
			}
			return numbers{0.7 * (r - 0.35) / k, r * r}
		})},
	} {
		m := build(t, gain, c.loss, k)
		g := must[*nn.Graph](t)(m.Graph(n, true))
		out := run(t, m, g, values{g.X: z, g.Y: c.y}, 0, g.Loss, g.Metrics[0].Value)
		near(t, c.loss.String(), []float64{out[0][0], out[1][0]}, []float64{c.want.loss, c.want.metric}, 1e-14)
	}
}
