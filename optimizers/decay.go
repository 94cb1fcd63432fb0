package optimizers

import (
	"context"
	"fmt"
)

// Decay is weight decay apart from the gradient, around any method:
//
//	x' = method's step from x        x = x' - LR·WeightDecay·x
//
// where LR is the rate of the step: with Adam inside it is AdamW (Loshchilov & Hutter 2019, Algorithm 2, whose
// default torch.optim.AdamW has). ByRate off leaves the rate out, as a method without one, such as HF, needs it. Kinds
// weight leaves biases and normalisation layers alone.
//
// Not around a method with weight decay of its own that is on, such as AdamW: the weights would decay twice.
type Decay struct {
	WeightDecay float64 `set:"weight_decay" default:"0.01" range:"[0,inf)" help:"share of x that each step takes away, times the learning rate"`
	ByRate      Toggle  `set:"by_rate" default:"true" help:"times the learning rate"`
	Kinds       string  `set:"kinds" default:"all" oneof:"all|weight" help:"which tensors decay: weight leaves out biases and norms"`
	Of          Method  // the method that takes the steps
}

var _ Method = (*Decay)(nil)

// Name is that of the wrapped method, and +decay.
func (w *Decay) Name() string { return wrapperName("decay", w.Of) }

func (*Decay) info() Info {
	return Info{Name: "decay", Memory: 1, Use: "decoupled weight decay for a method that has none"}
}

func (*Decay) word() string    { return "decay" }
func (w *Decay) inner() Method { return w.Of }

func (w *Decay) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *Decay) start32(l Layout) (Optimizer[float32], error) { return startDecay[float32](w, l) }
func (w *Decay) start64(l Layout) (Optimizer[float64], error) { return startDecay[float64](w, l) }

func startDecay[T Float](w *Decay, l Layout) (Optimizer[T], error) {
	s, err := resolve("decay", w)
	if err != nil {
		return nil, err
	}
	o, err := startInner[T]("decay", s.Of, l)
	if err != nil {
		return nil, err
	}
	d := &decay[T]{Optimizer: o, set: s, before: make([]T, l.Size())}
	if s.ByRate == On {
		rated, ok := As[Rated](o)
		if !ok {
			return nil, fmt.Errorf("optimizers: decay: %s has no learning rate for the decay to follow; allowed is by_rate=false", s.Of.Name())
		}
		d.rated = rated
	}
	if _, twice := As[*decay[T]](o); twice {
		return nil, clash("decay", s.Of.Name(), "the weights decay there already")
	}
	if averages(o) {
		return nil, clash("decay", s.Of.Name(), "it would move the weights that are averaged there; let the average be of the decayed weights, as in adam+decay+ema")
	}
	if accumulates(o) {
		return nil, clash("decay", s.Of.Name(), "it would move the weights between minibatches of one step; write decay before accumulate")
	}
	for _, t := range l {
		if s.Kinds == "weight" && t.Kind != Weight {
			continue
		}
		if n := len(d.spans); n > 0 && d.spans[n-1][1] == t.Offset {
			d.spans[n-1][1] += t.Size()
		} else {
			d.spans = append(d.spans, [2]int{t.Offset, t.Offset + t.Size()})
		}
	}
	return d, nil
}

type decay[T Float] struct {
	Optimizer[T]
	set    Decay
	rated  Rated    // nil where the rate does not count
	before []T      // x before the step
	spans  [][2]int // from, to: the elements that decay
}

// Unwrap is the wrapped method's optimizer.
func (w *decay[T]) Unwrap() Optimizer[T] { return w.Optimizer }

func (w *decay[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if len(x) == len(w.before) {
		copy(w.before, x)
	}
	r, err := w.Optimizer.Step(ctx, x, p)
	if err != nil || w.set.WeightDecay == 0 {
		return r, err
	}
	c := w.set.WeightDecay
	if w.rated != nil {
		c *= w.rated.Rate()
	}
	for _, s := range w.spans {
		axpy(x[s[0]:s[1]], T(-c), w.before[s[0]:s[1]])
	}
	r.StepNorm, r.Rejected = 0, false // what the method told of its own step
	return r, nil
}
