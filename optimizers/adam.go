package optimizers

import (
	"context"
	"errors"
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Adam divides a running mean of the gradient by the root of a running mean of its square. With the minibatch gradient
// at x, g = gradient + WeightDecay·x, and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·g          v = Beta2·v + (1-Beta2)·g²
//	x = x - LR·m/(1-Beta1^t) / (sqrt(v/(1-Beta2^t)) + Eps)
//
// all element by element (Kingma & Ba 2015, Algorithm 1; defaults theirs). With AMSGrad the largest v so far takes the
// place of v (Reddi et al. 2018), before bias correction, as torch.optim.Adam has it.
//
// The usual first choice for a small net: its default rate works for most. Weight decay, where it is wanted, works
// better in AdamW.
type Adam struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
	AMSGrad     bool    `set:"amsgrad" default:"false" help:"divide by the largest mean square so far"`
}

var _ Method = (*Adam)(nil)

// Name is adam.
func (*Adam) Name() string { return "adam" }

func (*Adam) info() Info {
	return Info{Name: "adam", Memory: 3, DefaultLR: 0.001, Use: "the usual first choice: needs little tuning"}
}

func (m *Adam) start32(l Layout) (Optimizer[float32], error) { return startAdam[float32](m, l) }
func (m *Adam) start64(l Layout) (Optimizer[float64], error) { return startAdam[float64](m, l) }

func startAdam[T Float](m *Adam, l Layout) (Optimizer[T], error) {
	s, err := resolve("adam", m)
	if err != nil {
		return nil, err
	}
	return newAdam[T]("adam", l, s, 0), nil
}

// newAdam starts Adam with coupled weight decay (that of s) and decoupled weight decay.
func newAdam[T Float](method string, l Layout, s Adam, decoupled float64) *adam[T] {
	o := &adam[T]{core: newCore[T](method, NeedGrad, l), rate: newRate(s.LR), set: s, decoupled: decoupled}
	o.beta1 = newKnob("beta1", s.Beta1, math.Nextafter(1, 0))
	o.mean, o.square = make([]T, o.size), make([]T, o.size)
	if s.AMSGrad {
		o.most = make([]T, o.size)
	}
	o.pass = o.block
	return o
}

type adam[T Float] struct {
	core[T]
	rate
	beta1        knob
	set          Adam
	decoupled    float64
	mean, square []T
	most         []T // the largest square so far; nil without AMSGrad

	// Of the step that is being taken.
	x    []T
	c    kernel.AdamCoefficients[T]
	pass func(worker, i int) // block, made once
}

// Momentum is the beta1 of the next step.
func (o *adam[T]) Momentum() float64 { return o.beta1.now }

// SetMomentum changes beta1, unless the settings have none.
func (o *adam[T]) SetMomentum(beta1 float64) {
	if o.set.Beta1 != 0 {
		o.beta1.now = beta1
	}
}

func (o *adam[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := errors.Join(o.lr.check(o.method), o.beta1.check(o.method)); err != nil {
		return Report{}, err
	}
	_, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.steps++
	t := float64(o.steps)
	// m/(1-b1^t) / (sqrt(v)/c + eps) with c = sqrt(1-b2^t), both sides of the fraction times c: one division less.
	c := math.Sqrt(1 - math.Pow(o.set.Beta2, t))
	o.c = kernel.AdamCoefficients[T]{
		Fresh1: T(1 - o.beta1.now), Beta2: T(o.set.Beta2), Fresh2: T(1 - o.set.Beta2),
		Rate: T(o.lr.now * c / (1 - math.Pow(o.beta1.now, t))), Eps: T(o.set.Eps * c),
		Coupled: T(o.set.WeightDecay), Keep: T(1 - o.lr.now*o.decoupled),
	}
	o.x = x
	inBlocks(o.size, o.pass)
	o.x = nil
	r.LR = o.lr.now
	return r, nil
}

// block takes the step in one block of the parameters.
func (o *adam[T]) block(_, i int) {
	x, g, m, v := block(o.x, i), block(o.grad, i), block(o.mean, i), block(o.square, i)
	if o.most == nil {
		kernel.AdamUpdate(x, g, m, v, o.c)
	} else {
		kernel.AdamMaxUpdate(x, g, m, v, block(o.most, i), o.c)
	}
}

func (o *adam[T]) shape() shape {
	s := shape{method: o.method, optional: []string{"lr", "beta1"}, vectors: map[string]int{"exp_avg": o.size, "exp_avg_sq": o.size}}
	if o.most != nil {
		s.vectors["max_exp_avg_sq"] = o.size
	}
	return s
}

func (o *adam[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{
		"exp_avg": append([]T{}, o.mean...), "exp_avg_sq": append([]T{}, o.square...),
	}}
	o.lr.save(s.Scalars)
	o.beta1.save(s.Scalars)
	if o.most != nil {
		s.Vectors["max_exp_avg_sq"] = append([]T{}, o.most...)
	}
	return s
}

func (o *adam[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	o.steps = s.Step
	o.lr.load(s.Scalars)
	o.beta1.load(s.Scalars)
	copy(o.mean, s.Vectors["exp_avg"])
	copy(o.square, s.Vectors["exp_avg_sq"])
	copy(o.most, s.Vectors["max_exp_avg_sq"])
	return nil
}
