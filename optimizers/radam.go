package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// RAdam is Adam that trusts its mean square only as far as it rests on enough gradients: it needs no warm-up. With the
// minibatch gradient at x, d = gradient + WeightDecay·x, t = 1, 2, ..., and the means m and v of [Adam]
//
//	ρ_∞ = 2/(1-Beta2) - 1,  ρ_t = ρ_∞ - 2t·Beta2^t/(1-Beta2^t)
//	r_t = sqrt((ρ_t-4)(ρ_t-2)ρ_∞ / ((ρ_∞-4)(ρ_∞-2)ρ_t))
//	x = x - LR·r_t·m/(1-Beta1^t)·sqrt(1-Beta2^t)/(sqrt(v) + Eps)      ρ_t > 5
//	x = x - LR·m/(1-Beta1^t)                                           else
//
// all element by element (Liu et al. 2020, Algorithm 2, with the threshold 5 of the authors' code), as torch.optim.RAdam
// has it, whose defaults these are: Eps is not corrected for bias. With Decoupled, x = (1 - LR·WeightDecay)·x comes first
// and d is the gradient alone.
//
// For where Adam needs a warm-up. The first five steps are those of SGD with momentum, at Adam's rate: gradients of large
// scale make them long.
type RAdam struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
	Decoupled   bool    `set:"decoupled" default:"false" help:"weight decay apart from the gradient, as in adamw"`
}

var _ Method = (*RAdam)(nil)

// Name is radam.
func (*RAdam) Name() string { return "radam" }

func (*RAdam) info() Info {
	return Info{Name: "radam", Memory: 3, DefaultLR: 0.001, Use: "adam that needs no warm-up"}
}

func (m *RAdam) start32(l Layout) (Optimizer[float32], error) { return startRAdam[float32](m, l) }
func (m *RAdam) start64(l Layout) (Optimizer[float64], error) { return startRAdam[float64](m, l) }

func startRAdam[T Float](m *RAdam, l Layout) (Optimizer[T], error) {
	s, err := resolve("radam", m)
	if err != nil {
		return nil, err
	}
	o := &radam[T]{set: s}
	o.init("radam", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_avg_sq")
	return o, nil
}

type radam[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          RAdam
	mean, square []T
	rectified    bool // in this step
	c            kernel.AdamCoefficients[T]
}

func (o *radam[T]) prepare(t int, _ []T) {
	b1, b2 := o.Momentum(), o.set.Beta2
	o.c = kernel.AdamCoefficients[T]{
		Fresh1: T(1 - b1), Beta2: T(b2), Fresh2: T(1 - b2), Eps: T(o.set.Eps), Coupled: T(o.set.WeightDecay), Keep: 1,
	}
	if o.set.Decoupled {
		o.c.Coupled, o.c.Keep = 0, T(1-o.Rate()*o.set.WeightDecay)
	}
	r, length := rectification(b2, t)
	step := o.Rate() / unbiased(b1, t)
	if o.rectified = length > 5; o.rectified {
		step *= r * math.Sqrt(unbiased(b2, t))
	}
	o.c.Rate = T(step)
}

func (o *radam[T]) update(x, g []T, i int) {
	m, v := block(o.mean, i), block(o.square, i)
	if o.rectified {
		kernel.AdamUpdate(x, g, m, v, o.c)
	} else {
		kernel.AdamMeanUpdate(x, g, m, v, o.c)
	}
}

// rectification is how far a mean with decay beta may be trusted after t numbers, r_t of RAdam, and ρ_t, the number of
// equal weights that it is worth. r_t means nothing where that is 4 or less.
func rectification(beta float64, t int) (r, length float64) {
	most := 2/(1-beta) - 1
	length = most - 2*float64(t)*math.Pow(beta, float64(t))/unbiased(beta, t)
	return math.Sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)), length
}
