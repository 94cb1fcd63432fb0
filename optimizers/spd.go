package optimizers

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// spd inverts symmetric positive definite matrices. It halves them until gonum's Cholesky decomposition does the rest:
//
//	[P Q; Q' R]⁻¹ = [P⁻¹ + W S⁻¹ W', -W S⁻¹; ·', S⁻¹]    W = P⁻¹ Q, S = R - Q'W
//
// so that nearly all work is matrix products: 4/3 n³ multiplications and additions. Not safe for concurrent use.
type spd struct {
	products *products[float64]
	scratch  []float64
}

// spdLeaf is the size from which matrices are halved.
const spdLeaf = 48

func newSPD() *spd { return &spd{products: newProducts[float64]()} }

// invert replaces the n by n matrix a by its inverse, or returns false where it is not positive definite; then a is
// undefined.
func (s *spd) invert(a []float64, n int) bool {
	if need := n * n; len(s.scratch) < need { // n²/2, and a quarter of that for the half, and so on
		s.scratch = make([]float64, need)
	}
	return s.recurse(a, n, n, s.scratch)
}

// recurse inverts the n by n matrix whose rows are row apart.
func (s *spd) recurse(a []float64, n, row int, scratch []float64) bool {
	if n <= spdLeaf {
		return leaf(a, n, row)
	}
	h := n / 2
	m := n - h
	if !s.recurse(a, h, row, scratch) { // P⁻¹
		return false
	}
	q, r := a[h:], a[h*row+h:]
	rows := kernel.Mat{Row: row, Col: 1}
	// W [h, m], and -Q' [m, h] as products only add.
	w, minus, rest := scratch[:h*m], scratch[h*m:2*h*m], scratch[2*h*m:]
	s.products.do(productShape{h, m, h, rows, rows, m}, w, a, q, false)
	kernel.Transpose(minus, h, q, row, h, m)
	kernel.Scale(minus, -1, minus)
	s.products.do(productShape{m, m, h, kernel.Mat{Row: h, Col: 1}, kernel.Mat{Row: m, Col: 1}, row}, r, minus, w, true)
	if !s.recurse(r, m, row, rest) { // S⁻¹
		return false
	}
	// X = W S⁻¹ over the place of -Q'; then P⁻¹ + X W', -X and its transpose.
	x := minus
	s.products.do(productShape{h, m, m, kernel.Mat{Row: m, Col: 1}, rows, m}, x, w, r, false)
	s.products.do(productShape{h, h, m, kernel.Mat{Row: m, Col: 1}, kernel.Mat{Row: 1, Col: m}, row}, a, x, w, true)
	below := a[h*row:]
	for i := range h {
		kernel.Scale(q[i*row:][:m], -1, x[i*m:][:m])
	}
	kernel.Transpose(below, row, q, row, h, m)
	return true
}

// leaf inverts by gonum's Cholesky decomposition.
func leaf(a []float64, n, row int) bool {
	t, ok := lapack64.Potrf(blas64.Symmetric{N: n, Stride: row, Data: a, Uplo: blas.Upper})
	if !ok {
		return false
	}
	if _, ok := lapack64.Potri(t); !ok {
		return false
	}
	for i := range n {
		for j := range i {
			a[i*row+j] = a[j*row+i]
		}
	}
	return true
}
