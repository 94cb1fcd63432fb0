package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// RMSProp divides the gradient by the root of a running mean of its square. With the minibatch gradient at x and
// d = gradient + WeightDecay·x
//
//	v = Alpha·v + (1-Alpha)·d²
//	a = Alpha·a + (1-Alpha)·d,  w = v - a²      Centered; else w = v
//	b = Momentum·b + d / (sqrt(w) + Eps)
//	x = x - LR·b
//
// all element by element (Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013), as torch.optim.RMSprop has it,
// whose defaults these are; optax has Alpha = 0.9 and Eps inside the root. A w that rounding leaves below 0, where torch
// gives NaN, counts as 0. There is no bias correction: the first steps are up to 1/sqrt(1-Alpha) times as long.
//
// For recurrent nets and reinforcement learning. Elsewhere Adam, which corrects its first steps, is the better start.
type RMSProp struct {
	LR          float64 `set:"lr" default:"0.01" range:"[0,inf)" help:"learning rate"`
	Alpha       float64 `set:"alpha" default:"0.99" range:"[0,1)" help:"decay of the mean of the squared gradient"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	Momentum    float64 `set:"momentum" default:"0" range:"[0,1]" help:"share of the last update that goes on"`
	Centered    bool    `set:"centered" default:"false" help:"divide by the root of the variance instead of the mean square"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*RMSProp)(nil)

// Name is rmsprop.
func (*RMSProp) Name() string { return "rmsprop" }

func (*RMSProp) info() Info {
	return Info{Name: "rmsprop", Memory: 2, DefaultLR: 0.01, Use: "recurrent nets and reinforcement learning; Adam without its mean"}
}

func (m *RMSProp) start32(l Layout) (Optimizer[float32], error) { return startRMSProp[float32](m, l) }
func (m *RMSProp) start64(l Layout) (Optimizer[float64], error) { return startRMSProp[float64](m, l) }

func startRMSProp[T Float](m *RMSProp, l Layout) (Optimizer[T], error) {
	s, err := resolve("rmsprop", m)
	if err != nil {
		return nil, err
	}
	o := &rmsprop[T]{set: s, momentum: momentum{none: true}}
	o.init("rmsprop", l, o)
	o.rated(&o.rate, s.LR)
	o.square = o.keep("square_avg")
	if s.Centered {
		o.mean = o.keep("grad_avg")
	}
	if s.Momentum != 0 {
		o.withMomentum(&o.momentum, "momentum", s.Momentum, 1)
		o.buffer = o.keep("momentum_buffer")
	}
	return o, nil
}

type rmsprop[T Float] struct {
	elementwise[T]
	rate
	momentum
	set    RMSProp
	square []T
	mean   []T // nil unless Centered
	buffer []T // nil without momentum
	c      kernel.RMSPropCoefficients[T]
}

func (o *rmsprop[T]) prepare(int, []T) {
	o.c = kernel.RMSPropCoefficients[T]{
		Alpha: T(o.set.Alpha), Fresh: T(1 - o.set.Alpha), Rate: T(o.Rate()), Eps: T(o.set.Eps),
		Decay: T(o.set.WeightDecay), Mu: T(o.Momentum()),
	}
}

func (o *rmsprop[T]) update(x, g []T, i int) {
	v, a, b := block(o.square, i), block(o.mean, i), block(o.buffer, i)
	switch {
	case a != nil && b != nil:
		kernel.RMSPropCenteredMomentumUpdate(x, g, v, a, b, o.c)
	case a != nil:
		kernel.RMSPropCenteredUpdate(x, g, v, a, o.c)
	case b != nil:
		kernel.RMSPropMomentumUpdate(x, g, v, b, o.c)
	default:
		kernel.RMSPropUpdate(x, g, v, o.c)
	}
}
