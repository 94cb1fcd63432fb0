package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// HF is Martens' Hessian-free method (Martens 2010; Martens & Sutskever 2012). Each step fits the quadratic
//
//	q(s) = g's + s'(B + λI)s/2        g the minibatch gradient, B the curvature on a fresh sample
//
// lowers it by conjugate gradients that only multiply by B, and moves along the result:
//
//   - B is the Gauss-Newton matrix, or with Hessian the Hessian, on Curvature examples drawn anew, fewer where there are
//     not so many. WeightDecay (half of it times |x|²) is part of objective and B.
//   - CG starts at WarmStart times the last CG solution and stops when it no longer gains (see CG.Progress) or after
//     CGIters. With Augment it starts in the plane of that solution and the preconditioned gradient (see CG.Augment).
//   - With precondition=squares it uses M = diag(mean squared per-example gradient + λ + WeightDecay)^(3/4), the mean
//     over the curvature sample. With precondition=kfac M is the Kronecker approximation of the curvature, damped by
//     λ + WeightDecay (see Kronecker), its factors on the curvature sample, forgetting and inverted at steps
//     0, 1, 2, 5, 10 and every InvertEvery as in KFAC; of a problem without layers, such as a plain function, there is
//     none. Where rounding has made it indefinite the step is solved for without.
//   - Backtracking: of the iterates ceil(5·1.3^k), from the last backwards while it helps, the one with the lowest
//     objective is the step s. A line search (Armijo) then shortens it where needed. If that fails the step is
//     rejected: x stays, λ grows, and the next CG starts at 0.
//   - Damping, after Levenberg and Marquardt: with ρ = (f(x+s)-f(x)) / (q(s)-λ|s|²/2), everything on the curvature
//     sample, λ grows by Factor (3/2) where ρ < 1/4 or is undefined and shrinks by it where ρ > 3/4, down to MinDamping.
//     Differences of the size of rounding count as ρ = 1. Ratio may say the objective and the minibatch's slope: the
//     slope of a small sample is mostly noise late in a run, ρ is undefined in every second step, and λ grows without end.
//   - With Structural µ, B has λµS added, S the matrix of the change of the model's hidden states (see
//     StructuralDamping): a step that changes them much is damped more (Martens & Sutskever 2011, section 3.2). As λ it
//     is no part of ρ.
//   - With Growth, minibatch, curvature sample and objective's sample grow by that factor a step, √2 at a time, until
//     they are all examples: the gradient is then that of the minibatch and of fresh examples besides.
//   - The objective of backtracking and line search is the loss on as many examples as the minibatch has, drawn anew:
//     on the minibatch itself every step looks better than it is. Objective may say the minibatch or all examples.
//
// On minibatches that are not everything the weights to evaluate are an average of the iterates: see Averaging.
//
// A plain function, or a minibatch of all examples, is its own objective and, if it has at most Curvature examples, its
// own curvature sample too.
//
// With Hessian, CG that meets a direction of negative curvature keeps the iterate before it. If it is the very first
// direction p (again, from 0, if the start was warm) the step goes along p by -g'p / max(|p'Ap|, λp'p), A = B + λI. A
// product that is not finite likewise: the iterate before it stays, and if it is the first, from 0 too, the step is a
// NonFiniteError. λ stays between 1e-16 and 1e16; a step that is
// rejected at 1e16 is a DampingError. A gradient of exactly 0 leaves everything as it is.
//
// WarmStart, CGProgress and the rules with their constants are those of Martens' published code. Preset martens2010 has
// the rest of it: λ = 45 at first, a quarter of the examples for the curvature, 250 iterations, weight decay 2e-5,
// precondition=squares and objective=full, for minibatches that are the whole training set. Damping, Curvature, CGIters
// and Average here are for minibatches of thousands of examples and nets of a few dense layers, where few iterations on
// a sample as large as the minibatch do better than many on a small one, which only fit that; CGProgress then has no
// say, because it looks back over ten iterations.
// A deep net of sigmoids wants a larger first λ where there are several iterations: at .1 the first steps saturate its
// units (the autoencoder of MNIST from a sparse start, K-FAC inside, 5 iterations: they are 37 long, where those of KFAC are 5).
//
// With precondition=kfac (but not with martens2010) other things are default: one iteration, Augment, curvature samples of
// 125, objective=batch, ratio=objective, λ at least .003 and changed by 1.05 at a time, weight decay 3e-5. On all
// examples that is KFAC's step to rounding. On the deep autoencoder of MNIST in minibatches of 500 a second iteration gained
// for some 40 steps, and lost by the clock; starting from 0.95 of the last solution instead of in the plane made steps
// three to ten times as long, by the noise that the sample's product with it brings. It wants minibatches of 500 to 1000.
//
// Not for small minibatches: curvature from a few examples is worse than none. Not for a strict comparison by epochs: a
// step costs as much as ten to twenty gradients of the curvature sample (see Report.Work).
type HF struct {
	Preset       string  `set:"preset" default:"standard" oneof:"standard|martens2010" help:"martens2010: the defaults of Martens (2010)"`
	Damping      float64 `set:"damping" default:"0.1" range:"(0,inf)" help:"first λ, which is added to the curvature (martens2010: 45)"`
	MinDamping   float64 `set:"min_damping" default:"1e-16" range:"[1e-16,1e16]" help:"least λ, against steps that fit their own minibatch only (precondition=kfac: 0.003)"`
	Factor       float64 `set:"damping_factor" default:"1.5" range:"(1,inf)" help:"what λ is multiplied or divided by after a step (precondition=kfac: 1.05)"`
	Ratio        string  `set:"ratio" default:"sample" oneof:"sample|objective" help:"what ρ compares the model with: the curvature sample and its own gradient, or the objective and the minibatch's (precondition=kfac: objective)"`
	Curvature    float64 `set:"curvature" default:"4000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set (martens2010: 0.25; precondition=kfac: 125)"`
	CGIters      int     `set:"cg_iters" default:"5" range:"[1,1000000]" help:"most iterations of conjugate gradients (martens2010: 250; precondition=kfac: 1)"`
	CGMinIters   int     `set:"cg_min_iters" default:"1" range:"[1,inf)" help:"iterations before it may stop for lack of progress"`
	CGProgress   float64 `set:"cg_progress" default:"0.0005" range:"[0,1)" help:"stop below this relative gain an iteration; 0: never"`
	WarmStart    float64 `set:"warm_start" default:"0.95" range:"[0,1]" help:"share of the last CG solution to start from"`
	Augment      Toggle  `set:"augment" default:"false" help:"start from the lowest point of the plane of the last CG solution and the preconditioned gradient (precondition=kfac: true)"`
	WeightDecay  float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss (martens2010: 2e-5; precondition=kfac: 3e-5)"`
	Hessian      bool    `set:"hessian" default:"false" help:"the exact Hessian in place of the Gauss-Newton matrix"`
	Precondition string  `set:"precondition" default:"none" oneof:"none|squares|kfac" help:"preconditioner: none, the mean squared gradients of single examples (martens2010), or the Kronecker approximation of the curvature"`
	InvertEvery  int     `set:"invert_every" default:"20" range:"[1,inf)" help:"precondition=kfac: steps from one inversion to the next"`
	Structural   float64 `set:"structural" default:"0" range:"[0,inf)" help:"damping of the change of hidden states, as a multiple of λ; 0: none"`
	Average      float64 `set:"average" default:"0.9" range:"[0,1)" help:"share of the old average of the weights to evaluate, where the minibatch is not everything; 0: no average (martens2010)"`
	Growth       float64 `set:"growth" default:"1" range:"[1,inf)" help:"factor by which the samples grow from step to step"`
	Objective    string  `set:"objective" default:"sample" oneof:"sample|batch|full" help:"what backtracking and line search look at: a fresh sample as large as the minibatch, the minibatch, or the whole training set (martens2010: full; precondition=kfac: batch)"`
}

var _ Method = (*HF)(nil)

// Name is hf.
func (*HF) Name() string { return "hf" }

func (*HF) info() Info {
	return Info{Name: "hf", Memory: 7, Batch: 4000,
		Use: "Hessian-free: few large second-order steps without a learning rate; large minibatches"}
}

func (h *HF) defaults() {
	if h.Preset != "martens2010" {
		if h.Precondition == "kfac" {
			h.insideDefaults()
		}
		return
	}
	orSet(&h.Damping, 45)
	orSet(&h.Curvature, 0.25)
	orSet(&h.CGIters, 250)
	orSet(&h.WeightDecay, 2e-5)
	if h.Precondition == "" {
		h.Precondition = "squares"
	}
	if h.Objective == "" {
		h.Objective = "full"
	}
	orSet(&h.Average, Zero)
}

// insideDefaults are those with K-FAC inside.
func (h *HF) insideDefaults() {
	orSet(&h.Curvature, 125)
	orSet(&h.CGIters, 1)
	orSet(&h.MinDamping, 0.003)
	orSet(&h.Factor, 1.05)
	orSet(&h.WeightDecay, 3e-5)
	if h.Augment == 0 {
		h.Augment = On
	}
	if h.Ratio == "" {
		h.Ratio = "objective"
	}
	if h.Objective == "" {
		h.Objective = "batch"
	}
}

func (h *HF) check() error {
	if h.CGMinIters > h.CGIters {
		return fmt.Errorf("optimizers: hf: cg_min_iters is %d; allowed is at most cg_iters, %d", h.CGMinIters, h.CGIters)
	}
	return nil
}

func (h *HF) start32(l Layout) (Optimizer[float32], error) { return startHF[float32](h, l) }
func (h *HF) start64(l Layout) (Optimizer[float64], error) { return startHF[float64](h, l) }

func startHF[T Float](h *HF, l Layout) (Optimizer[T], error) {
	s, err := resolve("hf", h)
	if err != nil {
		return nil, err
	}
	needs := NeedGrad | NeedGaussNewton
	if s.Hessian {
		needs = NeedGrad | NeedHessian
	}
	if s.Precondition == "squares" {
		needs |= NeedSquaredGrads
	}
	if s.Structural > 0 {
		needs |= NeedStructural
	}
	o := &hf[T]{core: newCore[T]("hf", needs, l), set: s, damping: s.Damping}
	o.solution, o.s, o.steady = make([]T, o.size), make([]T, o.size), newSteady[T](s.Average, o.size)
	o.cg = CG[T]{MaxIter: s.CGIters, MinIter: s.CGMinIters, Progress: s.CGProgress, Augment: s.Augment == On, Keep: true}
	// Made once, because a closure made in every step would be garbage in every step.
	o.multiply, o.along = o.multiplyDamped, o.lossAlong
	switch s.Precondition {
	case "squares":
		o.inverse = make([]T, o.size)
		o.precondition = o.multiplyInverse
	case "kfac":
		if o.kronecker, err = NewKronecker[T](l, KroneckerOptions{}); err != nil {
			return nil, err
		}
		o.precondition = o.kronecker.Solve
	}
	if s.Structural > 0 {
		o.change = make([]T, o.size)
	}
	if s.Growth > 1 {
		o.pooled.scratch = make([]T, o.size)
	}
	return o, nil
}

type hf[T Float] struct {
	core[T]
	steady[T]
	set      HF
	damping  float64
	solution []T // of the last CG, 0 at first

	cg           CG[T]
	s            []T // the CG solution of this step
	inverse      []T // the preconditioner's diagonal
	kronecker    *Kronecker[T]
	estimates    int // of its factors so far
	change       []T // product with S
	multiply     Operator[T]
	precondition Operator[T]
	along        func(rate float64) (float64, error)

	// What the closures look at during a step.
	ctx       context.Context
	x         []T
	pooled    pool[T]   // the minibatch with a sample
	batch     Sample[T] // for the gradient
	batchLoss float64   // at x, with weight decay
	whole     bool      // that is the whole training set
	n         int       // examples of the training set; 0 where it is not known
	sample    Sample[T] // for the curvature
	states    StructuralDamping[T]
	objective Objective[T] // for backtracking and line search
	evalWork  int64        // of one loss of the objective
	work      int64
	step      []T // the direction of the line search
	trial     []T
}

// multiplyDamped sets dst to (B + (λ + WeightDecay)I + λµS) v.
func (o *hf[T]) multiplyDamped(dst, v []T) error {
	var err error
	if o.set.Hessian {
		err = o.sample.HessianMul(dst, v)
		o.work += WorkHessian * int64(o.sample.Len())
	} else {
		err = o.sample.GaussNewtonMul(dst, v)
		o.work += WorkGaussNewton * int64(o.sample.Len())
	}
	if err != nil {
		return fmt.Errorf("optimizers: hf: curvature product: %w", err)
	}
	axpy(dst, T(o.damping+o.set.WeightDecay), v)
	if o.states != nil {
		if err := o.multiplyStates(v); err != nil {
			return err
		}
		axpy(dst, T(o.damping*o.set.Structural), o.change)
	}
	return nil
}

// multiplyStates sets o.change to S v.
func (o *hf[T]) multiplyStates(v []T) error {
	o.work += WorkStructural * int64(o.sample.Len())
	if err := o.states.StructuralMul(o.change, v); err != nil {
		return fmt.Errorf("optimizers: hf: product of structural damping: %w", err)
	}
	return nil
}

// lossAlong is the objective at x + rate·step.
func (o *hf[T]) lossAlong(rate float64) (float64, error) {
	addScaled(o.trial, o.x, T(rate), o.step)
	o.work += o.evalWork
	return o.loss(o.objective, o.trial)
}

// loss is the mean loss with weight decay.
func (o *hf[T]) loss(f Objective[T], x []T) (float64, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, fmt.Errorf("optimizers: hf: no step taken: %w", err)
	}
	loss, err := f.Loss(x)
	if err != nil {
		return 0, fmt.Errorf("optimizers: hf: loss: %w", err)
	}
	return loss + o.penalty(x), nil
}

// penalty is WeightDecay/2·|x|².
func (o *hf[T]) penalty(x []T) float64 {
	if o.set.WeightDecay == 0 {
		return 0
	}
	return o.set.WeightDecay / 2 * dot(x, x)
}

func (o *hf[T]) shape() shape {
	s := shape{method: o.method, scalars: []string{"damping"}, vectors: map[string]int{"cg_solution": o.size}}
	o.averageShape(&s)
	if o.kronecker != nil {
		s.scalars = append(s.scalars, "estimates")
		o.kronecker.shape(&s)
	}
	return s
}

func (o *hf[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"damping": o.damping},
		Vectors: map[string][]T{"cg_solution": append([]T{}, o.solution...)}}
	o.saveAverage(&s)
	if o.kronecker != nil {
		s.Scalars["estimates"] = float64(o.estimates)
		o.kronecker.save(&s)
	}
	return s
}

func (o *hf[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := errors.Join(positive(o.method, "damping", s.Scalars["damping"]), o.checkAverage(s)); err != nil {
		return err
	}
	if o.kronecker != nil {
		if n := s.Scalars["estimates"]; !(n >= 0) || n != math.Trunc(n) || n > 1<<53 {
			return fmt.Errorf("optimizers: state of hf: %v estimates; allowed are whole numbers from 0", n)
		}
		if err := o.kronecker.load(s); err != nil {
			return err
		}
		o.estimates = int(s.Scalars["estimates"])
	}
	o.steps, o.damping = s.Step, s.Scalars["damping"]
	copy(o.solution, s.Vectors["cg_solution"])
	o.loadAverage(s)
	return nil
}
