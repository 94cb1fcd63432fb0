package optimizers

import (
	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// products makes matrix products on all cores. It keeps a plan for each shape, and the memory that plans pack operands
// in, so that a product allocates nothing after the first of its shape. Not safe for concurrent use.
type products[T Float] struct {
	plans   map[productShape]*product[T]
	scratch [][]T // of each worker
}

// productShape names a product C = A B: A [m, k], B [k, n], C [m, n], and how they lie.
type productShape struct {
	m, n, k int
	a, b    kernel.Mat
	c       int // from a row of C to the next
}

// product is a plan at work.
type product[T Float] struct {
	g       *kernel.Gemm[T]
	of      *products[T]
	held    []int // the strip that each worker has packed
	a, b, c []T
	add     bool
	run     func(worker, i int) // made once
}

func newProducts[T Float]() *products[T] {
	return &products[T]{plans: map[productShape]*product[T]{}, scratch: make([][]T, parallel.Shared().Workers())}
}

// do sets C to A B, or adds A B to it.
func (p *products[T]) do(s productShape, c, a, b []T, add bool) {
	q, ok := p.plans[s]
	if !ok {
		q = &product[T]{g: kernel.NewGemm[T](s.m, s.n, s.k, s.a, s.b, s.c), of: p, held: make([]int, len(p.scratch))}
		q.run = q.unit
		p.plans[s] = q
		for w := range p.scratch {
			if n := q.g.Scratch(); len(p.scratch[w]) < n {
				p.scratch[w] = make([]T, n)
			}
		}
	}
	for w := range q.held {
		q.held[w] = -1
	}
	q.a, q.b, q.c, q.add = a, b, c, add
	parallel.Shared().Run(q.g.Units(), q.run)
	q.a, q.b, q.c = nil, nil, nil
}

func (q *product[T]) unit(worker, i int) {
	q.g.Do(i, q.a, q.b, q.c, q.of.scratch[worker], q.add, &q.held[worker])
}

// mul sets C [m, n] to A [m, k] times B [k, n], all without gaps.
func (p *products[T]) mul(c, a, b []T, m, n, k int) {
	p.do(productShape{m, n, k, kernel.Mat{Row: k, Col: 1}, kernel.Mat{Row: n, Col: 1}, n}, c, a, b, false)
}

// gram sets C [n, n] to A'A for rows A [k, n] that are row apart, or adds it.
func (p *products[T]) gram(c, a []T, n, k, row int, add bool) {
	p.do(productShape{n, n, k, kernel.Mat{Row: 1, Col: row}, kernel.Mat{Row: row, Col: 1}, n}, c, a, a, add)
}

// outer sets C [m, m] to A A' for rows A [m, k] that are row apart, or adds it.
func (p *products[T]) outer(c, a []T, m, k, row int, add bool) {
	p.do(productShape{m, m, k, kernel.Mat{Row: row, Col: 1}, kernel.Mat{Row: 1, Col: row}, m}, c, a, a, add)
}
