package optimizers

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Accumulate has a method take one step for every K minibatches, with the mean gradient and loss of all their
// examples: the step of a minibatch K times as large, in the memory of one.
//
// A step of the optimizer, and so of the problem and of train.Fit, remains a minibatch: x changes in every K-th only,
// and the Report, the State and Fit count minibatches. The method and what stands between it and Accumulate see one
// step in K of them, and ForSteps tells them so: in sgd+onecycle+accumulate the schedule counts steps of the method,
// in sgd+accumulate+onecycle minibatches. At the end of a run of which K is no divisor, the minibatches since the last
// step of the method are lost.
//
// The method may ask for the minibatch's gradient at x alone, as first-order methods do. One that asks for curvature,
// or for gradients elsewhere, would need the minibatches again, which are gone: HF and SAM are an error. SAM around it,
// as in sgd+accumulate+sam, is well: each minibatch gets its own worst point.
//
// For batches that do not fit into memory. Not to save work: it is the same for each example.
type Accumulate struct {
	K  int    `set:"k" default:"2" range:"[1,inf)" help:"minibatches for each step of the method"`
	Of Method // the method that gets the mean gradients
}

var _ Method = (*Accumulate)(nil)

// Name is that of the wrapped method, and +accumulate.
func (w *Accumulate) Name() string { return wrapperName("accumulate", w.Of) }

func (*Accumulate) info() Info {
	return Info{Name: "accumulate", Memory: 2, Use: "one step for k minibatches: batches that do not fit into memory"}
}

func (*Accumulate) word() string    { return "accumulate" }
func (w *Accumulate) inner() Method { return w.Of }

func (w *Accumulate) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

// innerSteps is how many steps the method takes in n of this.
func (w *Accumulate) innerSteps(n int) int {
	k := w.K
	if k == 0 {
		k = 2
	}
	return max(1, n/k)
}

func (w *Accumulate) start32(l Layout) (Optimizer[float32], error) {
	return startAccumulate[float32](w, l)
}

func (w *Accumulate) start64(l Layout) (Optimizer[float64], error) {
	return startAccumulate[float64](w, l)
}

func startAccumulate[T Float](w *Accumulate, l Layout) (Optimizer[T], error) {
	s, err := resolve("accumulate", w)
	if err != nil {
		return nil, err
	}
	o, err := startInner[T]("accumulate", s.Of, l)
	if err != nil {
		return nil, err
	}
	if accumulates(o) {
		return nil, clash("accumulate", s.Of.Name(), "it accumulates already")
	}
	if more := o.Needs() &^ NeedGrad; more != 0 {
		return nil, clash("accumulate", s.Of.Name(), fmt.Sprintf("it needs %v of minibatches that are gone", more))
	}
	if err := refuseReducer("accumulate", s.Of.Name(), o); err != nil {
		return nil, err
	}
	if _, ok := As[*sam[T]](o); ok {
		return nil, clash("accumulate", s.Of.Name(), "it needs a second gradient of minibatches that are gone; write accumulate before sam")
	}
	name := s.Of.Name() + "+accumulate"
	a := &accumulate[T]{core: newCore[T](name, o.Needs()|NeedGrad, l), inner: o, set: s, mean: make([]T, l.Size())}
	a.rated, _ = As[Rated](o)
	return a, nil
}

type accumulate[T Float] struct {
	core[T]  // whose steps are minibatches
	inner    Optimizer[T]
	set      Accumulate
	rated    Rated // nil where there is no rate
	mean     []T   // gradient of the minibatches since the method's last step
	loss     float64
	examples int // in them
	all      accumulated[T]
}

// Unwrap is the wrapped method's optimizer.
func (w *accumulate[T]) Unwrap() Optimizer[T] { return w.inner }

func (w *accumulate[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	batch, r, err := w.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	n := batch.Len()
	share := float64(n) / float64(w.examples+n)
	loss := w.loss + share*(r.Loss-w.loss)
	if (w.steps+1)%w.set.K != 0 {
		w.join(w.mean, share)
		w.loss = loss
		w.examples += n
		w.steps++
		if w.rated != nil {
			r.LR = w.rated.Rate()
		}
		return r, nil
	}
	w.all = accumulated[T]{Problem: p, of: w, x: x, share: share, loss: loss, examples: w.examples + n}
	inner, err := w.inner.Step(ctx, x, &w.all)
	told := w.all.work
	w.all = accumulated[T]{}
	if err != nil {
		return Report{}, err
	}
	clear(w.mean)
	w.loss, w.examples = 0, 0
	w.steps++
	inner.Work += r.Work - told
	inner.Loss, inner.GradNorm = r.Loss, r.GradNorm
	return inner, nil
}

// join sets dst to the mean gradient with that of the last minibatch, which has a share of the examples.
func (w *accumulate[T]) join(dst []T, share float64) {
	if share == 1 {
		copy(dst, w.grad)
		return
	}
	if len(dst) > 0 && &dst[0] != &w.mean[0] {
		copy(dst, w.mean)
	}
	lerp(dst, T(share), w.grad)
}

// accumulated is the problem that the method sees, and its minibatch.
type accumulated[T Float] struct {
	Problem[T]
	of       *accumulate[T]
	x        []T
	share    float64 // of the last minibatch in all examples
	loss     float64
	examples int
	work     int64 // what the method thinks that its questions cost
}

func (a *accumulated[T]) Batch() Sample[T] { return a }
func (a *accumulated[T]) Len() int         { return a.examples }

// errGone is for a question that would need the minibatches again.
var errGone = errors.New("optimizers: accumulate: of the minibatches the gradient and loss at the parameters of the step are known, nothing else: the method cannot be accumulated for")

// known says whether x is where the gradients were taken.
func (a *accumulated[T]) known(x []T) bool {
	return len(x) == len(a.x) && (len(x) == 0 || &x[0] == &a.x[0] || slices.Equal(x, a.x))
}

func (a *accumulated[T]) Loss(x []T) (float64, error) {
	if !a.known(x) {
		return 0, errGone
	}
	a.work += WorkLoss * int64(a.examples)
	return a.loss, nil
}

func (a *accumulated[T]) Grad(dst, x []T) (float64, error) {
	if !a.known(x) {
		return 0, errGone
	}
	a.work += WorkGrad * int64(a.examples)
	a.of.join(dst, a.share)
	return a.loss, nil
}

func (a *accumulated[T]) Linearize([]T) error             { return errGone }
func (a *accumulated[T]) HessianMul(dst, v []T) error     { return errGone }
func (a *accumulated[T]) GaussNewtonMul(dst, v []T) error { return errGone }

// The names of what Accumulate adds to a State, whose Step is in minibatches.
const accumulateInner, accumulateExamples, accumulateLoss, accumulateMean = "accumulate_inner_step", "accumulate_examples", "accumulate_loss", "accumulate_grad"

func (w *accumulate[T]) State() State[T] {
	s := w.inner.State()
	own := Scalars{accumulateInner: float64(s.Step), accumulateExamples: float64(w.examples), accumulateLoss: w.loss}
	s.Step = w.steps
	return withOwn(s, own, map[string][]T{accumulateMean: w.mean})
}

func (w *accumulate[T]) Restore(s State[T]) error {
	inner, own, err := takeOwn(s, ownNames{"accumulate", []string{accumulateInner, accumulateExamples}, []string{accumulateLoss},
		[]string{accumulateMean}, w.size})
	if err != nil {
		return err
	}
	if s.Step < 0 {
		return fmt.Errorf("optimizers: state of %s: %d steps done; allowed are 0 and more", s.Method, s.Step)
	}
	inner.Step = int(own.Scalars[accumulateInner])
	if err := w.inner.Restore(inner); err != nil {
		return err
	}
	w.steps, w.loss = s.Step, own.Scalars[accumulateLoss]
	w.examples = int(own.Scalars[accumulateExamples])
	copy(w.mean, own.Vectors[accumulateMean])
	return nil
}
