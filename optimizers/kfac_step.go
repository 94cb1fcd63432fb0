package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// The rule of the damping (section 6.5 of the paper), and the bounds it stays in whatever happens.
const (
	kfacShrink        = 0.95 // to the power of the steps between two looks
	kfacLow, kfacHigh = 0.25, 0.75
	kfacLargest       = 1e8
	kfacBurnIn        = 10 // steps that all have an estimate
	kfacDependent     = 1e-12
)

// early are the first steps with inversions.
func early(k int) bool { return k <= 2 || k == 5 || k == 10 }

func (o *kfac[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := errors.Join(o.lr.check(o.method), o.momentum.check(o.method)); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.ctx, o.work = ctx, r.Work
	mark := o.curvature.mark()
	err = o.step(x, p, batch, &r)
	o.ctx = nil
	if err != nil {
		o.curvature.back(mark)
		return Report{}, err
	}
	r.Work = o.work
	return r, nil
}

// step is Step after the gradient; an error leaves all but the curvature as it was.
func (o *kfac[T]) step(x []T, p Problem[T], batch Sample[T], r *Report) error {
	r.Damping, r.Rho = o.damping, math.NaN()
	if r.GradNorm == 0 {
		o.steps++
		o.follow(x)
		return nil
	}
	if decay := o.set.WeightDecay; decay != 0 {
		axpy(o.grad, T(decay), x)
	}
	estimates, outputs, err := o.precondition(x, p, batch)
	if err != nil {
		return err
	}
	o.passes.measure(o.solution, o.grad, o.last)
	length, push, decrease, err := o.choose(x, p, batch, outputs)
	if err != nil {
		return err
	}
	if err := o.bounded(length, push); err != nil {
		return err
	}
	o.passes.combine(o.solution, o.last, T(-length), T(push)) // the solution becomes the step
	damping := o.damping
	if (o.steps+1)%o.set.AdaptEvery == 0 && o.set.Adapt == On && o.set.Rescale == On {
		addScaled(o.trial, x, 1, o.solution)
		if damping, err = o.judge(x, batch, decrease, r); err != nil {
			return err
		}
	}
	o.steps++
	o.damping, o.estimates, r.LR = damping, estimates, length
	if r.Rejected {
		clear(o.last)
		o.follow(x)
		return nil
	}
	average, share := o.following()
	r.StepNorm = math.Sqrt(o.passes.take(x, o.solution, average, share))
	o.last, o.solution = o.solution, o.last
	return nil
}

// bounded is an error where the step could be too long for the numbers of its type.
func (o *kfac[T]) bounded(length, push float64) error {
	m := &o.passes.measures
	longest := math.Abs(length)*math.Sqrt(m.dd) + math.Abs(push)*math.Sqrt(m.pp)
	if limit := 1 / epsilon[T](); longest < limit*limit*limit {
		return nil
	}
	if err := o.nonFinite("natural gradient", o.solution); err != nil {
		return err
	}
	return &NonFiniteError{Method: o.method, What: "length of the step", Value: longest}
}

// draw gives n examples: the first of the minibatch, or fresh ones where it cannot be cut.
func (o *kfac[T]) draw(batch Sample[T], p Problem[T], n int) (Sample[T], error) {
	cut, ok := SampleAs[Cut[T]](batch)
	full := p.Full()
	if n >= batch.Len() && (ok || isWhole(batch, p)) || full == nil || full.Len() < 2 {
		return batch, nil
	}
	var s Sample[T]
	var err error
	if ok {
		s, err = cut.First(n)
	}
	if !ok || errors.Is(err, errUncut) {
		s, err = p.Draw(min(n, full.Len()-1))
	}
	if err != nil {
		return nil, fmt.Errorf("optimizers: kfac: curvature sample: %w", err)
	}
	if s == nil {
		return nil, errors.New("optimizers: kfac: the problem drew no curvature sample")
	}
	return s, nil
}

// share is that of a number of examples, but at least two, as normalisation over the batch needs, where there are.
func share(of int, c float64) int { return min(of, max(2, int(math.Round(c*float64(of))))) }

// precondition sets the solution to the gradient times the inverse of the curvature, of which it makes new estimates
// and inverses where these are due, and says how many estimates there are then, and how many outputs an example has.
func (o *kfac[T]) precondition(x []T, p Problem[T], batch Sample[T]) (estimates, outputs int, err error) {
	oracle, layered := SampleAs[Factors[T]](batch)
	if !layered || oracle.Passes(TargetsExact) == 0 {
		if len(o.curvature.parts) > 0 {
			return 0, 0, errors.New("optimizers: kfac: the layout has blocks, but the problem's samples give no factors of layers")
		}
		copy(o.solution, o.grad)
		return o.estimates, 1, nil
	}
	estimates, outputs = o.estimates, oracle.Passes(TargetsExact)
	if o.steps < kfacBurnIn || o.steps%o.set.StatEvery == 0 || estimates == 0 {
		sample, err := o.draw(batch, p, share(batch.Len(), o.set.Factors))
		if err != nil {
			return 0, 0, err
		}
		estimates++
		keep := min(1-1/float64(estimates), o.set.EMA)
		if err := o.curvature.Update(sample, x, keep); err != nil {
			return 0, 0, fmt.Errorf("optimizers: kfac: %w", err)
		}
		o.work += WorkFactors(oracle.Passes(o.curvature.options.Targets)) * int64(sample.Len())
	}
	if early(o.steps) || o.steps%o.set.InvertEvery == 0 || o.estimates == 0 {
		gamma := o.gamma()
		invert := o.curvature.Invert
		if o.set.Inverse != "factored" {
			invert = o.curvature.InvertExact
		}
		if err := invert(gamma * gamma); err != nil {
			return 0, 0, fmt.Errorf("optimizers: kfac: %w", err)
		}
	}
	return estimates, outputs, o.curvature.Solve(o.solution, o.grad)
}

// gamma is the root of the factors' damping.
func (o *kfac[T]) gamma() float64 {
	return max(min(math.Sqrt(o.damping+o.set.WeightDecay), o.set.MaxGamma), o.set.MinGamma, math.SmallestNonzeroFloat32)
}

// choose gives the factors of the direction and of the last step, and the decrease that the model promises.
func (o *kfac[T]) choose(x []T, p Problem[T], batch Sample[T], outputs int) (length, push, decrease float64, err error) {
	m := &o.passes.measures
	if o.set.Rescale == Off {
		length, push = o.lr.now, o.momentum.now
		if slope := m.dg; o.set.KLClip > 0 && length*length*slope > o.set.KLClip {
			length = math.Sqrt(o.set.KLClip / slope)
		}
		return length, push, 0, nil
	}
	n := max(share(batch.Len(), o.set.Curvature), (o.set.Rank+outputs-1)/outputs)
	sample, err := o.draw(batch, p, min(n, batch.Len()))
	if err != nil {
		return 0, 0, 0, err
	}
	if err := sample.Linearize(x); err != nil {
		return 0, 0, 0, fmt.Errorf("optimizers: kfac: linearize: %w", err)
	}
	directions := 1
	if m.pp > 0 {
		directions = 2
	}
	if err := o.form(sample, directions); err != nil {
		return 0, 0, 0, err
	}
	// D is less the solution, which the forms and measures are of.
	l := o.damping + o.set.WeightDecay
	b1 := -m.dg
	a11 := o.forms[0] + l*m.dd
	switch {
	case a11 > 0 && finite(b1):
		length = -b1 / a11
	case a11 == 0: // too short to be squared
		return 0, 0, 0, nil
	case finite(a11): // a penalty that is not convex
		length = b1 / a11
		return length, 0, -length * b1 / 2, nil
	default:
		return 0, 0, 0, &NonFiniteError{Method: o.method, What: "curvature along the step", Value: a11}
	}
	if directions == 2 {
		b2 := m.pg
		a12 := -o.forms[1] - l*m.dp
		a22 := o.forms[3] + l*m.pp
		if det := a11*a22 - a12*a12; det > kfacDependent*a11*a22 && a12*b2-a22*b1 > 0 {
			length, push = (a12*b2-a22*b1)/det, (a12*b1-a11*b2)/det
		}
		decrease = push * b2
	}
	return length, push, -(length*b1 + decrease) / 2, nil // at a minimum the quadratic part is half the linear one
}

// form sets o.forms to the curvature of the first n of direction and last, by each other.
func (o *kfac[T]) form(sample Sample[T], n int) error {
	o.pair = [2][]T{o.solution, o.last}
	defer func() { o.pair = [2][]T{} }()
	if f, ok := SampleAs[GaussNewtonForms[T]](sample); ok {
		if err := f.GaussNewtonForms(o.forms[:n*n], o.pair[:n]); err != nil {
			return fmt.Errorf("optimizers: kfac: curvature: %w", err)
		}
		o.work += int64(n) * WorkForms * int64(sample.Len())
		return nil
	}
	if o.product == nil {
		o.product = make([]T, o.size)
	}
	for j := range n {
		if err := sample.GaussNewtonMul(o.product, o.pair[j]); err != nil {
			return fmt.Errorf("optimizers: kfac: curvature product: %w", err)
		}
		o.work += WorkGaussNewton * int64(sample.Len())
		for i := range n {
			o.forms[i*n+j] = dot(o.pair[i], o.product)
		}
		if !finite(o.forms[j*n+j]) {
			return o.nonFinite("curvature product", o.product)
		}
	}
	return nil
}

// judge compares the model with the loss of the minibatch at the trial point, and gives the next damping.
func (o *kfac[T]) judge(x []T, batch Sample[T], promised float64, r *Report) (float64, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, fmt.Errorf("optimizers: kfac: no step taken: %w", err)
	}
	after, err := batch.Loss(o.trial)
	if err != nil {
		return 0, fmt.Errorf("optimizers: kfac: loss: %w", err)
	}
	o.work += WorkLoss * int64(batch.Len())
	before := r.Loss
	if decay := o.set.WeightDecay; decay != 0 {
		before += decay / 2 * dot(x, x)
		after += decay / 2 * dot(o.trial, o.trial)
	}
	r.compare(promised, before, after, slack[T](before))
	factor := math.Pow(kfacShrink, float64(o.set.AdaptEvery))
	damping := o.damping
	switch {
	case !(r.Rho >= kfacLow):
		damping /= factor
	case r.Rho > kfacHigh:
		damping *= factor
	}
	r.Rejected = !(r.Rho > 0)
	return max(min(damping, kfacLargest), min(o.set.MinDamping, o.damping)), nil
}

// following is the average, if there is one, and by which share of its way it moves with this step, which has been counted.
func (o *kfac[T]) following() ([]T, T) {
	c := o.set.Average
	return o.average, T((c + 1) / (c + float64(o.steps)))
}

// follow moves the average where x stays.
func (o *kfac[T]) follow(x []T) {
	if average, share := o.following(); average != nil {
		lerp(average, share, x)
	}
}
