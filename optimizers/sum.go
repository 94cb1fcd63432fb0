package optimizers

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Sum is a plain function that is the mean of N terms, f(x) = Σ f_i(x)/N, for Minimize: its minibatches are Batch of the
// terms, and there are samples to draw, as methods for finite training sets want. The closures get the numbers of some
// terms, from 0 to N-1, and compute the mean of those:
//
//	F   Σ f_i(x)/len(terms)
//	G   writes the gradient of that to dst and returns it
//	H   dst = H v, H its Hessian at x
//	GN  dst = G v, G its Gauss-Newton matrix at x
//
// Only what the method needs must be there; F may be left out where G is there. They change neither x nor terms. In
// every pass over the terms each is in one minibatch, in an order that follows from Seed and the pass; the last minibatch
// of a pass is smaller where Batch is no divisor. Not safe for concurrent use.
type Sum[T Float] struct {
	N     int    // terms
	Batch int    // terms in a minibatch; 0 means 1, at most N
	Seed  uint64 // of the order, and of samples

	F  func(x []T, terms []int) float64
	G  func(dst, x []T, terms []int) float64
	H  func(dst, x, v []T, terms []int)
	GN func(dst, x, v []T, terms []int)

	whole sumSample[T]
}

var _ Objective[float64] = (*Sum[float64])(nil)

// check says what is wrong with it.
func (s *Sum[T]) check() error {
	if s.N < 1 || s.Batch < 0 {
		return fmt.Errorf("optimizers: Sum: %d terms in minibatches of %d; allowed are 1 and more, and 0 for minibatches of 1", s.N, s.Batch)
	}
	if s.F == nil && s.G == nil {
		return errors.New("optimizers: Sum: neither F nor G is given")
	}
	return nil
}

func (s *Sum[T]) batch() int { return min(s.N, max(1, s.Batch)) }

// Len is the number of terms.
func (s *Sum[T]) Len() int { return s.N }

// Has says which derivatives are there.
func (s *Sum[T]) Has() Oracle {
	var has Oracle
	if s.G != nil {
		has |= NeedGrad | NeedSquaredGrads | NeedExampleGrads
	}
	if s.H != nil {
		has |= NeedHessian
	}
	if s.GN != nil {
		has |= NeedGaussNewton
	}
	return has
}

// all is the sample of all terms.
func (s *Sum[T]) all() *sumSample[T] {
	if s.whole.of != s || len(s.whole.terms) != s.N {
		s.whole = sumSample[T]{of: s, terms: make([]int, s.N)}
		for i := range s.whole.terms {
			s.whole.terms[i] = i
		}
	}
	return &s.whole
}

// Loss is the mean of all terms.
func (s *Sum[T]) Loss(x []T) (float64, error) { return s.all().Loss(x) }

// Grad writes the gradient of the mean of all terms to dst, and returns the mean.
func (s *Sum[T]) Grad(dst, x []T) (float64, error) { return s.all().Grad(dst, x) }

// Linearize remembers x for the products.
func (s *Sum[T]) Linearize(x []T) error { return s.all().Linearize(x) }

// HessianMul sets dst to H v at the point of the last Linearize.
func (s *Sum[T]) HessianMul(dst, v []T) error { return s.all().HessianMul(dst, v) }

// GaussNewtonMul sets dst to G v at the point of the last Linearize.
func (s *Sum[T]) GaussNewtonMul(dst, v []T) error { return s.all().GaussNewtonMul(dst, v) }

// SquaredGrads sets dst to the mean over all terms of the squared gradient of one.
func (s *Sum[T]) SquaredGrads(dst, x []T) error { return s.all().SquaredGrads(dst, x) }

// ExampleGrads calls f for each term with its gradient.
func (s *Sum[T]) ExampleGrads(x []T, f func(term int, loss float64, g []T) error) error {
	return s.all().ExampleGrads(x, f)
}

// sumSample is some of the terms.
type sumSample[T Float] struct {
	of      *Sum[T]
	terms   []int
	work    *int64 // counts; nil where no one does
	at      []T    // the point of Linearize
	scratch []T
}

var _ ExampleGrads[float64] = (*sumSample[float64])(nil)
var _ SquaredGrads[float64] = (*sumSample[float64])(nil)

func (s *sumSample[T]) Len() int { return len(s.terms) }

func (s *sumSample[T]) count(each int) {
	if s.work != nil {
		*s.work += int64(each * len(s.terms))
	}
}

// room is a vector for a gradient that is only passed on.
func (s *sumSample[T]) room(n int) []T {
	if len(s.scratch) != n {
		s.scratch = make([]T, n)
	}
	return s.scratch
}

func (s *sumSample[T]) Loss(x []T) (float64, error) {
	s.count(WorkLoss)
	switch {
	case s.of.F != nil:
		return s.of.F(x, s.terms), nil
	case s.of.G != nil:
		return s.of.G(s.room(len(x)), x, s.terms), nil
	}
	return 0, errors.New("optimizers: Sum: neither F nor G is given")
}

var errSumGrad = errors.New("optimizers: Sum: no gradient: G is not given")

func (s *sumSample[T]) Grad(dst, x []T) (float64, error) {
	if s.of.G == nil {
		return 0, errSumGrad
	}
	s.count(WorkGrad)
	return s.of.G(dst, x, s.terms), nil
}

func (s *sumSample[T]) Linearize(x []T) error {
	s.at = append(s.at[:0], x...)
	return nil
}

func (s *sumSample[T]) HessianMul(dst, v []T) error {
	if s.of.H == nil {
		return errors.New("optimizers: Sum: no Hessian products: H is not given")
	}
	s.count(WorkHessian)
	s.of.H(dst, s.at, v, s.terms)
	return nil
}

func (s *sumSample[T]) GaussNewtonMul(dst, v []T) error {
	if s.of.GN == nil {
		return errors.New("optimizers: Sum: no Gauss-Newton products: GN is not given")
	}
	s.count(WorkGaussNewton)
	s.of.GN(dst, s.at, v, s.terms)
	return nil
}

func (s *sumSample[T]) SquaredGrads(dst, x []T) error {
	if s.of.G == nil {
		return errSumGrad
	}
	s.count(WorkSquaredGrads)
	g := s.room(len(x))
	clear(dst)
	for i := range s.terms {
		s.of.G(g, x, s.terms[i:i+1])
		for j, v := range g {
			dst[j] += v * v
		}
	}
	scale(dst, T(1/float64(len(s.terms))))
	return nil
}

func (s *sumSample[T]) ExampleGrads(x []T, f func(term int, loss float64, g []T) error) error {
	if s.of.G == nil {
		return errSumGrad
	}
	s.count(WorkExampleGrads)
	g := s.room(len(x))
	for i, term := range s.terms {
		loss := s.of.G(g, x, s.terms[i:i+1])
		if err := f(term, loss, g); err != nil {
			return err
		}
	}
	return nil
}

// sumProblem is a Sum as a Problem: minibatches and draws for one step after the other. The whole set is the plain
// function, which remembers its last gradient.
type sumProblem[T Float] struct {
	*plain[T]
	sum   *Sum[T]
	batch sumSample[T]
	drawn []*sumSample[T]
	draws int // of this step
	step  uint64
	order []int // of the pass
	pass  uint64
	bits  rand.PCG
	rand  *rand.Rand
}

func newSumProblem[T Float](s *Sum[T], whole *plain[T]) *sumProblem[T] {
	p := &sumProblem[T]{plain: whole, sum: s, order: make([]int, s.N)}
	p.batch = sumSample[T]{of: s, work: &whole.work}
	p.rand = rand.New(&p.bits)
	p.shuffle()
	return p
}

// The uses of random numbers, which have to be apart.
const useOrder, useDraw = 0x6f72646572, 0x64726177

// shuffle makes the order of the pass.
func (p *sumProblem[T]) shuffle() {
	for i := range p.order {
		p.order[i] = i
	}
	p.bits.Seed(p.sum.Seed^useOrder, p.pass)
	p.choose(p.order, len(p.order))
}

// choose puts a uniform choice of n of the numbers first, in random order (Fisher and Yates).
func (p *sumProblem[T]) choose(of []int, n int) {
	for i := range n {
		j := i + p.rand.IntN(len(of)-i)
		of[i], of[j] = of[j], of[i]
	}
}

// begin is before each step, which are counted from 0.
func (p *sumProblem[T]) begin(step int) {
	b := p.sum.batch()
	steps := uint64((p.sum.N-1)/b + 1)
	p.step, p.draws = uint64(step), 0
	if pass := p.step / steps; pass != p.pass {
		p.pass = pass
		p.shuffle()
	}
	at := int(p.step%steps) * b
	p.batch.terms = p.order[at:min(at+b, p.sum.N)]
}

func (p *sumProblem[T]) Batch() Sample[T] {
	if len(p.batch.terms) == p.sum.N {
		return p.plain
	}
	return &p.batch
}

func (p *sumProblem[T]) Draw(n int) (Sample[T], error) {
	if n < 1 || n >= p.sum.N {
		return nil, fmt.Errorf("optimizers: minimize: a sample of %d of the %d terms; allowed are 1 to %d", n, p.sum.N, p.sum.N-1)
	}
	if p.draws == len(p.drawn) {
		p.drawn = append(p.drawn, &sumSample[T]{of: p.sum, work: &p.work})
	}
	d := p.drawn[p.draws]
	d.terms = slices.Grow(d.terms[:0], p.sum.N)[:p.sum.N]
	for i := range d.terms {
		d.terms[i] = i
	}
	p.bits.Seed(p.sum.Seed^useDraw, p.step<<16+uint64(p.draws))
	p.choose(d.terms, n)
	d.terms = d.terms[:n]
	p.draws++
	return d, nil
}
