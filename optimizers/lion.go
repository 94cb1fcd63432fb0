package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// Lion moves every parameter by the same amount, in the direction of a mean of the gradients. With the minibatch gradient g
// at x
//
//	x = (1 - LR·WeightDecay)·x
//	x = x - LR·sign(Beta1·m + (1-Beta1)·g)
//	m = Beta2·m + (1-Beta2)·g
//
// all element by element (Chen et al. 2023, Algorithm 2), with the defaults of the authors' code.
//
// For large models, where its one number for each parameter matters: rates a third to a tenth of AdamW's, with weight
// decay as many times larger. Not for small batches or the last digits of a minimum: its steps do not shrink with the
// gradient, so give it a schedule.
type Lion struct {
	LR          float64 `set:"lr" default:"0.0001" range:"[0,inf)" help:"learning rate: how far each parameter moves"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"share of the mean in the direction"`
	Beta2       float64 `set:"beta2" default:"0.99" range:"[0,1)" help:"decay of the mean of the gradient"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
}

var _ Method = (*Lion)(nil)

// Name is lion.
func (*Lion) Name() string { return "lion" }

func (*Lion) info() Info {
	return Info{Name: "lion", Memory: 2, DefaultLR: 0.0001, Use: "large models: half of adam's memory, small rates, large weight decay"}
}

func (m *Lion) start32(l Layout) (Optimizer[float32], error) { return startLion[float32](m, l) }
func (m *Lion) start64(l Layout) (Optimizer[float64], error) { return startLion[float64](m, l) }

func startLion[T Float](m *Lion, l Layout) (Optimizer[T], error) {
	s, err := resolve("lion", m)
	if err != nil {
		return nil, err
	}
	o := &lion[T]{set: s}
	o.init("lion", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean = o.keep("exp_avg")
	return o, nil
}

type lion[T Float] struct {
	elementwise[T]
	rate
	momentum // beta1
	set      Lion
	mean     []T
	c        kernel.LionCoefficients[T]
}

func (o *lion[T]) prepare(int, []T) {
	o.c = kernel.LionCoefficients[T]{
		Fresh1: T(1 - o.Momentum()), Fresh2: T(1 - o.set.Beta2), Rate: T(o.Rate()), Keep: T(1 - o.Rate()*o.set.WeightDecay),
	}
}

func (o *lion[T]) update(x, g []T, i int) { kernel.LionUpdate(x, g, block(o.mean, i), o.c) }
