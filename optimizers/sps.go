package optimizers

import (
	"context"
	"math"
)

// SPS sets a method's learning rate by the stochastic Polyak step size (Loizou, Vaswani, Laradji & Lacoste-Julien 2021,
// SPS_max and its smoothed form in section 4). With the minibatch loss f and its gradient g at x
//
//	rate = min( (f - Floor)/(C·|g|²), limit )
//	limit = Max in the first step, then Growth^(b/n) times the last rate, with minibatches of b of the n examples
//
// Growth 0 keeps limit at Max throughout. Floor is a lower bound on every minibatch's loss: 0 for cross-entropies and
// squared errors. C is the authors' 1/2, the best for convex losses; they train deep nets with 0.2, which takes longer
// steps. For a quadratic, on all examples, the rate lies between 1/L and 1/µ, the inverses of the largest and the
// smallest curvature.
//
// Meant for gradient descent, sgd+sps, where it comes with the authors' theorems; with momentum 1-momentum of the rate is
// used, as each gradient counts 1/(1-momentum) times. Not where the loss cannot come near Floor: rates are too large there in the end.
type SPS struct {
	C      float64 `set:"c" default:"0.5" range:"(0,inf)" help:"larger makes shorter steps"`
	Max    float64 `set:"max" default:"1" range:"(0,inf)" help:"highest rate, or the highest first one where growth is not 0"`
	Growth float64 `set:"growth" default:"2" range:"[0,inf)" help:"by which factor the rate may grow in a pass over the data; 0: up to max"`
	Floor  float64 `set:"floor" default:"0" range:"(-inf,inf)" help:"lower bound on the loss of every minibatch"`
	Of     Method  // the method whose rate is set
}

var _ Method = (*SPS)(nil)

// Name is that of the wrapped method, and +sps.
func (w *SPS) Name() string { return wrapperName("sps", w.Of) }

func (*SPS) info() Info {
	return Info{Name: "sps", Memory: 1, SetsRate: true, Use: "polyak's step size for sgd: no rate to choose where the loss can come near 0"}
}

func (*SPS) word() string    { return "sps" }
func (w *SPS) inner() Method { return w.Of }

func (w *SPS) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *SPS) start32(l Layout) (Optimizer[float32], error) { return startSPS[float32](w, l) }
func (w *SPS) start64(l Layout) (Optimizer[float64], error) { return startSPS[float64](w, l) }

func startSPS[T Float](w *SPS, l Layout) (Optimizer[T], error) {
	s, err := resolve("sps", w)
	if err != nil {
		return nil, err
	}
	r, err := newStepRule[T]("sps", s.Of, l)
	if err != nil {
		return nil, err
	}
	return &sps[T]{stepRule: r, set: s}, nil
}

type sps[T Float] struct {
	*stepRule[T]
	set SPS
}

func (w *sps[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	batch, length, err := w.look(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	limit := w.set.Max
	if w.last > 0 && w.set.Growth != 0 {
		limit = math.Pow(w.set.Growth, growth(p, batch)) * w.last
	}
	// A loss below Floor, or a gradient of 0, is no reason to move; the rate stays, so that it can grow from there.
	rate := limit
	if polyak := (w.loss - w.set.Floor) / (w.set.C * length * length); polyak >= 0 {
		rate = min(limit, polyak)
	}
	last := w.last
	r, err := w.step(ctx, x, p, min(rate, math.MaxFloat64))
	if err == nil && rate == 0 {
		w.last = last
	}
	return r, err
}
