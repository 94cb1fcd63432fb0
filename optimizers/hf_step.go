package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// The damping's rule, and the bounds it stays in whatever happens.
const (
	hfGrow             = 3.0 / 2
	hfLow, hfHigh      = 0.25, 0.75
	hfLeast, hfLargest = 1e-16, 1e16
)

func (o *hf[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if o.kronecker == nil {
		return o.take(ctx, x, p)
	}
	mark, estimates := o.kronecker.mark(), o.estimates
	r, err := o.take(ctx, x, p)
	if err != nil {
		o.kronecker.back(mark)
		o.estimates = estimates
	}
	return r, err
}

// take is Step; an error leaves all but the preconditioner as it was.
func (o *hf[T]) take(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.ctx, o.x, o.work = ctx, x, r.Work
	defer o.forget()
	if err := o.grow(batch, r.Loss, p); err != nil {
		return Report{}, err
	}
	if o.set.WeightDecay != 0 {
		axpy(o.grad, T(o.set.WeightDecay), x)
	}
	r.Damping = o.damping
	if norm(o.grad) == 0 {
		r.CGStop, r.Rho, r.Work = StopResidual, math.NaN(), o.work
		o.steps++
		return r, nil
	}
	shared, err := o.drawCurvature(p)
	if err != nil {
		return Report{}, err
	}
	if err := o.solve(&r); err != nil {
		return Report{}, err
	}

	// From here on CG's residual and product are free: trial points go to the one, a gradient to the other.
	o.trial = o.cg.r
	start, err := o.drawObjective(p)
	if err != nil {
		return Report{}, err
	}
	chosen, lossThere, err := o.backtrack()
	if err != nil {
		return Report{}, err
	}
	o.step = chosen.S
	slope := dot(o.grad, o.step)

	curved, err := o.curved(chosen, slope)
	if err != nil {
		return Report{}, err
	}
	if shared || o.set.Ratio == "objective" { // where the batch is the sample too, both are the same
		r.compare(-(slope + curved/2), start, lossThere, slack[T](start))
	} else if err := o.measure(&r, chosen.S, curved); err != nil {
		return Report{}, err
	}
	damping := adapt(o.damping, r.Rho, o.set.Factor, o.set.MinDamping)

	search := Armijo{Slack: slack[T](start)}
	found, err := search.Search(o.along, start, slope, lossThere)
	if err != nil {
		return Report{}, err
	}
	if found.Rate == 0 {
		if o.damping >= hfLargest {
			return Report{}, &DampingError{Method: o.method, Damping: o.damping}
		}
		r.Rejected = true
		damping = max(damping, min(o.damping*hfGrow, hfLargest))
		clear(o.solution)
	} else {
		axpy(x, T(found.Rate), o.step)
		copy(o.solution, o.s)
	}
	o.include(x, o.whole)
	r.LR, r.StepNorm, r.Work = found.Rate, found.Rate*norm(o.step), o.work
	o.damping = damping
	o.steps++
	return r, nil
}

// isWhole tells whether the minibatch is the whole training set, as of a plain function.
func isWhole[T Float](batch Sample[T], p Problem[T]) bool {
	full := p.Full()
	return full != nil && batch.Len() >= full.Len()
}

// grow makes o.batch what the gradient is of, which may be more than the minibatch, and o.grad that gradient.
func (o *hf[T]) grow(batch Sample[T], loss float64, p Problem[T]) error {
	full := p.Full()
	o.batch, o.whole, o.n = batch, isWhole(batch, p), 0
	if full != nil {
		o.n = full.Len()
	}
	n := o.grown(batch.Len())
	switch {
	case o.whole || n <= batch.Len():
	case n < o.n:
		more, err := draw(p, n-batch.Len(), "sample beside the minibatch")
		if err != nil {
			return err
		}
		o.pooled.a, o.pooled.b = batch, more
		o.batch = &o.pooled
		o.work += WorkGrad * int64(more.Len())
		if loss, err = o.pooled.join(o.grad, o.x, loss); err != nil {
			return fmt.Errorf("optimizers: hf: gradient: %w", err)
		}
	case full != nil:
		o.batch, o.whole = full, true
		o.work += WorkGrad * int64(o.n)
		var err error
		if loss, err = full.Grad(o.grad, o.x); err != nil {
			return fmt.Errorf("optimizers: hf: gradient: %w", err)
		}
	}
	if o.batch != batch {
		if !finite(norm(o.grad)) {
			if err := o.nonFinite("gradient", o.grad); err != nil {
				return err
			}
		}
		if !finite(loss) {
			return &NonFiniteError{Method: o.method, What: "loss", Value: loss}
		}
	}
	o.batchLoss = loss + o.penalty(o.x)
	return nil
}

// grown is how many examples a sample has in this step that had n in the first. It grows by √2 at a time, so that a
// problem sees few different sizes.
func (o *hf[T]) grown(n int) int {
	if o.set.Growth == 1 {
		return n
	}
	halves := math.Floor(2*float64(o.steps)*math.Log2(o.set.Growth) + 1e-9)
	return int(min(float64(max(n, o.n)), math.Ceil(float64(n)*math.Exp2(halves/2)-1e-6)))
}

// drawCurvature sets o.sample, and says whether that is the batch: where that is everything and no larger than the
// sample should be.
func (o *hf[T]) drawCurvature(p Problem[T]) (shared bool, err error) {
	n := int(min(o.set.Curvature, math.MaxInt32))
	if o.set.Curvature <= 1 {
		n = int(math.Ceil(o.set.Curvature * float64(max(o.n, o.batch.Len()))))
	}
	n = o.grown(n)
	if o.whole && n >= o.batch.Len() {
		o.sample = o.batch
		return true, nil
	}
	if o.n > 0 {
		n = min(n, o.n-1)
	}
	o.sample, err = draw(p, n, "curvature sample")
	return false, err
}

// drawObjective sets what backtracking and line search look at, and gives its loss at x.
func (o *hf[T]) drawObjective(p Problem[T]) (float64, error) {
	s, err := o.batch, error(nil)
	switch {
	case o.set.Objective == "full":
		if s = p.Full(); s == nil {
			return 0, errors.New("optimizers: hf: the problem has no whole training set, which objective=full needs")
		}
	case o.set.Objective == "sample" && !o.whole:
		if s, err = draw(p, o.batch.Len(), "sample for the objective"); err != nil {
			return 0, err
		}
	}
	o.objective, o.evalWork = s, WorkLoss*int64(s.Len())
	if o.whole || o.set.Objective == "batch" {
		o.objective = o.batch
		return o.batchLoss, nil
	}
	o.work += o.evalWork
	return o.loss(s, o.x)
}

func draw[T Float](p Problem[T], n int, what string) (Sample[T], error) {
	s, err := p.Draw(n)
	if err != nil {
		return nil, fmt.Errorf("optimizers: hf: %s: %w", what, err)
	}
	if s == nil {
		return nil, fmt.Errorf("optimizers: hf: the problem drew no %s", what)
	}
	return s, nil
}

// forget lets go of what belongs to the step that ends.
func (o *hf[T]) forget() {
	o.ctx, o.x, o.batch, o.sample, o.objective, o.step, o.states = nil, nil, nil, nil, nil, nil, nil
	o.pooled.a, o.pooled.b = nil, nil
}

// backtrack finds the kept iterate with the lowest objective, from the last one backwards until it gets worse.
func (o *hf[T]) backtrack() (best Iterate[T], loss float64, err error) {
	kept := o.cg.Iterates()
	loss = math.Inf(1)
	for i := len(kept) - 1; i >= 0; i-- {
		o.step = kept[i].S
		f, err := o.lossAlong(1)
		if err != nil {
			return best, 0, err
		}
		if !finite(f) {
			f = math.Inf(1)
		}
		if i == len(kept)-1 || f < loss {
			best, loss = kept[i], f
		} else if !math.IsInf(loss, 1) {
			break
		}
	}
	return best, loss, nil
}

// curved is s'Bs, B the curvature without damping.
func (o *hf[T]) curved(chosen Iterate[T], slope float64) (float64, error) {
	// The model's value gives s'As, A = B + λI + λµS, without another product by B.
	c := 2*(chosen.Value-slope) - o.damping*dot(chosen.S, chosen.S)
	if o.states != nil {
		if err := o.multiplyStates(chosen.S); err != nil {
			return 0, err
		}
		c -= o.damping * o.set.Structural * dot(chosen.S, o.change)
	}
	return c, nil
}

// measure compares the model without damping with the loss, both on the curvature sample.
func (o *hf[T]) measure(r *Report, s []T, curved float64) error {
	n := int64(o.sample.Len())
	g := o.cg.ap
	before, err := o.sample.Grad(g, o.x)
	if err != nil {
		return fmt.Errorf("optimizers: hf: gradient of the curvature sample: %w", err)
	}
	before += o.penalty(o.x)
	slope := dot(g, s) + o.set.WeightDecay*dot(o.x, s)
	addScaled(o.trial, o.x, 1, s)
	o.work += (WorkGrad + WorkLoss) * n
	after, err := o.loss(o.sample, o.trial)
	if err != nil {
		return err
	}
	r.compare(-(slope + curved/2), before, after, slack[T](before))
	return nil
}

// adapt is the damping of the next step.
func adapt(damping, rho, factor, least float64) float64 {
	switch {
	case !(rho >= hfLow): // also NaN
		damping *= factor
	case rho > hfHigh:
		damping = max(damping*(1/factor), min(damping, least))
	}
	return min(max(damping, hfLeast), hfLargest)
}

// slack is the part of a loss that may be rounding.
func slack[T Float](loss float64) float64 { return 10 * epsilon[T]() * math.Abs(loss) }
