package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// Prodigy is Adam that finds its own learning rate: an estimate d of how far the minimum is from the start x_0, which only
// grows. With the minibatch gradient g at x, the rate γ = d·LR, and d = D0 first
//
//	r = Beta3·r + d/D0·γ·<g, x_0 - x>     s = Beta3·s + d/D0·γ·g
//	m = Beta1·m + d·(1-Beta1)·g           v = Beta2·v + d²·(1-Beta2)·g²
//	d' = the largest DCoef·r/|s|_1 so far, or D0
//	x = (1 - WeightDecay·γ)·x - γ·m/(sqrt(v) + d'·Eps)
//
// (Mishchenko & Defazio 2024, Algorithm 4), as the authors' code has it, whose defaults these are. GrowthRate bounds d'/d
// after the first growth. With BiasCorrection γ has Adam's factor sqrt(1-Beta2^t)/(1-Beta1^t). With SafeguardWarmup s has
// d²/D0·g instead, so that a rate near 0 does not count. With Beta1 0, m is d'·g. With Decoupled off, WeightDecay·x is
// added to g instead. A step in which all of s is 0 moves nothing. The code's sharding and slicing of s are left out.
//
// For when nobody has time to look for a rate; leave LR at 1 and use a schedule around it, such as cosine. Not for
// runs of a few hundred steps, of which it spends many on growing d.
type Prodigy struct {
	LR              float64 `set:"lr" default:"1" range:"[0,inf)" help:"factor of the rate that the method finds"`
	Beta1           float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2           float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Beta3           float64 `set:"beta3" default:"0.9994998749374609, the root of beta2" range:"[0,1)" help:"decay of what the estimate is made of"`
	Eps             float64 `set:"eps" default:"1e-08" range:"(0,inf)" help:"times d, added to the denominator"`
	WeightDecay     float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the rate: the share of x that each step takes away"`
	Decoupled       Toggle  `set:"decoupled" default:"true" help:"weight decay apart from the gradient, as in adamw; false: added to it"`
	D0              float64 `set:"d0" default:"1e-06" range:"(0,inf)" help:"first estimate of the distance; must not be above it"`
	DCoef           float64 `set:"d_coef" default:"1" range:"(0,inf)" help:"factor of the estimate: the setting to tune, from 0.5 to 2"`
	GrowthRate      float64 `set:"growth_rate" default:"0" range:"[0,inf)" help:"largest growth of the estimate in a step, such as 1.02; 0: any"`
	BiasCorrection  bool    `set:"bias_correction" default:"false" help:"correct the means for their start at 0, as adam does"`
	SafeguardWarmup bool    `set:"safeguard_warmup" default:"false" help:"keep the rate out of the estimate: for a warm-up from 0"`
}

var _ Method = (*Prodigy)(nil)

// Name is prodigy.
func (*Prodigy) Name() string { return "prodigy" }

func (*Prodigy) info() Info {
	return Info{Name: "prodigy", Memory: 5, DefaultLR: 1, Use: "adam that finds its own rate"}
}

func (m *Prodigy) defaults() {
	if m.Beta3 == 0 {
		beta2 := m.Beta2
		if beta2 == 0 {
			beta2 = 0.999
		}
		m.Beta3 = math.Sqrt(max(0, beta2))
	}
}

func (m *Prodigy) start32(l Layout) (Optimizer[float32], error) { return startProdigy[float32](m, l) }
func (m *Prodigy) start64(l Layout) (Optimizer[float64], error) { return startProdigy[float64](m, l) }

func startProdigy[T Float](m *Prodigy, l Layout) (Optimizer[T], error) {
	s, err := resolve("prodigy", m)
	if err != nil {
		return nil, err
	}
	o := &prodigy[T]{set: s, d: s.D0, most: s.D0}
	o.init("prodigy", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.remember("d", &o.d)
	o.remember("d_max", &o.most)
	o.remember("d_numerator", &o.numerator)
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_avg_sq")
	o.sum, o.start = o.keep("s"), o.keep("p0")
	o.sums = make([][2]float64, blocks(o.size))
	o.first = o.moments
	return o, nil
}

type prodigy[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          Prodigy
	d, most      float64 // the estimate, and the largest there would have been
	numerator    float64 // r
	mean, square []T
	sum, start   []T // s and x_0

	// Of the step that is being taken.
	c     kernel.ProdigyMomentsCoefficients[T]
	step  kernel.RootStepCoefficients[T]
	rest  bool         // no step is taken
	sums  [][2]float64 // of each block: <g, x_0 - x> and |s|_1
	first func(worker, i int)
}

func (o *prodigy[T]) prepare(t int, x []T) {
	if t == 1 {
		copy(o.start, x)
	}
	if o.rest = o.Rate() == 0; o.rest {
		return
	}
	b1, b2, d := o.Momentum(), o.set.Beta2, o.d
	rate := d * o.Rate()
	if o.set.BiasCorrection {
		rate *= math.Sqrt(unbiased(b2, t)) / unbiased(b1, t)
	}
	o.c = kernel.ProdigyMomentsCoefficients[T]{
		Beta1: T(b1), Fresh1: T(d * (1 - b1)), Beta2: T(b2), Fresh2: T(d * d * (1 - b2)),
		Beta3: T(o.set.Beta3), Fresh3: T(d / o.set.D0 * rate),
	}
	if b1 == 0 {
		o.c.Fresh1 = 1 // the gradient itself, to be multiplied by d'
	}
	if o.set.SafeguardWarmup {
		o.c.Fresh3 = T(d / o.set.D0 * d)
	}
	if o.set.Decoupled != On {
		o.c.Coupled = T(o.set.WeightDecay)
	}
	parallel.Shared().Run(len(o.sums), o.first)
	var along, size float64
	for _, s := range o.sums {
		along += s[0]
		size += s[1]
	}
	if o.rest = size == 0; o.rest {
		return
	}
	o.numerator = o.set.Beta3*o.numerator + d/o.set.D0*rate*along
	estimate := o.set.DCoef * o.numerator / size
	if o.d == o.set.D0 {
		o.d = max(o.d, estimate)
	}
	o.most = max(o.most, estimate)
	if o.set.GrowthRate > 0 {
		o.d = min(o.most, o.d*o.set.GrowthRate)
	} else {
		o.d = o.most
	}
	o.used = rate
	o.step = kernel.RootStepCoefficients[T]{Rate: T(rate), Eps: T(o.d * o.set.Eps), Keep: 1}
	if b1 == 0 {
		o.step.Rate = T(rate * o.d)
	}
	if o.set.Decoupled == On {
		o.step.Keep = T(1 - rate*o.set.WeightDecay)
	}
}

// moments is the first pass over block i.
func (o *prodigy[T]) moments(_, i int) {
	x, g, start, m, v, s := block(o.x, i), block(o.grad, i), block(o.start, i), block(o.mean, i), block(o.square, i), block(o.sum, i)
	var along, size [stripSize]T
	o.sums[i] = [2]float64{}
	for lo := 0; lo < len(x); lo += stripSize {
		hi := min(len(x), lo+stripSize)
		p, a := along[:hi-lo], size[:hi-lo]
		kernel.ProdigyMomentsUpdate(x[lo:hi], g[lo:hi], start[lo:hi], m[lo:hi], v[lo:hi], s[lo:hi], p, a, o.c)
		o.sums[i][0] += kernel.Sum64(p)
		o.sums[i][1] += kernel.Sum64(a)
	}
}

// update is the second pass.
func (o *prodigy[T]) update(x, _ []T, i int) {
	if !o.rest {
		kernel.RootStepUpdate(x, block(o.mean, i), block(o.square, i), o.step)
	}
}
