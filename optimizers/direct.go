package optimizers

import (
	"gonum.org/v1/gonum/blas"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"
)

// direct holds a symmetric matrix that was read off its products, and solves with it by Cholesky's factorisation, in
// float64 whatever T is. Beyond 64 unknowns gonum's products work in goroutines of their own.
type direct[T Float] struct {
	n         int
	a, factor []float64 // row by row; of factor only the upper triangle
	rhs       []float64
	units     [][]T // directions and products, some at a time
	products  [][]T
}

// directBlock is how many directions are multiplied at once.
const directBlock = 8

func (d *direct[T]) init(n int) {
	if d.n == n && d.a != nil {
		return
	}
	d.n, d.a, d.factor, d.rhs = n, make([]float64, n*n), make([]float64, n*n), make([]float64, n)
	k := min(n, directBlock)
	d.units, d.products = make([][]T, k), make([][]T, k)
	for i := range d.units {
		d.units[i], d.products[i] = make([]T, n), make([]T, n)
	}
}

// read sets the matrix from its products with the unit vectors; muls multiplies several at once. What is not symmetric
// is rounding, and halved.
func (d *direct[T]) read(muls func(dst, v [][]T) error) error {
	for from := 0; from < d.n; from += directBlock {
		k := min(directBlock, d.n-from)
		for i := range k {
			d.units[i][from+i] = 1
		}
		err := muls(d.products[:k], d.units[:k])
		for i := range k {
			d.units[i][from+i] = 0
			for j, v := range d.products[i] {
				d.a[(from+i)*d.n+j] = float64(v)
			}
		}
		if err != nil {
			return err
		}
	}
	for i := range d.n {
		for j := range i {
			mean := (d.a[i*d.n+j] + d.a[j*d.n+i]) / 2
			d.a[i*d.n+j], d.a[j*d.n+i] = mean, mean
		}
	}
	return nil
}

// finite says whether all elements are.
func (d *direct[T]) finite() bool {
	for _, v := range d.a {
		if !finite(v) {
			return false
		}
	}
	return true
}

// solve sets s to -(A + λI)⁻¹ g, unless that matrix is not positive definite.
func (d *direct[T]) solve(s, g []T, lambda float64) bool {
	copy(d.factor, d.a)
	for i := range d.n {
		d.factor[i*d.n+i] += lambda
		d.rhs[i] = -float64(g[i])
	}
	var l lapackgonum.Implementation
	if d.n == 0 {
		return true
	}
	if !l.Dpotrf(blas.Upper, d.n, d.factor, d.n) {
		return false
	}
	l.Dpotrs(blas.Upper, d.n, 1, d.factor, d.n, d.rhs, 1)
	for i, v := range d.rhs {
		s[i] = T(v)
		if !finite(float64(s[i])) {
			return false
		}
	}
	return true
}
