package optimizers

import (
	"context"
	"fmt"
	"math"
)

// Sophia divides a running mean of the gradient by a running estimate of the curvature's diagonal and clips the quotient,
// element by element (Liu et al. 2024, Algorithm 3). With the minibatch gradient g at x and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·g
//	h = Beta2·h + (1-Beta2)·d               every Every-th step, from the first
//	x = (1 - LR·WeightDecay)·x
//	x = x - LR·sign(m)·min(|m|/max(Rho·h, Eps), 1)
//
// where the curvature is small or negative this is sign descent with momentum, elsewhere a Newton step of the rate
// LR/Rho. The estimate d is
//
//	gnb           Sophia-G: n·ĝ² with ĝ the gradient of n examples with targets drawn from the model (Algorithm 2,
//	              Gauss-Newton-Bartlett); its mean is the Gauss-Newton matrix's diagonal
//	hutchinson    Sophia-H: v∘Hv for normal v (Algorithm 1); its mean is the Hessian's diagonal
//
// on the minibatch, or on Curvature fresh examples. m and h begin at 0 and are not corrected for that, as in the
// authors' code, whose constants these are. There Rho
// stands beside the number of tokens in a batch, which here is part of d. The random numbers of Sophia-H depend on
// Seed, the step and the place alone, the targets of Sophia-G on the seed of the run.
//
// The Report's MinCurvature, of Sophia-H, is v'Hv/v'v of the last look.
//
// For transformers and other nets that Adam trains well. Not for small minibatches: the estimate is then mostly noise.
// Sophia-G needs a loss that stands for a distribution over targets, as those for classification and regression do.
type Sophia struct {
	LR          float64 `set:"lr" default:"0.0001" range:"[0,inf)" help:"learning rate: the longest move of a parameter in a step"`
	Beta1       float64 `set:"beta1" default:"0.965" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.99" range:"[0,1)" help:"decay of the curvature's estimate, at each look"`
	Rho         float64 `set:"rho" default:"0.04, or 0.01 with hutchinson" range:"(0,inf)" help:"times the curvature: smaller clips more parameters"`
	Eps         float64 `set:"eps" default:"1e-15" range:"(0,inf)" help:"least denominator"`
	WeightDecay float64 `set:"weight_decay" default:"0.1" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	Every       int     `set:"every" default:"10" range:"[1,inf)" help:"steps from one look at the curvature to the next"`
	Estimator   string  `set:"estimator" default:"gnb" oneof:"gnb|hutchinson" help:"of the curvature: from gradients with sampled targets, or from Hessian products"`
	Curvature   int     `set:"curvature" default:"0" range:"[0,inf)" help:"examples of the curvature sample; 0: the minibatch"`
	Seed        int     `set:"seed" default:"0" range:"[0,inf)" help:"of the random vectors of hutchinson"`
}

var _ Method = (*Sophia)(nil)

// Name is sophia.
func (*Sophia) Name() string { return "sophia" }

func (*Sophia) info() Info {
	return Info{Name: "sophia", Memory: 4, DefaultLR: 0.0001,
		Use: "clipped momentum over a cheap estimate of the curvature: transformers, large minibatches"}
}

func (m *Sophia) defaults() {
	if m.Rho == 0 {
		m.Rho = 0.04
		if m.Estimator == "hutchinson" {
			m.Rho = 0.01
		}
	}
}

func (m *Sophia) start32(l Layout) (Optimizer[float32], error) { return startSophia[float32](m, l) }
func (m *Sophia) start64(l Layout) (Optimizer[float64], error) { return startSophia[float64](m, l) }

func startSophia[T Float](m *Sophia, l Layout) (Optimizer[T], error) {
	s, err := resolve("sophia", m)
	if err != nil {
		return nil, err
	}
	o := &sophia[T]{set: s, momentum: momentum{none: true}}
	o.init("sophia", l, o)
	o.look = o.estimated
	o.rated(&o.rate, s.LR)
	if s.Beta1 != 0 {
		o.withMomentum(&o.momentum, "beta1", s.Beta1, math.Nextafter(1, 0))
	}
	o.mean, o.curvature = o.keep("exp_avg"), o.keep("hessian")
	o.fresh = make([]T, o.size)
	if s.Estimator == "hutchinson" {
		o.needs |= NeedHessian
		o.estimate = newHutchinson(&o.core, s.Seed, 1, true)
	} else {
		o.needs |= NeedSampledGrads
	}
	return o, nil
}

type sophia[T Float] struct {
	elementwise[T]
	rate
	momentum
	set             Sophia
	mean, curvature []T
	fresh           []T            // d of the step, or ĝ, where it looks
	estimate        *hutchinson[T] // of Sophia-H

	// Of the step that is being taken.
	looked bool
	times  T // d is this times fresh², of Sophia-G
}

// estimated makes a fresh estimate of the curvature, in the steps that do.
func (o *sophia[T]) estimated(ctx context.Context, x []T, p Problem[T], batch Sample[T]) (work int64, lowest float64, err error) {
	if o.looked = o.steps%o.set.Every == 0; !o.looked {
		return 0, 0, nil
	}
	sample, err := curvatureSample(o.method, o.set.Curvature, batch, p)
	if err != nil {
		return 0, 0, err
	}
	if o.estimate != nil {
		return o.estimate.diagonal(ctx, o.fresh, sample, x, o.steps)
	}
	g, ok := SampleAs[SampledGrads[T]](sample)
	if !ok {
		return 0, 0, fmt.Errorf("optimizers: sophia: the problem's samples give no %v", NeedSampledGrads)
	}
	if err := g.SampledGrad(o.fresh, x, 0); err != nil {
		return 0, 0, fmt.Errorf("optimizers: sophia: gradient with sampled targets: %w", err)
	}
	if !finite(norm(o.fresh)) {
		if err := o.nonFinite("gradient with sampled targets", o.fresh); err != nil {
			return 0, 0, err
		}
	}
	o.times = T(sample.Len())
	return WorkSampledGrad * int64(sample.Len()), 0, nil
}

func (o *sophia[T]) prepare(int, []T) {}

func (o *sophia[T]) update(x, g []T, i int) {
	m, h, d := block(o.mean, i), block(o.curvature, i), block(o.fresh, i)
	beta1, beta2, rho, eps := T(o.Momentum()), T(o.set.Beta2), T(o.set.Rho), T(o.set.Eps)
	lr, keep := T(o.Rate()), T(1-o.Rate()*o.set.WeightDecay)
	for k := range x {
		m[k] = beta1*m[k] + (1-beta1)*g[k]
		if o.looked {
			fresh := d[k]
			if o.estimate == nil {
				fresh *= o.times * fresh
			}
			h[k] = beta2*h[k] + (1-beta2)*fresh
		}
		x[k] = keep*x[k] - lr*min(max(m[k]/max(rho*h[k], eps), -1), 1)
	}
}
