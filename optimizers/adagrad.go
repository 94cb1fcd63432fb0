package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// AdaGrad divides each gradient by the root of the sum of all its squares so far, so that rare features get large steps.
// With the minibatch gradient at x, d = gradient + WeightDecay·x, and t = 1, 2, ...
//
//	s = s + d²                                  s is InitialAccumulator first
//	x = x - LR/(1+(t-1)·LRDecay)·d / (sqrt(s) + Eps)
//
// all element by element (Duchi, Hazan & Singer 2011), as torch.optim.Adagrad has it, whose defaults these are.
//
// For sparse features and convex losses, where the sum settles. Not for long training of deep nets: the steps only ever
// shrink; RMSProp and Adam forget.
type AdaGrad struct {
	LR                 float64 `set:"lr" default:"0.01" range:"[0,inf)" help:"learning rate"`
	LRDecay            float64 `set:"lr_decay" default:"0" range:"[0,inf)" help:"the rate of step t is lr/(1+(t-1)·lr_decay)"`
	InitialAccumulator float64 `set:"initial_accumulator" default:"0" range:"[0,inf)" help:"the sum of squares before the first step"`
	Eps                float64 `set:"eps" default:"1e-10" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay        float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*AdaGrad)(nil)

// Name is adagrad.
func (*AdaGrad) Name() string { return "adagrad" }

func (*AdaGrad) info() Info {
	return Info{Name: "adagrad", Memory: 2, DefaultLR: 0.01, Use: "sparse features and convex losses; its steps only shrink"}
}

func (m *AdaGrad) start32(l Layout) (Optimizer[float32], error) { return startAdaGrad[float32](m, l) }
func (m *AdaGrad) start64(l Layout) (Optimizer[float64], error) { return startAdaGrad[float64](m, l) }

func startAdaGrad[T Float](m *AdaGrad, l Layout) (Optimizer[T], error) {
	s, err := resolve("adagrad", m)
	if err != nil {
		return nil, err
	}
	o := &adagrad[T]{set: s}
	o.init("adagrad", l, o)
	o.rated(&o.rate, s.LR)
	o.sum = o.keep("sum")
	for i := range o.sum {
		o.sum[i] = T(s.InitialAccumulator)
	}
	return o, nil
}

type adagrad[T Float] struct {
	elementwise[T]
	rate
	set AdaGrad
	sum []T
	c   kernel.AdaGradCoefficients[T]
}

func (o *adagrad[T]) prepare(t int, _ []T) {
	o.c = kernel.AdaGradCoefficients[T]{
		Rate: T(o.Rate() / (1 + float64(t-1)*o.set.LRDecay)), Eps: T(o.set.Eps), Decay: T(o.set.WeightDecay),
	}
}

func (o *adagrad[T]) update(x, g []T, i int) { kernel.AdaGradUpdate(x, g, block(o.sum, i), o.c) }
