package optimizers

import (
	"context"
	"errors"
	"math"
)

// GaussNewton is the sub-sampled Gauss-Newton method with the damping of Levenberg and Marquardt. Each step lowers
//
//	q(s) = g's + s'(G + θI)s/2        g the minibatch gradient, G the Gauss-Newton matrix on a fresh sample
//
// by preconditioned conjugate gradients that only multiply by G, and searches along the result (Armijo, rates 1, 0.8,
// 0.64, ... 60 of them, 1% of the slope). With ρ = (f(x) - f(x+s)) / -q(s), f the objective, θ becomes 2/3 of itself
// where ρ > 3/4 and 3/2 where ρ < 1/4 or undefined. A step that no rate saves is rejected: x stays, θ grows.
//
//   - Precondition is diag(g²) + θ with gradient, g the minibatch's, which costs nothing; with squares
//     (mean g_i² + θ)^(3/4), g_i the gradients of the sample's single examples, as Martens (2010) has it; or none.
//   - Conjugate gradients start at WarmStart times their last solution and stop after CGIters, or after 5 or more where
//     they no longer gain (see CG.Progress), or where the residual is at most min(CGTol, √|g|)·|g|.
//
// It is HF without backtracking over the iterates and with fewer settings. Preset xu2018 has the baseline of the published code
// of Xu et al. (2018), "mostly following Martens": θ = 10 at first, a 20th of the examples for the curvature, 100
// iterations, a warm start without decay, no bound on the residual, and where q(s) ≥ 0 the step is skipped and θ grows.
type GaussNewton struct {
	Preset       string  `set:"preset" default:"standard" oneof:"standard|xu2018" help:"xu2018: the rules and defaults of Xu et al. (2018)"`
	Damping      float64 `set:"damping" default:"1" range:"(0,inf)" help:"first θ, which is added to the curvature (xu2018: 10)"`
	Curvature    float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set (xu2018: 0.05)"`
	CGIters      int     `set:"cg_iters" default:"20" range:"[1,1000000]" help:"most iterations of conjugate gradients (xu2018: 100)"`
	CGTol        float64 `set:"cg_tol" default:"0.1" range:"(0,1)" help:"largest residual over the gradient at which they stop (xu2018: they do not)"`
	WarmStart    float64 `set:"warm_start" default:"0" range:"[0,1]" help:"share of the last solution to start from (xu2018: 1)"`
	Precondition string  `set:"precondition" default:"gradient" oneof:"none|gradient|squares" help:"preconditioner: none, the squared gradient, or the mean squared gradients of single examples"`
	Sampling     string  `set:"sampling" default:"uniform" oneof:"uniform|norms" help:"how the curvature sample is drawn: uniformly, or by the norms of the examples' Gauss-Newton matrices"`
	Objective    string  `set:"objective" default:"batch" oneof:"batch|sample|full" help:"what steps are judged on: the minibatch, a fresh sample as large, or the whole training set"`
	Average      float64 `set:"average" default:"0.95" range:"[0,1)" help:"share of the old average of the weights to evaluate, where the minibatch is not everything; 0: no average"`
	WeightDecay  float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*GaussNewton)(nil)

// Name is gn.
func (*GaussNewton) Name() string { return "gn" }

func (*GaussNewton) info() Info {
	return Info{Name: "gn", Memory: 10, Batch: 2000,
		Use: "Gauss-Newton with Levenberg-Marquardt damping: least squares and cross-entropy; large minibatches"}
}

func (m *GaussNewton) defaults() {
	if m.Preset != "xu2018" {
		return
	}
	orSet(&m.Damping, 10)
	orSet(&m.Curvature, 0.05)
	orSet(&m.CGIters, 100)
	orSet(&m.WarmStart, 1)
	orSet(&m.Average, Zero)
}

func (m *GaussNewton) start32(l Layout) (Optimizer[float32], error) { return startGN[float32](m, l) }
func (m *GaussNewton) start64(l Layout) (Optimizer[float64], error) { return startGN[float64](m, l) }

func startGN[T Float](m *GaussNewton, l Layout) (Optimizer[T], error) {
	s, err := resolve("gn", m)
	if err != nil {
		return nil, err
	}
	o := &gn[T]{set: s, theta: s.Damping}
	o.init("gn", l, newtonSettings{s.WeightDecay, true, s.Curvature, s.Sampling, s.Objective})
	o.solution = make([]T, o.size)
	o.steady = newSteady[T](s.Average, o.size)
	o.cg = CG[T]{MaxIter: s.CGIters, MinIter: min(5, s.CGIters), Progress: 5e-4}
	o.along = o.lossAlong
	if s.Precondition != "none" {
		o.inverse = make([]T, o.size)
		o.precondition = o.multiplyInverse
	}
	if s.Precondition == "squares" {
		o.needs |= NeedSquaredGrads
	}
	return o, nil
}

type gn[T Float] struct {
	newton[T]
	steady[T]
	set          GaussNewton
	theta        float64
	solution     []T // of the last conjugate gradients, 0 at first
	cg           CG[T]
	inverse      []T // the preconditioner's diagonal
	precondition Operator[T]
	along        func(rate float64) (float64, error)
}

func (o *gn[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
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
	theta, rate, err := o.search(&r)
	if err != nil {
		return Report{}, err
	}
	if r.Rejected = rate == 0; !r.Rejected {
		axpy(x, T(rate), o.s)
	}
	r.LR, r.StepNorm, r.Work = rate, rate*norm(o.s), o.work
	if copy(o.solution, o.s); r.Rejected && o.set.Preset != "xu2018" {
		clear(o.solution)
	}
	o.theta = theta
	o.include(x, o.whole)
	o.steps++
	return r, nil
}

// search leaves the direction in o.s, and gives the damping of the next step and the rate of this.
func (o *gn[T]) search(r *Report) (theta, rate float64, err error) {
	r.Damping, o.damping = o.theta, o.theta
	grown := min(o.theta*hfGrow, hfLargest)
	if norm(o.grad) == 0 {
		clear(o.s)
		r.CGStop = StopResidual
		return o.theta, 0, nil
	}
	q, err := o.solve(r)
	if err != nil {
		return 0, 0, err
	}
	if !(q < 0) {
		r.ModelDecrease = -q
		return grown, 0, nil
	}
	after, err := o.along(1)
	if err != nil {
		return 0, 0, err
	}
	r.compare(o.onObjective(-q), o.start, after, o.rounding())
	theta = adapt(o.theta, r.Rho, hfGrow, hfLeast)
	search := Armijo{Slack: o.rounding()}
	found, err := search.Search(o.along, o.start, dot(o.slopes, o.s), after)
	if err != nil {
		return 0, 0, err
	}
	r.Trials = 1 + found.Trials
	if found.Rate == 0 {
		theta = max(theta, grown)
	}
	return theta, found.Rate, nil
}

// solve lowers q and gives its value.
func (o *gn[T]) solve(r *Report) (float64, error) {
	if err := o.prepare(); err != nil {
		return 0, err
	}
	o.cg.Tol = min(o.set.CGTol, math.Sqrt(norm(o.grad)))
	if o.set.Preset == "xu2018" {
		o.cg.Tol = 0
	}
	clear(o.s)
	axpy(o.s, T(o.set.WarmStart), o.solution)
	res, err := o.cg.Solve(o.ctx, o.multiply, o.precondition, o.grad, o.s)
	if res.Stop == StopBreakdown && res.Iterations == 0 && err == nil && norm(o.s) != 0 {
		clear(o.s) // a warm start may be worse than none
		res, err = o.cg.Solve(o.ctx, o.multiply, o.precondition, o.grad, o.s)
	}
	if err := o.solved(r, &o.cg, res, err); err != nil {
		return 0, err
	}
	return res.Value, nil
}

// prepare sets the preconditioner.
func (o *gn[T]) prepare() error {
	switch o.set.Precondition {
	case "gradient":
		for i, g := range o.grad {
			// Never 0, which would end the iterations before the first.
			o.inverse[i] = max(T(1/(float64(g)*float64(g)+o.theta)), math.SmallestNonzeroFloat32)
		}
	case "squares":
		squares, ok := SampleAs[SquaredGrads[T]](o.sample)
		if !ok {
			return o.failed("preconditioner", missing(o.method, NeedSquaredGrads, 0))
		}
		if err := squares.SquaredGrads(o.inverse, o.x); err != nil {
			return o.failed("squared gradients", err)
		}
		o.work += WorkSquaredGrads * int64(o.sample.Len())
		if err := o.nonFinite("mean squared gradient", o.inverse); err != nil {
			return err
		}
		for i, v := range o.inverse {
			root := math.Sqrt(float64(v) + o.theta + o.decay)
			o.inverse[i] = T(1 / (root * math.Sqrt(root)))
		}
	}
	return nil
}

// multiplyInverse divides by the preconditioner.
func (o *gn[T]) multiplyInverse(dst, v []T) error {
	inverse, v := o.inverse[:len(dst)], v[:len(dst)]
	for i := range dst {
		dst[i] = inverse[i] * v[i]
	}
	return nil
}

// lossAlong is the objective at x + rate·s.
func (o *gn[T]) lossAlong(rate float64) (float64, error) {
	addScaled(o.trial, o.x, T(rate), o.s)
	return o.loss(o.trial)
}

func (o *gn[T]) shape() shape {
	s := shape{method: o.method, scalars: []string{"damping"}, vectors: map[string]int{"cg_solution": o.size}}
	o.averageShape(&s)
	return s
}

func (o *gn[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"damping": o.theta},
		Vectors: map[string][]T{"cg_solution": append([]T{}, o.solution...)}}
	o.saveAverage(&s)
	return s
}

func (o *gn[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := errors.Join(positive(o.method, "damping", s.Scalars["damping"]), o.checkAverage(s)); err != nil {
		return err
	}
	o.steps, o.theta = s.Step, s.Scalars["damping"]
	copy(o.solution, s.Vectors["cg_solution"])
	o.loadAverage(s)
	return nil
}
