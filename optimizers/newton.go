package optimizers

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// newton is what the Newton-type methods here share. Each step looks at three sets of examples: the minibatch for the
// gradient, a sample for the curvature, and the objective's, on which steps are judged. Weight decay is part of all of
// them.
type newton[T Float] struct {
	core[T]
	decay       float64 // weight decay
	gaussNewton bool
	curvature   float64 // examples of the curvature sample; at most 1: a share of the training set
	sampling    string
	judge       string // of the objective: "batch", "sample" or "full"

	// Of the step that is being taken.
	ctx       context.Context
	x         []T
	p         Problem[T]
	batch     Sample[T]
	whole     bool      // the minibatch is the whole training set
	sample    Sample[T] // for the curvature, linearized at x
	objective Sample[T]
	apart     bool    // the objective is not the minibatch
	slopes    []T     // the objective's gradient, with that of weight decay, at x
	start     float64 // the objective at x
	work      int64
	damping   float64 // added to the curvature

	s, trial  []T
	judgeGrad []T         // memory of slopes
	multiply  Operator[T] // by the curvature and the damping; made once
	pcg       rand.PCG
	random    *rand.Rand // of pcg, seeded anew in every step
	saddle    lowest[T]
}

// newtonSettings are the settings that all of them have, under the same names.
type newtonSettings struct {
	decay       float64
	gaussNewton bool
	curvature   float64
	sampling    string
	judge       string
}

func (o *newton[T]) init(method string, l Layout, set newtonSettings) {
	needs := NeedGrad | NeedHessian
	if set.gaussNewton {
		needs = NeedGrad | NeedGaussNewton
	}
	if set.sampling == "norms" {
		needs |= NeedNormDraws
	}
	o.core = newCore[T](method, needs, l)
	o.decay, o.gaussNewton, o.curvature, o.sampling, o.judge = set.decay, set.gaussNewton, set.curvature, set.sampling, set.judge
	o.s, o.trial = make([]T, o.size), make([]T, o.size)
	o.multiply = o.multiplyDamped
	o.random = rand.New(&o.pcg)
}

// begin has the gradient, with that of weight decay, in o.grad. The report's numbers are without.
func (o *newton[T]) begin(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.ctx, o.x, o.p, o.batch, o.work, o.damping = ctx, x, p, batch, r.Work, 0
	o.whole = isWhole(batch, p)
	o.pcg.Seed(uint64(o.steps), 0x6e657774)
	if o.decay != 0 {
		axpy(o.grad, T(o.decay), x)
	}
	r.Rho = math.NaN()
	return r, nil
}

// forget lets go of what belongs to the step that ends.
func (o *newton[T]) forget() {
	o.ctx, o.x, o.p, o.batch, o.sample, o.objective, o.slopes = nil, nil, nil, nil, nil, nil, nil
}

// drawCurvature sets o.sample and linearizes it: n examples drawn anew, the minibatch where that is everything and no
// larger than the sample should be, or the whole set where it is to be that.
func (o *newton[T]) drawCurvature() error {
	all := o.batch.Len()
	full := o.p.Full()
	if full != nil {
		all = full.Len()
	}
	n := o.curvature
	if n <= 1 { // rounded down, as in the code of Xu et al. (2018) for networks, but not for rounding's sake
		n = max(1, math.Floor(n*float64(all)*(1+1e-12)))
	}
	var err error
	switch {
	case n >= float64(all) && (o.whole || full == nil):
		o.sample = o.batch
	case n >= float64(all):
		o.sample = full
	case o.sampling == "norms":
		o.sample, err = o.drawByNorms(int(n))
	default:
		o.sample, err = o.draw(int(n), "curvature sample")
	}
	if err != nil {
		return err
	}
	if err := o.sample.Linearize(o.x); err != nil {
		return o.failed("linearize", err)
	}
	return nil
}

func (o *newton[T]) draw(n int, what string) (Sample[T], error) {
	s, err := o.p.Draw(n)
	if err != nil {
		return nil, o.failed(what, err)
	}
	if s == nil {
		return nil, fmt.Errorf("optimizers: %s: the problem drew no %s", o.method, what)
	}
	return s, nil
}

func (o *newton[T]) drawByNorms(n int) (Sample[T], error) {
	d, ok := SampleAs[NormDraws[T]](o.p.Full())
	if !ok {
		return nil, fmt.Errorf("optimizers: %s: the problem draws no %v", o.method, NeedNormDraws)
	}
	s, work, err := d.DrawByNorm(n, o.x, o.gaussNewton)
	o.work += work
	if err != nil {
		return nil, o.failed("curvature sample", err)
	}
	return s, nil
}

// drawObjective sets o.objective, its value and its gradient at x. It comes after drawCurvature.
func (o *newton[T]) drawObjective(batchLoss float64) error {
	o.objective, o.slopes = o.batch, o.grad
	o.apart = !o.whole && o.judge != "batch"
	if !o.apart {
		o.start = batchLoss + o.penalty(o.x)
		return nil
	}
	if o.judgeGrad == nil {
		o.judgeGrad = make([]T, o.size)
	}
	o.slopes = o.judgeGrad
	if o.judge == "full" {
		if o.objective = o.p.Full(); o.objective == nil {
			return fmt.Errorf("optimizers: %s: the problem has no whole training set, which objective=full needs", o.method)
		}
	} else {
		var err error
		if o.objective, err = o.draw(o.batch.Len(), "sample for the objective"); err != nil {
			return err
		}
	}
	loss, err := o.objective.Grad(o.slopes, o.x)
	if err != nil {
		return o.failed("gradient of the objective", err)
	}
	o.work += WorkGrad * int64(o.objective.Len())
	if err := o.nonFinite("gradient of the objective", o.slopes); err != nil {
		return err
	}
	if !finite(loss) {
		return &NonFiniteError{Method: o.method, What: "objective", Value: loss}
	}
	if o.decay != 0 {
		axpy(o.slopes, T(o.decay), o.x)
	}
	o.start = loss + o.penalty(o.x)
	return nil
}

// onObjective is what the model promises for o.s, were its slope the objective's: where that is not the minibatch, the
// two gradients differ by chance, and a model is not to be blamed for it.
func (o *newton[T]) onObjective(promised float64) float64 {
	if !o.apart {
		return promised
	}
	return promised + dot(o.grad, o.s) - dot(o.slopes, o.s)
}

// loss is the objective at a point, with weight decay; what is not finite is +Inf.
func (o *newton[T]) loss(x []T) (float64, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, o.cancelled(err)
	}
	loss, err := o.objective.Loss(x)
	if err != nil {
		return 0, o.failed("loss", err)
	}
	o.work += WorkLoss * int64(o.objective.Len())
	if loss += o.penalty(x); !finite(loss) {
		loss = math.Inf(1)
	}
	return loss, nil
}

func (o *newton[T]) failed(what string, err error) error {
	return fmt.Errorf("optimizers: %s: %s: %w", o.method, what, err)
}

func (o *newton[T]) cancelled(err error) error {
	return o.failed("no step taken", err)
}

// penalty is weight decay's part of the objective.
func (o *newton[T]) penalty(x []T) float64 {
	if o.decay == 0 {
		return 0
	}
	return o.decay / 2 * dot(x, x)
}

// multiplyDamped sets dst to (B + decay·I + damping·I) v, B the curvature on the sample.
func (o *newton[T]) multiplyDamped(dst, v []T) error {
	var err error
	if o.gaussNewton {
		err = o.sample.GaussNewtonMul(dst, v)
		o.work += WorkGaussNewton * int64(o.sample.Len())
	} else {
		err = o.sample.HessianMul(dst, v)
		o.work += WorkHessian * int64(o.sample.Len())
	}
	if err != nil {
		return o.failed("curvature product", err)
	}
	if c := o.damping + o.decay; c != 0 {
		axpy(dst, T(c), v)
	}
	return nil
}

// rounding is how far the objective's rounding may reach: its terms may be larger than it, and cancel.
func (o *newton[T]) rounding() float64 { return 100 * epsilon[T]() * math.Abs(o.start) }

// spent says that a model promises nothing that the objective could show: the gradient has run out.
func (o *newton[T]) spent(promised float64) bool {
	return !(promised > epsilon[T]()*math.Abs(o.start))
}

// solved notes what conjugate gradients tell in a report, and turns a first product that is not finite into an error.
func (o *newton[T]) solved(r *Report, cg *CG[T], res CGResult, err error) error {
	if err != nil {
		if o.ctx.Err() != nil {
			return o.cancelled(err)
		}
		return err
	}
	if res.Stop == StopBreakdown && res.Iterations == 0 {
		if err := o.nonFinite("curvature product", cg.ap); err != nil {
			return err
		}
	}
	r.CGIterations += res.Iterations
	r.CGStop = res.Stop
	if !math.IsInf(res.MinCurvature, 1) {
		o.curved(r, res.MinCurvature-o.damping)
	}
	return nil
}

// curved notes a curvature that was seen.
func (o *newton[T]) curved(r *Report, value float64) {
	if r.MinCurvature == 0 || value < r.MinCurvature {
		r.MinCurvature = value
	}
}

// mostProbes bounds the products that a look for negative curvature takes.
const mostProbes = 20

// escape looks for a direction of negative curvature where the gradient has run out. It leaves one of length 1 in o.s,
// that does not climb, and says what the curvature along it is; 0 where there is none beyond rounding.
func (o *newton[T]) escape(r *Report) (float64, error) {
	damping := o.damping
	o.damping = 0
	value, size, products, err := o.saddle.search(o.ctx, o.multiply, o.size, min(o.size, mostProbes), uint64(o.steps))
	o.damping = damping
	if err != nil {
		if o.ctx.Err() != nil {
			return 0, o.cancelled(err)
		}
		return 0, err
	}
	r.CGIterations += products
	if math.IsNaN(value) {
		return 0, nil
	}
	o.curved(r, value)
	if value > -math.Sqrt(epsilon[T]())*size {
		return 0, nil
	}
	copy(o.s, o.saddle.vector)
	if dot(o.s, o.grad) > 0 {
		scale(o.s, -1)
	}
	return value, nil
}
