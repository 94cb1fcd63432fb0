package optimizers

import (
	"fmt"
	"math"
)

// solve lowers the model by conjugate gradients and leaves the result in o.s and the iterates in o.cg.
func (o *hf[T]) solve(r *Report) error {
	precondition, err := o.prepare()
	if err != nil {
		return err
	}
	if err := o.sample.Linearize(o.x); err != nil {
		return fmt.Errorf("optimizers: hf: linearize: %w", err)
	}
	if o.set.Structural > 0 {
		var ok bool
		if o.states, ok = SampleAs[StructuralDamping[T]](o.sample); !ok {
			return fmt.Errorf("optimizers: hf: the problem's samples give no %v", NeedStructural)
		}
	}
	warm := T(o.set.WarmStart)
	if o.cg.Augment {
		warm = 1 // CG finds the best multiple
	}
	for i, v := range o.solution {
		o.s[i] = warm * v
	}
	r.MinCurvature = math.Inf(1)
	res, err := o.run(r, precondition)
	if err == nil && res.Iterations == 0 && res.Stop == StopIndefinite {
		clear(o.s)
		res, err = o.run(r, nil)
	}
	if bad := res.Stop == StopCurvature || res.Stop == StopBreakdown; err == nil && bad && res.Iterations == 0 && norm(o.s) != 0 {
		clear(o.s)
		res, err = o.run(r, precondition)
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

// prepare makes the preconditioner of the step; nil for none.
func (o *hf[T]) prepare() (Operator[T], error) {
	switch {
	case o.inverse != nil:
		squares, ok := SampleAs[SquaredGrads[T]](o.sample)
		if !ok {
			return nil, fmt.Errorf("optimizers: hf: the problem's samples give no %v", NeedSquaredGrads)
		}
		if err := squares.SquaredGrads(o.inverse, o.x); err != nil {
			return nil, fmt.Errorf("optimizers: hf: squared gradients: %w", err)
		}
		o.work += WorkSquaredGrads * int64(o.sample.Len())
		if err := o.nonFinite("mean squared gradient", o.inverse); err != nil {
			return nil, err
		}
		for i, v := range o.inverse {
			root := math.Sqrt(float64(v) + o.damping + o.set.WeightDecay)
			o.inverse[i] = T(1 / (root * math.Sqrt(root)))
		}
	case o.kronecker != nil:
		oracle, layered := SampleAs[Factors[T]](o.sample)
		layered = layered && oracle.Passes(TargetsMC) > 0
		if !layered && len(o.kronecker.parts) > 0 {
			return nil, fmt.Errorf("optimizers: hf: the layout has blocks, but the problem's samples give no factors of layers")
		}
		if !layered {
			return nil, nil
		}
		keep := min(1-1/float64(o.estimates+1), hfForget)
		if err := o.kronecker.Update(o.sample, o.x, keep); err != nil {
			return nil, fmt.Errorf("optimizers: hf: %w", err)
		}
		o.estimates++
		o.work += WorkFactors(oracle.Passes(o.kronecker.options.Targets)) * int64(o.sample.Len())
		if o.estimates > 1 && !early(o.steps) && o.steps%o.set.InvertEvery != 0 {
			break
		}
		if err := o.kronecker.Invert(o.damping + o.set.WeightDecay); err != nil {
			return nil, fmt.Errorf("optimizers: hf: %w", err)
		}
	}
	return o.precondition, nil
}

// hfForget is the largest share of the old factors that an estimate leaves, that of K-FAC.
const hfForget = 0.95

// multiplyInverse divides by the preconditioner's diagonal.
func (o *hf[T]) multiplyInverse(dst, v []T) error {
	inverse, v := o.inverse[:len(dst)], v[:len(dst)]
	for i := range dst {
		dst[i] = inverse[i] * v[i]
	}
	return nil
}

// run is one Solve from o.s; its numbers go to the report.
func (o *hf[T]) run(r *Report, precondition Operator[T]) (CGResult, error) {
	res, err := o.cg.Solve(o.ctx, o.multiply, precondition, o.grad, o.s)
	if o.ctx.Err() != nil && err != nil {
		err = fmt.Errorf("optimizers: hf: no step taken: %w", err)
	}
	r.CGIterations += res.Iterations
	r.CGStop, r.MinCurvature = res.Stop, min(r.MinCurvature, res.MinCurvature)
	return res, err
}

// brokenDown is the error for a first product that is not finite; nil where it is rounding that ended the iterations.
func (o *hf[T]) brokenDown() error { return o.nonFinite("curvature product", o.cg.ap) }

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
