package optimizers

import (
	"context"
	"math"
)

// NegativeCurvature descends along the gradient or along a direction of negative curvature, whichever promises more (the
// dynamic method of Curtis & Robinson 2019, Algorithm 2). With g the minibatch gradient at x, d a direction of length 1
// with the lowest curvature c = d'Hd that Lanczos finds from a random start, such that g'd ≤ 0, and estimates L and M of
// how fast gradient and Hessian change,
//
//	x - g/L      promises |g|²/(2L)
//	x + βd       promises -βg'd - β²c/2 - β³M/6, with the β ≥ 0 for which that is most, where c < 0
//
// A step that gives the objective less than it promised is taken back: its estimate doubles, and both are compared
// again. The estimate of the step that is taken is halved for the next one, so that it follows the function. If Tries
// steps are taken back the step is rejected: x stays. Report.Rho is at least 1 for a step that was taken, up to rounding.
//
// H is on the minibatch where that is the whole training set, otherwise on a fresh sample of Curvature examples. Every
// says how often the method looks for d; between, it goes along the gradient. A look takes memory for up to
// LanczosIters+2 vectors. The start of Lanczos depends on the step alone.
//
// To leave saddles surely and find points where the Hessian has no negative curvature, without solving with it. Near a
// minimum it is gradient descent with a safeguarded rate: there TrustRegion or ARC is faster.
type NegativeCurvature struct {
	L            float64 `set:"l" default:"1" range:"(0,inf)" help:"first estimate of the Lipschitz constant of the gradient"`
	M            float64 `set:"m" default:"1" range:"(0,inf)" help:"first estimate of the Lipschitz constant of the Hessian"`
	LanczosIters int     `set:"lanczos_iters" default:"20" range:"[1,1000000]" help:"most products in a look for negative curvature"`
	Every        int     `set:"every" default:"1" range:"[1,inf)" help:"steps from one such look to the next"`
	Tries        int     `set:"tries" default:"60" range:"[1,1000000]" help:"points tried in a step"`
	Curvature    float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set"`
	Objective    string  `set:"objective" default:"batch" oneof:"batch|sample|full" help:"what steps are judged on: the minibatch, a fresh sample as large, or the whole training set"`
	WeightDecay  float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*NegativeCurvature)(nil)

// Name is negative_curvature.
func (*NegativeCurvature) Name() string { return "negative_curvature" }

func (*NegativeCurvature) info() Info {
	return Info{Name: "negative_curvature", Memory: 6, Batch: 4000,
		Use: "gradient descent that goes along negative curvature where that promises more: leaves saddles surely"}
}

func (m *NegativeCurvature) start32(l Layout) (Optimizer[float32], error) {
	return startNegativeCurvature[float32](m, l)
}
func (m *NegativeCurvature) start64(l Layout) (Optimizer[float64], error) {
	return startNegativeCurvature[float64](m, l)
}

func startNegativeCurvature[T Float](m *NegativeCurvature, l Layout) (Optimizer[T], error) {
	s, err := resolve("negative_curvature", m)
	if err != nil {
		return nil, err
	}
	o := &negativeCurvature[T]{set: s, l: s.L, m: s.M}
	o.init("negative_curvature", l, newtonSettings{s.WeightDecay, false, s.Curvature, "uniform", s.Objective})
	return o, nil
}

type negativeCurvature[T Float] struct {
	newton[T]
	set  NegativeCurvature
	l, m float64
}

// The bounds of the estimates, whatever happens.
const leastLipschitz, largestLipschitz = 1e-16, 1e16

func (o *negativeCurvature[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	r, err := o.begin(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	defer o.forget()
	curvature := 0.0 // along o.s
	if o.steps%o.set.Every == 0 {
		if err := o.drawCurvature(); err != nil {
			return Report{}, err
		}
		if curvature, err = o.look(&r); err != nil {
			return Report{}, err
		}
	}
	if err := o.drawObjective(r.Loss); err != nil {
		return Report{}, err
	}
	along := dot(o.grad, o.s)
	gg := dot(o.grad, o.grad)
	l, m := o.l, o.m
	for r.Rejected = true; r.Rejected && r.Trials < o.set.Tries; {
		if err := ctx.Err(); err != nil {
			return Report{}, o.cancelled(err)
		}
		promised, rate, direction, estimate := gg/(2*l), -1/l, o.grad, &l
		if curvature < 0 {
			beta := mostOfCubic(along, curvature, m)
			if by := -beta * (along + beta*(curvature/2+beta*m/6)); by > promised {
				promised, rate, direction, estimate = by, beta, o.s, &m
			}
		}
		if !(promised > 0) {
			r.Rejected = false // nothing promises anything: x is as good as it gets
			break
		}
		addScaled(o.trial, x, T(rate), direction)
		r.Trials++
		after, err := o.loss(o.trial)
		if err != nil {
			return Report{}, err
		}
		r.compare(promised, o.start, after, o.rounding())
		if o.start-after >= promised-o.rounding() {
			r.Rejected = false
			r.LR = math.Abs(rate)
			r.StepNorm = r.LR * norm(direction)
			*estimate = max(*estimate/2, leastLipschitz)
			copy(x, o.trial)
		} else if *estimate *= 2; *estimate > largestLipschitz {
			*estimate = largestLipschitz
			break
		}
	}
	o.l, o.m = l, m
	r.Work = o.work
	o.steps++
	return r, nil
}

// mostOfCubic is the β ≥ 0 that makes -βa - β²c/2 - β³m/6 largest, for a ≤ 0, c < 0 and m > 0.
func mostOfCubic(a, c, m float64) float64 { return (-c + math.Sqrt(c*c-2*m*a)) / m }

// look leaves a direction of the lowest curvature found in o.s, of length 1 and not uphill, and gives that curvature; 0
// where it is not negative beyond rounding.
func (o *negativeCurvature[T]) look(r *Report) (float64, error) {
	value, size, products, err := o.saddle.search(o.ctx, o.multiply, o.size, min(o.size, o.set.LanczosIters), uint64(o.steps))
	if err != nil {
		if o.ctx.Err() != nil {
			return 0, o.cancelled(err)
		}
		return 0, err
	}
	r.CGIterations = products
	r.CGStop = StopResidual
	if products == o.set.LanczosIters && products < o.size {
		r.CGStop = StopIterations
	}
	if math.IsNaN(value) {
		r.CGStop = StopBreakdown
		return 0, o.brokenDown()
	}
	r.MinCurvature = value
	if value > -math.Sqrt(epsilon[T]())*size {
		return 0, nil
	}
	copy(o.s, o.saddle.vector)
	if dot(o.s, o.grad) > 0 {
		scale(o.s, -1)
	}
	return value, nil
}

// brokenDown is the error for a product that is not finite; nil where there was nothing to multiply.
func (o *negativeCurvature[T]) brokenDown() error {
	return o.nonFinite("Hessian product", o.saddle.lanczos.w)
}

func (o *negativeCurvature[T]) shape() shape {
	return shape{method: o.method, scalars: []string{"l", "m"}}
}

func (o *negativeCurvature[T]) State() State[T] {
	return State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"l": o.l, "m": o.m}}
}

func (o *negativeCurvature[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	for _, name := range []string{"l", "m"} {
		if err := positive(o.method, name, s.Scalars[name]); err != nil {
			return err
		}
	}
	o.steps, o.l, o.m = s.Step, s.Scalars["l"], s.Scalars["m"]
	return nil
}
