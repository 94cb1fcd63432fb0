package optimizers

import (
	"context"
	"math"
)

// RegularizedNewton is Newton's method with the gradient's own damping (Mishchenko 2023, arXiv 2112.02089),
//
//	x = x - (B + λI)⁻¹ g        λ = √(H·|g|)
//
// g the minibatch gradient, B the Hessian on a sample; the root is over the product. For a convex loss whose Hessian is
// 2H-Lipschitz the loss falls as 1/k², and superlinearly in the end. Rule says where H comes from:
//
//   - adan, a line search: H is halved, and doubled until f(x⁺) ≤ f(x) - 2/3·λr² and |g(x⁺)| ≤ 2λr, r = |x⁺ - x|, each
//     trial a solve, a loss and a gradient. H is the first one.
//   - adan_plus, an estimate from the last step: 2H = max(half the last 2H, 2·|g - what the model foretold|/r²). Not
//     monotone. H is the first one.
//   - fixed: H as it is.
//
// Up to Direct parameters B is read off its products with the unit vectors and B + λI factorised by Cholesky; beyond,
// the equations are solved by conjugate gradients, until the residual is at most min(CGTol, √|g|)·|g|.
//
// Where B + λI turns out not to be positive definite, or the loss is not finite after the step, H grows until that is
// over, in the rule fixed for this step only. With Nonconvex, a step from where B + λI is not positive definite follows the lowest curvature that Lanczos finds from a random start instead, as far as the cubic model along it
// with σ = H says, H quadrupled until the objective falls; adan then asks for the decrease alone, not for the gradient;
// and a gradient that has run out makes it look for such a direction too. Constants and defaults are those of the
// author's published code. Not for small minibatches: a gradient that is noise is damped as if it were steep.
type RegularizedNewton struct {
	Rule        string  `set:"rule" default:"adan" oneof:"adan|adan_plus|fixed" help:"where H comes from: a line search, an estimate, or the setting"`
	H           float64 `set:"h" default:"1e-05" range:"(0,inf)" help:"half a Lipschitz constant of the Hessian, or the first guess at it"`
	Nonconvex   bool    `set:"nonconvex" default:"false" help:"follow directions of negative curvature"`
	Direct      int     `set:"direct" default:"500" range:"[1,20000]" help:"most parameters for which the equations are solved by Cholesky"`
	Curvature   float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set"`
	CGIters     int     `set:"cg_iters" default:"100" range:"[1,1000000]" help:"most iterations of conjugate gradients"`
	CGTol       float64 `set:"cg_tol" default:"0.1" range:"(0,1)" help:"largest residual over the gradient at which they stop"`
	Sampling    string  `set:"sampling" default:"uniform" oneof:"uniform|norms" help:"how the curvature sample is drawn: uniformly, or by the norms of the examples' Hessians"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*RegularizedNewton)(nil)

// Name is regnewton.
func (*RegularizedNewton) Name() string { return "regnewton" }

func (*RegularizedNewton) info() Info {
	return Info{Name: "regnewton", Memory: 8, Batch: 10000,
		Use: "Newton's method damped by the root of the gradient's norm: convex problems, the whole training set"}
}

func (m *RegularizedNewton) start32(l Layout) (Optimizer[float32], error) {
	return startRegNewton[float32](m, l)
}

func (m *RegularizedNewton) start64(l Layout) (Optimizer[float64], error) {
	return startRegNewton[float64](m, l)
}

func startRegNewton[T Float](m *RegularizedNewton, l Layout) (Optimizer[T], error) {
	s, err := resolve("regnewton", m)
	if err != nil {
		return nil, err
	}
	o := &regNewton[T]{set: s, h: s.H}
	o.init("regnewton", l, newtonSettings{s.WeightDecay, false, s.Curvature, s.Sampling, "batch"})
	o.foretold, o.trialGrad = make([]T, o.size), make([]T, o.size)
	o.dense = o.size <= s.Direct
	o.cg.MaxIter = s.CGIters
	o.muls = o.multiplyAll
	return o, nil
}

type regNewton[T Float] struct {
	newton[T]
	set       RegularizedNewton
	h         float64
	foretold  []T     // the gradient that the model of the last step foretold, of adan_plus
	last      float64 // the length of the last step; 0 before the first
	trialGrad []T     // at the trial point, with weight decay
	dense     bool
	direct    direct[T]
	cg        CG[T]
	muls      func(dst, v [][]T) error
}

// mostH and leastH bound H whatever happens.
const leastH, mostH = 1e-150, 1e150

func (o *regNewton[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	r, err := o.begin(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	defer o.forget()
	h := o.h
	size := norm(o.grad)
	switch {
	case o.set.Rule == "adan":
		h = max(h/2, leastH)
	case o.set.Rule == "adan_plus" && o.last > 0:
		addScaled(o.trial, o.grad, -1, o.foretold)
		h = min(max(h/2, norm(o.trial)/(o.last*o.last), leastH), mostH)
	}
	if err := o.drawCurvature(); err != nil {
		return Report{}, err
	}
	if err := o.drawObjective(r.Loss); err != nil {
		return Report{}, err
	}
	if o.dense && size > 0 {
		o.direct.init(o.size)
		if err := o.direct.read(o.muls); err != nil {
			return Report{}, err
		}
		if !o.direct.finite() {
			return Report{}, &NonFiniteError{Method: o.method, What: "Hessian", Value: math.NaN()}
		}
	}
	h, err = o.search(&r, h, size)
	if err != nil {
		return Report{}, err
	}
	if !r.Rejected {
		copy(x, o.trial)
	}
	if o.set.Rule != "fixed" {
		o.h = h
	}
	r.Work = o.work
	o.steps++
	return r, nil
}

// search finds the step: o.trial is where it leads.
func (o *regNewton[T]) search(r *Report, h, size float64) (float64, error) {
	for r.Trials < 60 {
		lambda := math.Sqrt(h * size)
		r.Cubic, r.Damping, o.damping = h, lambda, lambda
		positive, promised, err := o.solve(r, lambda)
		if err != nil {
			return 0, err
		}
		stalled := o.set.Nonconvex && r.Trials == 0 && positive && o.spent(promised)
		if o.set.Nonconvex && (!positive || stalled) {
			next, followed, err := o.follow(r, h)
			if err != nil || followed {
				return next, err
			}
			if stalled { // it was no saddle
				if _, promised, err = o.solve(r, lambda); err != nil {
					return 0, err
				}
			}
		}
		if !positive {
			h = min(4*h, mostH)
			r.Trials++
			continue
		}
		accepted, err := o.try(r, promised, lambda)
		if err != nil || accepted {
			return h, err
		}
		h = min(2*h, mostH)
	}
	r.Rejected, r.StepNorm = true, 0
	return h, nil
}

// solve sets o.s to -(B + λI)⁻¹ g, if that matrix is positive definite, and says what the model without λ promises.
func (o *regNewton[T]) solve(r *Report, lambda float64) (positive bool, promised float64, err error) {
	if o.dense {
		if norm(o.grad) == 0 {
			clear(o.s)
			return true, 0, nil
		}
		if !o.direct.solve(o.s, o.grad, lambda) {
			return false, 0, nil
		}
		gs, ss := dot(o.grad, o.s), dot(o.s, o.s)
		return true, (lambda*ss - gs) / 2, nil // s'Bs = -g's - λs's
	}
	if err := o.ctx.Err(); err != nil {
		return false, 0, o.cancelled(err)
	}
	o.cg.Tol = min(o.set.CGTol, math.Sqrt(norm(o.grad)))
	clear(o.s)
	res, err := o.cg.Solve(o.ctx, o.multiply, nil, o.grad, o.s)
	if err := o.solved(r, &o.cg, res, err); err != nil {
		return false, 0, err
	}
	if res.Stop == StopCurvature {
		return false, 0, nil
	}
	return true, -(res.Value - lambda*dot(o.s, o.s)/2), nil
}

// try goes to x + s, and says whether it may stay there.
func (o *regNewton[T]) try(r *Report, promised, lambda float64) (bool, error) {
	addScaled(o.trial, o.x, 1, o.s)
	length := norm(o.s)
	r.StepNorm = length
	r.Trials++
	if o.set.Rule != "adan" {
		after, err := o.loss(o.trial)
		if err != nil || math.IsInf(after, 1) {
			return false, err
		}
		r.compare(promised, o.start, after, o.rounding())
		if o.set.Rule == "adan_plus" {
			o.foretell(lambda)
			o.last = length
		}
		return true, nil
	}
	after, steep, err := o.look()
	if err != nil {
		return false, err
	}
	r.compare(promised, o.start, after, o.rounding())
	falls := after <= o.start-2.0/3*lambda*length*length+o.rounding()
	if o.set.Nonconvex {
		return falls, nil
	}
	return falls && steep <= 2*lambda*length, nil
}

// foretell notes g + Bs, which is -λs up to the residual of the solve.
func (o *regNewton[T]) foretell(lambda float64) {
	clear(o.foretold)
	axpy(o.foretold, T(-lambda), o.s)
	if !o.dense {
		axpy(o.foretold, -1, o.cg.r)
	}
}

// look is the objective at the trial point, and the length of its gradient.
func (o *regNewton[T]) look() (after, steep float64, err error) {
	if err := o.ctx.Err(); err != nil {
		return 0, 0, o.cancelled(err)
	}
	if after, err = o.objective.Grad(o.trialGrad, o.trial); err != nil {
		return 0, 0, o.failed("gradient", err)
	}
	o.work += WorkGrad * int64(o.objective.Len())
	if o.decay != 0 {
		axpy(o.trialGrad, T(o.decay), o.trial)
	}
	after, steep = after+o.penalty(o.trial), norm(o.trialGrad)
	if !finite(after) || !finite(steep) {
		return math.Inf(1), math.Inf(1), nil
	}
	return after, steep, nil
}

// follow takes a step along the lowest curvature; false where none is negative.
func (o *regNewton[T]) follow(r *Report, h float64) (next float64, followed bool, err error) {
	curvature, err := o.escape(r)
	if err != nil || curvature == 0 {
		return h, false, err
	}
	r.CGStop = StopCurvature
	slope, length := dot(o.s, o.grad), 1.0
	d, c, y := [1]float64{curvature}, [1]float64{slope}, [1]float64{}
	for range 60 {
		lambda, value := secularCubic(d[:], c[:], h, y[:])
		r.Cubic, r.Damping = h, lambda
		to := math.Abs(y[0])
		scale(o.s, T(to/length))
		length = to
		addScaled(o.trial, o.x, 1, o.s)
		r.StepNorm = length
		r.Trials++
		after, err := o.loss(o.trial)
		if err != nil {
			return h, false, err
		}
		r.compare(-value, o.start, after, 0)
		if r.Rho >= armijoShare {
			o.last = 0
			return h, true, nil
		}
		h = min(4*h, mostH)
	}
	r.Rejected, r.StepNorm = true, 0
	return h, true, nil
}

// multiplyAll multiplies several directions by the Hessian.
func (o *regNewton[T]) multiplyAll(dst, v [][]T) error {
	if err := o.ctx.Err(); err != nil {
		return o.cancelled(err)
	}
	if err := HessianMuls(o.sample, dst, v); err != nil {
		return o.failed("curvature product", err)
	}
	o.work += WorkHessian * int64(o.sample.Len()) * int64(len(v))
	if o.decay != 0 {
		for i := range v {
			axpy(dst[i], T(o.decay), v[i])
		}
	}
	return nil
}

func (o *regNewton[T]) shape() shape {
	return shape{method: o.method, scalars: []string{"h", "step_norm"}, vectors: map[string]int{"foretold_gradient": o.size}}
}

func (o *regNewton[T]) State() State[T] {
	return State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"h": o.h, "step_norm": o.last},
		Vectors: map[string][]T{"foretold_gradient": append([]T{}, o.foretold...)}}
}

func (o *regNewton[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := positive(o.method, "h", s.Scalars["h"]); err != nil {
		return err
	}
	o.steps, o.h, o.last = s.Step, s.Scalars["h"], s.Scalars["step_norm"]
	copy(o.foretold, s.Vectors["foretold_gradient"])
	return nil
}
