package optimizers

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/lapack"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"
)

// Lanczos builds, one product with a symmetric A at a time, an orthonormal basis Q of the space of a start v, A v,
// A² v, ..., in which A is tridiagonal: Q'AQ = T. Each new vector is made orthogonal to all before it, twice, so Q
// stays orthonormal up to rounding, and T's eigenvalues (Ritz) tend to the outer ones of A.
//
//	l.Start(v)
//	for more := true; more; { more, err = l.Step(ctx, a) }
//
// MaxIter bounds its memory, that many vectors, which the first Start of its size allocates, or Step as it needs them.
// Not safe for concurrent use.
type Lanczos[T Float] struct {
	MaxIter int     // most steps; 0 means as many as there are unknowns
	Lazy    bool    // let Step allocate
	Tol     float64 // the space is complete when the rest of the next vector is at most Tol times the largest product so far; 0 means a hundred roundings

	q           [][]T
	w           []T
	alpha, beta []float64 // T's diagonal, and beside it: beta[i] couples i and i+1
	steps       int
	length      float64 // of the start
	largest     float64 // length of a product
	stop        string

	values, off, vectors, work []float64 // of Ritz
}

// Start begins anew from v, whose length does not matter as long as it is finite and not 0.
func (l *Lanczos[T]) Start(v []T) error {
	n := len(v)
	most := n
	if l.MaxIter > 0 {
		most = min(most, l.MaxIter)
	}
	if len(l.w) != n || len(l.q) != most {
		l.w, l.q = make([]T, n), make([][]T, most)
		for i := range l.q {
			if i == 0 || !l.Lazy {
				l.q[i] = make([]T, n)
			}
		}
		l.alpha, l.beta = make([]float64, most), make([]float64, most)
		l.values, l.off = make([]float64, most), make([]float64, most)
		l.vectors, l.work = make([]float64, most*most), make([]float64, max(1, 2*most-2))
	}
	l.steps, l.largest, l.stop = 0, 0, ""
	l.length = norm(v)
	if !(l.length > 0) || !finite(l.length) {
		return fmt.Errorf("optimizers: Lanczos: the start has length %v; allowed are lengths above 0", l.length)
	}
	l.normalise(l.q[0], v, l.length)
	return nil
}

// normalise sets dst to v/length, in two steps where the inverse would not be a number of T.
func (l *Lanczos[T]) normalise(dst, v []T, length float64) {
	for i, e := range v {
		dst[i] = T(float64(e) / length)
	}
}

// Step multiplies by A once, unless no more is to be found. It says whether a further step would find more.
func (l *Lanczos[T]) Step(ctx context.Context, a Operator[T]) (more bool, err error) {
	if l.stop != "" || len(l.q) == 0 {
		return false, nil
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	k := l.steps
	if err := a(l.w, l.q[k]); err != nil {
		return false, err
	}
	size := norm(l.w)
	if !finite(size) {
		l.stop = StopBreakdown
		return false, nil
	}
	l.largest = max(l.largest, size)
	l.alpha[k] = dot(l.w, l.q[k])
	for range 2 {
		for i := k; i >= 0; i-- {
			axpy(l.w, T(-dot(l.w, l.q[i])), l.q[i])
		}
	}
	l.beta[k] = norm(l.w)
	l.steps++
	tol := l.Tol
	if tol == 0 {
		tol = 100 * epsilon[T]()
	}
	switch {
	case l.beta[k] <= tol*l.largest:
		l.beta[k] = 0
		l.stop = StopResidual
	case l.steps == len(l.q):
		l.stop = StopIterations
	default:
		if l.q[l.steps] == nil {
			l.q[l.steps] = make([]T, len(l.w))
		}
		l.normalise(l.q[l.steps], l.w, l.beta[k])
		return true, nil
	}
	return false, nil
}

// Steps is how many steps have been done: the dimension of the space.
func (l *Lanczos[T]) Steps() int { return l.steps }

// Stop says why Step finds no more: StopResidual where the space is complete, that is A maps it to itself,
// StopIterations, or StopBreakdown after a product that is not finite. It is empty where Step would find more.
func (l *Lanczos[T]) Stop() string { return l.stop }

// Length is the length of the start, which is Length times the first vector of the basis.
func (l *Lanczos[T]) Length() float64 { return l.length }

// Tridiagonal is T: its diagonal, and beside it the elements that couple each vector and the next. The last of those
// couples the space with what is outside. They are valid until the next Start.
func (l *Lanczos[T]) Tridiagonal() (diagonal, beside []float64) {
	return l.alpha[:l.steps], l.beta[:l.steps]
}

// Ritz is the eigenvalues of T, ascending, and its orthonormal eigenvectors: component i of the one with the value j
// is vectors[i*Steps()+j]. They are valid until the next Start or Ritz.
func (l *Lanczos[T]) Ritz() (values, vectors []float64, err error) {
	k := l.steps
	if k == 0 {
		return nil, nil, nil
	}
	d, e, z := l.values[:k], l.off[:max(0, k-1)], l.vectors[:k*k]
	copy(d, l.alpha)
	copy(e, l.beta)
	if !(lapackgonum.Implementation{}).Dsteqr(lapack.EVTridiag, k, d, e, z, k, l.work) {
		return nil, nil, fmt.Errorf("optimizers: Lanczos: the eigenvalues of a tridiagonal matrix of order %d did not converge", k)
	}
	return d, z, nil
}

// Combine sets dst to Q c, the vector with the components c in the basis.
func (l *Lanczos[T]) Combine(dst []T, c []float64) {
	clear(dst)
	for i, v := range c {
		axpy(dst, T(v), l.q[i])
	}
}

// CombineRitz sets dst to the Ritz vector j of the last Ritz, of length 1.
func (l *Lanczos[T]) CombineRitz(dst []T, j int) {
	clear(dst)
	for i := range l.steps {
		axpy(dst, T(l.vectors[i*l.steps+j]), l.q[i])
	}
}
