package optimizers

import (
	"context"
	"fmt"
	"math"
)

// LBFGS is the limited-memory BFGS method (Nocedal 1980; Liu & Nocedal 1989; Nocedal & Wright 2006, algorithm 7.5), by
// the rules of torch.optim.LBFGS. A step takes up to Iterations of its iterations on one minibatch:
//
//   - the direction d = -Hg by the two-loop recursion over the last History pairs s = x⁺ - x, y = g⁺ - g, from the
//     matrix (s'y/y'y) I of the last pair; a pair is kept if y's > 1e-10;
//   - the rate by LineSearch from LR, or in the very first iteration from min(1, 1/|g|₁)·LR: strong_wolfe looks for the
//     strong Wolfe conditions with C1 = 1e-4 and C2 = 0.9, armijo halves the rate up to 20 times for sufficient decrease
//     alone, none takes it as it is;
//   - they end when the largest element of the gradient is at most TolGrad, when the step, the change of the loss or
//     -g'd is at most TolChange, or after Evals gradients.
//
// The pairs outlast the step, so that a later one begins where it stopped; a search that finds nothing
// lower forgets them, so that the next begins as the first did. A pair whose minibatch changed between the
// two gradients measures noise: L-BFGS is for the whole training set or minibatches of thousands of examples; SQN is made
// for smaller ones. It keeps History + Iterations pairs of vectors. Preset xu2018 is the baseline of the code of Xu et
// al. (2018) for nonlinear least squares: one iteration a step, armijo, the identity in place of (s'y/y'y) I, every pair
// kept, a step taken even after 20 halvings.
type LBFGS struct {
	Preset     string  `set:"preset" default:"standard" oneof:"standard|xu2018" help:"xu2018: the baseline of Xu et al. (2018)"`
	LR         float64 `set:"lr" default:"1" range:"[0,inf)" help:"first rate that a line search tries, or the rate"`
	Iterations int     `set:"iterations" default:"20" range:"[1,100000]" help:"most iterations of a step (xu2018: 1)"`
	Evals      int     `set:"evals" default:"25, or 5/4 of iterations" range:"[1,1000000]" help:"gradients after which a step ends"`
	History    int     `set:"history" default:"100" range:"[1,100000]" help:"pairs of steps and changes of the gradient that are kept"`
	LineSearch string  `set:"line_search" default:"strong_wolfe" oneof:"none|armijo|strong_wolfe" help:"how the rate of an iteration is found (xu2018: armijo)"`
	TolGrad    float64 `set:"tol_grad" default:"1e-07" range:"[0,inf)" help:"largest element of a gradient that ends a step (xu2018: 0)"`
	TolChange  float64 `set:"tol_change" default:"1e-09" range:"[0,inf)" help:"largest change of a parameter or of the loss that ends a step (xu2018: 0)"`
}

var _ Method = (*LBFGS)(nil)

// Name is lbfgs.
func (*LBFGS) Name() string { return "lbfgs" }

func (*LBFGS) info() Info {
	return Info{Name: "lbfgs", Memory: 249, DefaultLR: 0, Batch: 10000,
		Use: "quasi-Newton with a line search, from gradients alone; the whole training set or large minibatches"}
}

func (m *LBFGS) defaults() {
	if m.Preset == "xu2018" {
		orSet(&m.Iterations, 1)
		orSet(&m.TolGrad, Zero)
		orSet(&m.TolChange, Zero)
		if m.LineSearch == "" {
			m.LineSearch = "armijo"
		}
	}
	if m.Evals == 0 {
		n := m.Iterations
		orSet(&n, 20)
		m.Evals = max(1, n*5/4)
	}
}

func (m *LBFGS) start32(l Layout) (Optimizer[float32], error) { return startLBFGS[float32](m, l) }
func (m *LBFGS) start64(l Layout) (Optimizer[float64], error) { return startLBFGS[float64](m, l) }

func startLBFGS[T Float](m *LBFGS, l Layout) (Optimizer[T], error) {
	s, err := resolve("lbfgs", m)
	if err != nil {
		return nil, err
	}
	o := &lbfgs[T]{core: newCore[T]("lbfgs", NeedGrad, l), rate: newRate(s.LR), set: s, scale: 1}
	o.pairs.init(o.size, s.History, s.Iterations)
	for _, v := range []*[]T{&o.d, &o.before, &o.at, &o.trial, &o.newD, &o.newBefore, &o.trialGrad, &o.keptGrad} {
		*v = make([]T, o.size)
	}
	o.look, o.keep, o.along = o.slopeAlong, o.keepGrad, o.lossAlong
	return o, nil
}

// lbfgs keeps what torch.optim.LBFGS does.
type lbfgs[T Float] struct {
	core[T]
	rate
	set     LBFGS
	pairs   pairs[T]
	done    int     // iterations in all
	d       []T     // the last direction
	t       float64 // and its rate
	moved   bool    // the last iteration moved
	before  []T     // the gradient before it
	scale   float64 // s'y/y'y
	minimum float64 // lowest s'y/s's of the step

	// Of the step that is being taken. What is new takes the place of the old at its end, so that an error changes nothing.
	ctx                 context.Context
	batch               Sample[T]
	work                int64
	at, trial           []T
	newD, newBefore     []T
	trialGrad, keptGrad []T
	look                func(rate float64) (f, slope float64, err error)
	along               func(rate float64) (f float64, err error)
	unit                float64 // what along counts its rates in
	keep                func()
}

func (o *lbfgs[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.ctx, o.batch, o.work = ctx, batch, r.Work
	copy(o.at, x)
	copy(o.newD, o.d)
	copy(o.newBefore, o.before)
	was := o.save()
	if err := o.iterate(&r); err != nil {
		o.undo(was)
		return Report{}, err
	}
	o.d, o.newD = o.newD, o.d
	o.before, o.newBefore = o.newBefore, o.before
	addScaled(o.trial, o.at, -1, x)
	r.StepNorm = norm(o.trial)
	r.Rejected = r.StepNorm == 0
	copy(x, o.at)
	r.Work = o.work
	o.ctx, o.batch = nil, nil
	o.steps++
	return r, nil
}

// lbfgsScalars is the part of the memory that is not vectors.
type lbfgsScalars struct {
	done, first, count int
	t, scale           float64
	moved              bool
}

func (o *lbfgs[T]) save() lbfgsScalars {
	return lbfgsScalars{o.done, o.pairs.first, o.pairs.count, o.t, o.scale, o.moved}
}

func (o *lbfgs[T]) undo(s lbfgsScalars) {
	o.done, o.pairs.first, o.pairs.count, o.t, o.scale, o.moved = s.done, s.first, s.count, s.t, s.scale, s.moved
	o.ctx, o.batch = nil, nil
}

// iterate runs the iterations of a step: o.at moves, o.grad is the gradient there.
func (o *lbfgs[T]) iterate(r *Report) error {
	loss, promised, first := r.Loss, 0.0, r.Loss
	evals := 1
	defer func() {
		if promised > 0 {
			r.compare(promised, first, loss, slack[T](first))
		}
		if !math.IsInf(o.minimum, 1) {
			r.MinCurvature = o.minimum
		}
	}()
	o.minimum = math.Inf(1)
	xu := o.set.Preset == "xu2018"
	for n := 1; n <= o.set.Iterations; n++ {
		size := largest(o.grad)
		if size <= o.set.TolGrad {
			return nil
		}
		t := o.lr.now
		if o.done == 0 {
			addScaled(o.newD, o.newD, -1, o.newD)
			axpy(o.newD, -1, o.grad)
			o.scale = 1
			if !xu {
				t *= min(1, 1/sumAbs(o.grad))
			}
		} else {
			o.remember(xu)
			o.direct()
		}
		o.done++
		copy(o.newBefore, o.grad)
		o.moved = false
		slope := dot(o.grad, o.newD)
		if !(slope <= -o.set.TolChange) || slope == 0 {
			o.t = t
			return nil
		}
		was := loss
		var tried int
		var err error
		known := true
		switch o.set.LineSearch {
		case "strong_wolfe":
			t, loss, tried, err = o.wolfe(t, loss, slope)
		case "armijo":
			t, loss, tried, err = o.armijo(t, loss, slope, xu, n == o.set.Iterations)
		default:
			axpy(o.at, T(t), o.newD)
			if known = n < o.set.Iterations; known {
				loss, err = o.evaluate()
				tried = 1
			}
		}
		if err != nil {
			return err
		}
		evals += tried
		r.Trials += tried
		if r.LR, o.t, o.moved = t, t, t != 0; !o.moved {
			o.pairs.count, o.done = 0, 0 // with them, the next search would fail too
		}
		if known {
			promised -= slope * t * (1 - t/2) // d'Bd = -g'd
		}
		if evals >= o.set.Evals || t*largest(o.newD) <= o.set.TolChange || known && math.Abs(loss-was) < o.set.TolChange {
			return nil
		}
	}
	return nil
}

// remember keeps the pair of the last iteration.
func (o *lbfgs[T]) remember(always bool) {
	if !o.moved {
		return
	}
	s, y := o.pairs.spare()
	addScaled(y, o.grad, -1, o.newBefore)
	clear(s)
	axpy(s, T(o.t), o.newD)
	ys, ss := dot(y, s), dot(s, s)
	if ss > 0 {
		o.minimum = min(o.minimum, ys/ss)
	}
	if !(ys > 1e-10) && !(always && ys != 0) {
		return
	}
	o.pairs.push(1 / ys)
	if !always {
		o.scale = ys / dot(y, y)
	}
}

// direct sets the direction.
func (o *lbfgs[T]) direct() {
	clear(o.newD)
	axpy(o.newD, -1, o.grad)
	o.pairs.multiply(o.newD, o.scale)
}

// evaluate has the gradient at o.at.
func (o *lbfgs[T]) evaluate() (float64, error) {
	loss, err := o.gradientAt(o.grad, o.at)
	if err != nil {
		return 0, err
	}
	if err := o.nonFinite("gradient", o.grad); err != nil {
		return 0, err
	}
	if !finite(loss) {
		return 0, &NonFiniteError{Method: o.method, What: "loss", Value: loss}
	}
	return loss, nil
}

func (o *lbfgs[T]) gradientAt(dst, x []T) (float64, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, fmt.Errorf("optimizers: %s: no step taken: %w", o.method, err)
	}
	loss, err := o.batch.Grad(dst, x)
	if err != nil {
		return 0, fmt.Errorf("optimizers: %s: gradient: %w", o.method, err)
	}
	o.work += WorkGrad * int64(o.batch.Len())
	return loss, nil
}

func (o *lbfgs[T]) slopeAlong(rate float64) (f, slope float64, err error) {
	addScaled(o.trial, o.at, T(rate), o.newD)
	if f, err = o.gradientAt(o.trialGrad, o.trial); err != nil {
		return 0, 0, err
	}
	return f, dot(o.trialGrad, o.newD), nil
}

func (o *lbfgs[T]) keepGrad() { o.trialGrad, o.keptGrad = o.keptGrad, o.trialGrad }

func (o *lbfgs[T]) wolfe(t, loss, slope float64) (rate, after float64, tried int, err error) {
	w := Wolfe{Tol: cmpZero(o.set.TolChange)}
	found, err := w.Search(o.look, o.keep, loss, slope, t, largest(o.newD))
	if err != nil {
		return 0, 0, 0, err
	}
	if found.Rate != 0 {
		axpy(o.at, T(found.Rate), o.newD)
		o.grad, o.keptGrad = o.keptGrad, o.grad
	}
	return found.Rate, found.Loss, found.Trials, nil
}

// cmpZero is Zero in the place of 0.
func cmpZero(v float64) float64 {
	if v == 0 {
		return Zero
	}
	return v
}

// lossAlong is the loss alone.
func (o *lbfgs[T]) lossAlong(rate float64) (float64, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, fmt.Errorf("optimizers: %s: no step taken: %w", o.method, err)
	}
	addScaled(o.trial, o.at, T(rate*o.unit), o.newD)
	loss, err := o.batch.Loss(o.trial)
	if err != nil {
		return 0, fmt.Errorf("optimizers: %s: loss: %w", o.method, err)
	}
	o.work += WorkLoss * int64(o.batch.Len())
	return loss, nil
}

// armijo halves the rate. After the last iteration of a step nobody needs the gradient.
func (o *lbfgs[T]) armijo(t, loss, slope float64, always, last bool) (rate, after float64, tried int, err error) {
	search := Armijo{C: armijoShare, Shrink: 0.5, Max: 20}
	o.unit = t
	found, err := search.Search(o.along, loss, slope*t, math.NaN())
	if err != nil {
		return 0, 0, 0, err
	}
	rate = found.Rate * t
	if rate == 0 {
		if !always || t == 0 {
			return 0, loss, found.Trials, nil
		}
		rate = t * math.Pow(search.Shrink, float64(search.Max))
		last = false // the loss there is not known
	}
	axpy(o.at, T(rate), o.newD)
	if last {
		return rate, found.Loss, found.Trials, nil
	}
	if after, err = o.evaluate(); err != nil {
		return 0, 0, 0, err
	}
	return rate, after, found.Trials + 1, nil
}

// sumAbs is the sum of the absolute elements.
func sumAbs[T Float](a []T) float64 {
	sum := 0.0
	for _, v := range a {
		sum += math.Abs(float64(v))
	}
	return sum
}

func (o *lbfgs[T]) shape(count int) shape {
	s := shape{method: o.method, scalars: []string{"iterations", "pairs", "rate", "scale", "moved"}, optional: []string{"lr"},
		vectors: map[string]int{"direction": o.size, "previous_gradient": o.size}}
	o.pairs.shape(s, count)
	return s
}

func (o *lbfgs[T]) State() State[T] {
	moved := 0.0
	if o.moved {
		moved = 1
	}
	s := State[T]{Method: o.method, Step: o.steps,
		Scalars: Scalars{"iterations": float64(o.done), "pairs": float64(o.pairs.count), "rate": o.t, "scale": o.scale, "moved": moved},
		Vectors: map[string][]T{"direction": append([]T{}, o.d...), "previous_gradient": append([]T{}, o.before...)}}
	o.lr.save(s.Scalars)
	o.pairs.save(s.Vectors)
	return s
}

func (o *lbfgs[T]) Restore(s State[T]) error {
	count, err := countOf(o.method, "pairs", s.Scalars["pairs"], o.set.History)
	if err != nil {
		return err
	}
	if err := s.check(o.shape(count)); err != nil {
		return err
	}
	done, err := countOf(o.method, "iterations", s.Scalars["iterations"], math.MaxInt32)
	if err != nil {
		return err
	}
	if err := positive(o.method, "scale", s.Scalars["scale"]); err != nil {
		return err
	}
	o.steps, o.done, o.t, o.scale, o.moved = s.Step, done, s.Scalars["rate"], s.Scalars["scale"], s.Scalars["moved"] != 0
	o.lr.load(s.Scalars)
	copy(o.d, s.Vectors["direction"])
	copy(o.before, s.Vectors["previous_gradient"])
	o.pairs.load(s.Vectors, count)
	return nil
}
