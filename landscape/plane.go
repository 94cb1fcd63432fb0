package landscape

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Plane is a plane of parameters: Centre + a A + b B.
type Plane struct {
	Centre, A, B []float64
}

// Coordinates are a and b of the point of the plane nearest to x, and how far x is
// from it.
func (p *Plane) Coordinates(x []float64) (a, b, away float64, err error) {
	d := append([]float64(nil), x...)
	axpy(d, -1, p.Centre)
	aa, ab, bb := dot(p.A, p.A), dot(p.A, p.B), dot(p.B, p.B)
	da, db := dot(d, p.A), dot(d, p.B)
	det := aa*bb - ab*ab
	if !(det > 1e-14*aa*bb) {
		return 0, 0, 0, errors.New("landscape: the two directions of the plane are parallel, or one is 0")
	}
	a, b = (da*bb-db*ab)/det, (db*aa-da*ab)/det
	axpy(d, -a, p.A)
	axpy(d, -b, p.B)
	return a, b, norm(d), nil
}

// Grid is the loss on a grid of a plane: Loss[i*len(B)+j] is that at A[i], B[j],
// NaN where it is not known yet.
type Grid struct {
	A, B []float64
	Loss []float64
}

// NewGrid is a grid without losses.
func NewGrid(a, b []float64) *Grid {
	g := &Grid{A: a, B: b, Loss: make([]float64, len(a)*len(b))}
	for i := range g.Loss {
		g.Loss[i] = math.NaN()
	}
	return g
}

// Fill computes the losses of g that are NaN. After each it calls done, if not
// nil; an error of that, or an interruption, leaves what is known.
func (p *Model[T]) Fill(ctx context.Context, g *Grid, plane *Plane, done func(i int) error) error {
	n := len(p.Params)
	if len(plane.Centre) != n || len(plane.A) != n || len(plane.B) != n {
		return fmt.Errorf("landscape: a plane of %d, %d and %d numbers; the model has %d parameters", len(plane.Centre), len(plane.A), len(plane.B), n)
	}
	x := make([]T, n)
	for i, known := range g.Loss {
		if !math.IsNaN(known) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		a, b := g.A[i/len(g.B)], g.B[i%len(g.B)]
		inChunks(n, func(_, lo, hi int) {
			for k := lo; k < hi; k++ {
				x[k] = T(plane.Centre[k] + a*plane.A[k] + b*plane.B[k])
			}
		})
		loss, err := p.Loss(x)
		if err != nil {
			return err
		}
		if math.IsNaN(loss) {
			loss = math.Inf(1) // it overflows there; a NaN would be computed again
		}
		g.Loss[i] = loss
		if done != nil {
			if err := done(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// Principal is the plane of the first two principal components of points, through
// the last of them, with the share of the points' variance about it that each
// component explains. The directions have length 1.
func Principal(points [][]float64) (plane *Plane, explained [2]float64, err error) {
	k := len(points) - 1
	if k < 2 {
		return nil, explained, fmt.Errorf("landscape: %d points; a plane of principal components needs 3 and more", len(points))
	}
	last := points[k]
	d := make([][]float64, k)
	for i := range d {
		d[i] = append([]float64(nil), points[i]...)
		axpy(d[i], -1, last)
	}
	// The right singular vectors come from the small matrix of products.
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(k, gram(d, d)), true) {
		return nil, explained, errors.New("landscape: the principal components did not converge")
	}
	values := e.Values(nil)
	var y mat.Dense
	e.VectorsTo(&y)
	total := 0.0
	for _, v := range values {
		total += max(0, v)
	}
	if !(values[k-2] > 1e-14*total) {
		return nil, explained, errors.New("landscape: the points lie on a line; there is no plane of principal components")
	}
	plane = &Plane{Centre: append([]float64(nil), last...)}
	for i, dst := range []*[]float64{&plane.A, &plane.B} {
		j := k - 1 - i
		*dst = make([]float64, len(last))
		c := make([]float64, k)
		for r := range c {
			c[r] = y.At(r, j)
		}
		combine([][]float64{*dst}, 1, d, c)
		scale(1/norm(*dst), *dst)
		explained[i] = values[j] / total
	}
	return plane, explained, nil
}
