package landscape

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Matrix is a symmetric matrix that is known by its products.
type Matrix interface {
	// Size is the number of rows.
	Size() int
	// Mul sets dst[i] to A v[i] for every i. All are of length Size, dst and v
	// never overlap, and several at once may cost less than one after another.
	Mul(ctx context.Context, dst, v [][]float64) error
}

// Dense is a matrix that is there, as in a test.
type Dense struct{ mat.Symmetric }

// Size is the number of rows.
func (d Dense) Size() int { return d.SymmetricDim() }

// Mul multiplies.
func (d Dense) Mul(ctx context.Context, dst, v [][]float64) error {
	for i := range v {
		if err := ctx.Err(); err != nil {
			return err
		}
		mat.NewVecDense(len(dst[i]), dst[i]).MulVec(d.Symmetric, mat.NewVecDense(len(v[i]), v[i]))
	}
	return nil
}

// Span is a range of rows, [Lo, Hi).
type Span struct{ Lo, Hi int }

// Block is the rows and columns of a in the spans, in their order: the curvature
// of one layer, for example.
func Block(a Matrix, spans ...Span) (Matrix, error) {
	b := &block{a: a, spans: spans}
	last := 0
	for _, s := range spans {
		if s.Lo < last || s.Hi <= s.Lo || s.Hi > a.Size() {
			return nil, fmt.Errorf("landscape: rows %d to %d of a matrix of %d; spans are ascending, not empty and inside", s.Lo, s.Hi, a.Size())
		}
		last = s.Hi
		b.size += s.Hi - s.Lo
	}
	if b.size == 0 {
		return nil, fmt.Errorf("landscape: a block without rows")
	}
	return b, nil
}

type block struct {
	a      Matrix
	spans  []Span
	size   int
	in, to [][]float64
}

func (b *block) Size() int { return b.size }

func (b *block) Mul(ctx context.Context, dst, v [][]float64) error {
	for len(b.in) < len(v) {
		b.in = append(b.in, make([]float64, b.a.Size()))
		b.to = append(b.to, make([]float64, b.a.Size()))
	}
	for i, x := range v {
		at := 0
		for _, s := range b.spans {
			at += copy(b.in[i][s.Lo:s.Hi], x[at:])
		}
	}
	if err := b.a.Mul(ctx, b.to[:len(v)], b.in[:len(v)]); err != nil {
		return err
	}
	for i, y := range dst {
		at := 0
		for _, s := range b.spans {
			at += copy(y[at:], b.to[i][s.Lo:s.Hi])
		}
	}
	return nil
}

// counted counts the products with a matrix and refuses those that are not finite.
type counted struct {
	Matrix
	products int
}

func (c *counted) Mul(ctx context.Context, dst, v [][]float64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.Matrix.Mul(ctx, dst, v); err != nil {
		return err
	}
	c.products += len(v)
	for _, y := range dst {
		if s := norm(y); math.IsNaN(s) || math.IsInf(s, 0) {
			for i, e := range y {
				if math.IsNaN(e) || math.IsInf(e, 0) {
					return fmt.Errorf("landscape: product %d is %v at element %d: the curvature is not finite there", c.products, e, i)
				}
			}
			return fmt.Errorf("landscape: product %d is too long for a float64", c.products)
		}
	}
	return nil
}
