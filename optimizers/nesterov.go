package optimizers

import (
	"context"
	"math"
)

// Nesterov is accelerated gradient descent with a momentum that grows (Nesterov 1983; Beck & Teboulle 2009). The
// parameters are the extrapolated point y, at which the gradient g is taken:
//
//	x⁺ = y - LR·g        a⁺ = (1 + √(1 + 4a²))/2        y⁺ = x⁺ + (a - 1)/a⁺·(x⁺ - x)        a = 1 at first
//
// A convex loss with an L-Lipschitz gradient falls as 1/k² at the rate 1/L. The momentum begins anew, at a = 1, by
// Restart: gradient, where g'(x⁺ - x) > 0 (O'Donoghue & Candès 2015); doubling, after 10, 20, 40, ... further steps, as
// in the published code of Mishchenko (2023); or none. The weights to use are x: see Averaging.
//
// With LineSearch backtracking it is the method of Nesterov (2013, equation 4.9) that finds 1/L by itself: with a rate
// twice the last one (LR at first), v = x and A = 0 at first,
//
//	a = rate + √(rate² + A·rate)    y = (A·x + a·v)/(A + a)    x⁺ = y - rate·∇f(y)
//
// and half the rate until ∇f(x⁺)'(y - x⁺) ≥ rate·|∇f(x⁺)|², 60 times at most; then v = v - a·∇f(x⁺) and A = A + a. A
// trial costs two gradients. The parameters are x.
//
// A baseline, for the whole training set and plain functions; SGD with nesterov has constant momentum and is for
// minibatches.
type Nesterov struct {
	LR          float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate, or with backtracking the first rate"`
	LineSearch  string  `set:"line_search" default:"none" oneof:"none|backtracking" help:"how the rate of a step is found"`
	Restart     string  `set:"restart" default:"gradient" oneof:"none|gradient|doubling" help:"when the momentum begins anew; not with backtracking"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var (
	_ Method             = (*Nesterov)(nil)
	_ Averaging[float64] = (*nesterov[float64])(nil)
)

// Name is nesterov.
func (*Nesterov) Name() string { return "nesterov" }

func (*Nesterov) info() Info {
	return Info{Name: "nesterov", Memory: 4, DefaultLR: 0.1,
		Use: "accelerated gradient descent with growing momentum: smooth convex problems, the whole training set"}
}

func (m *Nesterov) start32(l Layout) (Optimizer[float32], error) { return startNesterov[float32](m, l) }
func (m *Nesterov) start64(l Layout) (Optimizer[float64], error) { return startNesterov[float64](m, l) }

func startNesterov[T Float](m *Nesterov, l Layout) (Optimizer[T], error) {
	s, err := resolve("nesterov", m)
	if err != nil {
		return nil, err
	}
	o := &nesterov[T]{rate: newRate(s.LR), set: s, a: 1, found: s.LR, until: firstRestart}
	o.init("nesterov", l, newtonSettings{decay: s.WeightDecay, judge: "batch"})
	o.needs = NeedGrad
	o.last = make([]T, o.size)
	if s.LineSearch == "backtracking" {
		o.start = make([]T, o.size)
	}
	return o, nil
}

// firstRestart is how many steps the momentum grows at least.
const firstRestart = 10

type nesterov[T Float] struct {
	newton[T]
	rate
	set   Nesterov
	last  []T     // x, or with backtracking v
	a     float64 // or A
	found float64 // the last rate of backtracking
	since int     // steps since the last restart
	until int     // and how many there are between two, of doubling
	start []T     // the y of a trial
}

// EvalWeights writes x.
func (o *nesterov[T]) EvalWeights(dst, x []T) {
	if o.steps > 0 && o.start == nil {
		x = o.last
	}
	copy(dst, x)
}

func (o *nesterov[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	r, err := o.begin(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	defer o.forget()
	r.Rho = 0
	if o.start != nil {
		err = o.backtrack(&r, x)
	} else {
		o.accelerate(&r, x)
	}
	if err != nil {
		return Report{}, err
	}
	r.Work = o.work
	o.steps++
	return r, nil
}

// accelerate is a step at a rate that is given.
func (o *nesterov[T]) accelerate(r *Report, y []T) {
	if o.steps == 0 {
		copy(o.last, y)
	}
	r.LR = o.lr.now
	addScaled(o.trial, y, T(-r.LR), o.grad) // x⁺
	addScaled(o.s, o.trial, -1, o.last)     // x⁺ - x
	if o.restarts() {
		o.a, o.since = 1, 0
	} else {
		o.since++
	}
	next := (1 + math.Sqrt(1+4*o.a*o.a)) / 2
	momentum := (o.a - 1) / next
	o.a = next
	copy(o.last, o.trial)
	axpy(o.trial, T(momentum), o.s)
	addScaled(o.s, o.trial, -1, y)
	r.StepNorm = norm(o.s)
	copy(y, o.trial)
}

// restarts says whether the momentum begins anew.
func (o *nesterov[T]) restarts() bool {
	switch {
	case o.set.Restart == "none" || o.since < firstRestart:
		return false
	case o.set.Restart == "gradient":
		return dot(o.grad, o.s) > 0
	case o.since < o.until:
		return false
	}
	o.until *= 2
	return true
}

// backtrack is a step that finds its rate.
func (o *nesterov[T]) backtrack(r *Report, x []T) error {
	if o.steps == 0 {
		copy(o.last, x)
	}
	rate := o.found
	if o.steps > 0 {
		rate = min(2*rate, math.MaxFloat64)
	}
	for r.Trials < 60 {
		r.Trials++
		a := rate + math.Sqrt(rate*rate+o.a*rate)
		if o.a+a == 0 {
			break
		}
		clear(o.start)
		axpy(o.start, T(o.a/(o.a+a)), x)
		axpy(o.start, T(a/(o.a+a)), o.last)
		if _, err := o.slope(o.grad, o.start); err != nil {
			return err
		}
		addScaled(o.trial, o.start, T(-rate), o.grad)
		size, err := o.slope(o.grad, o.trial)
		if err != nil {
			return err
		}
		addScaled(o.s, o.start, -1, o.trial)
		if finite(size) && finite(o.a+a) && dot(o.grad, o.s) >= rate*size*size {
			addScaled(o.s, o.trial, -1, x)
			r.LR, r.StepNorm = rate, norm(o.s)
			axpy(o.last, T(-a), o.grad)
			o.a += a
			o.found = rate
			copy(x, o.trial)
			return nil
		}
		rate /= 2
	}
	r.Rejected = true
	o.found = max(rate, math.SmallestNonzeroFloat64)
	return nil
}

// slope writes the gradient at a point and gives its length.
func (o *nesterov[T]) slope(dst, at []T) (float64, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, o.cancelled(err)
	}
	if _, err := o.batch.Grad(dst, at); err != nil {
		return 0, o.failed("gradient", err)
	}
	o.work += WorkGrad * int64(o.batch.Len())
	if o.decay != 0 {
		axpy(dst, T(o.decay), at)
	}
	return norm(dst), nil
}

func (o *nesterov[T]) shape() shape {
	return shape{method: o.method, scalars: []string{"a", "found_rate", "since_restart", "until_restart"}, optional: []string{"lr"},
		vectors: map[string]int{"last": o.size}}
}

func (o *nesterov[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Vectors: map[string][]T{"last": append([]T{}, o.last...)},
		Scalars: Scalars{"a": o.a, "found_rate": o.found, "since_restart": float64(o.since), "until_restart": float64(o.until)}}
	o.lr.save(s.Scalars)
	return s
}

func (o *nesterov[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	since, err := countOf(o.method, "since_restart", s.Scalars["since_restart"], math.MaxInt32)
	if err != nil {
		return err
	}
	until, err := countOf(o.method, "until_restart", s.Scalars["until_restart"], math.MaxInt32)
	if err != nil {
		return err
	}
	o.steps, o.a, o.found, o.since, o.until = s.Step, s.Scalars["a"], s.Scalars["found_rate"], since, until
	o.lr.load(s.Scalars)
	copy(o.last, s.Vectors["last"])
	return nil
}
