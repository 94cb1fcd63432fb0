package optimizers

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
)

// Stepper is the one method that an optimizer of one's own must have; Of and Own make a Method of it. It may have
// others, with the meaning they have elsewhere in this package:
//
//	Needs() Oracle                         otherwise gradients
//	Name() string                          otherwise the name of its type
//	Start(Layout) error                    called once, before all else
//	State() State[T]; Restore(State[T]) error
//	Rate() float64; SetRate(float64)       see Rated
//
// A Stepper without State and Restore is taken to remember nothing from step to step, as sign descent does: its runs
// resume with nothing but the number of steps.
type Stepper[T Float] interface {
	Step(ctx context.Context, x []T, p Problem[T]) (Report, error)
}

// StepFunc is a function as a Stepper.
type StepFunc[T Float] func(ctx context.Context, x []T, p Problem[T]) (Report, error)

// Step calls f.
func (f StepFunc[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	return f(ctx, x, p)
}

// Of makes a Method of an optimizer of one's own. It works in one precision: New in the other is an ErrPrecision. If
// the optimizer has State, it is the only one of its kind, so a second New is an ErrAtWork; use Own for more.
func Of[T Float](s Stepper[T]) Method {
	m := &ownMethod{name: ownName(s)}
	var started atomic.Bool
	start := func(Layout) (Stepper[T], error) {
		if isNil(s) {
			return nil, fmt.Errorf("optimizers: no optimizer given (%T is nil)", s)
		}
		if _, remembers := s.(rememberer[T]); remembers && started.Swap(true) {
			return nil, fmt.Errorf("optimizers: %s is %w; give Own a function that makes a new one for every run", m.name, ErrAtWork)
		}
		return s, nil
	}
	switch start := any(start).(type) {
	case func(Layout) (Stepper[float32], error):
		m.make32 = start
	case func(Layout) (Stepper[float64], error):
		m.make64 = start
	}
	return m
}

// Own makes a Method of functions that give a new optimizer for every run, one for each precision. A nil function
// makes New in that precision an ErrPrecision.
func Own(name string, make32 func(Layout) (Stepper[float32], error), make64 func(Layout) (Stepper[float64], error)) Method {
	return &ownMethod{name, make32, make64}
}

// rememberer is the part of an Optimizer that a Stepper with a memory has.
type rememberer[T Float] interface {
	State() State[T]
	Restore(State[T]) error
}

// ownName is what an optimizer calls itself, or else the name of its type.
func ownName(s any) string {
	if isNil(s) {
		return "own"
	}
	if named, ok := s.(interface{ Name() string }); ok {
		return named.Name()
	}
	t := reflect.TypeOf(s)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, _ := strings.Cut(t.Name(), "[")
	if name == "" {
		return "own"
	}
	return strings.ToLower(name)
}

type ownMethod struct {
	name   string
	make32 func(Layout) (Stepper[float32], error)
	make64 func(Layout) (Stepper[float64], error)
}

var _ Method = (*ownMethod)(nil)

func (m *ownMethod) Name() string { return m.name }

func (m *ownMethod) start32(l Layout) (Optimizer[float32], error) {
	return startOwn(m.name, "float32", m.make32, l)
}

func (m *ownMethod) start64(l Layout) (Optimizer[float64], error) {
	return startOwn(m.name, "float64", m.make64, l)
}

func startOwn[T Float](name, precision string, make func(Layout) (Stepper[T], error), l Layout) (Optimizer[T], error) {
	if name == "" {
		return nil, fmt.Errorf("optimizers: an optimizer of one's own needs a name")
	}
	if make == nil {
		return nil, fmt.Errorf("optimizers: %s does not work on %s parameters: %w", name, precision, ErrPrecision)
	}
	s, err := make(l)
	if err != nil {
		return nil, err
	}
	if isNil(s) {
		return nil, fmt.Errorf("optimizers: %s: its function gave no optimizer", name)
	}
	if starter, ok := s.(interface{ Start(Layout) error }); ok {
		if err := starter.Start(l); err != nil {
			return nil, err
		}
	}
	return &own[T]{name: name, size: l.Size(), stepper: s}, nil
}

// own completes a Stepper to an Optimizer.
type own[T Float] struct {
	name    string
	size    int
	steps   int
	stepper Stepper[T]
}

func (o *own[T]) Needs() Oracle {
	if n, ok := o.stepper.(interface{ Needs() Oracle }); ok {
		return n.Needs()
	}
	return NeedGrad
}

func (o *own[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := ready(ctx, o.name, o.size, len(x), p); err != nil {
		return Report{}, err
	}
	if err := missing(o.name, o.Needs(), p.Has()); err != nil {
		return Report{}, err
	}
	r, err := o.stepper.Step(ctx, x, p)
	if err == nil {
		o.steps++
	}
	return r, err
}

func (o *own[T]) State() State[T] {
	if r, ok := o.stepper.(rememberer[T]); ok {
		return r.State()
	}
	return State[T]{Method: o.name, Step: o.steps}
}

func (o *own[T]) Restore(s State[T]) error {
	if r, ok := o.stepper.(rememberer[T]); ok {
		return r.Restore(s)
	}
	if err := s.check(shape{method: o.name}); err != nil {
		return err
	}
	o.steps = s.Step
	return nil
}
