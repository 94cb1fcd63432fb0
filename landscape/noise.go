package landscape

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// NoiseOptions say how Noise measures. Zero values mean the defaults.
type NoiseOptions struct {
	Examples int // default all
	Aligned  int // examples whose gradients are multiplied by the curvature; default 64
	Progress func(done int)
}

// NoiseResult is what is known of the covariance Σ of the gradients of single
// examples.
type NoiseResult struct {
	Examples  int
	GradNorm  float64  // |g| of the mean gradient
	Trace     float64  // tr Σ, unbiased
	Scale     float64  // tr Σ/|g|², the simple noise scale: NaN where the gradient drowns in the noise
	Curvature Estimate // mean of d'Ad/d'd over the deviations d of single gradients from their mean
}

// Noise measures the gradient noise of m on single examples of d at the parameters
// of m, outside training: dropout drops nothing and batch normalisation uses its
// running statistics. The noise scale is that of McCandlish et al. 2018: below a
// batch of that size gradients are mostly noise; |g|² is freed from the noise of
// its own mean. Curvature is the mean curvature of a along the noise; beside
// tr(A)/n, the mean over all directions, it says how much more the noise shakes
// where the loss is curved.
func Noise[T train.Float](ctx context.Context, m *nn.Model[T], d data.Dataset, a Matrix, o NoiseOptions) (*NoiseResult, error) {
	n := cmp.Or(o.Examples, d.Len())
	aligned := min(cmp.Or(o.Aligned, 64), n)
	if n < 2 || n > d.Len() || aligned < 1 {
		return nil, fmt.Errorf("landscape: noise of %d of %d examples, %d of them with the curvature; allowed are 2 to %d and 1 and more", n, d.Len(), aligned, d.Len())
	}
	single, err := newSingle(m)
	if err != nil {
		return nil, err
	}
	size := len(m.Params)
	mean := make([]float64, size)
	squares := 0.0
	kept := vectors(aligned, size)
	g := make([]float64, size)
	l := data.Loader[T]{Data: d, Batch: 1}
	k := 0
	for b, err := range l.Epoch(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		if err := single.gradient(g, b.X, b.Y); err != nil {
			return nil, err
		}
		axpy(mean, 1, g)
		squares += dot(g, g)
		if k < aligned {
			copy(kept[k], g)
		}
		if k++; o.Progress != nil {
			o.Progress(k)
		}
		if k == n {
			break
		}
	}
	scale(1/float64(n), mean)
	r := &NoiseResult{Examples: n}
	gg := dot(mean, mean)
	r.GradNorm = math.Sqrt(gg)
	r.Trace = max(0, (squares-float64(n)*gg)/float64(n-1))
	r.Scale = math.NaN()
	if free := gg - r.Trace/float64(n); free > 0 {
		r.Scale = r.Trace / free
	}
	c := &counted{Matrix: a}
	const block = 8
	products := vectors(block, size)
	var curvatures []float64
	for at := 0; at < aligned; at += block {
		rows := kept[at:min(aligned, at+block)]
		for _, row := range rows {
			axpy(row, -1, mean)
		}
		if err := c.Mul(ctx, products[:len(rows)], rows); err != nil {
			return nil, err
		}
		for i, row := range rows {
			if s := dot(row, row); s > 0 {
				curvatures = append(curvatures, dot(row, products[i])/s)
			}
		}
	}
	r.Curvature = meanOf(curvatures)
	return r, nil
}

// single is a program for the gradient of one example.
type single[T train.Float] struct {
	*exec.Program[T]
	m *nn.Model[T]
	g *nn.Graph
}

func newSingle[T train.Float](m *nn.Model[T]) (*single[T], error) {
	g, err := m.Graph(1, false)
	if err != nil {
		return nil, err
	}
	inputs := exec.Inputs{g.X, g.Y}
	for _, b := range g.Buffers {
		if b != nil {
			inputs = append(inputs, b)
		}
	}
	grad, err := autodiff.Grad(g.Loss, g.Params...)
	if err != nil {
		return nil, err
	}
	p, err := autodiff.Compile[T](grad, inputs, exec.Params(g.Params))
	if err != nil {
		return nil, err
	}
	return &single[T]{p, m, g}, m.Bind(g, p, m.Params)
}

func (s *single[T]) gradient(dst []float64, x, y []T) error {
	if err := s.Set(s.g.X, x); err != nil {
		return err
	}
	if err := s.Set(s.g.Y, y); err != nil {
		return err
	}
	if err := s.Run(); err != nil {
		return err
	}
	at := 0
	for i := range s.g.Params {
		for _, v := range s.Output(i) {
			dst[at] = float64(v)
			at++
		}
	}
	return nil
}
