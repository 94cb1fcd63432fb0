package optimizers

import (
	"errors"
	"fmt"
	"slices"
)

// plain is a function as a Problem and as its only sample. It remembers the gradient at the last point it was asked
// for, so that looking whether to stop costs no second evaluation.
type plain[T Float] struct {
	f    Objective[T]
	n    int // examples
	has  Oracle
	work int64

	at, grad []T // a point and the gradient there
	one      []T // a gradient that is passed on
	loss     float64
	known    bool
}

func newPlain[T Float](f Objective[T], size int) *plain[T] {
	p := &plain[T]{f: f, n: 1, has: NeedGrad, at: make([]T, size), grad: make([]T, size)}
	if _, ok := f.(Curvature[T]); ok {
		p.has |= NeedHessian | NeedGaussNewton
	}
	if _, ok := f.(SquaredGrads[T]); ok {
		p.has |= NeedSquaredGrads
	}
	if _, ok := f.(SampledGrads[T]); ok {
		p.has |= NeedSampledGrads
	}
	if _, ok := f.(ExampleGrads[T]); ok {
		p.has |= NeedExampleGrads
	}
	if _, ok := f.(StructuralDamping[T]); ok {
		p.has |= NeedStructural
	}
	if f, ok := f.(interface{ Has() Oracle }); ok {
		p.has = f.Has()
	}
	if f, ok := f.(interface{ Len() int }); ok {
		p.n = f.Len()
	}
	if p.n == 1 && p.has&NeedGrad != 0 {
		p.has |= NeedExampleGrads // it is the one example
	}
	return p
}

// look fills in the loss and gradient at x, and refuses those that are not finite.
func (p *plain[T]) look(x []T) error {
	if !p.known || !slices.Equal(p.at, x) {
		copy(p.at, x)
		p.known = false
		loss, err := p.f.Grad(p.grad, x)
		if err != nil {
			return fmt.Errorf("optimizers: minimize: gradient: %w", err)
		}
		p.work += WorkGrad * int64(p.n)
		p.loss, p.known = loss, true
	}
	for i, v := range p.grad {
		if v := float64(v); !finite(v) {
			return &NonFiniteError{Method: "minimize", What: "gradient", Tensor: "x", Index: i, Value: v}
		}
	}
	if !finite(p.loss) {
		return &NonFiniteError{Method: "minimize", What: "loss", Value: p.loss}
	}
	return nil
}

func (p *plain[T]) Batch() Sample[T] { return p }
func (p *plain[T]) Full() Sample[T]  { return p }
func (p *plain[T]) Has() Oracle      { return p.has }
func (p *plain[T]) Len() int         { return p.n }

func (p *plain[T]) Draw(int) (Sample[T], error) {
	return nil, errors.New("optimizers: minimize: a plain function has no examples to draw from")
}

func (p *plain[T]) Loss(x []T) (float64, error) {
	if p.known && slices.Equal(p.at, x) {
		return p.loss, nil
	}
	p.work += WorkLoss * int64(p.n)
	return p.f.Loss(x)
}

func (p *plain[T]) Grad(dst, x []T) (float64, error) {
	if p.known && slices.Equal(p.at, x) {
		copy(dst, p.grad)
		return p.loss, nil
	}
	p.work += WorkGrad * int64(p.n)
	loss, err := p.f.Grad(dst, x)
	if err == nil { // a line search ends where it has looked last, more often than not
		copy(p.at, x)
		copy(p.grad, dst)
		p.loss, p.known = loss, true
	}
	return loss, err
}

// curvature is f as one; Has has been asked before, so a method that comes here without it has not kept its word.
func (p *plain[T]) curvature() (Curvature[T], error) {
	if c, ok := p.f.(Curvature[T]); ok {
		return c, nil
	}
	return nil, fmt.Errorf("optimizers: minimize: %T gives no curvature products", p.f)
}

func (p *plain[T]) Linearize(x []T) error {
	c, err := p.curvature()
	if err != nil {
		return err
	}
	return c.Linearize(x)
}

func (p *plain[T]) HessianMul(dst, v []T) error {
	c, err := p.curvature()
	if err != nil {
		return err
	}
	p.work += WorkHessian * int64(p.n)
	return c.HessianMul(dst, v)
}

func (p *plain[T]) GaussNewtonMul(dst, v []T) error {
	c, err := p.curvature()
	if err != nil {
		return err
	}
	p.work += WorkGaussNewton * int64(p.n)
	return c.GaussNewtonMul(dst, v)
}

func (p *plain[T]) SquaredGrads(dst, x []T) error {
	s, ok := p.f.(SquaredGrads[T])
	if !ok {
		return fmt.Errorf("optimizers: minimize: %T gives no squared per-example gradients", p.f)
	}
	p.work += WorkSquaredGrads * int64(p.n)
	return s.SquaredGrads(dst, x)
}

func (p *plain[T]) SampledGrad(dst, x []T, draw int) error {
	s, ok := p.f.(SampledGrads[T])
	if !ok {
		return fmt.Errorf("optimizers: minimize: %T gives no gradients with sampled targets", p.f)
	}
	p.work += WorkSampledGrad * int64(p.n)
	return s.SampledGrad(dst, x, draw)
}

func (p *plain[T]) ExampleGrads(x []T, f func(example int, loss float64, g []T) error) error {
	if e, ok := p.f.(ExampleGrads[T]); ok {
		p.work += WorkExampleGrads * int64(p.n)
		return e.ExampleGrads(x, f)
	}
	if p.n != 1 {
		return fmt.Errorf("optimizers: minimize: %T gives no gradients of single examples", p.f)
	}
	if len(p.one) != len(x) {
		p.one = make([]T, len(x))
	}
	loss, err := p.Grad(p.one, x)
	if err != nil {
		return err
	}
	return f(0, loss, p.one)
}

func (p *plain[T]) StructuralMul(dst, v []T) error {
	s, ok := p.f.(StructuralDamping[T])
	if !ok {
		return fmt.Errorf("optimizers: minimize: %T gives no structural damping", p.f)
	}
	p.work += WorkStructural * int64(p.n)
	return s.StructuralMul(dst, v)
}
