package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// The damping's rule, and the bounds it stays in whatever happens.
const (
	hfGrow, hfShrink   = 3.0 / 2, 2.0 / 3
	hfLow, hfHigh      = 0.25, 0.75
	hfLeast, hfLargest = 1e-16, 1e16
)

func (o *hf[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.ctx, o.x, o.work = ctx, x, r.Work
	defer o.forget()
	if o.set.WeightDecay != 0 {
		axpy(o.grad, T(o.set.WeightDecay), x)
	}
	r.Damping = o.damping
	if norm(o.grad) == 0 {
		r.CGStop, r.Rho = StopResidual, math.NaN()
		o.steps++
		return r, nil
	}
	all := isWhole(batch, p)
	shared, err := o.drawCurvature(batch, all, p)
	if err != nil {
		return Report{}, err
	}
	if err := o.solve(&r); err != nil {
		return Report{}, err
	}

	// From here on CG's residual and product are free: trial points go to the one, a gradient to the other.
	o.trial = o.cg.r
	batchLoss := r.Loss + o.penalty(x)
	start, err := o.drawObjective(batch, batchLoss, all, p)
	if err != nil {
		return Report{}, err
	}
	chosen, lossThere, err := o.backtrack()
	if err != nil {
		return Report{}, err
	}
	o.step = chosen.S
	slope := dot(o.grad, o.step)

	onSample := math.NaN() // the sample's loss at x + s, where it is known already
	if shared {            // then the objective is the sample's too
		onSample = lossThere
	}
	if err := o.measure(&r, chosen, slope, shared, batchLoss, onSample); err != nil {
		return Report{}, err
	}
	damping := adapt(o.damping, r.Rho)

	search := Armijo{Slack: slack[T](start)}
	found, err := search.Search(o.along, start, slope, lossThere)
	if err != nil {
		return Report{}, err
	}
	if found.Rate == 0 {
		r.Rejected = true
		damping = max(damping, min(o.damping*hfGrow, hfLargest))
		clear(o.solution)
	} else {
		axpy(x, T(found.Rate), o.step)
		copy(o.solution, o.s)
	}
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

// drawCurvature sets o.sample, and says whether that is the minibatch: where that is everything and no larger than the
// sample should be.
func (o *hf[T]) drawCurvature(batch Sample[T], all bool, p Problem[T]) (shared bool, err error) {
	n := o.set.Curvature
	if all && n >= batch.Len() {
		o.sample = batch
		return true, nil
	}
	if full := p.Full(); full != nil {
		n = min(n, full.Len()-1)
	}
	o.sample, err = draw(p, n, "curvature sample")
	return false, err
}

// drawObjective sets what backtracking and line search look at, and gives its loss at x.
func (o *hf[T]) drawObjective(batch Sample[T], batchLoss float64, all bool, p Problem[T]) (float64, error) {
	s, err := batch, error(nil)
	switch {
	case o.set.Objective == "full":
		if s = p.Full(); s == nil {
			return 0, errors.New("optimizers: hf: the problem has no whole training set, which objective=full needs")
		}
	case o.set.Objective == "sample" && !all:
		if s, err = draw(p, batch.Len(), "sample for the objective"); err != nil {
			return 0, err
		}
	}
	o.objective, o.evalWork = s, WorkLoss*int64(s.Len())
	if all || o.set.Objective == "batch" {
		o.objective = batch
		return batchLoss, nil
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
	o.ctx, o.x, o.sample, o.objective, o.step = nil, nil, nil, nil, nil
}

// solve lowers the model by conjugate gradients and leaves the result in o.s and the iterates in o.cg.
func (o *hf[T]) solve(r *Report) error {
	if o.precondition != nil {
		squares, ok := SampleAs[SquaredGrads[T]](o.sample)
		if !ok {
			return fmt.Errorf("optimizers: hf: the problem's samples give no %v", NeedSquaredGrads)
		}
		if err := squares.SquaredGrads(o.inverse, o.x); err != nil {
			return fmt.Errorf("optimizers: hf: squared gradients: %w", err)
		}
		o.work += WorkSquaredGrads * int64(o.sample.Len())
		for i, v := range o.inverse {
			root := math.Sqrt(float64(v) + o.damping + o.set.WeightDecay)
			o.inverse[i] = T(1 / (root * math.Sqrt(root)))
		}
	}
	if err := o.sample.Linearize(o.x); err != nil {
		return fmt.Errorf("optimizers: hf: linearize: %w", err)
	}
	warm := T(o.set.WarmStart)
	for i, v := range o.solution {
		o.s[i] = warm * v
	}
	r.MinCurvature = math.Inf(1)
	res, err := o.run(r)
	if bad := res.Stop == StopCurvature || res.Stop == StopBreakdown; err == nil && bad && res.Iterations == 0 && norm(o.s) != 0 {
		clear(o.s)
		res, err = o.run(r)
	}
	if err != nil {
		return err
	}
	switch {
	case res.Iterations > 0:
	case res.Stop == StopCurvature:
		o.alongNegative(res)
	case res.Stop == StopBreakdown:
		if err := o.brokenDown(); err != nil {
			return err
		}
	}
	if !math.IsInf(r.MinCurvature, 1) {
		r.MinCurvature -= o.damping
	} else {
		r.MinCurvature = 0
	}
	return nil
}

// run is one Solve from o.s; its numbers go to the report.
func (o *hf[T]) run(r *Report) (CGResult, error) {
	res, err := o.cg.Solve(o.ctx, o.multiply, o.precondition, o.grad, o.s)
	if o.ctx.Err() != nil && err != nil {
		err = fmt.Errorf("optimizers: hf: no step taken: %w", err)
	}
	r.CGIterations += res.Iterations
	r.CGStop, r.MinCurvature = res.Stop, min(r.MinCurvature, res.MinCurvature)
	return res, err
}

// brokenDown is the error for a first product or preconditioner that is not finite; nil where it is rounding that
// ended the iterations.
func (o *hf[T]) brokenDown() error {
	if err := o.nonFinite("mean squared gradient", o.inverse); err != nil {
		return err
	}
	return o.nonFinite("curvature product", o.cg.ap)
}

// alongNegative makes the step of a first direction whose curvature is negative.
func (o *hf[T]) alongNegative(res CGResult) {
	direction := o.cg.Direction()
	pp := dot(direction, direction)
	slope, curvature := dot(o.grad, direction), res.MinCurvature*pp
	alpha := -slope / max(math.Abs(curvature), o.damping*pp)
	clear(o.s)
	axpy(o.s, T(alpha), direction)
	o.cg.iterates[0].Value = alpha*slope + alpha*alpha*curvature/2
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

// measure compares the model without damping with the loss, both on the curvature sample.
func (o *hf[T]) measure(r *Report, chosen Iterate[T], slope float64, shared bool, before, after float64) error {
	// The model's value gives s'As, A = B + λI, without another product.
	curved := 2*(chosen.Value-slope) - o.damping*dot(chosen.S, chosen.S)
	onSample, n := slope, int64(o.sample.Len())
	if !shared {
		g := o.cg.ap
		loss, err := o.sample.Grad(g, o.x)
		if err != nil {
			return fmt.Errorf("optimizers: hf: gradient of the curvature sample: %w", err)
		}
		o.work += WorkGrad * n
		before = loss + o.penalty(o.x)
		onSample = dot(g, chosen.S) + o.set.WeightDecay*dot(o.x, chosen.S)
	}
	if math.IsNaN(after) {
		addScaled(o.trial, o.x, 1, chosen.S)
		o.work += WorkLoss * n
		var err error
		if after, err = o.loss(o.sample, o.trial); err != nil {
			return err
		}
	}
	r.ModelDecrease, r.Decrease = -(onSample + curved/2), before-after
	r.Rho = r.Decrease / r.ModelDecrease
	if tiny := slack[T](before); math.Abs(r.Decrease) <= tiny && math.Abs(r.ModelDecrease) <= tiny {
		r.Rho = 1
	} else if !(r.ModelDecrease > 0) || !finite(r.Rho) {
		r.Rho = math.NaN()
	}
	return nil
}

// adapt is the damping of the next step.
func adapt(damping, rho float64) float64 {
	switch {
	case !(rho >= hfLow): // also NaN
		damping *= hfGrow
	case rho > hfHigh:
		damping *= hfShrink
	}
	return min(max(damping, hfLeast), hfLargest)
}

// slack is the part of a loss that may be rounding.
func slack[T Float](loss float64) float64 { return 10 * epsilon[T]() * math.Abs(loss) }
