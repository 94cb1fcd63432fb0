package optimizers

import (
	"context"
	"fmt"
	"math"
)

// SAGA keeps a table of the last gradient of every example, for a mean over a finite training set. With the gradients g_i
// at x of the examples i of the minibatch, t_i those of the table and m the mean of the whole table
//
//	x = x - LR·(mean of g_i - mean of t_i + m),   then t_i = g_i
//
// (Defazio, Bach & Lacoste-Julien 2014, equation 7, with minibatches and without the proximal step). As with SVRG the
// direction is unbiased and its variance vanishes at the minimum, so that the convergence with a constant rate is
// linear on a strongly convex loss; there is no inner loop to set, and no gradient of the whole set after the first step,
// which fills the table with gradients at the start. A rate of 1/(3L), L the largest curvature of a single example's loss,
// is theirs.
//
// The table takes as many gradients as there are examples; more than Budget is an error of the first step that says how
// much it would take. It is part of the State and of checkpoints. m is computed anew from the table after each pass over
// the training set, so that rounding does not gather.
//
// For convex losses of few parameters: regularised regression. SVRG and SARAH do with four vectors. Not for deep nets.
type SAGA struct {
	LR     float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate"`
	Budget float64 `set:"budget" default:"1" range:"(0,inf)" help:"GiB (2^30 bytes) that the table may take"`
}

var _ Method = (*SAGA)(nil)

// Name is saga.
func (*SAGA) Name() string { return "saga" }

func (*SAGA) info() Info {
	return Info{Name: "saga", Memory: 5, DefaultLR: 0.1,
		Use: "corrections by a table of each example's last gradient, beside these numbers: linear convergence, few parameters"}
}

func (s *SAGA) start32(l Layout) (Optimizer[float32], error) { return startSAGA[float32](s, l) }
func (s *SAGA) start64(l Layout) (Optimizer[float64], error) { return startSAGA[float64](s, l) }

func startSAGA[T Float](m *SAGA, l Layout) (Optimizer[T], error) {
	s, err := resolve("saga", m)
	if err != nil {
		return nil, err
	}
	o := &saga[T]{core: newCore[T]("saga", NeedExampleGrads, l), rate: newRate(s.LR), set: s}
	o.mean, o.old = make([]T, o.size), make([]T, o.size)
	o.toTable, o.toFresh, o.pass = o.fillRow, o.addFresh, o.block
	return o, nil
}

type saga[T Float] struct {
	core[T]
	rate
	set      SAGA
	examples int // in the training set; 0 until the table is there
	table    []T // a row for each
	mean     []T // of the table
	seen     int // examples since the mean was computed from it

	// Of the step that is being taken.
	old   []T   // mean of the table's rows for the minibatch
	fresh []T   // gradients of the minibatch's examples, one after another
	which []int // their numbers
	loss  float64
	rows  int // filled in the table
	x     []T
	step  T

	// Made once, because a closure made in every step would be garbage in every step.
	toTable, toFresh func(example int, loss float64, g []T) error
	pass             func(worker, i int)
}

func (*saga[T]) reducesVariance() {}

func (o *saga[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	if err := ready(ctx, o.method, o.size, len(x), p); err != nil {
		return Report{}, err
	}
	if has := p.Has(); o.needs&^has != 0 {
		return Report{}, missing(o.method, o.needs, has)
	}
	batch := p.Batch()
	if batch == nil {
		return Report{}, fmt.Errorf("optimizers: %s: the problem has no minibatch", o.method)
	}
	full, err := all(o.method, p)
	if err != nil {
		return Report{}, err
	}
	n := full.Len()
	if o.examples != 0 && o.examples != n {
		return Report{}, fmt.Errorf("optimizers: %s: the training set has %d examples, the table %d", o.method, n, o.examples)
	}
	var r Report
	if err := o.gradients(batch, x, n, &r); err != nil {
		return Report{}, err
	}
	if o.examples == 0 {
		if err := o.begin(full, x, &r); err != nil {
			return Report{}, err
		}
	}
	o.x, o.step = x, T(o.lr.now)
	inBlocks(o.size, o.pass)
	o.x = nil
	if o.seen += len(o.which); o.seen >= n {
		o.average()
	}
	o.steps++
	r.LR = o.lr.now
	return r, nil
}

// gradients fills o.fresh, and o.grad with its mean.
func (o *saga[T]) gradients(batch Sample[T], x []T, n int, r *Report) error {
	o.fresh, o.which, o.loss = o.fresh[:0], o.which[:0], 0
	clear(o.grad)
	if err := exampleGrads(o.method, batch, x, o.toFresh); err != nil {
		return err
	}
	for _, i := range o.which {
		if i < 0 || i >= n {
			return fmt.Errorf("optimizers: %s: the problem gives an example the number %d; its training set has %d", o.method, i, n)
		}
	}
	count := float64(len(o.which))
	scale(o.grad, T(1/count))
	r.Loss, r.GradNorm, r.Work = o.loss/count, norm(o.grad), WorkExampleGrads*int64(len(o.which))
	if !finite(r.GradNorm) {
		if err := o.nonFinite("gradient", o.grad); err != nil {
			return err
		}
	}
	if !finite(r.Loss) {
		return &NonFiniteError{Method: o.method, What: "loss", Value: r.Loss}
	}
	return nil
}

func (o *saga[T]) addFresh(example int, loss float64, g []T) error {
	o.fresh = append(o.fresh, g...)
	o.which = append(o.which, example)
	o.loss += loss
	for j, v := range g {
		o.grad[j] += v
	}
	return nil
}

// begin fills the table. It is there when all have gone well.
func (o *saga[T]) begin(full Sample[T], x []T, r *Report) error {
	n := full.Len()
	const gib = 1 << 30
	bytes := 8 * float64(n) * float64(o.size)
	if _, single := any(T(0)).(float32); single {
		bytes /= 2
	}
	if bytes > o.set.Budget*gib {
		return fmt.Errorf("optimizers: %s: a table of %d gradients of %d numbers takes %.3g GiB, more than its budget of %.3g; raise the budget, or use svrg or sarah, which keep 4 vectors",
			o.method, n, o.size, bytes/gib, o.set.Budget)
	}
	if o.table = o.table[:0]; cap(o.table) < n*o.size {
		o.table = make([]T, n*o.size)
	}
	o.table = o.table[:n*o.size]
	o.rows = 0
	if err := exampleGrads(o.method, full, x, o.toTable); err != nil {
		return err
	}
	if o.rows != n {
		return fmt.Errorf("optimizers: %s: the problem gives %d gradients of %d examples", o.method, o.rows, n)
	}
	r.Work += WorkExampleGrads * int64(n)
	o.examples = n
	o.average()
	if err := o.nonFinite("gradient of the whole set", o.mean); err != nil {
		o.examples = 0
		clear(o.mean)
		return err
	}
	return nil
}

func (o *saga[T]) fillRow(example int, _ float64, g []T) error {
	if example < 0 || (example+1)*o.size > len(o.table) {
		return fmt.Errorf("an example of the whole set has the number %d", example)
	}
	copy(o.row(example), g)
	o.rows++
	return nil
}

func (o *saga[T]) row(example int) []T { return o.table[example*o.size : (example+1)*o.size] }

// average computes the mean of the table.
func (o *saga[T]) average() {
	clear(o.mean)
	for i := range o.examples {
		for j, v := range o.row(i) {
			o.mean[j] += v
		}
	}
	scale(o.mean, T(1/float64(o.examples)))
	o.seen = 0
}

// block moves a block and enters the minibatch's gradients in the table.
func (o *saga[T]) block(_, i int) {
	lo, hi := i*blockSize, min(o.size, (i+1)*blockSize)
	x, g, mean, old := o.x[lo:hi], o.grad[lo:hi], o.mean[lo:hi], o.old[lo:hi]
	clear(old)
	share := T(1 / float64(len(o.which)))
	for _, e := range o.which {
		for j, v := range o.row(e)[lo:hi] {
			old[j] += v
		}
	}
	for j, m := range mean {
		x[j] -= T(o.step * (g[j] - T(share*old[j]) + m))
	}
	part := T(1 / float64(o.examples))
	for k, e := range o.which {
		// An example that is there twice changes the mean once.
		row, fresh := o.row(e)[lo:hi], o.fresh[k*o.size+lo:k*o.size+hi]
		for j, v := range fresh {
			mean[j] += T(part * (v - row[j]))
			row[j] = v
		}
	}
}

func (o *saga[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{}}
	o.lr.save(s.Scalars)
	s.Scalars[sagaExamples], s.Scalars[sagaSeen] = float64(o.examples), float64(o.seen)
	s.Vectors["table_mean"] = append([]T{}, o.mean...)
	s.Vectors["table"] = append([]T{}, o.table[:o.examples*o.size]...)
	return s
}

const sagaExamples, sagaSeen = "examples", "examples_since_mean"

func (o *saga[T]) Restore(s State[T]) error {
	n, seen := s.Scalars[sagaExamples], s.Scalars[sagaSeen]
	if most := float64(math.MaxInt32); !(n >= 0 && n <= most && n == math.Trunc(n)) || !(seen >= 0 && seen <= n && seen == math.Trunc(seen)) {
		return fmt.Errorf("optimizers: state of %s: a table of %v examples, %v since its mean; allowed are whole numbers from 0", s.Method, n, seen)
	}
	examples := int(n)
	if o.size > 0 && examples > math.MaxInt/o.size {
		return fmt.Errorf("optimizers: state of %s: a table of %d examples of %d numbers", s.Method, examples, o.size)
	}
	want := shape{method: o.method, scalars: []string{sagaExamples, sagaSeen}, optional: []string{"lr"},
		vectors: map[string]int{"table_mean": o.size, "table": examples * o.size}}
	if err := s.check(want); err != nil {
		return err
	}
	o.steps = s.Step
	o.lr.load(s.Scalars)
	o.examples, o.seen = examples, int(seen)
	copy(o.mean, s.Vectors["table_mean"])
	o.table = append(o.table[:0], s.Vectors["table"]...)
	return nil
}
