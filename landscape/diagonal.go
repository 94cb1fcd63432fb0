package landscape

import (
	"cmp"
	"context"
	"fmt"
	"math"
)

// DiagonalOptions say how Diagonal works. Zero values mean the defaults.
type DiagonalOptions struct {
	Probes int // random directions; default 100
	Block  int // directions multiplied at once; default 8
	Seed   uint64
}

// DiagonalResult is an estimate of the diagonal and of the squared Frobenius norm.
type DiagonalResult struct {
	Value     []float64 // the diagonal
	Error     []float64 // the standard error of each element
	Frobenius Estimate  // Σ A_ij², which is Σ λ²
	Products  int
}

// Diagonal estimates the diagonal of a by the means of w∘Aw over random signs w
// (Bekas, Kokiopoulou & Saad 2007), whose variance in an element is the sum of
// squares of the rest of its row; the same products give the squared Frobenius
// norm as the mean of |Aw|².
func Diagonal(ctx context.Context, a Matrix, o DiagonalOptions) (*DiagonalResult, error) {
	o.Probes, o.Block = cmp.Or(o.Probes, 100), cmp.Or(o.Block, 8)
	n := a.Size()
	if n < 1 || o.Probes < 2 || o.Block < 1 {
		return nil, fmt.Errorf("landscape: the diagonal of a matrix of %d rows by %d probes in blocks of %d; allowed are 1, 2 and 1 and more", n, o.Probes, o.Block)
	}
	c := &counted{Matrix: a}
	r := &DiagonalResult{Value: make([]float64, n), Error: make([]float64, n)}
	var squares []float64
	w, y := vectors(min(o.Block, o.Probes), n), vectors(min(o.Block, o.Probes), n)
	seen := 0.0
	for at := 0; at < o.Probes; at += len(w) {
		k := min(len(w), o.Probes-at)
		for i, x := range w[:k] {
			signs(x, source(o.Seed, uint64(at+i)))
		}
		if err := c.Mul(ctx, y[:k], w[:k]); err != nil {
			return nil, err
		}
		for j := range k {
			seen++
			squares = append(squares, dot(y[j], y[j]))
			inChunks(n, func(_, lo, hi int) {
				for i := lo; i < hi; i++ { // Welford's running mean and sum of squares
					v := w[j][i] * y[j][i]
					d := v - r.Value[i]
					r.Value[i] += d / seen
					r.Error[i] += d * (v - r.Value[i])
				}
			})
		}
	}
	for i, s := range r.Error {
		r.Error[i] = math.Sqrt(s / (seen - 1) / seen)
	}
	r.Frobenius = meanOf(squares)
	r.Products = c.products
	return r, nil
}
