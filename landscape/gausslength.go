package landscape

import (
	"context"
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// GaussLength says how much the outputs of m turn while its parameters go along a
// segment: with z(alpha) the outputs for one example, it is the length of the path
// of the unit vectors z'/|z'| on the sphere, the integral of |d(z'/|z'|)/dalpha| by
// the trapezoid rule at the given alphas, as a mean over the first n examples of
// d (all where n is 0). It is 0 for a model that is linear in its parameters and π
// for half a circle (Lucas et al. 2021). Both derivatives are exact: forward
// differentiation of forward differentiation.
//
// An example whose outputs do not move at a point turns by nothing there.
func GaussLength[T train.Float](ctx context.Context, m *nn.Model[T], d data.Dataset, n int, from, to, alpha []float64) (Estimate, error) {
	if len(from) != len(m.Params) || len(to) != len(m.Params) {
		return Estimate{}, fmt.Errorf("landscape: a line between %d and %d parameters; the model has %d", len(from), len(to), len(m.Params))
	}
	if n < 0 || n > d.Len() || len(alpha) < 2 {
		return Estimate{}, fmt.Errorf("landscape: Gauss length of %d of %d examples at %d points; allowed are 0 to %d and 2 and more", n, d.Len(), len(alpha), d.Len())
	}
	if n == 0 {
		n = d.Len()
	}
	limited, err := data.Limit(d, n)
	if err != nil {
		return Estimate{}, err
	}
	x, v := make([]T, len(from)), make([]T, len(from))
	for i := range v {
		v[i] = T(to[i] - from[i])
	}
	programs := map[int]*turning[T]{}
	l := data.Loader[T]{Data: limited, Batch: min(n, 500)}
	var lengths []float64
	for b, err := range l.Epoch(ctx, 0, 0) {
		if err != nil {
			return Estimate{}, err
		}
		p := programs[b.N]
		if p == nil {
			if p, err = newTurning(m, b.N); err != nil {
				return Estimate{}, err
			}
			programs[b.N] = p
		}
		at := len(lengths)
		lengths = append(lengths, make([]float64, b.N)...)
		var last, speed []float64
		for k, a := range alpha {
			if err := ctx.Err(); err != nil {
				return Estimate{}, err
			}
			point(x, from, to, a)
			last, speed = speed, make([]float64, b.N)
			if err := p.speeds(speed, b.X, x, v); err != nil {
				return Estimate{}, err
			}
			for i := range speed {
				if k > 0 {
					lengths[at+i] += (speed[i] + last[i]) / 2 * (a - alpha[k-1])
				}
			}
		}
	}
	return meanOf(lengths), nil
}

// turning is a program for the first two derivatives of the outputs along a
// direction.
type turning[T train.Float] struct {
	*exec.Program[T]
	m *nn.Model[T]
	g *nn.Graph
	v []*autodiff.Node
}

func newTurning[T train.Float](m *nn.Model[T], batch int) (*turning[T], error) {
	g, err := m.Graph(batch, false)
	if err != nil {
		return nil, err
	}
	p := &turning[T]{m: m, g: g}
	inputs := exec.Inputs{g.X}
	for _, b := range g.Buffers {
		if b != nil {
			inputs = append(inputs, b)
		}
	}
	for i, q := range g.Params {
		v := autodiff.NewInput(q.Graph(), q.Dtype(), "direction of "+m.Parameters()[i].Name, q.Shape()...)
		p.v = append(p.v, v)
		inputs = append(inputs, v)
	}
	first, err := autodiff.JVP([]*autodiff.Node{g.Output}, g.Params, p.v)
	if err != nil {
		return nil, err
	}
	second, err := autodiff.JVP(first, g.Params, p.v)
	if err != nil {
		return nil, err
	}
	p.Program, err = autodiff.Compile[T](append(first, second...), inputs, exec.Params(g.Params))
	return p, err
}

// speeds sets dst to how fast the direction of each example's outputs turns.
func (p *turning[T]) speeds(dst []float64, examples, x, v []T) error {
	if err := p.Set(p.g.X, examples); err != nil {
		return err
	}
	if err := p.m.Bind(p.g, p.Program, x); err != nil {
		return err
	}
	for i, q := range p.m.Parameters() {
		if err := p.Set(p.v[i], v[q.Offset:q.Offset+q.Size()]); err != nil {
			return err
		}
	}
	if err := p.Run(); err != nil {
		return err
	}
	first, second := p.Output(0), p.Output(1)
	width := len(first) / len(dst)
	for i := range dst {
		z1, z2 := first[i*width:(i+1)*width], second[i*width:(i+1)*width]
		var vv, va, aa float64
		for j := range z1 {
			a, b := float64(z1[j]), float64(z2[j])
			vv, va, aa = vv+a*a, va+a*b, aa+b*b
		}
		if vv > 0 {
			dst[i] = math.Sqrt(max(0, aa-va*va/vv) / vv)
		}
	}
	return nil
}
