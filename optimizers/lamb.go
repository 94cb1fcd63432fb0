package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// LAMB is Adam whose step is, for each tensor, as long as the tensor, times the learning rate. For a tensor x with the
// minibatch gradient g at x and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·g          v = Beta2·v + (1-Beta2)·g²
//	u = m/(1-Beta1^t) / (sqrt(v/(1-Beta2^t)) + Eps) + WeightDecay·x
//	x = x - LR·|x|/|u|·u               LR·u where |x| or |u| is 0
//
// (You et al. 2020, Algorithm 2 with the identity as φ; defaults are those of optax.lamb.) Their code leaves the bias
// correction out, for which CorrectBias off is. Biases and norms have Adam's step, without decay, unless All is on, as
// in their BERT runs; optax adapts all.
//
// For very large minibatches of transformers, with a warm-up. Its steps do not get shorter as the gradient does: it needs
// a schedule that falls.
type LAMB struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Eps         float64 `set:"eps" default:"1e-06" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to Adam's step"`
	CorrectBias Toggle  `set:"correct_bias" default:"true" help:"divide the means by what they have of their numbers"`
	All         bool    `set:"all" default:"false" help:"biases and norms too"`
}

var _ Method = (*LAMB)(nil)

// Name is lamb.
func (*LAMB) Name() string { return "lamb" }

func (*LAMB) info() Info {
	return Info{Name: "lamb", Memory: 4, DefaultLR: 0.001,
		Use: "very large minibatches of transformers: Adam whose steps are a share of each tensor's length; under a schedule"}
}

func (m *LAMB) start32(l Layout) (Optimizer[float32], error) { return startLAMB[float32](m, l) }
func (m *LAMB) start64(l Layout) (Optimizer[float64], error) { return startLAMB[float64](m, l) }

func startLAMB[T Float](m *LAMB, l Layout) (Optimizer[T], error) {
	s, err := resolve("lamb", m)
	if err != nil {
		return nil, err
	}
	o := &lamb[T]{set: s, layers: layersOf(l, s.All)}
	o.start("lamb", l, o.take)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_avg_sq")
	o.u = make([]T, o.size)
	o.adam = func(_, i int) {
		kernel.AdamUpdate(block(o.u, i), block(o.grad, i), block(o.mean, i), block(o.square, i), o.c)
	}
	return o, nil
}

type lamb[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          LAMB
	layers       []layer
	mean, square []T
	u            []T // Adam's step at the rate 1
	c            kernel.AdamCoefficients[T]
	adam         func(worker, i int)
}

// take is a step.
func (o *lamb[T]) take(t int, x []T) {
	first, second := 1.0, 1.0
	if o.set.CorrectBias == On {
		first, second = unbiased(o.Momentum(), t), math.Sqrt(unbiased(o.set.Beta2, t))
	}
	// With Keep 0 and the rate -second/first u becomes m/first / (sqrt(v)/second + eps).
	o.c = kernel.AdamCoefficients[T]{Fresh1: T(1 - o.Momentum()), Beta2: T(o.set.Beta2), Fresh2: T(1 - o.set.Beta2),
		Rate: T(-second / first), Eps: T(o.set.Eps * second)}
	inBlocks(o.size, o.adam)
	for _, l := range o.layers {
		x, u, ratio := x[l.from:l.to], o.u[l.from:l.to], 1.0
		if l.adapted {
			if o.set.WeightDecay != 0 {
				axpy(u, T(o.set.WeightDecay), x)
			}
			if size, step := norm(x), norm(u); size > 0 && step > 0 {
				ratio = size / step
			}
		}
		axpy(x, T(-o.Rate()*ratio), u)
	}
}
