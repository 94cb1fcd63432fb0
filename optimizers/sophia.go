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
	needs := NeedGrad | NeedSampledGrads
	if s.Estimator == "hutchinson" {
		needs = NeedGrad | NeedHessian
	}
	o := &sophia[T]{core: newCore[T]("sophia", needs, l), rate: newRate(s.LR), set: s}
	o.beta1 = newKnob("beta1", s.Beta1, math.Nextafter(1, 0))
	o.mean, o.curvature, o.fresh = make([]T, o.size), make([]T, o.size), make([]T, o.size)
	if s.Estimator == "hutchinson" {
		o.estimate = newHutchinson(&o.core, s.Seed, 1, true)
	}
	o.pass = o.block
	return o, nil
}

type sophia[T Float] struct {
	core[T]
	rate
	beta1           knob
	set             Sophia
	mean, curvature []T
	fresh           []T            // d of the step, or ĝ, where it looks
	estimate        *hutchinson[T] // of Sophia-H

	// Of the step that is being taken.
	x     []T
	look  bool
	times T // d is this times fresh², of Sophia-G
	pass  func(worker, i int)
}

// Momentum is the beta1 of the next step.
func (o *sophia[T]) Momentum() float64 { return o.beta1.now }

// SetMomentum changes beta1, unless the settings have none.
func (o *sophia[T]) SetMomentum(beta1 float64) {
	if o.set.Beta1 != 0 {
		o.beta1.now = beta1
	}
}

func (o *sophia[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	if err := o.beta1.check(o.method); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.look = o.steps%o.set.Every == 0
	if o.look {
		sample, err := curvatureSample(o.method, o.set.Curvature, batch, p)
		if err != nil {
			return Report{}, err
		}
		work, err := o.sample(ctx, sample, x)
		if err != nil {
			return Report{}, err
		}
		r.Work += work
		if o.estimate != nil {
			r.MinCurvature = o.estimate.lowest
		}
	}
	o.x = x
	inBlocks(o.size, o.pass)
	o.x = nil
	o.steps++
	r.LR = o.lr.now
	return r, nil
}

// sample makes the estimate of a look.
func (o *sophia[T]) sample(ctx context.Context, s Sample[T], x []T) (work int64, err error) {
	if o.estimate != nil {
		return o.estimate.diagonal(ctx, o.fresh, s, x, o.steps)
	}
	g, ok := SampleAs[SampledGrads[T]](s)
	if !ok {
		return 0, fmt.Errorf("optimizers: sophia: the problem's samples give no %v", NeedSampledGrads)
	}
	if err := g.SampledGrad(o.fresh, x, 0); err != nil {
		return 0, fmt.Errorf("optimizers: sophia: gradient with sampled targets: %w", err)
	}
	if !finite(norm(o.fresh)) {
		if err := o.nonFinite("gradient with sampled targets", o.fresh); err != nil {
			return 0, err
		}
	}
	o.times = T(s.Len())
	return WorkSampledGrad * int64(s.Len()), nil
}

// block takes the step in one block of the parameters.
func (o *sophia[T]) block(_, i int) {
	x, g, m, h, d := block(o.x, i), block(o.grad, i), block(o.mean, i), block(o.curvature, i), block(o.fresh, i)
	beta1, beta2, rho, eps := T(o.beta1.now), T(o.set.Beta2), T(o.set.Rho), T(o.set.Eps)
	lr, keep := T(o.lr.now), T(1-o.lr.now*o.set.WeightDecay)
	for k := range x {
		m[k] = beta1*m[k] + (1-beta1)*g[k]
		if o.look {
			fresh := d[k]
			if o.estimate == nil {
				fresh *= o.times * fresh
			}
			h[k] = beta2*h[k] + (1-beta2)*fresh
		}
		x[k] = keep*x[k] - lr*min(max(m[k]/max(rho*h[k], eps), -1), 1)
	}
}

func (o *sophia[T]) shape() shape {
	return shape{method: o.method, optional: []string{"lr", "beta1"}, vectors: map[string]int{"exp_avg": o.size, "hessian": o.size}}
}

func (o *sophia[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{
		"exp_avg": append([]T{}, o.mean...), "hessian": append([]T{}, o.curvature...),
	}}
	o.lr.save(s.Scalars)
	o.beta1.save(s.Scalars)
	return s
}

func (o *sophia[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	o.steps = s.Step
	o.lr.load(s.Scalars)
	o.beta1.load(s.Scalars)
	copy(o.mean, s.Vectors["exp_avg"])
	copy(o.curvature, s.Vectors["hessian"])
	return nil
}
