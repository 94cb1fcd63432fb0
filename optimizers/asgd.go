package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// ASGD is stochastic gradient descent with a shrinking step, whose iterates are averaged. With the minibatch gradient at
// x, d = gradient + WeightDecay·x, and t = 1, 2, ...
//
//	η = LR / (1 + Lambd·LR·(t-1))^Alpha
//	x = (1 - Lambd·η)·x - η·d
//	a = a + (x - a)/max(1, t-1-T0)
//
// (Polyak & Juditsky 1992; the steps: Bottou 2010), as torch.optim.ASGD has it, whose defaults these are. Until step T0 the
// average is x itself; it is what [Averaging] gives. With a schedule η is computed from the rate of the moment.
//
// For convex losses, with a T0 of an epoch or so: the default is beyond the end of most runs. For deep nets average with a
// decay instead, or use a schedule.
type ASGD struct {
	LR          float64 `set:"lr" default:"0.01" range:"[0,inf)" help:"learning rate of the first step"`
	Lambd       float64 `set:"lambd" default:"0.0001" range:"[0,inf)" help:"how soon steps shrink; times the step: the share of x that it takes away"`
	Alpha       float64 `set:"alpha" default:"0.75" range:"[0,inf)" help:"the power with which steps shrink"`
	T0          float64 `set:"t0" default:"1e+06" range:"[0,inf)" help:"the step after which iterates are averaged"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*ASGD)(nil)

// Name is asgd.
func (*ASGD) Name() string { return "asgd" }

func (*ASGD) info() Info {
	return Info{Name: "asgd", Memory: 2, DefaultLR: 0.01, Use: "convex losses: sgd whose iterates are averaged from step t0"}
}

func (m *ASGD) start32(l Layout) (Optimizer[float32], error) { return startASGD[float32](m, l) }
func (m *ASGD) start64(l Layout) (Optimizer[float64], error) { return startASGD[float64](m, l) }

func startASGD[T Float](m *ASGD, l Layout) (Optimizer[T], error) {
	s, err := resolve("asgd", m)
	if err != nil {
		return nil, err
	}
	o := &asgd[T]{set: s}
	o.init("asgd", l, o)
	o.rated(&o.rate, s.LR)
	o.average = o.keep("ax")
	return o, nil
}

type asgd[T Float] struct {
	elementwise[T]
	rate
	set     ASGD
	average []T
	c       kernel.ASGDCoefficients[T]
}

var _ Averaging[float32] = (*asgd[float32])(nil)

func (o *asgd[T]) prepare(t int, _ []T) {
	past := float64(t - 1)
	eta := o.Rate() / math.Pow(1+o.set.Lambd*o.Rate()*past, o.set.Alpha)
	o.used = eta
	o.c = kernel.ASGDCoefficients[T]{
		Rate: T(eta), Decay: T(o.set.WeightDecay), Keep: T(1 - o.set.Lambd*eta), Old: T(1 - 1/max(1, past-o.set.T0)),
	}
}

func (o *asgd[T]) update(x, g []T, i int) { kernel.ASGDUpdate(x, g, block(o.average, i), o.c) }

// EvalWeights is the average; before the first step x.
func (o *asgd[T]) EvalWeights(dst, x []T) {
	if o.steps > 0 {
		x = o.average
	}
	copy(dst, x)
}

// Restate says that statistics of batch normalisation are to be taken again at the average, once there is one.
func (o *asgd[T]) Restate() bool { return float64(o.steps) > o.set.T0+2 }
