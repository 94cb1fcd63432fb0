package optimizers

import (
	"context"
	"math"
)

// NaturalGradient follows the natural gradient (Amari 1998): the direction in which the loss falls fastest for a given
// change of the distribution that the outputs stand for, whatever the parameters are that make it. With g the minibatch
// gradient and F the Fisher matrix on a fresh sample, which for the losses here is the Gauss-Newton matrix (Martens
// 2020, section 9.2),
//
//	s = -(F + λI)^-1 g         by conjugate gradients from 0, up to CGIters or a residual of CGTol·|g|
//	x = x + LR·s
//
// With KL the step is shortened so that s'Fs/2, the Kullback-Leibler divergence of a small step for an example, is at
// most that, as in TRPO (Schulman et al. 2015, appendix C). With Adapt λ follows the rule of Levenberg and Marquardt:
// with ρ the decrease of the objective over that of the model -g's - s'Fs/2, both for the step that was taken, λ becomes
// 3/2 of itself where ρ < 1/4 or is undefined, and 2/3 where ρ > 3/4. A step that the objective rises in is
// rejected: x stays, and λ grows in any case.
//
// HF is the same idea with a line search, backtracking and a warm start, and the better choice to train a net. This one
// is for comparisons, for following a rate schedule, and for steps of a known length in the space of distributions.
type NaturalGradient struct {
	LR          float64 `set:"lr" default:"1" range:"[0,inf)" help:"share of the solution that is taken"`
	Damping     float64 `set:"damping" default:"0.1" range:"(0,inf)" help:"λ, or the first, which is added to the Fisher matrix"`
	Adapt       Toggle  `set:"adapt" default:"true" help:"adapt λ to how well the model predicts the loss"`
	KL          float64 `set:"kl" default:"0" range:"[0,inf)" help:"largest divergence of a step; 0: any"`
	Curvature   float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set"`
	CGIters     int     `set:"cg_iters" default:"10" range:"[1,1000000]" help:"most iterations of conjugate gradients"`
	CGTol       float64 `set:"cg_tol" default:"0.01" range:"(0,1)" help:"largest residual over the gradient at which they stop"`
	Objective   string  `set:"objective" default:"batch" oneof:"batch|sample|full" help:"what steps are judged on: the minibatch, a fresh sample as large, or the whole training set"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*NaturalGradient)(nil)

// Name is natural_gradient.
func (*NaturalGradient) Name() string { return "natural_gradient" }

func (*NaturalGradient) info() Info {
	return Info{Name: "natural_gradient", Memory: 6, DefaultLR: 1, Peak: 1, Batch: 4000,
		Use: "the gradient in the metric of the outputs' distribution: comparisons, steps of a known divergence; large minibatches"}
}

func (m *NaturalGradient) start32(l Layout) (Optimizer[float32], error) {
	return startNaturalGradient[float32](m, l)
}
func (m *NaturalGradient) start64(l Layout) (Optimizer[float64], error) {
	return startNaturalGradient[float64](m, l)
}

func startNaturalGradient[T Float](m *NaturalGradient, l Layout) (Optimizer[T], error) {
	s, err := resolve("natural_gradient", m)
	if err != nil {
		return nil, err
	}
	o := &naturalGradient[T]{set: s, rate: newRate(s.LR), lambda: s.Damping}
	o.init("natural_gradient", l, newtonSettings{s.WeightDecay, true, s.Curvature, "uniform", s.Objective})
	o.cg = CG[T]{MaxIter: s.CGIters, Tol: s.CGTol}
	return o, nil
}

type naturalGradient[T Float] struct {
	newton[T]
	rate
	set    NaturalGradient
	lambda float64
	cg     CG[T]
}

func (o *naturalGradient[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
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
	o.damping, r.Damping = o.lambda, o.lambda
	clear(o.s)
	res, err := o.cg.Solve(ctx, o.multiply, nil, o.grad, o.s)
	if err := o.solved(&r, &o.cg, res, err); err != nil {
		return Report{}, err
	}
	slope := dot(o.grad, o.s)
	curved := max(0, 2*(res.Value-slope)-o.damping*dot(o.s, o.s)) // s'Fs, from the model's value
	rate := o.lr.now
	if kl := o.set.KL; kl > 0 && rate*rate*curved/2 > kl {
		rate = math.Sqrt(2 * kl / curved)
	}
	addScaled(o.trial, x, T(rate), o.s)
	after, err := o.loss(o.trial)
	if err != nil {
		return Report{}, err
	}
	r.compare(-rate*(slope+rate*curved/2), o.start, after, o.rounding())
	r.Rejected = after > o.start+o.rounding()
	if !r.Rejected {
		copy(x, o.trial)
		r.LR, r.StepNorm = rate, rate*norm(o.s)
	}
	switch {
	case o.set.Adapt == On:
		o.lambda = adapt(o.lambda, r.Rho, hfGrow, hfLeast)
	case r.Rejected:
		o.lambda = min(o.lambda*hfGrow, hfLargest)
	}
	r.Work = o.work
	o.steps++
	return r, nil
}

func (o *naturalGradient[T]) shape() shape {
	return shape{method: o.method, scalars: []string{"damping"}, optional: []string{"lr"}}
}

func (o *naturalGradient[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"damping": o.lambda}}
	o.lr.save(s.Scalars)
	return s
}

func (o *naturalGradient[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := positive(o.method, "damping", s.Scalars["damping"]); err != nil {
		return err
	}
	o.steps, o.lambda = s.Step, s.Scalars["damping"]
	o.lr.load(s.Scalars)
	return nil
}
