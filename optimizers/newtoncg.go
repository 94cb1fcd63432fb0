package optimizers

import (
	"cmp"
	"context"
	"math"
)

// NewtonCG solves H s = -g by conjugate gradients, g the minibatch gradient and H the Hessian on a fresh sample, until
// the residual is at most min(CGTol, √|g|)·|g|, which makes convergence superlinear near a minimum (Dembo, Eisenstat &
// Steihaug 1982), and searches along s:
//
//   - armijo tries the rates 1, Shrink, Shrink², ... until f(x + rate·s) ≤ f(x) + 1e-4·rate·g's;
//   - wolfe looks for the strong Wolfe conditions with C2 = 0.9, which costs gradients of the objective.
//
// Conjugate gradients that meet a direction p with p'Hp < 0 stop at the iterate s before it. The step is then s, if the
// objective falls by 1e-4 of what the model promises there, and from there or from x a search along p: lengths |s|, or
// |p'Hp|/p'p where s is 0, or |g| where that is 0 too, doubled as long as the objective keeps falling, or halved until it falls by 1e-4 of what the
// model says, for which negative curvature makes up where the slope is 0 (after Nocedal & Wright 2006, section 7.1, and
// Royer & Wright 2018). Where the model promises no more than rounding, Lanczos looks for such a direction from a random
// start, so that saddles are left, also those where the gradient is exactly 0; that takes up to 22 vectors of memory.
//
// A search that finds no lower point rejects the step: x stays. See TrustRegion for the samples. Preset xu2018 has the
// Gauss-Newton baseline of the code of Xu et al. (2018) for nonlinear least squares: the Gauss-Newton matrix on a 20th of
// the examples, at most 20 iterations to a residual of 1e-6, and Armijo with Shrink 0.5 and 20 trials, after which the
// step is taken as short as it is.
type NewtonCG struct {
	Preset      string  `set:"preset" default:"standard" oneof:"standard|xu2018" help:"xu2018: the Gauss-Newton baseline of Xu et al. (2018)"`
	LineSearch  string  `set:"line_search" default:"armijo" oneof:"armijo|wolfe" help:"the condition that a step has to meet"`
	Shrink      float64 `set:"shrink" default:"0.5" range:"(0,1)" help:"factor from one rate to the next of armijo"`
	Curvature   float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set (xu2018: 0.05)"`
	CGIters     int     `set:"cg_iters" default:"50" range:"[1,1000000]" help:"most iterations of conjugate gradients (xu2018: 20)"`
	CGTol       float64 `set:"cg_tol" default:"0.5" range:"(0,1)" help:"largest residual over the gradient at which they stop (xu2018: 1e-6, at all times)"`
	GaussNewton bool    `set:"gauss_newton" default:"false" help:"the Gauss-Newton matrix in place of the Hessian (xu2018: always)"`
	Sampling    string  `set:"sampling" default:"uniform" oneof:"uniform|norms" help:"how the curvature sample is drawn: uniformly, or by the norms of the examples' Hessians"`
	Objective   string  `set:"objective" default:"batch" oneof:"batch|sample|full" help:"what the search looks at: the minibatch, a fresh sample as large, or the whole training set"`
	Average     float64 `set:"average" default:"0.95" range:"[0,1)" help:"share of the old average of the weights to evaluate, where the minibatch is not everything; 0: no average"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*NewtonCG)(nil)

// Name is newton_cg.
func (*NewtonCG) Name() string { return "newton_cg" }

func (*NewtonCG) info() Info {
	return Info{Name: "newton_cg", Memory: 10, Batch: 2000,
		Use: "Newton's method by conjugate gradients with a line search; large minibatches, smooth functions"}
}

func (m *NewtonCG) defaults() {
	if m.Preset != "xu2018" {
		return
	}
	orSet(&m.Curvature, 0.05)
	orSet(&m.CGIters, 20)
	orSet(&m.CGTol, 1e-6)
	orSet(&m.Average, Zero)
	m.GaussNewton = true
}

func (m *NewtonCG) start32(l Layout) (Optimizer[float32], error) { return startNewtonCG[float32](m, l) }
func (m *NewtonCG) start64(l Layout) (Optimizer[float64], error) { return startNewtonCG[float64](m, l) }

func startNewtonCG[T Float](m *NewtonCG, l Layout) (Optimizer[T], error) {
	s, err := resolve("newton_cg", m)
	if err != nil {
		return nil, err
	}
	o := &newtonCG[T]{set: s}
	o.init("newton_cg", l, newtonSettings{s.WeightDecay, s.GaussNewton, s.Curvature, s.Sampling, s.Objective})
	o.cg.MaxIter = s.CGIters
	o.steady = newSteady[T](s.Average, o.size)
	o.along = o.lossAlong
	if s.LineSearch == "wolfe" {
		o.look, o.kept = o.slopeAlong, func() {}
		o.trialGrad = make([]T, o.size)
	}
	return o, nil
}

type newtonCG[T Float] struct {
	newton[T]
	steady[T]
	set       NewtonCG
	cg        CG[T]
	along     func(rate float64) (float64, error)
	look      func(rate float64) (f, slope float64, err error)
	kept      func()
	trialGrad []T // of the objective, in a Wolfe search
}

const armijoShare = 1e-4

func (o *newtonCG[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
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
	size := norm(o.grad)
	o.cg.Tol = min(o.set.CGTol, math.Sqrt(size))
	if o.set.Preset == "xu2018" {
		o.cg.Tol = o.set.CGTol
	}
	clear(o.s)
	res, err := o.cg.Solve(ctx, o.multiply, nil, o.grad, o.s)
	if err := o.solved(&r, &o.cg, res, err); err != nil {
		return Report{}, err
	}
	switch {
	case res.Stop == StopCurvature:
		err = o.bend(&r, res)
	case o.spent(-res.Value) && o.set.Preset != "xu2018":
		err = o.leave(&r, res)
	default:
		err = o.search(&r, res.Value)
	}
	if err != nil {
		return Report{}, err
	}
	if r.LR == 0 {
		r.Rejected = true
	} else {
		axpy(x, T(r.LR), o.s)
		r.StepNorm = r.LR * norm(o.s)
	}
	o.include(x, o.whole)
	r.Work = o.work
	o.steps++
	return r, nil
}

// lossAlong is the objective at x + rate·s.
func (o *newtonCG[T]) lossAlong(rate float64) (float64, error) {
	addScaled(o.trial, o.x, T(rate), o.s)
	return o.loss(o.trial)
}

// slopeAlong is the objective and its slope there.
func (o *newtonCG[T]) slopeAlong(rate float64) (f, slope float64, err error) {
	if err := o.ctx.Err(); err != nil {
		return 0, 0, o.cancelled(err)
	}
	addScaled(o.trial, o.x, T(rate), o.s)
	if f, err = o.objective.Grad(o.trialGrad, o.trial); err != nil {
		return 0, 0, o.failed("gradient of the objective", err)
	}
	o.work += WorkGrad * int64(o.objective.Len())
	return f + o.penalty(o.trial), dot(o.trialGrad, o.s) + o.decay*dot(o.trial, o.s), nil
}

// search looks along o.s, where the model is q at rate 1.
func (o *newtonCG[T]) search(r *Report, q float64) error {
	slope := dot(o.slopes, o.s)
	bent := q - dot(o.grad, o.s) // s'Hs/2
	rate, after := 0.0, o.start
	if o.look != nil {
		found, err := (Wolfe{C1: armijoShare}).Search(o.look, o.kept, o.start, slope, 1, largest(o.s))
		if err != nil {
			return err
		}
		r.Trials += found.Trials
		if found.Rate > 0 {
			rate, after = found.Rate, found.Loss
		}
	}
	if rate == 0 { // Wolfe's conditions have no slack for rounding
		search := Armijo{C: armijoShare, Shrink: o.set.Shrink, Max: 30, Slack: o.rounding()}
		if o.set.Preset == "xu2018" {
			search.Max, search.Slack = 20, 0
		}
		found, err := search.Search(o.along, o.start, slope, math.NaN())
		if err != nil {
			return err
		}
		r.Trials += found.Trials
		rate, after = found.Rate, found.Loss
		if rate == 0 && o.set.Preset == "xu2018" && slope < 0 {
			rate = math.Pow(o.set.Shrink, float64(search.Max))
			if after, err = o.along(rate); err != nil {
				return err
			}
			if math.IsInf(after, 1) {
				rate = 0
			}
		}
	}
	r.LR = rate
	r.compare(-rate*(slope+rate*bent), o.start, after, o.rounding())
	if rate == 0 { // of the whole step, which was refused
		r.ModelDecrease, r.Decrease, r.Rho = o.onObjective(-q), 0, 0
	}
	return nil
}

// bend takes a step by a direction p of negative curvature, that follows the iterate before it in o.s.
func (o *newtonCG[T]) bend(r *Report, res CGResult) error {
	p := o.cg.Direction()
	length := norm(p)
	base, from := 0.0, o.start // the model and the objective where the search along p begins
	size := norm(o.s)
	if size > 0 {
		f, err := o.along(1)
		if err != nil {
			return err
		}
		r.Trials++
		if q := -o.onObjective(-res.Value); q < 0 && f <= o.start+armijoShare*q {
			base, from = q, f
		} else {
			clear(o.s)
		}
	}
	// p is conjugate to the iterate, so that the slope of the model along it is g'p there too.
	return o.explore(r, p, length, dot(o.slopes, p)/length, res.MinCurvature, cmp.Or(size, math.Abs(res.MinCurvature), norm(o.grad)), base, from)
}

// leave looks for negative curvature where the gradient has run out; where there is none, it takes the last small step.
func (o *newtonCG[T]) leave(r *Report, res CGResult) error {
	copy(o.trial, o.s)
	curvature, err := o.escape(r)
	if err != nil {
		return err
	}
	if curvature == 0 {
		copy(o.s, o.trial)
		return o.search(r, res.Value)
	}
	r.CGStop = StopCurvature
	p := o.cg.r // CG has ended: its residual is free
	copy(p, o.s)
	clear(o.s)
	return o.explore(r, p, 1, dot(o.slopes, p), curvature, math.Abs(curvature), 0, o.start)
}

// explore adds to o.s a step along p, from where the model is base and the objective is from: slope and curvature are
// along p/length, first is the length tried first.
func (o *newtonCG[T]) explore(r *Report, p []T, length, slope, curvature, first, base, from float64) error {
	model := func(t float64) float64 { return t * (slope + t*curvature/2) }
	best, lowest, at := 0.0, from, 0.0 // at is how far o.s is
	move := func(t float64) {
		axpy(o.s, T((t-at)/length), p)
		at = t
	}
	growing, t := false, first
	for range 60 {
		move(t)
		f, err := o.along(1)
		if err != nil {
			return err
		}
		r.Trials++
		if f <= from+armijoShare*model(t) && f < lowest {
			best, lowest = t, f
			if t < first {
				break
			}
			growing = true
			t *= 2
			continue
		}
		if growing {
			break
		}
		t /= 2
	}
	move(best)
	r.compare(-(base + model(best)), o.start, lowest, 0)
	if best > 0 || base != 0 {
		r.LR = 1
	}
	return nil
}

// largest is the largest absolute element.
func largest[T Float](a []T) float64 {
	most := 0.0
	for _, v := range a {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

func (o *newtonCG[T]) shape() shape {
	s := shape{method: o.method, vectors: map[string]int{}}
	o.averageShape(&s)
	return s
}

func (o *newtonCG[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{}}
	o.saveAverage(&s)
	return s
}

func (o *newtonCG[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := o.checkAverage(s); err != nil {
		return err
	}
	o.steps = s.Step
	o.loadAverage(s)
	return nil
}
