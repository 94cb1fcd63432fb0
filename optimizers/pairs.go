package optimizers

import (
	"fmt"
	"math"
)

// pairs is a memory of the last steps s and changes y of the gradient along them, and the inverse Hessian that they
// make (Nocedal & Wright 2006, algorithm 7.4). It has room for some more than it keeps, so that going back to where it
// was before the last few loses nothing.
type pairs[T Float] struct {
	keep         int
	first, count int
	s, y         [][]T
	rho          []float64 // 1/y's
	alpha        []float64
}

func (p *pairs[T]) init(n, keep, more int) {
	p.keep = keep
	p.s, p.y = make([][]T, keep+more), make([][]T, keep+more)
	for i := range p.s {
		p.s[i], p.y[i] = make([]T, n), make([]T, n)
	}
	p.rho, p.alpha = make([]float64, keep+more), make([]float64, keep)
}

// slot is where the pair i is, 0 the oldest.
func (p *pairs[T]) slot(i int) int { return (p.first + i) % len(p.s) }

// spare is the vectors that the next push makes a pair of.
func (p *pairs[T]) spare() (s, y []T) {
	at := p.slot(p.count)
	return p.s[at], p.y[at]
}

// push makes what spare gave the youngest pair; the oldest goes where there are too many.
func (p *pairs[T]) push(rho float64) {
	p.rho[p.slot(p.count)] = rho
	if p.count++; p.count > p.keep {
		p.first, p.count = p.slot(1), p.keep
	}
}

// multiply multiplies v by the inverse Hessian, in place, scale that of no pairs.
func (p *pairs[T]) multiply(v []T, scaling float64) {
	for i := p.count - 1; i >= 0; i-- {
		at := p.slot(i)
		p.alpha[i] = p.rho[at] * dot(p.s[at], v)
		axpy(v, T(-p.alpha[i]), p.y[at])
	}
	scale(v, T(scaling))
	for i := range p.count {
		at := p.slot(i)
		axpy(v, T(p.alpha[i]-p.rho[at]*dot(p.y[at], v)), p.s[at])
	}
}

// shape adds the vectors of count pairs to those of a state.
func (p *pairs[T]) shape(s shape, count int) {
	for i := range count {
		s.vectors[pairName("step", i)] = len(p.s[0])
		s.vectors[pairName("change", i)] = len(p.y[0])
	}
}

func pairName(what string, i int) string { return fmt.Sprintf("%s_%03d", what, i) }

func (p *pairs[T]) save(vectors map[string][]T) {
	for i := range p.count {
		at := p.slot(i)
		vectors[pairName("step", i)] = append([]T{}, p.s[at]...)
		vectors[pairName("change", i)] = append([]T{}, p.y[at]...)
	}
}

func (p *pairs[T]) load(vectors map[string][]T, count int) {
	p.first, p.count = 0, count
	for i := range count {
		copy(p.s[i], vectors[pairName("step", i)])
		copy(p.y[i], vectors[pairName("change", i)])
		p.rho[i] = 1 / dot(p.y[i], p.s[i])
	}
}

// countOf is a scalar of a state that counts.
func countOf(method, name string, v float64, most int) (int, error) {
	if v != math.Trunc(v) || v < 0 || v > float64(most) {
		return 0, fmt.Errorf("optimizers: state of %s: %s is %v; allowed are whole numbers from 0 to %d", method, name, v, most)
	}
	return int(v), nil
}
