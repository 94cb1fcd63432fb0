package landscape

import (
	"context"
	"fmt"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// Model is a network's mean loss on a set of examples, at a point, as training sees
// it: batch normalisation is over all these examples. Freeze and StatisticsOf make it
// another loss.
type Model[T train.Float] struct {
	Sample optimizers.Sample[T]
	Layout optimizers.Layout
	Params []T // the point of the products
	N      int // examples

	in, out [][]T

	model *nn.Model[T]
	batch data.Batch[T]
	stats statistics[T]

	// Once they are needed: the loss outside training, the latter with derivatives.
	eval   *train.Evaluation[T]
	frozen optimizers.Sample[T]
}

// At is the loss of m on the first n examples of d, or on all of them where n is
// 0, at the parameters that m has. The examples stay in memory.
func At[T train.Float](m *nn.Model[T], d data.Dataset, n int) (*Model[T], error) {
	if n < 0 || n > d.Len() {
		return nil, fmt.Errorf("landscape: %d of %d examples; allowed are 1 to %d, or 0 for all", n, d.Len(), d.Len())
	}
	if n == 0 {
		n = d.Len()
	}
	l := data.Loader[T]{Data: d, Batch: n}
	for b, err := range l.Epoch(context.Background(), 0, 0) {
		if err != nil {
			return nil, err
		}
		s, err := train.ProblemOf(m, b)
		if err != nil {
			return nil, err
		}
		p := &Model[T]{Sample: s, Layout: train.Layout(m), N: n, model: m, batch: b}
		return p, p.Move(m.Params)
	}
	return nil, fmt.Errorf("landscape: no examples")
}

// Move makes x, which is copied, the point of the products.
func (p *Model[T]) Move(x []T) error {
	p.Params = append(p.Params[:0], x...)
	if p.frozen != nil {
		if err := p.frozen.Linearize(p.Params); err != nil {
			return err
		}
	}
	return p.Sample.Linearize(p.Params)
}

// Gradient is the gradient of the loss at the point, and the loss.
func (p *Model[T]) Gradient() (g []float64, loss float64, err error) {
	x := make([]T, len(p.Params))
	s, back := p.lend(0)
	defer back()
	if loss, err = s.Grad(x, p.Params); err != nil {
		return nil, 0, err
	}
	g = make([]float64, len(x))
	for i, v := range x {
		g[i] = float64(v)
	}
	return g, loss, nil
}

// Hessian is the Hessian of the loss at the point.
func (p *Model[T]) Hessian() Matrix {
	return curvature[T]{p, optimizers.HessianMuls[T]}
}

// GaussNewton is the Gauss-Newton matrix of the loss at the point.
func (p *Model[T]) GaussNewton() Matrix {
	return curvature[T]{p, optimizers.GaussNewtonMuls[T]}
}

// Spans are the rows of the tensors that match says yes to, neighbours joined.
func (p *Model[T]) Spans(match func(optimizers.Tensor) bool) []Span {
	var list []Span
	for _, t := range p.Layout {
		if !match(t) {
			continue
		}
		if n := len(list); n > 0 && list[n-1].Hi == t.Offset {
			list[n-1].Hi += t.Size()
		} else {
			list = append(list, Span{t.Offset, t.Offset + t.Size()})
		}
	}
	return list
}

// curvature is a matrix of a model.
type curvature[T train.Float] struct {
	p   *Model[T]
	mul func(s optimizers.Sample[T], dst, v [][]T) error
}

func (c curvature[T]) Size() int { return len(c.p.Params) }

func (c curvature[T]) Mul(ctx context.Context, dst, v [][]float64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := c.p
	for len(p.in) < len(v) {
		p.in = append(p.in, make([]T, len(p.Params)))
		p.out = append(p.out, make([]T, len(p.Params)))
	}
	for i, x := range v {
		inChunks(len(x), func(_, lo, hi int) {
			for j := lo; j < hi; j++ {
				p.in[i][j] = T(x[j])
			}
		})
	}
	s, back := p.lend(0)
	defer back()
	if err := c.mul(s, p.out[:len(v)], p.in[:len(v)]); err != nil {
		return err
	}
	for i, y := range dst {
		inChunks(len(y), func(_, lo, hi int) {
			for j := lo; j < hi; j++ {
				y[j] = float64(p.out[i][j])
			}
		})
	}
	return nil
}
