package optimizers

import (
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Clip shortens every gradient that a method sees to the Euclidean norm Norm, over all parameters together:
//
//	g = g·min(1, Norm/(|g| + 1e-6))
//
// as torch.nn.utils.clip_grad_norm_ has it (Pascanu, Mikolov & Bengio 2013, Algorithm 1). PerTensor does so with each
// tensor's gradient by itself, so that a peak in one layer leaves the others' steps as they are. Value cuts every
// element to [-Value, Value], before the norm where both are given, as torch.nn.utils.clip_grad_value_ has it.
// Report.GradNorm is the norm before. Losses, curvature products and squared gradients are as they were. The State is
// that of the wrapped method.
//
// For recurrent nets and transformers, whose gradients have rare peaks. A method with a line search or a trust region
// needs no clipping. Clipping by value, and by tensor, turns the gradient: prefer the norm.
type Clip struct {
	Norm      float64 `set:"norm" default:"1, or none with value" range:"(0,inf)" help:"longest gradient"`
	PerTensor bool    `set:"per_tensor" default:"false" help:"the norm is that of each tensor"`
	Value     float64 `set:"value" default:"0" range:"[0,inf)" help:"largest element of a gradient; 0: as large as it is"`
	Of        Method  // the method that works with the clipped gradients
}

var _ Method = (*Clip)(nil)

// Name is that of the wrapped method, and +clip.
func (c *Clip) Name() string {
	if isNil(c.Of) {
		return "clip"
	}
	return c.Of.Name() + "+clip"
}

func (*Clip) info() Info {
	return Info{Name: "clip", Use: "shorten gradients longer than norm: recurrent nets, transformers"}
}

func (c *Clip) defaults() {
	if c.Norm == 0 {
		c.Norm = 1
		if c.Value != 0 && c.Value != Zero {
			c.Norm = math.MaxFloat64
		}
	}
}

func (*Clip) word() string    { return "clip" }
func (c *Clip) inner() Method { return c.Of }

func (c *Clip) around(m Method) Method {
	d := *c
	d.Of = m
	return &d
}

func (c *Clip) start32(l Layout) (Optimizer[float32], error) { return startClip[float32](c, l) }
func (c *Clip) start64(l Layout) (Optimizer[float64], error) { return startClip[float64](c, l) }

func startClip[T Float](c *Clip, l Layout) (Optimizer[T], error) {
	s, err := resolve("clip", c)
	if err != nil {
		return nil, err
	}
	if isNil(s.Of) {
		return nil, fmt.Errorf("optimizers: clip: no method given to clip for")
	}
	o, err := New[T](s.Of, l)
	if err != nil {
		return nil, err
	}
	if err := refuseReducer("clip", s.Of.Name(), o); err != nil {
		return nil, err
	}
	if growing(o) {
		return nil, clash("clip", s.Of.Name(), "it would clip the parts of the minibatch; write clip before what grows it")
	}
	w := &clip[T]{Optimizer: o, set: s, layout: l}
	w.problem.grad = w.grad
	return w, nil
}

type clip[T Float] struct {
	Optimizer[T]
	set     Clip
	layout  Layout
	problem gradProblem[T]
}

// Unwrap is the wrapped method's optimizer.
func (c *clip[T]) Unwrap() Optimizer[T] { return c.Optimizer }

func (c *clip[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if p == nil {
		return c.Optimizer.Step(ctx, x, nil)
	}
	c.problem.begin(p)
	r, err := c.Optimizer.Step(ctx, x, &c.problem)
	c.problem.end(&r, err)
	return r, err
}

// grad is the clipped gradient.
func (c *clip[T]) grad(s *gradSample[T], dst, x []T) (float64, error) {
	loss, length, err := s.asItWas(dst, x)
	if err != nil || !finite(length) {
		return loss, err // a gradient that is not finite goes on as it is, for the method to refuse
	}
	if c.set.Value > 0 {
		kernel.Map1(kernel.Clamp, dst, dst, -c.set.Value, c.set.Value)
		length = norm(dst)
	}
	if !c.set.PerTensor {
		c.shorten(dst, length)
		return loss, nil
	}
	for _, t := range c.layout {
		g := dst[t.Offset : t.Offset+t.Size()]
		c.shorten(g, norm(g))
	}
	return loss, nil
}

func (c *clip[T]) shorten(g []T, length float64) {
	if share := c.set.Norm / (length + 1e-6); share < 1 {
		scale(g, T(share))
	}
}
