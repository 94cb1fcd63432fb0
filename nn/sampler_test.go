package nn_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/nn"
)

// TestSampledGradsHaveTheHessianAsCovariance draws many gradients at one output
// and compares their mean with 0 and their products, two by two, with the
// Hessian. Six standard errors of a mean are exceeded once in 5e8 times.
func TestSampledGradsHaveTheHessianAsCovariance(t *testing.T) {
	const draws = 20000
	for k, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(k), 17))
			m := build(t, gain, c.loss, c.output(r)...)
			d := volume(m.Output())
			z, y := uniform(r, d, -2, 2), targets(r, m, 1)
			g := must[*nn.Graph](t)(m.Graph(draws, true))
			if m.Joint() { // no example has a distribution of its own
				if _, err := g.SampledGrad(); err == nil {
					t.Error("targets are drawn")
				}
				return
			}
			u := must[*nn.Node](t)(g.SampledGrad())
			v := must[*nn.Node](t)(g.SampledGrad())
			out := run(t, m, g, values{g.X: repeat(z, draws), g.Y: repeat(y, draws)}, 0, u, v)
			one := must[*nn.Graph](t)(m.Graph(1, true))
			for j := range d {
				e := make([]float64, d)
				e[j] = 1
				en := autodiff.NewInput(one.X.Graph(), one.X.Dtype(), "e", one.Output.Shape()...)
				h := must[*nn.Node](t)(one.OutputHessian(en))
				column := run(t, m, one, values{one.X: z, one.Y: y, en: e}, 0, h)[0]
				check := func(what string, want float64, f func(row int) float64) {
					t.Helper()
					mean, square := 0.0, 0.0
					for i := range draws {
						a := f(i)
						mean += a / draws
						square += a * a / draws
					}
					deviation := math.Sqrt(max(0, square-mean*mean) / draws)
					if !(math.Abs(mean-want) <= 6*deviation+1e-12) {
						t.Errorf("%s %d: mean %v, want %v, standard error %v", what, j, mean, want, deviation)
					}
				}
				check("gradient", 0, func(i int) float64 { return out[0][i*d+j] })
				for l := range d {
					check("product", column[l], func(i int) float64 { return out[0][i*d+j] * out[0][i*d+l] })
					check("product of two draws", 0, func(i int) float64 { return out[0][i*d+j] * out[1][i*d+l] })
					check("product of two examples", 0, func(i int) float64 { return out[0][i*d+j] * out[0][(i+1)%draws*d+l] })
				}
			}
		})
	}
}

func repeat(x []float64, n int) []float64 { return slices.Repeat(x, n) }

// A softmax's draws are classes: the gradient is p less one-hot, also where the
// logits are so far apart that only one class is ever drawn.
func TestSampledGradsOfASoftmaxAreOfClasses(t *testing.T) {
	m := build(t, gain, nn.SoftmaxCrossEntropy{}, 3)
	const n = 4000
	g := must[*nn.Graph](t)(m.Graph(n, true))
	u := must[*nn.Node](t)(g.SampledGrad())
	z := []float64{1, -1, 0.5}
	p, sum := make([]float64, 3), 0.0
	for i, v := range z {
		p[i] = math.Exp(v)
		sum += p[i]
	}
	rows := run(t, m, g, values{g.X: repeat(z, n), g.Y: repeat([]float64{0}, n)}, 0, u)[0]
	for i := range n {
		ones := 0
		for k, v := range rows[3*i : 3*i+3] {
			switch d := p[k]/sum - v; {
			case math.Abs(d-1) < 1e-12:
				ones++
			case math.Abs(d) > 1e-12:
				t.Fatalf("draw %d is %v", i, rows[3*i:3*i+3])
			}
		}
		if ones != 1 {
			t.Fatalf("draw %d is %v", i, rows[3*i:3*i+3])
		}
	}
	rows = run(t, m, g, values{g.X: repeat([]float64{-1e4, 1e4, 0}, n), g.Y: repeat([]float64{0}, n)}, 0, u)[0]
	for i, v := range rows {
		if v != 0 {
			t.Fatalf("number %d is %v for a class that is certain", i, v)
		}
	}
}

// silent is a loss that stands for no distribution.
type silent struct{ loss }

type loss = nn.Loss

func (l silent) Loss(s *nn.Scope, z, y *nn.Node) *nn.Node { return l.loss.Loss(s, z, y) }

func TestSampledGradOfALossWithoutADistribution(t *testing.T) {
	m := build(t, gain, silent{nn.MeanSquaredError{}}, 3)
	g := must[*nn.Graph](t)(m.Graph(2, true))
	if _, err := g.SampledGrad(); err == nil || !strings.Contains(err.Error(), "distribution") {
		t.Error(err)
	}
}
