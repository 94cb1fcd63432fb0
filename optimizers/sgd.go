package optimizers

import (
	"context"
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
	o := &sgd[T]{core: newCore[T]("sgd", NeedGrad, l), rate: newRate(s.LR), set: s}
	o.momentum = newKnob("momentum", s.Momentum, 1)
	if s.Momentum != 0 {
		o.buffer = make([]T, o.size)
	}
	o.pass = o.block
	return o, nil
}

type sgd[T Float] struct {
	core[T]
	rate
	momentum knob
	set      SGD
	buffer   []T // nil without momentum

	// Of the step that is being taken.
	x    []T
	step T // the learning rate
	c    kernel.MomentumCoefficients[T]
	pass func(worker, i int) // block, made once
}

// Momentum is the momentum of the next step.
func (o *sgd[T]) Momentum() float64 { return o.momentum.now }

// SetMomentum changes the momentum, unless the settings have none.
func (o *sgd[T]) SetMomentum(m float64) {
	if o.buffer != nil {
		o.momentum.now = m
	}
}

func (o *sgd[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := errors.Join(o.lr.check(o.method), o.momentum.check(o.method)); err != nil {
		return Report{}, err
	}
	_, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.x, o.step = x, T(o.lr.now)
	mu, fresh := T(o.momentum.now), T(1-o.set.Dampening)
	o.c = kernel.MomentumCoefficients[T]{Mu: mu, Fresh: fresh, Decay: T(o.set.WeightDecay), OfBuffer: o.step}
	if o.set.Nesterov {
		o.c.OfGrad, o.c.OfBuffer = o.step, o.step*mu
	}
	if o.steps == 0 {
		o.c.Mu, o.c.Fresh = 0, 1
	}
	inBlocks(o.size, o.pass)
	o.x = nil
	o.steps++
	r.LR = o.lr.now
	return r, nil
}

// block takes the step in one block of the parameters.
func (o *sgd[T]) block(_, i int) {
	x, g := block(o.x, i), block(o.grad, i)
	if o.buffer == nil {
		kernel.SGDUpdate(x, g, o.step, o.c.Decay)
	} else {
		kernel.MomentumUpdate(x, g, block(o.buffer, i), o.c)
	}
}

func (o *sgd[T]) shape() shape {
	s := shape{method: o.method, optional: []string{"lr"}, vectors: map[string]int{}}
	if o.buffer != nil {
		s.optional = append(s.optional, "momentum")
		s.vectors["momentum_buffer"] = o.size
	}
	return s
}

func (o *sgd[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{}}
	o.lr.save(s.Scalars)
	if o.buffer != nil {
		o.momentum.save(s.Scalars)
		s.Vectors["momentum_buffer"] = append([]T{}, o.buffer...)
	}
	return s
}

func (o *sgd[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	o.steps = s.Step
	o.lr.load(s.Scalars)
	o.momentum.load(s.Scalars)
	copy(o.buffer, s.Vectors["momentum_buffer"])
	return nil
}
