package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// AdaBelief is Adam with the mean square of the gradient's distance from its own mean: where gradients are as expected,
// steps are long. With the minibatch gradient d at x and t = 1, 2, ...
//
//	x = (1 - LR·WeightDecay)·x                   or, with Decoupled off, d = d + WeightDecay·x
//	m = Beta1·m + (1-Beta1)·d          s = Beta2·s + (1-Beta2)·(d-m)² + Eps
//	x = x - LR·m/(1-Beta1^t) / (sqrt(s/(1-Beta2^t)) + Eps)
//
// all element by element (Zhuang et al. 2020, Algorithm 2), as the authors' code has it: Eps goes into s at each step. The
// defaults are that code's but for Rectify, which it has switched on since version 0.2: the rectification of [RAdam],
// with ρ_t >= 5 and Eps not corrected for bias. With AMSGrad the largest s so far takes the place of s.
//
// For where Adam generalises badly or, in generative models, is unstable. Eps is part of the rule: a value as large as
// Adam's makes it SGD.
type AdaBelief struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean square of its distance from that"`
	Eps         float64 `set:"eps" default:"1e-16" range:"(0,inf)" help:"added to the mean square in each step, and to the denominator"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	Decoupled   Toggle  `set:"decoupled" default:"true" help:"weight decay apart from the gradient, as in adamw; false: added to it"`
	Rectify     bool    `set:"rectify" default:"false" help:"rectified as radam"`
	AMSGrad     bool    `set:"amsgrad" default:"false" help:"divide by the largest mean square so far"`
}

var _ Method = (*AdaBelief)(nil)

// Name is adabelief.
func (*AdaBelief) Name() string { return "adabelief" }

func (*AdaBelief) info() Info {
	return Info{Name: "adabelief", Memory: 3, DefaultLR: 0.001, Use: "adam with long steps where gradients are as expected"}
}

func (m *AdaBelief) start32(l Layout) (Optimizer[float32], error) {
	return startAdaBelief[float32](m, l)
}
func (m *AdaBelief) start64(l Layout) (Optimizer[float64], error) {
	return startAdaBelief[float64](m, l)
}

func startAdaBelief[T Float](m *AdaBelief, l Layout) (Optimizer[T], error) {
	s, err := resolve("adabelief", m)
	if err != nil {
		return nil, err
	}
	o := &adabelief[T]{set: s}
	o.init("adabelief", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.spread = o.keep("exp_avg"), o.keep("exp_avg_var")
	if s.AMSGrad {
		o.most = o.keep("max_exp_avg_var")
	}
	return o, nil
}

type adabelief[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          AdaBelief
	mean, spread []T
	most         []T  // the largest spread so far; nil without AMSGrad
	early        bool // too early to divide by the spread
	c            kernel.AdaBeliefCoefficients[T]
}

func (o *adabelief[T]) prepare(t int, _ []T) {
	b1, b2 := o.Momentum(), o.set.Beta2
	o.c = kernel.AdaBeliefCoefficients[T]{
		Fresh1: T(1 - b1), Beta2: T(b2), Fresh2: T(1 - b2), EpsIn: T(o.set.Eps), Keep: 1,
	}
	if o.set.Decoupled == On {
		o.c.Keep = T(1 - o.Rate()*o.set.WeightDecay)
	} else {
		o.c.Coupled = T(o.set.WeightDecay)
	}
	step, c := o.Rate()/unbiased(b1, t), math.Sqrt(unbiased(b2, t))
	if !o.set.Rectify {
		o.c.Rate, o.c.Eps = T(step*c), T(o.set.Eps*c)
		return
	}
	r, length := rectification(b2, t)
	if o.early = length < 5; !o.early {
		step *= r * c
	}
	o.c.Rate, o.c.Eps = T(step), T(o.set.Eps)
}

func (o *adabelief[T]) update(x, g []T, i int) {
	m, s, most := block(o.mean, i), block(o.spread, i), block(o.most, i)
	switch {
	case o.early:
		kernel.AdaBeliefMeanUpdate(x, g, m, s, o.c)
		kernel.Map2(kernel.Max, most, most, s)
	case most != nil:
		kernel.AdaBeliefMaxUpdate(x, g, m, s, most, o.c)
	default:
		kernel.AdaBeliefUpdate(x, g, m, s, o.c)
	}
}
