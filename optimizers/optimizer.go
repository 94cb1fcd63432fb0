package optimizers

import (
	"context"
	"fmt"
	"math"
	"reflect"

	"github.com/saddle-ml/saddle/internal/pages"
)

// Optimizer is a method at work on one parameter vector. It is not safe for concurrent use.
type Optimizer[T Float] interface {
	// Needs is what the problem must be able to answer; see Check.
	Needs() Oracle
	// Step moves x in place. After an error x and the state are as before. Step allocates nothing after the first.
	Step(ctx context.Context, x []T, p Problem[T]) (Report, error)
	// State is a copy of all that the steps so far have left behind.
	State() State[T]
	// Restore goes back to a state of an optimizer with the same method, settings and layout. After an error the
	// optimizer is as before.
	Restore(State[T]) error
}

// Method holds the settings of an update rule: a struct whose zero fields mean the documented defaults. New starts an
// optimizer that runs it; one Method may be started many times, in both precisions. The methods are in this package;
// an optimizer of one's own becomes one by Of or Own.
type Method interface {
	// Name is the word for the method in Parse, flags and states.
	Name() string
	start32(Layout) (Optimizer[float32], error)
	start64(Layout) (Optimizer[float64], error)
}

// New starts an optimizer for parameters of the given layout: it checks the settings and allocates the state. Later
// changes of m have no effect on it.
func New[T Float](m Method, l Layout) (Optimizer[T], error) {
	if isNil(m) {
		return nil, fmt.Errorf("optimizers: no method given (%T is nil)", m)
	}
	if err := l.Validate(); err != nil {
		return nil, err
	}
	l = l.clone()
	var o any
	var err error
	switch any(T(0)).(type) {
	case float32:
		o, err = m.start32(l)
	default:
		o, err = m.start64(l)
	}
	if err != nil {
		return nil, err
	}
	return o.(Optimizer[T]), nil
}

// isNil tells an absent interface value, or one that holds a nil pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Interface:
		return r.IsNil()
	}
	return false
}

// Rated is an optimizer whose learning rate may be set between steps, as Scheduled does. A rate that differs from the
// setting is part of the State.
type Rated interface {
	Rate() float64
	SetRate(lr float64)
}

// WithMomentum is an optimizer whose momentum (Adam's beta1) may be set between steps. One that runs without momentum
// stays so.
type WithMomentum interface {
	Momentum() float64
	SetMomentum(momentum float64)
}

// As looks for an interface on an optimizer, and then on those that it wraps: As[Rated](o), for example.
func As[I any, T Float](o Optimizer[T]) (I, bool) {
	for {
		if i, ok := any(o).(I); ok {
			return i, true
		}
		switch w := o.(type) {
		case *own[T]:
			i, ok := any(w.stepper).(I)
			return i, ok
		case interface{ Unwrap() Optimizer[T] }:
			o = w.Unwrap()
		default:
			var none I
			return none, false
		}
	}
}

// core is what every optimizer here keeps beside its own state.
type core[T Float] struct {
	method string
	layout Layout
	needs  Oracle
	size   int
	steps  int
	grad   []T // of the minibatch
}

func newCore[T Float](method string, needs Oracle, l Layout) core[T] {
	c := core[T]{method: method, layout: l, needs: needs, size: l.Size()}
	c.grad = make([]T, c.size)
	pages.Huge(c.grad)
	return c
}

// Needs is what the problem must be able to answer.
func (c *core[T]) Needs() Oracle { return c.needs }

// gradient begins a step: it checks the arguments and fills c.grad with the gradient of the minibatch, which is
// finite, as is the loss.
func (c *core[T]) gradient(ctx context.Context, x []T, p Problem[T]) (Sample[T], Report, error) {
	if err := ready(ctx, c.method, c.size, len(x), p); err != nil {
		return nil, Report{}, err
	}
	if has := p.Has(); c.needs&^has != 0 {
		return nil, Report{}, missing(c.method, c.needs, has)
	}
	batch := p.Batch()
	if batch == nil {
		return nil, Report{}, fmt.Errorf("optimizers: %s: the problem has no minibatch", c.method)
	}
	loss, err := batch.Grad(c.grad, x)
	if err != nil {
		return nil, Report{}, fmt.Errorf("optimizers: %s: gradient: %w", c.method, err)
	}
	length := gradNorm(batch, c.grad)
	if !finite(length) {
		if err := c.nonFinite("gradient", c.grad); err != nil {
			return nil, Report{}, err
		}
	}
	if !finite(loss) {
		return nil, Report{}, &NonFiniteError{Method: c.method, What: "loss", Value: loss}
	}
	return batch, Report{Loss: loss, GradNorm: length, Work: WorkGrad * int64(batch.Len())}, nil
}

// nonFinite is the error for the first element of a vector that is not finite; nil where all are.
func (c *core[T]) nonFinite(what string, vector []T) error {
	for i, v := range vector {
		if v := float64(v); !finite(v) {
			t, at := c.layout.At(i)
			return &NonFiniteError{Method: c.method, What: what, Tensor: t.Name, Index: at, Value: v}
		}
	}
	return nil
}

// ready checks the arguments of a step.
func ready[T Float](ctx context.Context, method string, size, got int, p Problem[T]) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("optimizers: %s: no step taken: %w", method, err)
	}
	if p == nil {
		return fmt.Errorf("optimizers: %s: no problem given", method)
	}
	if got != size {
		return fmt.Errorf("optimizers: %s: got %d parameters, the layout has %d", method, got, size)
	}
	return nil
}

// knob is a setting that may be turned between steps.
type knob struct {
	name     string
	now, set float64
	most     float64 // largest allowed
}

func newKnob(name string, value, most float64) knob {
	return knob{name: name, now: value, set: value, most: most}
}

// check says whether somebody has turned the knob too far.
func (k *knob) check(method string) error {
	if k.now >= 0 && k.now <= k.most {
		return nil
	}
	return fmt.Errorf("optimizers: %s: %s has been set to %v; allowed are numbers from 0 to %v", method, k.name, k.now, k.most)
}

// save notes the knob's position if it is not that of the settings.
func (k *knob) save(s Scalars) {
	if k.now != k.set {
		s[k.name] = k.now
	}
}

// load goes back to a saved position.
func (k *knob) load(s Scalars) {
	k.now = k.set
	if v, ok := s[k.name]; ok {
		k.now = v
	}
}

// rate is the knob of the learning rate, embedded.
type rate struct{ lr knob }

func newRate(lr float64) rate { return rate{newKnob("lr", lr, math.MaxFloat64)} }

// Rate is the learning rate of the next step.
func (r *rate) Rate() float64 { return r.lr.now }

// SetRate changes the learning rate. The next Step fails if it is negative or not finite.
func (r *rate) SetRate(lr float64) { r.lr.now = lr }
