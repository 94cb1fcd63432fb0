package optimizers

import (
	"errors"
	"fmt"
	"math"
)

// Invert prepares Solve with damping d: each block A ⊗ G is replaced by
//
//	(A + π√d I) ⊗ (G + √d/π I)    π = sqrt( (tr A / dim A) / (tr G / dim G) )
//
// (factored Tikhonov damping, Martens & Grosse 2015, section 6.3), and a single factor G or diagonal D by G + d I and
// D + d I; a bias apart has the damped G of its weight. Inverses are made in
// float64, by halves down to gonum's Cholesky decomposition. Where rounding has left a factor indefinite it gets ten
// times the damping until it is not. After an error, as for a factor that is not finite, Solve is as it was before.
func (k *Kronecker[T]) Invert(damping float64) error {
	if !(damping > 0) || !finite(damping) {
		return fmt.Errorf("optimizers: kronecker: damping %v; allowed are numbers above 0", damping)
	}
	root := math.Sqrt(damping)
	to := k.inverses[1-k.inverseNow]
	for _, p := range k.parts {
		if !p.fill {
			continue // the factor and its inverse are those of another part
		}
		in, out := k.meanTrace(p.in), k.meanTrace(p.out)
		if !finite(in) || !finite(out) {
			return &NonFiniteError{Method: "kronecker", What: "curvature factor", Tensor: p.tensor, Value: in + out}
		}
		pi := math.Sqrt(in / out)
		if !(pi > 0) || !finite(pi) {
			pi = 1
		}
		addIn, addOut := root*pi, root/pi
		addLeft, addRight := addIn, addOut
		if p.out == &p.left {
			addLeft, addRight = addOut, addIn
		}
		if p.left.at < 0 {
			addRight = damping
		} else if err := k.invertFactor(to[p.leftInv:], &p.left, addLeft, p.tensor); err != nil {
			return err
		}
		if err := k.invertFactor(to[p.rightInv:], &p.right, addRight, p.tensor); err != nil {
			return err
		}
	}
	k.inverseNow = 1 - k.inverseNow
	k.damping[k.inverseNow], k.inEigen[k.inverseNow] = damping, false
	return nil
}

// meanTrace is the mean of a factor's diagonal.
func (k *Kronecker[T]) meanTrace(f *kroneckerFactor) float64 {
	if f.at < 0 {
		return 1
	}
	sum, values := 0.0, k.values(f)
	for i := range f.n {
		sum += float64(values[i*f.n+i])
	}
	return sum / float64(f.n)
}

// invertFactor sets dst to the inverse of f + add I.
func (k *Kronecker[T]) invertFactor(dst []T, f *kroneckerFactor, add float64, tensor string) error {
	w := k.wide[:f.n*f.n]
	for range 60 { // tenfold each time
		for i, v := range k.values(f) {
			w[i] = float64(v)
		}
		for i := range f.n {
			w[i*f.n+i] += add
		}
		if k.spd.invert(w, f.n) {
			for i, v := range w {
				dst[i] = T(v)
			}
			return nil
		}
		add *= 10
	}
	return fmt.Errorf("optimizers: kronecker: a factor of %s is not positive definite even with %v added", tensor, add)
}

// Solve sets dst to the product of the damped inverse with v. Factors of an Update since the last Invert have no say yet,
// but diagonals have.
func (k *Kronecker[T]) Solve(dst, v []T) error {
	if err := k.fits(dst, v); err != nil {
		return err
	}
	damping := k.damping[k.inverseNow]
	if damping == 0 {
		return errors.New("optimizers: kronecker: a solve before Invert")
	}
	inverses := k.inverses[k.inverseNow]
	for i, p := range k.parts {
		if k.inEigen[k.inverseNow] {
			k.solveEigen(i, dst, v)
			continue
		}
		var l []T
		if p.left.at >= 0 {
			l = inverses[p.leftInv:][:p.left.n*p.left.n]
		}
		k.sandwich(p, dst, v, l, inverses[p.rightInv:][:p.right.n*p.right.n])
	}
	for _, d := range k.diags {
		at := v[d.offset:]
		for i, c := range k.factors[k.now][d.at:][:d.size] {
			dst[d.offset+i] = at[i] / (c + T(damping))
		}
	}
	return nil
}
