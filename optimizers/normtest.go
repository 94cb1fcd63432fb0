package optimizers

import (
	"context"
	"fmt"
	"math"
)

// NormTest grows the minibatch that a method sees while its gradient says little: with the gradients g_i of the n
// examples of the minibatch at x, g their mean and V the sum over all parameters of their variance,
//
//	V/n ≤ Theta²·|g|²,    V = (mean of |g_i|² - |g|²)·n/(n - 1)
//
// must hold, which says that the error of g is expected to be at most Theta times as long as g. Where it does not hold,
// the minibatches from the next step on have V/(Theta·|g|)² examples, with which it would have held (Byrd, Chin, Nocedal
// & Wu 2012, section 3; Bottou, Curtis & Nocedal 2018, section 5.2.1, without the correction for a finite set). They
// never shrink. As the method nears a minimum, g falls and V does not, so that the samples grow and a constant learning
// rate does.
//
// V is exact, from the squared gradients of single examples. These cost as much work as the gradient, and more time, so
// the test is made in every Every-th step only, from the first. A minibatch grows at most Factor-fold at a time, because
// a gradient that is small by chance asks for too much, and at most to Most examples or the whole training set.
//
// What is beyond the problem's own minibatch is drawn anew in every step, at least two examples and an eighth of it, and
// rounded up to four significant bits; an example may be there twice, and batch normalisation normalises the two parts
// apart. An epoch remains a pass of the problem's own minibatches. The Report
// tells of the whole sample, its size (Batch) and V/(n|g|²) (Noise). Two numbers are kept beside the method's State.
//
// For SGD, Adam and other methods of one gradient, also under a schedule; for convex losses and last percents. Not for
// methods that reduce variance by themselves (SVRG, ...), and not with batch normalisation, which leaves no single
// examples: GeometricBatch needs none.
type NormTest struct {
	Theta  float64 `set:"theta" default:"0.9" range:"(0,inf)" help:"largest expected error of the gradient, over its length"`
	Every  int     `set:"every" default:"10" range:"[1,inf)" help:"steps from test to test"`
	Factor float64 `set:"factor" default:"2" range:"(1,inf)" help:"most that a minibatch grows at a time"`
	Most   int     `set:"most" default:"0" range:"[0,inf)" help:"examples that a minibatch grows to; 0: the whole training set"`
	Of     Method  // the method that sees the minibatches
}

var _ Method = (*NormTest)(nil)

// Name is that of the wrapped method, and +norm_test.
func (w *NormTest) Name() string { return wrapperName("norm_test", w.Of) }

func (*NormTest) info() Info {
	return Info{Name: "norm_test", Memory: 2, Use: "minibatches that grow when their gradient is mostly noise"}
}

func (*NormTest) word() string    { return "norm_test" }
func (w *NormTest) inner() Method { return w.Of }

func (w *NormTest) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *NormTest) start32(l Layout) (Optimizer[float32], error) { return startNormTest[float32](w, l) }
func (w *NormTest) start64(l Layout) (Optimizer[float64], error) { return startNormTest[float64](w, l) }

func startNormTest[T Float](w *NormTest, l Layout) (Optimizer[T], error) {
	s, err := resolve("norm_test", w)
	if err != nil {
		return nil, err
	}
	o, err := startGrown[T]("norm_test", s.Of, l)
	if err != nil {
		return nil, err
	}
	if _, ok := As[reducer](o); ok {
		return nil, clash("norm_test", s.Of.Name(), "the variance of its direction is another; allowed is geometric_batch")
	}
	n := &normTest[T]{Optimizer: o, name: s.Name(), set: s, squares: make([]T, l.Size())}
	n.problem.join.room = make([]T, l.Size())
	return n, nil
}

type normTest[T Float] struct {
	Optimizer[T]
	name    string
	set     NormTest
	problem grown[T]
	squares []T // mean squared gradients of single examples
	size    int // wanted of the minibatch; 0 for what the problem gives
	steps   int
}

// Unwrap is the wrapped method's optimizer.
func (w *normTest[T]) Unwrap() Optimizer[T] { return w.Optimizer }

func (*normTest[T]) growsBatch() {}

// Needs is what the problem must be able to answer.
func (w *normTest[T]) Needs() Oracle { return w.Optimizer.Needs() | NeedSquaredGrads }

func (w *normTest[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := ready(ctx, w.name, len(w.squares), len(x), p); err != nil {
		return Report{}, err
	}
	if err := missing(w.name, w.Needs(), p.Has()); err != nil {
		return Report{}, err
	}
	if err := w.problem.begin(w.name, p, w.size); err != nil {
		return Report{}, err
	}
	defer w.problem.end()
	join := &w.problem.join
	join.squared = -1
	test := w.steps%w.set.Every == 0 && join.n > 1 && join.n < p.Full().Len()
	work := int64(0)
	if test {
		if err := join.SquaredGrads(w.squares, x); err != nil {
			return Report{}, fmt.Errorf("optimizers: %s: squared gradients: %w", w.name, err)
		}
		work = WorkSquaredGrads * int64(join.n)
	}
	r, err := w.Optimizer.Step(ctx, x, &w.problem)
	if err != nil {
		return Report{}, err
	}
	r.Work += work + w.problem.work
	r.Batch = join.n
	if test && join.squared >= 0 {
		w.judge(&r, p.Full().Len())
	}
	w.steps++
	return r, nil
}

// judge makes the test.
func (w *normTest[T]) judge(r *Report, all int) {
	n := float64(w.problem.join.n)
	mean := 0.0
	for _, v := range w.squares {
		mean += float64(v)
	}
	g := w.problem.join.squared
	variance := max(0, mean-g) * n / (n - 1)
	r.Noise = variance / (n * g)
	if variance == 0 {
		r.Noise = 0
	}
	theta := w.set.Theta * w.set.Theta
	if r.Noise <= theta {
		return
	}
	most := float64(all)
	if w.set.Most > 0 {
		most = min(most, float64(w.set.Most))
	}
	wanted := math.Ceil(n * r.Noise / theta)
	if !(wanted <= w.set.Factor*n) { // also where it is not finite
		wanted = math.Ceil(w.set.Factor * n)
	}
	w.size = max(w.size, int(min(wanted, most)))
}

// The names of what NormTest adds to a State.
const normTestStep, normTestSize = "norm_test_step", "norm_test_batch"

func (w *normTest[T]) State() State[T] {
	return withOwn(w.Optimizer.State(), Scalars{normTestStep: float64(w.steps), normTestSize: float64(w.size)}, nil)
}

func (w *normTest[T]) Restore(s State[T]) error {
	inner, own, err := takeOwn(s, ownNames{wrapper: "norm_test", counts: []string{normTestStep, normTestSize}})
	if err != nil {
		return err
	}
	if err := w.Optimizer.Restore(inner); err != nil {
		return err
	}
	w.steps, w.size = int(own.Scalars[normTestStep]), int(own.Scalars[normTestSize])
	return nil
}
