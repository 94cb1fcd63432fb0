package optimizers

import (
	"context"
	"math"
)

// GeometricBatch grows the minibatch that a method sees geometrically: with b examples in the problem's minibatch of the
// first step,
//
//	n = ceil(b·Tau^t)        t = 0, 1, 2, ...
//
// at most Most or the whole training set (Friedlander & Schmidt 2012; Byrd et al. 2012; Bottou, Curtis & Nocedal 2018,
// theorem 5.3). The error of the gradient falls with the loss, so that on strongly convex losses SGD with a constant
// learning rate converges linearly, for the work of 1/ε examples. Tau should not be larger than the rate of convergence
// deserves: 1.01, the default, doubles the samples in 70 steps.
//
// What is beyond the problem's own minibatch is drawn anew in every step, at least two examples and an eighth of it, and
// rounded up to four significant bits; an example may be there twice, and batch normalisation normalises the two parts
// apart. An epoch remains a pass of the problem's own minibatches. The Report
// tells of the whole sample and its size (Batch). Two numbers are kept beside the method's State.
//
// For any method, HF and SVRG too. NormTest grows by need.
type GeometricBatch struct {
	Tau  float64 `set:"tau" default:"1.01" range:"[1,inf)" help:"growth in each step"`
	Most int     `set:"most" default:"0" range:"[0,inf)" help:"examples that a minibatch grows to; 0: the whole training set"`
	Of   Method  // the method that sees the minibatches
}

var _ Method = (*GeometricBatch)(nil)

// Name is that of the wrapped method, and +geometric_batch.
func (w *GeometricBatch) Name() string { return wrapperName("geometric_batch", w.Of) }

func (*GeometricBatch) info() Info {
	return Info{Name: "geometric_batch", Memory: 1, Use: "minibatches that grow by a constant factor: a constant rate may stay"}
}

func (*GeometricBatch) word() string    { return "geometric_batch" }
func (w *GeometricBatch) inner() Method { return w.Of }

func (w *GeometricBatch) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *GeometricBatch) start32(l Layout) (Optimizer[float32], error) {
	return startGeometricBatch[float32](w, l)
}

func (w *GeometricBatch) start64(l Layout) (Optimizer[float64], error) {
	return startGeometricBatch[float64](w, l)
}

func startGeometricBatch[T Float](w *GeometricBatch, l Layout) (Optimizer[T], error) {
	s, err := resolve("geometric_batch", w)
	if err != nil {
		return nil, err
	}
	o, err := startGrown[T]("geometric_batch", s.Of, l)
	if err != nil {
		return nil, err
	}
	return newGeometricBatch(s.Name(), o, s, 0, l), nil
}

// newGeometricBatch is o, which has a name, with minibatches that grow after some steps.
func newGeometricBatch[T Float](name string, o Optimizer[T], s GeometricBatch, from int, l Layout) *geometricBatch[T] {
	n := &geometricBatch[T]{Optimizer: o, name: name, set: s, from: from, size: l.Size()}
	n.problem.join.room = make([]T, n.size)
	return n
}

type geometricBatch[T Float] struct {
	Optimizer[T]
	name    string
	set     GeometricBatch
	from    int // steps before it grows
	problem grown[T]
	size    int // of the parameters
	first   int // examples of the first minibatch
	steps   int
}

// Unwrap is the wrapped method's optimizer.
func (w *geometricBatch[T]) Unwrap() Optimizer[T] { return w.Optimizer }

func (*geometricBatch[T]) growsBatch() {}

func (w *geometricBatch[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := ready(ctx, w.name, w.size, len(x), p); err != nil {
		return Report{}, err
	}
	if err := missing(w.name, w.Needs(), p.Has()); err != nil {
		return Report{}, err
	}
	first := w.first
	if b := p.Batch(); w.steps == 0 && b != nil {
		first = b.Len()
	}
	wanted := math.Ceil(float64(first) * math.Pow(w.set.Tau, float64(max(0, w.steps-w.from))))
	if full := p.Full(); full != nil {
		wanted = min(wanted, float64(full.Len()))
	}
	if w.set.Most > 0 {
		wanted = min(wanted, float64(w.set.Most))
	}
	if err := w.problem.begin(w.name, p, int(wanted)); err != nil {
		return Report{}, err
	}
	defer w.problem.end()
	r, err := w.Optimizer.Step(ctx, x, &w.problem)
	if err != nil {
		return Report{}, err
	}
	r.Work += w.problem.work
	r.Batch = w.problem.join.n
	w.first = first
	w.steps++
	return r, nil
}

// The names of what GeometricBatch adds to a State.
const geometricStep, geometricFirst = "geometric_batch_step", "geometric_batch_first"

func (w *geometricBatch[T]) State() State[T] {
	return withOwn(w.Optimizer.State(), Scalars{geometricStep: float64(w.steps), geometricFirst: float64(w.first)}, nil)
}

func (w *geometricBatch[T]) Restore(s State[T]) error {
	inner, own, err := takeOwn(s, ownNames{wrapper: "geometric_batch", counts: []string{geometricStep, geometricFirst}})
	if err != nil {
		return err
	}
	if err := w.Optimizer.Restore(inner); err != nil {
		return err
	}
	w.steps, w.first = int(own.Scalars[geometricStep]), int(own.Scalars[geometricFirst])
	return nil
}
