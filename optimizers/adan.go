package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Adan takes Nesterov's look ahead from the change of the gradient. With the minibatch gradient g at x, g' the one before
// (g itself in the first step), and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·g          v = Beta2·v + (1-Beta2)·(g-g')
//	n = Beta3·n + (1-Beta3)·(g + Beta2·(g-g'))²
//	x = (x - LR·(m/(1-Beta1^t) + Beta2·v/(1-Beta2^t)) / (sqrt(n/(1-Beta3^t)) + Eps)) / (1 + LR·WeightDecay)
//
// all element by element (Xie et al. 2022, Algorithm 1, whose betas are 1 minus these), as the authors' code has it, whose
// defaults these are; optax has 1-Beta2 in the place of the factors Beta2. With NoProx, x = (1 - LR·WeightDecay)·x comes
// before the step instead of the division behind it. The code's own clipping is [Clip].
//
// For large batches and vision transformers, where it allows five to ten times Adam's rate. It keeps four numbers for
// each parameter.
type Adan struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.98" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.92" range:"[0,1)" help:"decay of the mean of its change, and how far to look ahead"`
	Beta3       float64 `set:"beta3" default:"0.99" range:"[0,1)" help:"decay of the mean of the square of both"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	NoProx      bool    `set:"no_prox" default:"false" help:"weight decay before the step, as in adamw"`
}

var _ Method = (*Adan)(nil)

// Name is adan.
func (*Adan) Name() string { return "adan" }

func (*Adan) info() Info {
	return Info{Name: "adan", Memory: 5, DefaultLR: 0.001, Use: "large batches and vision transformers, at large rates"}
}

func (m *Adan) start32(l Layout) (Optimizer[float32], error) { return startAdan[float32](m, l) }
func (m *Adan) start64(l Layout) (Optimizer[float64], error) { return startAdan[float64](m, l) }

func startAdan[T Float](m *Adan, l Layout) (Optimizer[T], error) {
	s, err := resolve("adan", m)
	if err != nil {
		return nil, err
	}
	o := &adan[T]{set: s}
	o.init("adan", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.change, o.square = o.keep("exp_avg"), o.keep("exp_avg_diff"), o.keep("exp_avg_sq")
	o.before = o.keep("previous_grad")
	return o, nil
}

type adan[T Float] struct {
	elementwise[T]
	rate
	momentum             // beta1
	set                  Adan
	mean, change, square []T
	before               []T // the gradient of the step before
	c                    kernel.AdanCoefficients[T]
}

func (o *adan[T]) prepare(t int, _ []T) {
	b1, b2, b3 := o.Momentum(), o.set.Beta2, o.set.Beta3
	c := math.Sqrt(unbiased(b3, t)) // both sides of the fraction times c, as in Adam
	o.c = kernel.AdanCoefficients[T]{
		Fresh1: T(1 - b1), Fresh2: T(1 - b2), Beta2: T(b2), Fresh3: T(1 - b3),
		OfMean: T(o.Rate() * c / unbiased(b1, t)), OfChange: T(o.Rate() * c * b2 / unbiased(b2, t)), Eps: T(o.set.Eps * c),
		Keep: 1, After: T(1 / (1 + o.Rate()*o.set.WeightDecay)),
	}
	if o.set.NoProx {
		o.c.Keep, o.c.After = T(1-o.Rate()*o.set.WeightDecay), 1
	}
	if t == 1 {
		copy(o.before, o.grad)
	}
}

func (o *adan[T]) update(x, g []T, i int) {
	kernel.AdanUpdate(x, g, block(o.mean, i), block(o.change, i), block(o.square, i), block(o.before, i), o.c)
}
