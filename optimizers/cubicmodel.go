package optimizers

import (
	"context"
	"math"
)

// cubicModel minimises
//
//	m(s) = g's + s'As/2 + σ|s|³/3
//
// over the spaces that Lanczos builds: there it is a problem with a tridiagonal matrix, and in that matrix's eigenvectors
// one of secularCubic's (Cartis, Gould & Toint 2011, section 6.1; Gould, Lucidi, Roma & Toint 1999).
type cubicModel[T Float] struct {
	lanczos Lanczos[T]
	g       []T
	along   []float64 // g in the basis
	outside float64   // |g|² outside it
	c, y, z []float64 // g and s among the eigenvectors, and s in the basis
	known   int       // steps for which values and vectors are those of Ritz
	values  []float64
	vectors []float64
}

// cubicStep is a minimiser in the space so far.
type cubicStep struct {
	value    float64 // m(s)
	lambda   float64 // σ|s|, which is added to A
	length   float64 // |s|
	residual float64 // |∇m(s)|
	linear   float64 // g's + s'As/2, the quadratic part
}

// begin starts from g, or from another start that has a part along directions that g has none in.
func (m *cubicModel[T]) begin(g, start []T) error {
	if err := m.lanczos.Start(start); err != nil {
		return err
	}
	k := len(m.lanczos.alpha)
	if len(m.along) != k {
		m.along, m.c, m.y, m.z = make([]float64, k), make([]float64, k), make([]float64, k), make([]float64, k)
	}
	m.g, m.known = g, 0
	size := norm(g)
	m.outside = size * size
	return nil
}

// grow takes steps of Lanczos until the model's gradient is at most tol at the minimiser for σ, or no more are to be had.
func (m *cubicModel[T]) grow(ctx context.Context, a Operator[T], sigma, tol float64) (cubicStep, error) {
	var s cubicStep
	check := m.lanczos.Steps() + 1
	if m.lanczos.Steps() > 0 {
		var err error
		if s, err = m.solve(sigma); err != nil || s.residual <= tol {
			return s, err
		}
	}
	for more := m.lanczos.Stop() == ""; more; {
		before := m.lanczos.Steps()
		var err error
		if more, err = m.lanczos.Step(ctx, a); err != nil {
			return s, err
		}
		k := m.lanczos.Steps()
		if k > before {
			part := dot(m.g, m.lanczos.q[k-1])
			m.along[k-1] = part
			m.outside = max(0, m.outside-part*part)
		}
		if k == 0 || more && k < check {
			continue
		}
		// The eigenvalues cost k³: they are looked at for each k only as long as that is nothing.
		check = k + 1 + k/8
		if s, err = m.solve(sigma); err != nil || s.residual <= tol {
			return s, err
		}
	}
	return s, nil
}

// solve minimises in the space so far.
func (m *cubicModel[T]) solve(sigma float64) (cubicStep, error) {
	k := m.lanczos.Steps()
	if m.known != k {
		var err error
		if m.values, m.vectors, err = m.lanczos.Ritz(); err != nil {
			return cubicStep{}, err
		}
		m.known = k
		c := m.c[:k]
		clear(c)
		for i, part := range m.along[:k] {
			for j, v := range m.vectors[i*k : (i+1)*k] {
				c[j] += part * v
			}
		}
	}
	y, z := m.y[:k], m.z[:k]
	var s cubicStep
	s.lambda, s.value = secularCubic(m.values, m.c[:k], sigma, y)
	for i := range z {
		z[i] = 0
		for j, v := range m.vectors[i*k : (i+1)*k] {
			z[i] += v * y[j]
		}
		s.length = math.Hypot(s.length, z[i])
	}
	s.linear = s.value - sigma*s.length*s.length*s.length/3
	_, beside := m.lanczos.Tridiagonal()
	s.residual = math.Hypot(beside[k-1]*z[k-1], math.Sqrt(m.rest()))
	return s, nil
}

// rest is |g|² outside the space, or 0 where that is no more than rounding.
func (m *cubicModel[T]) rest() float64 {
	inside := 0.0
	for _, v := range m.along[:m.lanczos.Steps()] {
		inside += v * v
	}
	if m.outside <= 100*epsilon[T]()*inside {
		return 0
	}
	return m.outside
}

// write sets dst to the minimiser of the last solve.
func (m *cubicModel[T]) write(dst []T) { m.lanczos.Combine(dst, m.z[:m.lanczos.Steps()]) }
