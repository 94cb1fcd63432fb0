package nn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/nn"
)

// outputs is what a loss gives at logits: itself, its gradient, and the product
// of its Hessian with u, by its own formula and by differentiation.
type outputs struct{ loss, grad, own, hvp []float64 }

func lossAt(t *testing.T, loss nn.Loss, n int, z, y, u []float64) outputs {
	t.Helper()
	m := build(t, gain, loss, len(z)/n)
	return lossOf(t, m, n, z, y, u)
}

func lossOf(t *testing.T, m *nn.Model[float64], n int, z, y, u []float64) outputs {
	t.Helper()
	g := must[*nn.Graph](t)(m.Graph(n, true))
	un := autodiff.NewInput(g.X.Graph(), g.X.Dtype(), "u", g.Output.Shape()...)
	grad := must[[]*nn.Node](t)(autodiff.Grad(g.Loss, g.Output))
	hvp := must[[]*nn.Node](t)(autodiff.JVP(grad, []*nn.Node{g.Output}, []*nn.Node{un}))
	own := must[*nn.Node](t)(g.OutputHessian(un))
	out := run(t, m, g, values{g.X: z, g.Y: y, un: u}, 0, g.Loss, grad[0], own, hvp[0])
	return outputs{out[0], out[1], out[2], out[3]}
}

// TestOutputHessianIsTheDerivativeOfTheGradient compares each loss's formula
// with the tangent of its gradient. The sum over classes leaves rounding of the
// size of the largest element.
func TestOutputHessianIsTheDerivativeOfTheGradient(t *testing.T) {
	checks := 0
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(layerSeeds) {
				r := rand.New(rand.NewPCG(seed, 13))
				m, n := build(t, gain, c.loss, c.output(r)...), 1+r.IntN(5)
				size := n * volume(m.Output())
				o := lossOf(t, m, n, uniform(r, size, -4, 4), targets(r, m, n), uniform(r, size, -1, 1))
				near(t, "output Hessian", o.own, o.hvp, 1e-12)
				checks++
			}
		})
	}
	t.Logf("%d losses, %d checks", len(lossCases), checks)
}

// TestLossesAtLargeOutputs compares losses and their derivatives at outputs of
// 1e4, where e^z overflows, with their limits. Errors are relative to the
// largest element of the limit, or 1.
func TestLossesAtLargeOutputs(t *testing.T) {
	const big, tol = 1e4, 1e-12
	ln2 := math.Ln2
	for _, c := range []struct {
		name    string
		loss    nn.Loss
		n       int
		z, y, u []float64
		want    outputs // hvp stays nil: it is own
	}{
		// p is one-hot, so it has no curvature; the gradient is p less target.
		{"softmax, right class", nn.SoftmaxCrossEntropy{}, 1, []float64{big, -big, 0}, []float64{0}, []float64{1, 2, 3},
			outputs{[]float64{0}, []float64{0, 0, 0}, []float64{0, 0, 0}, nil}},
		{"softmax, wrong class", nn.SoftmaxCrossEntropy{}, 2, []float64{big, -big, 0, big, -big, 0}, []float64{1, 2}, []float64{1, 2, 3, 1, 2, 3},
			outputs{[]float64{1.5 * big}, []float64{0.5, -0.5, 0, 0.5, 0, -0.5}, make([]float64, 6), nil}},
		// Two equal logits: p = (1/2, 1/2, 0), H u = p u - p <p, u>.
		{"softmax, a tie", nn.SoftmaxCrossEntropy{}, 1, []float64{big, big, -big}, []float64{0}, []float64{1, 3, 5},
			outputs{[]float64{ln2}, []float64{-0.5, 0.5, 0}, []float64{-0.5, 0.5, 0}, nil}},
		// The even part of the target, .3/3 for each class, costs the distance
		// to the largest logit.
		{"softmax, smoothing", nn.SoftmaxCrossEntropy{Smoothing: 0.3}, 1, []float64{big, -big, 0}, []float64{0}, []float64{1, 2, 3},
			outputs{[]float64{0.1*2*big + 0.1*big}, []float64{0.2, -0.1, -0.1}, []float64{0, 0, 0}, nil}},
		{"softmax, probabilities", nn.SoftmaxCrossEntropy{Probs: true}, 1, []float64{big, -big}, []float64{0.25, 0.75}, []float64{1, 2},
			outputs{[]float64{1.5 * big}, []float64{0.75, -0.75}, []float64{0, 0}, nil}},
		{"sigmoid", nn.SigmoidCrossEntropy{}, 1, []float64{big, big, -big, -big, 0}, []float64{1, 0, 0, 1, 0.5}, []float64{1, 1, 1, 1, 1},
			outputs{[]float64{2*big + ln2}, []float64{0, 1, 0, -1, 0}, []float64{0, 0, 0, 0, 0.25}, nil}},
		{"squared error", nn.MeanSquaredError{}, 1, []float64{big, -big}, []float64{0, 0}, []float64{1, 3},
			outputs{[]float64{big * big}, []float64{big, -big}, []float64{1, 3}, nil}},
		{"huber", nn.Huber{Delta: 2}, 1, []float64{big, -big, 1, 0}, []float64{0, 0, 0, 0}, []float64{1, 1, 1, 1},
			outputs{[]float64{(2*2*(big-1) + 0.5) / 4}, []float64{0.5, -0.5, 0.25, 0}, []float64{0, 0, 0.25, 0.25}, nil}},
		{"logistic", nn.Logistic{}, 4, []float64{big, big, -big, 0}, []float64{1, 0, 0, 1}, []float64{1, 1, 1, 1},
			outputs{[]float64{(big + ln2) / 4}, []float64{0, 0.25, 0, -0.125}, []float64{0, 0, 0, 1. / 16}, nil}},
		{"log-sum-exp", nn.LogSumExp{Rho: 0.5}, 3, []float64{big, -big, big}, []float64{1, 0, 1}, []float64{1, 3, 5},
			outputs{[]float64{big - 1 + ln2/2}, []float64{0.5, 0, 0.5}, []float64{-2, 0, 2}, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := lossAt(t, c.loss, c.n, c.z, c.y, c.u)
			for _, p := range []struct {
				name      string
				got, want []float64
			}{{"loss", got.loss, c.want.loss}, {"gradient", got.grad, c.want.grad}, {"own Hessian", got.own, c.want.own}, {"hvp", got.hvp, c.want.own}} {
				scale := math.Max(1, maxAbs(p.want...))
				for i, w := range p.want {
					if e := math.Abs(p.got[i] - w); !(e <= tol*scale) {
						t.Errorf("%s: element %d is %v, want %v", p.name, i, p.got[i], w)
					}
				}
			}
		})
	}
}
