package optimizers

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// spectral is gonum's decompositions of n by n matrices in float64, n up to the size it was made for, without
// allocating but for what gonum's parallel products of matrices of 128 rows and more take.
type spectral struct {
	matrix []float64 // the matrix to decompose, without gaps; then what it was asked for
	values []float64 // eigenvalues, smallest first
	tau    []float64
	work   []float64
}

func newSpectral(most int) *spectral {
	s := &spectral{matrix: make([]float64, most*most), values: make([]float64, most), tau: make([]float64, most)}
	if most == 0 {
		return s
	}
	var need [1]float64
	lapack64.Syev(lapack.EVCompute, s.symmetric(most), s.values, need[:], -1)
	room := need[0]
	g := blas64.General{Rows: most, Cols: most, Stride: most, Data: s.matrix}
	lapack64.Geqrf(g, s.tau, need[:], -1)
	room = max(room, need[0])
	lapack64.Orgqr(g, s.tau, need[:], -1)
	s.work = make([]float64, int(max(room, need[0], float64(3*most))))
	return s
}

func (s *spectral) symmetric(n int) blas64.Symmetric {
	return blas64.Symmetric{N: n, Stride: n, Data: s.matrix[:n*n], Uplo: blas.Lower}
}

// eigen sets matrix, symmetric, to its eigenvectors as columns, and values. It returns false where there are none to be
// found: a number that is not finite.
func (s *spectral) eigen(n int) bool {
	if !s.finite(n) {
		return false
	}
	return lapack64.Syev(lapack.EVCompute, s.symmetric(n), s.values[:n], s.work, len(s.work))
}

// orthonormal sets matrix to an orthonormal basis whose first k vectors, as columns, span what its first k columns do.
// It returns false where a number is not finite.
func (s *spectral) orthonormal(n int) bool {
	if !s.finite(n) {
		return false
	}
	g := blas64.General{Rows: n, Cols: n, Stride: n, Data: s.matrix[:n*n]}
	lapack64.Geqrf(g, s.tau[:n], s.work, len(s.work))
	lapack64.Orgqr(g, s.tau[:n], s.work, len(s.work))
	return true
}

func (s *spectral) finite(n int) bool {
	sum := 0.0
	for _, v := range s.matrix[:n*n] {
		sum += math.Abs(v)
	}
	return finite(sum)
}

// widen copies a matrix into s.
func widen[T Float](s *spectral, a []T) {
	for i, v := range a {
		s.matrix[i] = float64(v)
	}
}

// narrow copies the matrix of s to dst.
func narrow[T Float](dst []T, s *spectral) {
	for i := range dst {
		dst[i] = T(s.matrix[i])
	}
}
