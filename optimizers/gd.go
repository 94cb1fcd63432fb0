package optimizers

import (
	"context"
	"math"
)

// GD is gradient descent, x = x - LR·g, the baseline that second-order methods are compared with. With LineSearch armijo
// the rate is found in every step: twice the last one at first, halved until
//
//	f(x - rate·g) ≤ f(x) - C·rate·|g|²
//
// f the minibatch's loss, 60 times at most (Armijo 1966; doubling as in the published code of Mishchenko 2023, whose C is 0.5). LR
// is the first rate then. A convex loss with an L-Lipschitz gradient falls as 1/k at the rate 1/L.
//
// For the whole training set and plain functions. SGD has momentum and is for minibatches; on those, armijo fits the
// rate to each, as Vaswani et al. (2019) propose for models that fit every example.
type GD struct {
	LR          float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate, or with armijo the first rate"`
	LineSearch  string  `set:"line_search" default:"none" oneof:"none|armijo" help:"how the rate of a step is found"`
	C           float64 `set:"c" default:"0.5" range:"(0,1)" help:"share of the slope's decrease that armijo asks for"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*GD)(nil)

// Name is gd.
func (*GD) Name() string { return "gd" }

func (*GD) info() Info {
	return Info{Name: "gd", Memory: 3, DefaultLR: 0.1, Use: "gradient descent, with or without a line search: a baseline"}
}

func (m *GD) start32(l Layout) (Optimizer[float32], error) { return startGD[float32](m, l) }
func (m *GD) start64(l Layout) (Optimizer[float64], error) { return startGD[float64](m, l) }

func startGD[T Float](m *GD, l Layout) (Optimizer[T], error) {
	s, err := resolve("gd", m)
	if err != nil {
		return nil, err
	}
	o := &gd[T]{rate: newRate(s.LR), set: s, found: s.LR}
	o.init("gd", l, newtonSettings{decay: s.WeightDecay, judge: "batch"})
	o.needs = NeedGrad
	o.along = o.lossAlong
	return o, nil
}

type gd[T Float] struct {
	newton[T]
	rate
	set   GD
	found float64 // the last rate of the line search
	unit  float64 // the first rate of this one
	along func(rate float64) (float64, error)
}

func (o *gd[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	r, err := o.begin(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	defer o.forget()
	r.Rho = 0
	rate := o.lr.now
	if o.set.LineSearch == "armijo" {
		if rate, err = o.search(&r); err != nil {
			return Report{}, err
		}
	}
	axpy(x, T(-rate), o.grad)
	r.LR, r.StepNorm, r.Work = rate, rate*norm(o.grad), o.work
	o.steps++
	return r, nil
}

// search finds a rate.
func (o *gd[T]) search(r *Report) (float64, error) {
	if err := o.drawObjective(r.Loss); err != nil {
		return 0, err
	}
	if o.unit = o.found; o.steps > 0 {
		o.unit = min(2*o.found, math.MaxFloat64)
	}
	size := norm(o.grad)
	slope := -o.unit * size * size
	found, err := (Armijo{C: o.set.C, Shrink: 0.5, Max: 60, Slack: o.rounding()}).Search(o.along, o.start, slope, math.NaN())
	if err != nil {
		return 0, err
	}
	r.Trials = found.Trials
	rate := found.Rate * o.unit
	if rate == 0 {
		r.Rejected = true
		if slope < 0 {
			o.found = max(o.unit*0x1p-60, math.SmallestNonzeroFloat64)
		}
		return 0, nil
	}
	o.found = rate
	r.compare(-found.Rate*slope, o.start, found.Loss, o.rounding())
	return rate, nil
}

// lossAlong is the loss at x - rate·unit·g.
func (o *gd[T]) lossAlong(rate float64) (float64, error) {
	addScaled(o.trial, o.x, T(-rate*o.unit), o.grad)
	return o.loss(o.trial)
}

func (o *gd[T]) shape() shape {
	return shape{method: o.method, scalars: []string{"found_rate"}, optional: []string{"lr"}}
}

func (o *gd[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"found_rate": o.found}}
	o.lr.save(s.Scalars)
	return s
}

func (o *gd[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	o.steps, o.found = s.Step, s.Scalars["found_rate"]
	o.lr.load(s.Scalars)
	return nil
}
