package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
	"github.com/saddle-ml/saddle/nn"
)

// statistics are mean and variance, the latter over n or, unbiased, over n-1.
func statistics(x []float64) (mean, biased, unbiased float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		biased += (v - mean) * (v - mean) / n
	}
	return mean, biased, biased * n / (n - 1)
}

// feature is what a batch holds of a feature: [n, features, rest].
func feature(x []float64, features, rest, f int) []float64 {
	var out []float64
	for i := range x {
		if i/rest%features == f {
			out = append(out, x[i])
		}
	}
	return out
}

// norms are inputs of BatchNorm, of which the first axis is features.
var norms = []struct {
	name           string
	input          []int
	features, rest int
}{
	{"vectors", []int{3}, 3, 1},
	{"images", []int{2, 3, 4}, 2, 12},
}

// TestBatchNormInTraining compares output and running statistics over three
// steps with sums written out: it normalises by the variance over n, as its
// derivatives assume, and averages the unbiased one.
func TestBatchNormInTraining(t *testing.T) {
	const n, tol = 5, 1e-13 // of the largest element, for sums of up to 60 numbers
	for _, c := range norms {
		for _, layer := range []nn.BatchNorm{{}, {Momentum: 0.3, Eps: 0.2}, {Momentum: 1}} {
			t.Run(c.name, func(t *testing.T) {
				momentum, eps := layer.Momentum, layer.Eps
				if momentum == 0 {
					momentum = 0.1
				}
				if eps == 0 {
					eps = 1e-5
				}
				p := newProblem(t, 1, nn.Sequential{layer}, nn.MeanSquaredError{}, n, c.input...)
				weight, bias := p.m.Tensor("batchnorm1.weight"), p.m.Tensor("batchnorm1.bias")
				mean, variance := make([]float64, c.features), make([]float64, c.features)
				for f := range variance {
					variance[f] = 1
				}
				near(t, "first buffers", p.m.Buffers, slices.Concat(mean, variance), 0)
				r := rand.New(rand.NewPCG(1, 15))
				for range 3 {
					p.x = uniform(r, len(p.x), -3, 5)
					g := p.graph(t)
					out := run(t, p.m, g, p.at(g), 0, g.Output, g.Updates[0], g.Updates[1])
					want := make([]float64, len(p.x))
					for f := range mean {
						m, biased, unbiased := statistics(feature(p.x, c.features, c.rest, f))
						mean[f] = (1-momentum)*mean[f] + momentum*m
						variance[f] = (1-momentum)*variance[f] + momentum*unbiased
						for i, v := range p.x {
							if i/c.rest%c.features == f {
								want[i] = (v-m)/math.Sqrt(biased+eps)*weight[f] + bias[f]
							}
						}
					}
					near(t, "output", out[0], want, tol)
					near(t, "running mean", out[1], mean, tol)
					near(t, "running variance", out[2], variance, tol)
					copy(p.m.Tensor("batchnorm1.running_mean"), out[1])
					copy(p.m.Tensor("batchnorm1.running_var"), out[2])
				}
			})
		}
	}
}

// TestBatchNormInInference uses the running statistics, so that examples do not
// depend on each other, and leaves them alone.
func TestBatchNormInInference(t *testing.T) {
	for _, c := range norms {
		t.Run(c.name, func(t *testing.T) {
			p := newProblem(t, 2, nn.Sequential{nn.BatchNorm{Eps: 0.01}}, nn.MeanSquaredError{}, 4, c.input...)
			copy(p.m.Buffers, uniform(rand.New(rand.NewPCG(2, 15)), len(p.m.Buffers), 0.3, 2))
			mean, variance := p.m.Tensor("batchnorm1.running_mean"), p.m.Tensor("batchnorm1.running_var")
			weight, bias := p.m.Tensor("batchnorm1.weight"), p.m.Tensor("batchnorm1.bias")
			want := make([]float64, len(p.x))
			for i, v := range p.x {
				f := i / c.rest % c.features
				want[i] = (v-mean[f])/math.Sqrt(variance[f]+0.01)*weight[f] + bias[f]
			}
			near(t, "output", must[[]float64](t)(p.m.Predict(p.x)), want, 1e-14)
			for i, u := range must[*nn.Graph](t)(p.m.Graph(4, false)).Updates {
				if u != nil {
					t.Errorf("buffer %d is updated outside training", i)
				}
			}
		})
	}
}

// TestASharedBatchNormSeesEveryPlace: its running averages take in the batch of
// each place in turn, as if they were steps.
func TestASharedBatchNormSeesEveryPlace(t *testing.T) {
	tied := nn.Shared{Name: "tied", Layer: nn.BatchNorm{Momentum: 0.4}}
	p := newProblem(t, 1, nn.Sequential{tied, nn.Dense{Units: 3}, tied}, nn.MeanSquaredError{}, 6, 3)
	g := p.graph(t)
	got := run(t, p.m, g, p.at(g), 0, g.Updates[0], g.Updates[1], g.Statistics[0], g.Statistics[1])

	// The same net with one place after the other in two models of its own.
	alone := newProblem(t, 1, nn.Sequential{nn.Named{Name: "tied", Layer: nn.BatchNorm{Momentum: 0.4}}, nn.Dense{Units: 3}}, nn.MeanSquaredError{}, 6, 3)
	for _, q := range alone.m.Parameters() {
		copy(alone.m.Tensor(q.Name), p.m.Tensor(q.Name))
	}
	ag := alone.graph(t)
	first := run(t, alone.m, ag, values{ag.X: p.x, ag.Y: alone.y}, 0, ag.Output, ag.Updates[0], ag.Updates[1])
	second := newProblem(t, 1, nn.Sequential{nn.BatchNorm{Momentum: 0.4}}, nn.MeanSquaredError{}, 6, 3)
	copy(second.m.Buffers, append(first[1], first[2]...))
	sg := second.graph(t)
	want := run(t, second.m, sg, values{sg.X: first[0], sg.Y: second.y}, 0, sg.Updates[0], sg.Updates[1])
	near(t, "running mean", got[0], want[0], 1e-13)
	near(t, "running variance", got[1], want[1], 1e-13)

	// The statistic is the mean of both places'; each update is 0.6 old + 0.4 of one.
	for k, old := range []float64{0, 1} {
		var mean []float64
		for i, one := range first[k+1] {
			mean = append(mean, ((one-0.6*old)/0.4+(want[k][i]-0.6*one)/0.4)/2)
		}
		near(t, "statistic", got[k+2], mean, 1e-13)
	}
}

// TestNormalisationWithoutScaleOrShift has the parameters that are left, and
// the output of one whose scale is 1 and shift 0.
func TestNormalisationWithoutScaleOrShift(t *testing.T) {
	layers := map[string]func(noScale, noShift bool) nn.Layer{
		"batchnorm1": func(a, b bool) nn.Layer { return nn.BatchNorm{NoScale: a, NoShift: b} },
		"layernorm1": func(a, b bool) nn.Layer { return nn.LayerNorm{NoScale: a, NoShift: b} },
	}
	for name, layer := range layers {
		for _, no := range [][2]bool{{true, false}, {false, true}, {true, true}} {
			full := newProblem(t, 2, nn.Sequential{layer(false, false), gain}, nn.MeanSquaredError{}, 5, 4)
			p := newProblem(t, 2, nn.Sequential{layer(no[0], no[1]), gain}, nn.MeanSquaredError{}, 5, 4)
			weight, bias := full.m.Tensor(name+".weight"), full.m.Tensor(name+".bias")
			if no[0] {
				for i := range weight {
					weight[i] = 1
				}
			} else {
				copy(weight, p.m.Tensor(name+".weight"))
			}
			if no[1] {
				clear(bias)
			} else {
				copy(bias, p.m.Tensor(name+".bias"))
			}
			copy(full.m.Tensor("func1.gain"), p.m.Tensor("func1.gain"))
			if has := [2]bool{p.m.Tensor(name+".weight") != nil, p.m.Tensor(name+".bias") != nil}; has != [2]bool{!no[0], !no[1]} {
				t.Errorf("%s %v has scale and shift: %v", name, no, has)
			}
			g, fg := p.graph(t), full.graph(t)
			near(t, "output", run(t, p.m, g, p.at(g), 0, g.Output)[0], run(t, full.m, fg, values{fg.X: p.x, fg.Y: p.y}, 0, fg.Output)[0], 1e-14)
		}
	}
}

// TestLayerNormByHand normalises each example over its last axes.
func TestLayerNormByHand(t *testing.T) {
	const n = 3
	for _, c := range []struct {
		layer nn.LayerNorm
		input []int
		over  int // elements that are normalised together
	}{
		{nn.LayerNorm{}, []int{5}, 5},
		{nn.LayerNorm{}, []int{3, 4}, 4},
		{nn.LayerNorm{Axes: 2, Eps: 0.3}, []int{2, 3, 4}, 12},
		{nn.LayerNorm{Axes: 3}, []int{2, 3, 4}, 24},
	} {
		t.Run(c.layer.String(), func(t *testing.T) {
			p := newProblem(t, 3, nn.Sequential{c.layer}, nn.MeanSquaredError{}, n, c.input...)
			weight, bias := p.m.Tensor("layernorm1.weight"), p.m.Tensor("layernorm1.bias")
			if len(weight) != c.over || len(bias) != c.over {
				t.Fatalf("%d gains and %d shifts, want %d", len(weight), len(bias), c.over)
			}
			eps := c.layer.Eps
			if eps == 0 {
				eps = 1e-5
			}
			want := make([]float64, len(p.x))
			for at := 0; at < len(p.x); at += c.over {
				m, biased, _ := statistics(p.x[at : at+c.over])
				for i := range c.over {
					want[at+i] = (p.x[at+i]-m)/math.Sqrt(biased+eps)*weight[i] + bias[i]
				}
			}
			g := p.graph(t)
			near(t, "in training", run(t, p.m, g, p.at(g), 0, g.Output)[0], want, 1e-13)
			near(t, "in inference", must[[]float64](t)(p.m.Predict(p.x)), want, 1e-13)
		})
	}
}

// secondDerivatives is the Hessian in x of <c, y> with y = (x-m)/s, mean m and
// s^2 = eps + variance over n, by the quotient rule: from ds/dx_k = y_k/n and
// dy_j/dx_k = (1[j=k] - 1/n - y_j y_k/n)/s follows, with a and b the means of c
// and of c y,
//
//	s^2 H_jk = b/n - b 1[j=k] + 3 b y_j y_k/n - (y_k (c_j-a) + y_j (c_k-a))/n.
func secondDerivatives(x, c []float64, eps float64) *mat.Dense {
	n := len(x)
	m, biased, _ := statistics(x)
	s2 := biased + eps
	y := make([]float64, n)
	a, b := 0.0, 0.0
	for i := range y {
		y[i] = (x[i] - m) / math.Sqrt(s2)
		a += c[i] / float64(n)
		b += c[i] * y[i] / float64(n)
	}
	h := mat.NewDense(n, n, nil)
	for j := range n {
		for k := range n {
			v := (b + 3*b*y[j]*y[k] - y[k]*(c[j]-a) - y[j]*(c[k]-a)) / float64(n)
			if j == k {
				v -= b
			}
			h.Set(j, k, v/s2)
		}
	}
	return h
}

// TestSecondDerivativesThroughStatistics compares the Hessian of a weighted sum
// of normalised numbers, in the input, with the formula: mean and variance are
// differentiated twice. Errors are relative to the largest element.
func TestSecondDerivativesThroughStatistics(t *testing.T) {
	const eps, tol = 0.05, 1e-12
	for _, c := range []struct {
		name  string
		layer nn.Layer
		n     int
		input []int
		group func(i int) int // which numbers are normalised together
	}{
		{"batch norm of vectors", nn.BatchNorm{Eps: eps}, 6, []int{3}, func(i int) int { return i % 3 }},
		{"batch norm of images", nn.BatchNorm{Eps: eps}, 2, []int{2, 3, 2}, func(i int) int { return i / 6 % 2 }},
		{"layer norm", nn.LayerNorm{Eps: eps}, 3, []int{5}, func(i int) int { return i / 5 }},
		{"layer norm of images", nn.LayerNorm{Axes: 3, Eps: eps}, 2, []int{2, 2, 3}, func(i int) int { return i / 12 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := build(t, nn.Sequential{c.layer}, nn.MeanSquaredError{}, c.input...) // gains 1, shifts 0
			g := must[*nn.Graph](t)(m.Graph(c.n, true))
			r := rand.New(rand.NewPCG(4, 15))
			size := volume(g.X.Shape())
			x, weights := uniform(r, size, -2, 2), uniform(r, size, -1, 1)
			b := ops.On(g.Output)
			sum := b.Sum(b.Mul(g.Output, b.Tensor(weights, g.Output.Shape()...)))
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			h := must[*nn.Node](t)(autodiff.Hessian(sum, g.X))
			got := run(t, m, g, values{g.X: x}, 0, h)[0]
			want := make([]float64, size*size)
			groups := map[int][]int{}
			for i := range size {
				groups[c.group(i)] = append(groups[c.group(i)], i)
			}
			for _, at := range groups {
				var xs, cs []float64
				for _, i := range at {
					xs, cs = append(xs, x[i]), append(cs, weights[i])
				}
				block := secondDerivatives(xs, cs, eps)
				for j, row := range at {
					for k, col := range at {
						want[row*size+col] = block.At(j, k)
					}
				}
			}
			near(t, "Hessian", got, want, tol)
		})
	}
}
