package optimizers

import (
	"context"
	"fmt"
)

// Clip shortens every gradient that a method sees to the Euclidean norm Norm, over all parameters together:
//
//	g = g·min(1, Norm/(|g| + 1e-6))
//
// as torch.nn.utils.clip_grad_norm_ has it (Pascanu, Mikolov & Bengio 2013, Algorithm 1). Report.GradNorm is the norm
// before. Losses, curvature products and squared gradients are as they were. The State is that of the wrapped method.
//
// For recurrent nets and transformers, whose gradients have rare peaks. A method with a line search or a trust region
// needs no clipping.
type Clip struct {
	Norm float64 `set:"norm" default:"1" range:"(0,inf)" help:"longest gradient"`
	Of   Method  // the method that works with the clipped gradients
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
	return &clip[T]{Optimizer: o, problem: clippedProblem[T]{most: s.Norm}}, nil
}

type clip[T Float] struct {
	Optimizer[T]
	problem clippedProblem[T]
}

// Unwrap is the wrapped method's optimizer.
func (c *clip[T]) Unwrap() Optimizer[T] { return c.Optimizer }

func (c *clip[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if p == nil {
		return c.Optimizer.Step(ctx, x, nil)
	}
	c.problem.begin(p)
	r, err := c.Optimizer.Step(ctx, x, &c.problem)
	c.problem.of = nil
	if before := c.problem.batch.before; before >= 0 && err == nil {
		r.GradNorm = before
	}
	return r, err
}

// clippedProblem is a problem whose gradients are clipped. Its samples are used again from step to step.
type clippedProblem[T Float] struct {
	of    Problem[T]
	most  float64
	batch clipped[T]
	full  clipped[T]
	drawn []*clipped[T]
	draws int // in this step
}

func (p *clippedProblem[T]) begin(of Problem[T]) {
	p.of, p.draws = of, 0
	p.batch, p.full = clipped[T]{before: -1}, clipped[T]{before: -1}
}

func (p *clippedProblem[T]) Has() Oracle { return p.of.Has() }

func (p *clippedProblem[T]) Batch() Sample[T] { return p.batch.around(p.of.Batch(), p.most) }

func (p *clippedProblem[T]) Full() Sample[T] { return p.full.around(p.of.Full(), p.most) }

func (p *clippedProblem[T]) Draw(n int) (Sample[T], error) {
	s, err := p.of.Draw(n)
	if err != nil {
		return nil, err
	}
	if p.draws == len(p.drawn) {
		p.drawn = append(p.drawn, new(clipped[T]))
	}
	p.draws++
	return p.drawn[p.draws-1].around(s, p.most), nil
}

// clipped is a sample whose gradient is clipped.
type clipped[T Float] struct {
	Sample[T]
	most   float64
	before float64 // norm of the first gradient of the step; -1 before there is one
}

func (c *clipped[T]) around(s Sample[T], most float64) Sample[T] {
	if s == nil {
		return nil
	}
	c.Sample, c.most = s, most
	return c
}

func (c *clipped[T]) Grad(dst, x []T) (float64, error) {
	loss, err := c.Sample.Grad(dst, x)
	if err != nil {
		return loss, err
	}
	length := norm(dst)
	if c.before < 0 {
		c.before = length
	}
	// A gradient that is not finite goes on as it is, for the method to refuse.
	if share := c.most / (length + 1e-6); share < 1 && finite(length) {
		scale(dst, T(share))
	}
	return loss, nil
}

// Unwrap is the sample whose gradient is clipped; what else it can answer is as it was.
func (c *clipped[T]) Unwrap() Sample[T] { return c.Sample }
