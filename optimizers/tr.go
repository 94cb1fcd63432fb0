package optimizers

import (
	"context"
	"errors"
	"math"
)

// TrustRegion fits the quadratic
//
//	m(s) = g's + s'Hs/2        g the minibatch gradient, H the Hessian on a fresh sample
//
// and lowers it inside |s| ≤ Radius by the conjugate gradients of Steihaug (1983), which follow a direction of negative
// curvature to the boundary. From ρ = (f(x) - f(x+s)) / -m(s), f the objective:
//
//	ρ < 1e-4 or undefined    x stays, the radius becomes |s|/4, and the same model is tried again, up to Tries times
//	ρ < 1/4                  the radius is halved
//	ρ > 3/4 at the boundary  it is doubled, up to MaxRadius
//
// after Conn, Gould & Toint (2000). CG ends where the residual is at most min(CGTol, √|g|)·|g|. Where the model promises
// no more than rounding, the gradient has run out: Lanczos then looks for negative curvature from a random start, and the
// step follows it, so that saddles are left, also those where the gradient is exactly 0. That takes up to 22 vectors of
// memory more.
//
// On minibatches that are not everything, conjugate gradients start at WarmStart times the last step, which carries over
// what earlier minibatches have shown, and the weights to evaluate are an average of the iterates: see Averaging.
//
// A minibatch of all examples makes it the method of Xu et al. (2018), whose gradient and objective are those of the
// whole set and whose curvature alone is sub-sampled; smaller ones give the inexact gradient and objective of Yao et
// al. (2018). Preset xu2018 has what their published code for networks does (that for least squares has start zero and
// radius 10): the random start of CG at 0.99 of the radius, residual
// 1e-9 within 250 iterations, a radius that is halved after ρ < 1e-4 and otherwise grows, by 1.2 up to ρ = 0.8 and by 2
// above, whether the step met it or not, from 1000 at first, a 20th of the examples for the curvature, and the same model
// tried until a step is taken (60 times here).
//
// Not for minibatches of a few examples: ρ compares differences of the loss, which noise must not outweigh.
type TrustRegion struct {
	Preset      string  `set:"preset" default:"standard" oneof:"standard|xu2018" help:"xu2018: the rules and defaults of Xu et al. (2018)"`
	Radius      float64 `set:"radius" default:"1" range:"(0,inf)" help:"first radius of the trust region (xu2018: 1000)"`
	MaxRadius   float64 `set:"max_radius" default:"1e10" range:"(0,inf)" help:"largest radius"`
	Curvature   float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set (xu2018: 0.05)"`
	CGIters     int     `set:"cg_iters" default:"50" range:"[1,1000000]" help:"most iterations of conjugate gradients (xu2018: 250)"`
	CGTol       float64 `set:"cg_tol" default:"0.1" range:"(0,1)" help:"largest residual over the gradient at which they stop (xu2018: 1e-9, at all times)"`
	Start       string  `set:"start" default:"zero" oneof:"zero|random" help:"where CG starts in each step: at 0, or warm; or at random, at 0.99 of the radius (xu2018)"`
	Tries       int     `set:"tries" default:"10" range:"[1,1000]" help:"steps tried with one model before x stays (xu2018: 60)"`
	GaussNewton bool    `set:"gauss_newton" default:"false" help:"the Gauss-Newton matrix in place of the Hessian"`
	Sampling    string  `set:"sampling" default:"uniform" oneof:"uniform|norms" help:"how the curvature sample is drawn: uniformly, or by the norms of the examples' Hessians"`
	Objective   string  `set:"objective" default:"batch" oneof:"batch|sample|full" help:"what steps are judged on: the minibatch, a fresh sample as large, or the whole training set"`
	WarmStart   float64 `set:"warm_start" default:"0.8" range:"[0,1]" help:"share of the last step that CG starts from, where the minibatch is not everything (xu2018: 0)"`
	Average     float64 `set:"average" default:"0.95" range:"[0,1)" help:"share of the old average of the weights to evaluate, where the minibatch is not everything; 0: no average"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*TrustRegion)(nil)

// Name is tr.
func (*TrustRegion) Name() string { return "tr" }

func (*TrustRegion) info() Info {
	return Info{Name: "tr", Memory: 8, Batch: 2000,
		Use: "trust region with exact Hessian products: leaves saddles, needs no learning rate; large minibatches"}
}

func (m *TrustRegion) defaults() {
	if m.Preset != "xu2018" {
		return
	}
	orSet(&m.Radius, 1000)
	orSet(&m.Curvature, 0.05)
	orSet(&m.CGTol, 1e-9)
	orSet(&m.CGIters, 250)
	orSet(&m.Tries, 60)
	orSet(&m.WarmStart, Zero)
	if m.Start == "" {
		m.Start = "random"
	}
	orSet(&m.Average, Zero)
}

// orSet sets what is not set.
func orSet[N int | float64](to *N, value N) {
	if *to == 0 {
		*to = value
	}
}

func (m *TrustRegion) start32(l Layout) (Optimizer[float32], error) { return startTR[float32](m, l) }
func (m *TrustRegion) start64(l Layout) (Optimizer[float64], error) { return startTR[float64](m, l) }

func startTR[T Float](m *TrustRegion, l Layout) (Optimizer[T], error) {
	s, err := resolve("tr", m)
	if err != nil {
		return nil, err
	}
	o := &tr[T]{set: s, radius: s.Radius}
	o.init("tr", l, newtonSettings{s.WeightDecay, s.GaussNewton, s.Curvature, s.Sampling, s.Objective})
	o.trust = trust{accept: 1e-4, fair: 0.25, good: 0.75, fail: 0.25, shrink: 0.5, keep: 1, grow: 2}
	if s.Preset == "xu2018" {
		o.trust = trust{accept: 1e-4, fair: 1e-4, good: 0.8, fail: 0.5, keep: 1.2, grow: 2, always: true}
	}
	o.trust.least, o.trust.most = 1e-150, s.MaxRadius
	o.cg.MaxIter = s.CGIters
	o.steady, o.last = newSteady[T](s.Average, o.size), make([]T, o.size)
	return o, nil
}

type tr[T Float] struct {
	newton[T]
	steady[T]
	set    TrustRegion
	trust  trust
	radius float64
	last   []T // the last step
	cg     CG[T]
}

func (o *tr[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	r, err := o.begin(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	defer o.forget()
	if err := o.drawCurvature(); err != nil {
		return Report{}, err
	}
	if err := o.drawObjective(r.Loss); err != nil {
		return Report{}, err
	}
	next, err := o.search(&r)
	if err != nil {
		return Report{}, err
	}
	if r.Rejected {
		r.StepNorm = 0
		clear(o.last)
	} else {
		axpy(x, 1, o.s)
		copy(o.last, o.s)
	}
	o.include(x, o.whole)
	o.radius = next
	r.Work = o.work
	o.steps++
	return r, nil
}

// search finds a step that does what its model promises, in o.s, and the radius after it.
func (o *tr[T]) search(r *Report) (radius float64, err error) {
	radius = o.radius
	xu := o.set.Preset == "xu2018"
	for r.Trials < o.set.Tries {
		r.Radius = radius
		promised, bounded, err := o.solve(r, radius, r.Trials > 0)
		if err != nil {
			return 0, err
		}
		if o.spent(promised) && r.Trials == 0 {
			curvature, err := o.escape(r)
			if err != nil {
				return 0, err
			}
			if curvature < 0 {
				return o.follow(r, radius, curvature)
			}
			if promised, bounded, err = o.solve(r, radius, false); err != nil {
				return 0, err
			}
		}
		after, err := o.at(r)
		if err != nil {
			return 0, err
		}
		if r.compare(o.onObjective(promised), o.start, after, o.rounding()) {
			return radius, nil
		}
		var taken bool
		size := radius
		if !xu && !(r.Rho >= o.trust.accept) {
			size = min(radius, max(r.StepNorm, math.SmallestNonzeroFloat64))
		}
		if radius, taken = o.trust.next(size, r.Rho, bounded); taken {
			return radius, nil
		}
	}
	r.Rejected = true
	return radius, nil
}

// solve lowers the model inside the radius. It leaves the step in o.s, and says what it promises and whether the
// radius stopped it. A random start is one for the first try alone; again begins where the last try ended, shortened to the radius.
func (o *tr[T]) solve(r *Report, radius float64, again bool) (promised float64, bounded bool, err error) {
	if err := o.ctx.Err(); err != nil {
		return 0, false, o.cancelled(err)
	}
	size := norm(o.grad)
	o.cg.Radius, o.cg.Tol = radius, min(o.set.CGTol, math.Sqrt(size))
	if o.set.Preset == "xu2018" {
		o.cg.Tol = o.set.CGTol
	}
	switch {
	case o.set.Start == "zero":
		clear(o.s)
		if !o.whole && o.set.WarmStart > 0 {
			axpy(o.s, T(o.set.WarmStart), o.last)
			if length := norm(o.s); length > warmest*radius {
				scale(o.s, T(warmest*radius/length))
			}
		}
	case again: // CG shortens it
	default:
		for i := range o.s {
			o.s[i] = T(o.random.NormFloat64())
		}
		if length := norm(o.s); length > 0 {
			scale(o.s, T(0.99*radius/length))
		}
	}
	res, err := o.cg.Solve(o.ctx, o.multiply, nil, o.grad, o.s)
	if err := o.solved(r, &o.cg, res, err); err != nil {
		return 0, false, err
	}
	return -res.Value, res.Stop == StopBoundary || res.Stop == StopCurvature, nil
}

// warmest is the share of the radius that a warm start may have: conjugate gradients begin inside.
const warmest = 0.9

// at is the objective at x + s.
func (o *tr[T]) at(r *Report) (float64, error) {
	addScaled(o.trial, o.x, 1, o.s)
	r.StepNorm = norm(o.s)
	r.Trials++
	return o.loss(o.trial)
}

// follow goes along a direction of negative curvature, in o.s, from where the gradient is 0: by the radius, and by less
// until the objective falls as the model says.
func (o *tr[T]) follow(r *Report, radius, curvature float64) (float64, error) {
	length := 1.0
	slope := dot(o.s, o.grad)
	for r.Trials < max(o.set.Tries, 60) {
		scale(o.s, T(radius/length))
		length = radius
		r.Radius = radius
		after, err := o.at(r)
		if err != nil {
			return 0, err
		}
		r.compare(-length*(slope+length*curvature/2), o.start, after, 0)
		var taken bool
		if radius, taken = o.trust.next(radius, r.Rho, true); taken {
			return radius, nil
		}
	}
	r.Rejected = true
	return o.radius, nil
}

func (o *tr[T]) shape() shape {
	s := shape{method: o.method, scalars: []string{"radius"}, vectors: map[string]int{"last_step": o.size}}
	o.averageShape(&s)
	return s
}

func (o *tr[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"radius": o.radius},
		Vectors: map[string][]T{"last_step": append([]T{}, o.last...)}}
	o.saveAverage(&s)
	return s
}

func (o *tr[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := errors.Join(positive(o.method, "radius", s.Scalars["radius"]), o.checkAverage(s)); err != nil {
		return err
	}
	o.steps, o.radius = s.Step, s.Scalars["radius"]
	copy(o.last, s.Vectors["last_step"])
	o.loadAverage(s)
	return nil
}
