package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Adam divides a running mean of the gradient by the root of a running mean of its square. With the minibatch gradient
// at x, g = gradient + WeightDecay·x, and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·g          v = Beta2·v + (1-Beta2)·g²
//	x = x - LR·m/(1-Beta1^t) / (sqrt(v/(1-Beta2^t)) + Eps)
//
// all element by element (Kingma & Ba 2015, Algorithm 1; defaults theirs). With AMSGrad the largest v so far takes the
// place of v (Reddi et al. 2018), before bias correction, as torch.optim.Adam has it.
//
// The usual first choice for a small net: its default rate works for most. Weight decay, where it is wanted, works
// better in AdamW.
type Adam struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
	AMSGrad     bool    `set:"amsgrad" default:"false" help:"divide by the largest mean square so far"`
}

var _ Method = (*Adam)(nil)

// Name is adam.
func (*Adam) Name() string { return "adam" }

func (*Adam) info() Info {
	return Info{Name: "adam", Memory: 3, DefaultLR: 0.001, Use: "the usual first choice: needs little tuning"}
}

func (m *Adam) start32(l Layout) (Optimizer[float32], error) { return startAdam[float32](m, l) }
func (m *Adam) start64(l Layout) (Optimizer[float64], error) { return startAdam[float64](m, l) }

func startAdam[T Float](m *Adam, l Layout) (Optimizer[T], error) {
	s, err := resolve("adam", m)
	if err != nil {
		return nil, err
	}
	return newAdam[T]("adam", l, s, 0), nil
}

// newAdam starts Adam with coupled weight decay (that of s) and decoupled weight decay.
func newAdam[T Float](method string, l Layout, s Adam, decoupled float64) *adam[T] {
	o := &adam[T]{set: s, decoupled: decoupled}
	o.init(method, l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_avg_sq")
	if s.AMSGrad {
		o.most = o.keep("max_exp_avg_sq")
	}
	return o
}

type adam[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          Adam
	decoupled    float64
	mean, square []T
	most         []T // the largest square so far; nil without AMSGrad
	c            kernel.AdamCoefficients[T]
}

func (o *adam[T]) prepare(t int, _ []T) {
	// m/(1-b1^t) / (sqrt(v)/c + eps) with c = sqrt(1-b2^t), both sides of the fraction times c: one division less.
	c := math.Sqrt(unbiased(o.set.Beta2, t))
	o.c = kernel.AdamCoefficients[T]{
		Fresh1: T(1 - o.Momentum()), Beta2: T(o.set.Beta2), Fresh2: T(1 - o.set.Beta2),
		Rate: T(o.Rate() * c / unbiased(o.Momentum(), t)), Eps: T(o.set.Eps * c),
		Coupled: T(o.set.WeightDecay), Keep: T(1 - o.Rate()*o.decoupled),
	}
}

func (o *adam[T]) update(x, g []T, i int) {
	m, v := block(o.mean, i), block(o.square, i)
	if o.most == nil {
		kernel.AdamUpdate(x, g, m, v, o.c)
	} else {
		kernel.AdamMaxUpdate(x, g, m, v, block(o.most, i), o.c)
	}
}

// belowOne is the largest number below 1.
const belowOne = 1 - 0x1p-53

// unbiased is 1 - beta^t: what a running mean with that decay has of t numbers.
func unbiased(beta float64, t int) float64 { return 1 - math.Pow(beta, float64(t)) }
