package optimizers

import (
	"errors"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// SGD is stochastic gradient descent, with heavy-ball or Nesterov momentum where Momentum is not 0. With the minibatch
// gradient g at x and t = 1, 2, ...
//
//	d = g + WeightDecay·x
//	b = d                                    t = 1
//	b = Momentum·b + (1-Dampening)·d         t > 1
//	x = x - LR·b                             or, Nesterov:  x = x - LR·(d + Momentum·b)
//
// as torch.optim.SGD has it: weight decay is added to the gradient and the first buffer is not damped. The momentum is
// Polyak's (1964), the form of Nesterov's that of Sutskever et al. (2013). The default rate is the usual first try for a
// loss that is a mean over examples; with momentum a tenth of it, because 0.9 of each update goes on to the next.
//
// The cheapest step there is: try it first, with a schedule. Not for problems whose gradients differ much in scale from
// tensor to tensor, such as transformers and embeddings: use AdamW there.
type SGD struct {
	LR          float64 `set:"lr" default:"0.1, or 0.01 with momentum" range:"[0,inf)" help:"learning rate"`
	Momentum    float64 `set:"momentum" default:"0" range:"[0,1]" help:"share of the last update that goes on"`
	Dampening   float64 `set:"dampening" default:"0" range:"[0,1]" help:"share of the gradient kept out of the momentum buffer"`
	Nesterov    bool    `set:"nesterov" default:"false" help:"Nesterov momentum; needs momentum > 0 and dampening 0"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*SGD)(nil)

// Name is sgd.
func (*SGD) Name() string { return "sgd" }

func (*SGD) info() Info {
	return Info{Name: "sgd", Memory: 1, DefaultLR: 0.1,
		Use: "simple and cheap; with momentum and a schedule, good for convolutional nets"}
}

func (s *SGD) defaults() {
	if s.LR == 0 {
		s.LR = 0.1
		if s.Momentum != 0 && s.Momentum != Zero {
			s.LR = 0.01
		}
	}
}

func (s *SGD) check() error {
	if s.Nesterov && (s.Momentum == 0 || s.Dampening != 0) {
		return errors.New("optimizers: sgd: nesterov needs momentum > 0 and dampening 0")
	}
	return nil
}

func (s *SGD) start32(l Layout) (Optimizer[float32], error) { return startSGD[float32](s, l) }
func (s *SGD) start64(l Layout) (Optimizer[float64], error) { return startSGD[float64](s, l) }

func startSGD[T Float](m *SGD, l Layout) (Optimizer[T], error) {
	s, err := resolve("sgd", m)
	if err != nil {
		return nil, err
	}
	o := &sgd[T]{set: s, momentum: momentum{none: true}}
	o.init("sgd", l, o)
	o.rated(&o.rate, s.LR)
	if s.Momentum != 0 {
		o.withMomentum(&o.momentum, "momentum", s.Momentum, 1)
		o.buffer = o.keep("momentum_buffer")
	}
	return o, nil
}

type sgd[T Float] struct {
	elementwise[T]
	rate
	momentum
	set    SGD
	buffer []T // nil without momentum
	step   T   // the learning rate of the step that is being taken
	c      kernel.MomentumCoefficients[T]
}

func (o *sgd[T]) prepare(t int, _ []T) {
	o.step = T(o.Rate())
	mu, fresh := T(o.Momentum()), T(1-o.set.Dampening)
	o.c = kernel.MomentumCoefficients[T]{Mu: mu, Fresh: fresh, Decay: T(o.set.WeightDecay), OfBuffer: o.step}
	if o.set.Nesterov {
		o.c.OfGrad, o.c.OfBuffer = o.step, o.step*mu
	}
	if t == 1 {
		o.c.Mu, o.c.Fresh = 0, 1
	}
}

func (o *sgd[T]) update(x, g []T, i int) {
	if o.buffer == nil {
		kernel.SGDUpdate(x, g, o.step, o.c.Decay)
	} else {
		kernel.MomentumUpdate(x, g, block(o.buffer, i), o.c)
	}
}
