package optimizers

import (
	"context"
	"fmt"
)

// Lookahead follows a method's weights with slow ones. Every K steps
//
//	slow = slow + Alpha·(x - slow)          x = slow
//
// where slow begins at the x of the first step (Zhang, Lucas, Hinton & Ba 2019, Algorithm 1; K and Alpha are those of
// the authors' code and of their CIFAR runs, on ImageNet they had Alpha 0.5). The slow weights are the ones to
// evaluate: see Averaging. What happens to the method's momentum at such a step is up to Momentum: the authors keep
// it; reset sets it to 0; interpolate treats it as the weights are treated, with the momentum of the last such step
// in the place of slow. (Their code for interpolate multiplies the buffer by Alpha·(2-Alpha) from the second time on,
// as its copy is the buffer itself. This is what they describe.)
//
// It makes a method less sensitive to its learning rate, for one more number a parameter. Not for a run of few steps:
// the weights move Alpha of the way that they would.
type Lookahead struct {
	K        int     `set:"k" default:"5" range:"[1,inf)" help:"steps from one meeting of slow and fast weights to the next"`
	Alpha    float64 `set:"alpha" default:"0.8" range:"(0,1]" help:"share of the way that the slow weights go"`
	Momentum string  `set:"momentum" default:"keep" oneof:"keep|reset|interpolate" help:"what becomes of the method's momentum there"`
	Of       Method  // the method that moves the fast weights
}

var _ Method = (*Lookahead)(nil)

// Buffered is an optimizer whose momentum is a vector, which is its own: what is written to it counts in the next step.
// It is nil where the settings have no momentum.
type Buffered[T Float] interface{ MomentumBuffer() []T }

// Name is that of the wrapped method, and +lookahead.
func (w *Lookahead) Name() string { return wrapperName("lookahead", w.Of) }

func (*Lookahead) info() Info {
	return Info{Name: "lookahead", Memory: 1, Use: "slow weights that follow the method's: less sensitive to the learning rate"}
}

func (*Lookahead) word() string    { return "lookahead" }
func (w *Lookahead) inner() Method { return w.Of }

func (w *Lookahead) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *Lookahead) start32(l Layout) (Optimizer[float32], error) {
	return startLookahead[float32](w, l)
}

func (w *Lookahead) start64(l Layout) (Optimizer[float64], error) {
	return startLookahead[float64](w, l)
}

func startLookahead[T Float](w *Lookahead, l Layout) (Optimizer[T], error) {
	s, err := resolve("lookahead", w)
	if err != nil {
		return nil, err
	}
	o, err := startInner[T]("lookahead", s.Of, l)
	if err != nil {
		return nil, err
	}
	if _, twice := As[*lookahead[T]](o); twice {
		return nil, clash("lookahead", s.Of.Name(), "it has slow weights already")
	}
	if averages(o) {
		return nil, clash("lookahead", s.Of.Name(), "it would move the weights that are averaged there; let the average be of lookahead's weights, as in adam+lookahead+ema")
	}
	if accumulates(o) {
		return nil, clash("lookahead", s.Of.Name(), "it would move the weights between minibatches of one step; write lookahead before accumulate")
	}
	la := &lookahead[T]{Optimizer: o, set: s, slow: make([]T, l.Size())}
	if s.Momentum != "keep" {
		if b, ok := As[Buffered[T]](o); ok {
			la.buffer = b.MomentumBuffer()
		}
		if la.buffer == nil && l.Size() > 0 {
			return nil, fmt.Errorf("optimizers: lookahead: momentum is %s, and %s has none; allowed is keep", s.Momentum, s.Of.Name())
		}
	}
	if s.Momentum == "interpolate" {
		la.past = make([]T, len(la.buffer))
	}
	return la, nil
}

type lookahead[T Float] struct {
	Optimizer[T]
	set    Lookahead
	slow   []T
	buffer []T // the method's momentum, where it is changed
	past   []T // what it was at the last meeting, where it is interpolated
	steps  int
}

// Unwrap is the wrapped method's optimizer.
func (w *lookahead[T]) Unwrap() Optimizer[T] { return w.Optimizer }

// EvalWeights gives the slow weights.
func (w *lookahead[T]) EvalWeights(dst, x []T) {
	if w.steps == 0 {
		copy(dst, x)
		return
	}
	copy(dst, w.slow)
}

func (w *lookahead[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if w.steps == 0 && len(x) == len(w.slow) {
		copy(w.slow, x)
	}
	r, err := w.Optimizer.Step(ctx, x, p)
	if err != nil {
		if w.steps == 0 {
			clear(w.slow)
		}
		return r, err
	}
	w.steps++
	if w.steps%w.set.K == 0 {
		w.meet(x)
		r.StepNorm, r.Rejected = 0, false // what the method told of its own step
	}
	return r, nil
}

// meet brings slow and fast weights together.
func (w *lookahead[T]) meet(x []T) {
	alpha := T(w.set.Alpha)
	lerp(w.slow, alpha, x)
	copy(x, w.slow)
	switch w.set.Momentum {
	case "reset":
		clear(w.buffer)
	case "interpolate":
		lerp(w.past, alpha, w.buffer)
		copy(w.buffer, w.past)
	}
}

// The names of what Lookahead adds to a State.
const lookaheadStep, lookaheadSlow, lookaheadMomentum = "lookahead_step", "lookahead_slow", "lookahead_momentum"

func (w *lookahead[T]) State() State[T] {
	vectors := map[string][]T{lookaheadSlow: w.slow}
	if w.past != nil {
		vectors[lookaheadMomentum] = w.past
	}
	return withOwn(w.Optimizer.State(), Scalars{lookaheadStep: float64(w.steps)}, vectors)
}

func (w *lookahead[T]) Restore(s State[T]) error {
	vectors := []string{lookaheadSlow}
	if w.past != nil {
		vectors = append(vectors, lookaheadMomentum)
	}
	inner, own, err := takeOwn(s, ownNames{wrapper: "lookahead", counts: []string{lookaheadStep}, vectors: vectors, size: len(w.slow)})
	if err != nil {
		return err
	}
	if err := w.Optimizer.Restore(inner); err != nil {
		return err
	}
	w.steps = int(own.Scalars[lookaheadStep])
	copy(w.slow, own.Vectors[lookaheadSlow])
	copy(w.past, own.Vectors[lookaheadMomentum])
	return nil
}

// MomentumBuffer is the method's mean of the gradient, whatever it calls it, or nil where it keeps none.
func (o *elementwise[T]) MomentumBuffer() []T {
	for _, v := range o.vectors {
		if (v.name == "momentum_buffer" || v.name == "exp_avg") && len(v.v) == o.size {
			return v.v
		}
	}
	return nil
}

// MomentumBuffer is the running mean of the gradient, which is the momentum unless beta1 is 0.
func (o *adam[T]) MomentumBuffer() []T {
	if o.set.Beta1 == 0 {
		return nil
	}
	return o.mean
}
