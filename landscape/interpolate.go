package landscape

import (
	"context"
	"fmt"
	"math"
)

// Point sets dst to (1-alpha) from + alpha to.
func point[T float32 | float64](dst []T, from, to []float64, alpha float64) {
	inChunks(len(dst), func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = T((1-alpha)*from[i] + alpha*to[i])
		}
	})
}

// Linspace is n numbers from a to b, both included, equally far apart.
func Linspace(a, b float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = a
		if n > 1 {
			x[i] = a + (b-a)*float64(i)/float64(n-1)
		}
	}
	if n > 1 {
		x[n-1] = b
	}
	return x
}

// Line is the loss along a segment of parameters: at (1-alpha) from + alpha to for
// each alpha. The point of the model's products stays where it is.
func (p *Model[T]) Line(ctx context.Context, from, to, alpha []float64) ([]float64, error) {
	if len(from) != len(p.Params) || len(to) != len(p.Params) {
		return nil, fmt.Errorf("landscape: a line between %d and %d parameters; the model has %d", len(from), len(to), len(p.Params))
	}
	x := make([]T, len(p.Params))
	loss := make([]float64, len(alpha))
	for i, a := range alpha {
		if err := ctx.Err(); err != nil {
			return loss[:i], err
		}
		point(x, from, to, a)
		var err error
		if loss[i], err = p.lossAt(x, a); err != nil {
			return loss[:i], err
		}
	}
	return loss, nil
}

// A Bump is a stretch of a curve on which it is above where the stretch begins.
type Bump struct {
	First, Last   int     // indices: the last point before the rise, and where the curve is below it again or ends
	Height, Width float64 // above the first point, and along alpha
}

// Bumps finds the stretches on which the values are above an earlier one: a bump
// opens where they rise, at the point before, and closes where they are below that
// point, or at the end (Lucas et al. 2021). A rise from the last point but one to
// the last is a bump too.
func Bumps(alpha, loss []float64) []Bump {
	var list []Bump
	open := false
	var b Bump
	for i := 1; i < len(loss); i++ {
		if !open && loss[i] > loss[i-1] {
			open = true
			b = Bump{First: i - 1}
		}
		if !open {
			continue
		}
		if loss[i] < loss[b.First] {
			b.Last, b.Width = i, alpha[i]-alpha[b.First]
			list, open = append(list, b), false
			continue
		}
		b.Height = max(b.Height, loss[i]-loss[b.First])
		if i == len(loss)-1 {
			b.Last, b.Width = i, alpha[i]-alpha[b.First]
			list = append(list, b)
		}
	}
	return list
}

// Delta is the smallest number by which the values may rise above an earlier one
// without the curve being less than monotone: the height of the highest bump, and
// 0 where there is none.
func Delta(loss []float64) float64 {
	least, most := math.Inf(1), 0.0
	for _, v := range loss {
		most = max(most, v-least)
		least = min(least, v)
	}
	return most
}

// Distance is the Euclidean distance of two parameter vectors.
func Distance(x, y []float64) float64 {
	d := make([]float64, len(x))
	copy(d, x)
	axpy(d, -1, y)
	return norm(d)
}

// Difference is x - y.
func Difference(x, y []float64) []float64 {
	d := make([]float64, len(x))
	copy(d, x)
	axpy(d, -1, y)
	return d
}

// Lengthen scales x, which is not 0, to a length.
func Lengthen(x []float64, length float64) {
	if now := norm(x); now > 0 {
		scale(length/now, x)
	}
}
