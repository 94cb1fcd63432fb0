package optimizers

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// ARC is adaptive regularisation with cubics (Cartis, Gould & Toint 2011). It fits
//
//	m(s) = g's + s'Hs/2 + σ|s|³/3        g the minibatch gradient, H the Hessian on a fresh sample
//
// minimises it over the space that Lanczos builds from g, exactly, by the secular equation of the projected problem, and
// stops Lanczos where the model's gradient is at most min(LanczosTol, √|g|)·|g|. From ρ = (f(x) - f(x+s)) / -m(s), f the
// objective:
//
//	ρ < 1e-4 or undefined    x stays, σ grows at least twofold and at most a hundredfold to the σ for which the model
//	                         would have been right at s, and the model is minimised again in the same space, up to Tries times
//	ρ < 1/4                  σ is doubled
//	ρ > 3/4                  σ is halved, down to MinCubic
//
// Where the model promises no more than rounding, the gradient has run out: Lanczos then looks for negative curvature
// from a random start, and the step follows it, so that saddles are left, also those where the gradient is exactly 0.
//
// Preset xu2018 has what the published code of Xu et al. (2018) does: Lanczos from g with noise of length 1 up to 250 steps,
// each time a step is tried, σ doubled after ρ < 1e-4, divided by 1.2 up to ρ = 0.8 and by 2 above, from 1e-4 at first,
// a 20th of the examples for the curvature, and the same model tried until a step is taken (60 times here). From a start
// where the gradient is large that first σ lets the first step be enormous.
//
// The basis is kept: LanczosIters vectors of memory, and up to 22 more to look for negative curvature. See TrustRegion
// for the samples.
type ARC struct {
	Preset       string  `set:"preset" default:"standard" oneof:"standard|xu2018" help:"xu2018: the rules and defaults of Xu et al. (2018)"`
	Cubic        float64 `set:"cubic" default:"1" range:"(0,inf)" help:"first σ, the weight of the cubic term (xu2018: 1e-4)"`
	MinCubic     float64 `set:"min_cubic" default:"1e-10" range:"[0,inf)" help:"smallest σ (xu2018: 0)"`
	Curvature    float64 `set:"curvature" default:"1000" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set (xu2018: 0.05)"`
	LanczosIters int     `set:"lanczos_iters" default:"30" range:"[1,100000]" help:"most steps of Lanczos (xu2018: 250)"`
	LanczosTol   float64 `set:"lanczos_tol" default:"0.1" range:"(0,1)" help:"largest gradient of the model over that of the loss at which they stop (xu2018: they go on)"`
	Tries        int     `set:"tries" default:"10" range:"[1,1000]" help:"steps tried with one model before x stays (xu2018: 60)"`
	GaussNewton  bool    `set:"gauss_newton" default:"false" help:"the Gauss-Newton matrix in place of the Hessian"`
	Sampling     string  `set:"sampling" default:"uniform" oneof:"uniform|norms" help:"how the curvature sample is drawn: uniformly, or by the norms of the examples' Hessians"`
	Objective    string  `set:"objective" default:"batch" oneof:"batch|sample|full" help:"what steps are judged on: the minibatch, a fresh sample as large, or the whole training set"`
	Average      float64 `set:"average" default:"0.95" range:"[0,1)" help:"share of the old average of the weights to evaluate, where the minibatch is not everything; 0: no average"`
	WeightDecay  float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*ARC)(nil)

// Name is arc.
func (*ARC) Name() string { return "arc" }

func (*ARC) info() Info {
	return Info{Name: "arc", Memory: 35, Batch: 2000,
		Use: "cubic regularisation with exact Hessian products: leaves saddles, needs no learning rate; large minibatches"}
}

func (m *ARC) defaults() {
	if m.Preset != "xu2018" {
		return
	}
	orSet(&m.Cubic, 1e-4)
	orSet(&m.MinCubic, Zero)
	orSet(&m.Curvature, 0.05)
	orSet(&m.LanczosIters, 250)
	orSet(&m.Tries, 60)
	orSet(&m.Average, Zero)
}

func (m *ARC) start32(l Layout) (Optimizer[float32], error) { return startARC[float32](m, l) }
func (m *ARC) start64(l Layout) (Optimizer[float64], error) { return startARC[float64](m, l) }

func startARC[T Float](m *ARC, l Layout) (Optimizer[T], error) {
	s, err := resolve("arc", m)
	if err != nil {
		return nil, err
	}
	rule := arcStandard
	if s.Preset == "xu2018" {
		rule = arcXu2018
	}
	return newARC[T]("arc", l, s, rule), nil
}

func newARC[T Float](method string, l Layout, s ARC, rule arcRule) *arc[T] {
	o := &arc[T]{set: s, sigma: s.Cubic, rule: rule}
	o.init(method, l, newtonSettings{s.WeightDecay, s.GaussNewton, s.Curvature, s.Sampling, s.Objective})
	o.model.lanczos.MaxIter = s.LanczosIters
	o.steady = newSteady[T](s.Average, o.size)
	if rule == arcXu2018 {
		o.noisy = make([]T, o.size)
	}
	return o
}

// arcRule is how σ follows ρ.
type arcRule uint8

const (
	arcStandard arcRule = iota
	arcXu2018
	arcBound    // CubicNewton's: the model has to bound the objective
	arcConstant // CubicNewton's: σ stays
)

type arc[T Float] struct {
	newton[T]
	steady[T]
	set   ARC
	rule  arcRule
	sigma float64
	model cubicModel[T]
	noisy []T // where Lanczos starts with xu2018
}

const arcAccept, arcFair, arcGood, arcXuGood, mostCubic = 1e-4, 0.25, 0.75, 0.8, 1e150

func (o *arc[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
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
	next, err := o.search(&r)
	if err != nil {
		return Report{}, err
	}
	if r.Rejected {
		r.StepNorm = 0
	} else {
		axpy(x, 1, o.s)
	}
	if o.rule != arcConstant {
		o.sigma = next
	}
	o.include(x, o.whole)
	r.Work = o.work
	o.steps++
	return r, nil
}

// search finds a step that does what its model promises, in o.s, and the σ after it.
func (o *arc[T]) search(r *Report) (sigma float64, err error) {
	sigma = o.sigma
	if norm(o.grad) == 0 {
		return o.leave(r, sigma)
	}
	begun := false
	for r.Trials < o.set.Tries {
		r.Cubic = sigma
		if !begun || o.rule == arcXu2018 {
			if err := o.build(); err != nil {
				return 0, err
			}
			begun = true
		}
		s, err := o.minimise(r, sigma)
		if err != nil {
			return 0, err
		}
		if o.spent(-s.value) && r.Trials == 0 {
			if next, err := o.leave(r, sigma); err != nil || !r.Rejected {
				return next, err
			}
			r.Rejected, r.Trials = false, 0
		}
		o.model.write(o.s)
		after, err := o.at(r)
		if err != nil {
			return 0, err
		}
		if r.compare(o.onObjective(-s.value), o.start, after, o.rounding()) {
			return sigma, nil
		}
		sigma = o.next(sigma, r.Rho, s, after)
		if o.accepts(r.Rho) {
			return sigma, nil
		}
	}
	r.Rejected = true
	return sigma, nil
}

// accepts says whether a step is taken.
func (o *arc[T]) accepts(rho float64) bool {
	switch o.rule {
	case arcBound:
		return rho >= 1
	case arcConstant:
		return finite(rho)
	}
	return rho >= arcAccept
}

// build begins the space of a model.
func (o *arc[T]) build() error {
	start := o.grad
	if o.rule == arcXu2018 {
		start = o.noisy
		root := math.Sqrt(float64(o.size))
		for i, g := range o.grad {
			start[i] = g + T(o.random.NormFloat64()/root)
		}
	}
	if err := o.model.begin(o.grad, start); err != nil {
		return fmt.Errorf("optimizers: %s: %w", o.method, err)
	}
	return nil
}

// minimise grows the space as far as σ asks for.
func (o *arc[T]) minimise(r *Report, sigma float64) (cubicStep, error) {
	l := &o.model.lanczos
	size := norm(o.grad)
	tol := min(o.set.LanczosTol, math.Sqrt(size)) * size
	if o.rule == arcXu2018 {
		tol = -1
	}
	before := l.Steps()
	s, err := o.model.grow(o.ctx, o.multiply, sigma, tol)
	if err != nil {
		if o.ctx.Err() != nil {
			err = o.cancelled(err)
		}
		return s, err
	}
	if l.Steps() == 0 {
		if err := o.nonFinite("curvature product", l.w); err != nil {
			return s, err
		}
	}
	r.CGIterations += l.Steps() - before
	r.CGStop = l.Stop()
	if s.residual <= tol {
		r.CGStop = StopResidual
	}
	r.Damping = s.lambda
	o.curved(r, o.model.values[0])
	return s, nil
}

// at is the objective at x + s.
func (o *arc[T]) at(r *Report) (float64, error) {
	addScaled(o.trial, o.x, 1, o.s)
	r.StepNorm = norm(o.s)
	r.Trials++
	return o.loss(o.trial)
}

// next is the σ after a step that led to an objective.
func (o *arc[T]) next(sigma, rho float64, s cubicStep, after float64) float64 {
	switch {
	case o.rule == arcConstant && o.accepts(rho):
	case o.rule == arcBound || o.rule == arcConstant:
		if sigma *= 2; rho >= 1 {
			sigma /= 4
		}
	case o.rule == arcXu2018 && !(rho >= arcAccept):
		sigma *= 2
	case o.rule == arcXu2018 && rho < arcXuGood:
		sigma /= 1.2
	case o.rule == arcXu2018:
		sigma /= 2
	case !(rho >= arcAccept):
		fit := 3 * (after - o.start - s.linear) / (s.length * s.length * s.length)
		if math.IsNaN(fit) {
			fit = 0
		}
		sigma = min(max(fit, 2*sigma), 100*sigma)
	case rho < arcFair:
		sigma *= 2
	case rho > arcGood:
		sigma /= 2
	}
	return min(max(sigma, o.set.MinCubic, math.SmallestNonzeroFloat64), mostCubic)
}

// leave follows a direction of negative curvature from where the gradient has run out, as far as the model along it
// says, and less until the objective falls. Where there is none, or it does not, the report says rejected.
func (o *arc[T]) leave(r *Report, sigma float64) (float64, error) {
	curvature, err := o.escape(r)
	if err != nil {
		return 0, err
	}
	if curvature == 0 {
		if r.CGStop == "" {
			r.CGStop = StopResidual
		}
		r.Rejected = true
		return sigma, nil
	}
	r.CGStop = StopCurvature
	first := sigma
	slope, length := dot(o.s, o.grad), 1.0
	d, c, y := [1]float64{curvature}, [1]float64{slope}, [1]float64{}
	for range max(o.set.Tries, 60) {
		lambda, value := secularCubic(d[:], c[:], sigma, y[:])
		s := cubicStep{value: value, lambda: lambda, length: math.Abs(y[0])}
		s.linear = value - sigma*s.length*s.length*s.length/3
		r.Cubic, r.Damping = sigma, lambda
		scale(o.s, T(s.length/length))
		length = s.length
		after, err := o.at(r)
		if err != nil {
			return 0, err
		}
		r.compare(-value, o.start, after, 0)
		sigma = o.next(sigma, r.Rho, s, after)
		if o.accepts(r.Rho) {
			return sigma, nil
		}
	}
	r.Rejected = true
	return first, nil
}

func (o *arc[T]) shape() shape {
	s := shape{method: o.method, scalars: []string{"cubic"}, vectors: map[string]int{}}
	o.averageShape(&s)
	return s
}

func (o *arc[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"cubic": o.sigma}, Vectors: map[string][]T{}}
	o.saveAverage(&s)
	return s
}

func (o *arc[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	if err := errors.Join(positive(o.method, "cubic", s.Scalars["cubic"]), o.checkAverage(s)); err != nil {
		return err
	}
	o.steps, o.sigma = s.Step, s.Scalars["cubic"]
	o.loadAverage(s)
	return nil
}
