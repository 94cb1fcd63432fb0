package landscape

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// End says which eigenvalues are wanted.
type End uint8

// The ends of a spectrum.
const (
	Largest   End = iota // the algebraically largest, descending
	Smallest             // the algebraically smallest, ascending
	Magnitude            // those farthest from 0, by magnitude
)

var endNames = []string{"largest", "smallest", "magnitude"}

// String is the word for the end: largest, smallest or magnitude.
func (e End) String() string {
	if int(e) < len(endNames) {
		return endNames[e]
	}
	return fmt.Sprintf("End(%d)", uint8(e))
}

// EigenOptions say what Eigen looks for. Zero values mean the defaults.
type EigenOptions struct {
	Count       int     // eigenpairs; default 10, or Size where that is less
	End         End     // which; default Largest
	Tol         float64 // a pair is found when |Av - λv| <= Tol |λ|; default 1e-3
	MaxProducts int     // most products; default 100 and 20 a pair. Reaching it is ErrProducts
	Block       int     // directions multiplied at once; default 2
	MaxBasis    int     // vectors kept, each twice; default 2 Count + 8 Block, at least 40
	Seed        uint64  // of the first directions
	Start       [][]float64
	Progress    func(found, products int) // called after every block, if not nil
}

// Eigenpair is an eigenvalue, its unit eigenvector, and how well they fit.
type Eigenpair struct {
	Value    float64
	Vector   []float64
	Residual float64 // |Av - λv|: some eigenvalue of A is no farther from Value
}

// Eigenpairs are the result of Eigen.
type Eigenpairs struct {
	Pairs    []Eigenpair // in the order of the End
	Products int
	Norm     float64 // largest magnitude of an eigenvalue that was seen
}

// ErrProducts is the error of a search that has used up its products. What was
// found until then comes with it.
var ErrProducts = errors.New("landscape: the products are used up")

// Eigen finds eigenpairs at an end of the spectrum of a.
//
// It is a block Krylov method with thick restarts (Wu & Simon 2000) in the form
// of a Rayleigh-Ritz procedure: A is projected on a basis V that is kept
// orthonormal, with AV beside it, so that every residual is computed and not
// estimated; the basis grows by the residuals of the pairs that are not yet
// found, which spans the same space as Lanczos does. A single start meets one
// vector of the eigenspace of a multiple eigenvalue only, so when all pairs are
// found the search goes on from fresh random directions orthogonal to them, until
// one of these rounds finds nothing new.
func Eigen(ctx context.Context, a Matrix, o EigenOptions) (*Eigenpairs, error) {
	s, err := newSearch(a, o)
	if err != nil {
		return nil, err
	}
	return s.run(ctx)
}

func (o EigenOptions) complete(n int) (EigenOptions, error) {
	o.Count = min(cmp.Or(o.Count, 10), n)
	o.Tol = cmp.Or(o.Tol, 1e-3)
	o.Block = min(cmp.Or(o.Block, 2), n)
	o.MaxProducts = cmp.Or(o.MaxProducts, 100+20*o.Count)
	o.MaxBasis = min(cmp.Or(o.MaxBasis, max(40, 2*o.Count+8*o.Block)), n)
	switch {
	case n < 1:
		return o, errors.New("landscape: a matrix without rows has no eigenvalues")
	case o.Count < 1 || o.Block < 1 || o.MaxProducts < 1:
		return o, fmt.Errorf("landscape: %d pairs, blocks of %d, %d products; each must be at least 1", o.Count, o.Block, o.MaxProducts)
	case !(o.Tol > 0 && o.Tol < 1):
		return o, fmt.Errorf("landscape: tolerance %v; allowed are numbers between 0 and 1", o.Tol)
	case o.MaxBasis < n && o.MaxBasis < o.Count+2*o.Block:
		return o, fmt.Errorf("landscape: a basis of %d for %d pairs in blocks of %d; allowed are %d and more", o.MaxBasis, o.Count, o.Block, o.Count+2*o.Block)
	case int(o.End) >= len(endNames):
		return o, fmt.Errorf("landscape: end %d; allowed are Largest, Smallest and Magnitude", o.End)
	}
	for _, v := range o.Start {
		if len(v) != n {
			return o, fmt.Errorf("landscape: a start of %d numbers for a matrix of %d rows", len(v), n)
		}
	}
	return o, nil
}

// search is an Eigen under way.
type search struct {
	EigenOptions
	a     counted
	n     int
	fresh uint64 // blocks of random directions so far

	v, av  [][]float64 // the basis and its products
	h      *mat.SymDense
	values []float64   // Ritz values, the wanted first
	y      *mat.Dense  // their vectors in the basis
	free   [][]float64 // memory for vectors

	checking int       // products left of the search for repeated eigenvalues
	checked  []float64 // the wanted values when it began
}

func newSearch(a Matrix, o EigenOptions) (*search, error) {
	o, err := o.complete(a.Size())
	if err != nil {
		return nil, err
	}
	return &search{EigenOptions: o, a: counted{Matrix: a}, n: a.Size()}, nil
}

func (s *search) vector() []float64 {
	if n := len(s.free); n > 0 {
		v := s.free[n-1]
		s.free = s.free[:n-1]
		return v
	}
	return make([]float64, s.n)
}

// random gives k random directions.
func (s *search) random(k int) [][]float64 {
	list := make([][]float64, k)
	r := source(s.Seed, s.fresh)
	s.fresh++
	for i := range list {
		list[i] = s.vector()
		normals(list[i], r)
	}
	return list
}

func (s *search) run(ctx context.Context) (*Eigenpairs, error) {
	next := make([][]float64, 0, s.Block)
	for _, v := range s.Start {
		next = append(next, append(s.vector()[:0], v...))
	}
	if len(next) < s.Block {
		next = append(next, s.random(s.Block-len(next))...)
	}
	for {
		if room := s.MaxBasis - len(s.v); len(next) > room {
			s.restart()
		}
		if err := s.grow(ctx, next); err != nil {
			return nil, err
		}
		found := s.found()
		if s.Progress != nil {
			s.Progress(min(found, s.Count), s.a.products)
		}
		if len(s.v) == s.n {
			return s.result(), nil // the projection is the matrix
		}
		if found >= s.Count {
			if s.checking <= 0 && s.changed() {
				// A copy that is missed shows like the others did: the wanted end comes out of a
				// random start after about as many blocks as it took the first time, of which the
				// size, not the precision, is needed.
				s.checking = max(4*s.Block, s.a.products/5)
				next = s.random(s.Block)
				continue
			}
			if s.checking == 0 {
				return s.result(), nil
			}
		}
		if s.a.products >= s.MaxProducts {
			return s.result(), fmt.Errorf("%w: %d of %d pairs found with %d", ErrProducts, min(found, s.Count), s.Count, s.a.products)
		}
		next = s.residuals()
	}
}

// changed tells whether the wanted values are not those of the last check, and
// notes them.
func (s *search) changed() bool {
	now := s.values[:s.Count]
	same := s.checked != nil
	for i, v := range s.checked {
		same = same && math.Abs(v-now[i]) <= 2*s.enough(v)
	}
	s.checked = append(s.checked[:0], now...)
	return !same
}

// grow adds directions to the basis and projects.
func (s *search) grow(ctx context.Context, next [][]float64) error {
	kept := orthonormal(s.v, next)
	for len(kept) == 0 { // the space maps to itself: another direction
		kept = orthonormal(s.v, s.random(1))
	}
	products := make([][]float64, len(kept))
	for i := range products {
		products[i] = s.vector()
	}
	if err := s.a.Mul(ctx, products, kept); err != nil {
		return err
	}
	if s.checking > 0 {
		s.checking = max(0, s.checking-len(kept))
	}
	old := len(s.v)
	s.v, s.av = append(s.v, kept...), append(s.av, products...)
	h := mat.NewSymDense(len(s.v), nil)
	for i := range old {
		for j := i; j < old; j++ {
			h.SetSym(i, j, s.h.At(i, j))
		}
	}
	g := gram(s.v, products)
	for i := range s.v {
		for j := range kept {
			if i <= old+j {
				h.SetSym(i, old+j, g[i*len(kept)+j])
			}
		}
	}
	s.h = h
	return s.project()
}

// project finds the Ritz pairs, the wanted first.
func (s *search) project() error {
	var e mat.EigenSym
	if !e.Factorize(s.h, true) {
		return fmt.Errorf("landscape: the eigenvalues of the projection on %d directions did not converge", len(s.v))
	}
	var y mat.Dense
	e.VectorsTo(&y)
	raw := e.Values(nil)
	order := make([]int, len(raw))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return s.End.compare(raw[i], raw[j]) })
	s.values = make([]float64, len(raw))
	s.y = mat.NewDense(len(raw), len(raw), nil)
	for to, from := range order {
		s.values[to] = raw[from]
		for i := range raw {
			s.y.Set(i, to, y.At(i, from))
		}
	}
	return nil
}

// compare orders eigenvalues, those at the end first.
func (e End) compare(x, y float64) int {
	switch e {
	case Smallest:
		return cmp.Compare(x, y)
	case Magnitude:
		return cmp.Compare(math.Abs(y), math.Abs(x))
	}
	return cmp.Compare(y, x)
}

// residual sets r to Av - λv of Ritz pair j and gives its length.
func (s *search) residual(r []float64, j int) float64 {
	clear(r)
	c, d := make([]float64, len(s.v)), make([]float64, len(s.v))
	for i := range c {
		c[i] = s.y.At(i, j)
		d[i] = -s.values[j] * c[i]
	}
	combine([][]float64{r}, 1, s.av, c)
	combine([][]float64{r}, 1, s.v, d)
	return norm(r)
}

// size is the largest magnitude of an eigenvalue so far.
func (s *search) size() float64 {
	most := 0.0
	for _, v := range s.values {
		most = max(most, math.Abs(v))
	}
	return most
}

// enough is the residual with which a pair of that value is found. A value that
// is nothing beside the largest is found when its residual is.
func (s *search) enough(value float64) float64 {
	return max(s.Tol*math.Abs(value), 1e-10*s.size())
}

// found is how many of the wanted pairs are found, in order.
func (s *search) found() int {
	r := s.vector()
	defer func() { s.free = append(s.free, r) }()
	for j := range min(s.Count, len(s.values)) {
		if s.residual(r, j) > s.enough(s.values[j]) {
			return j
		}
	}
	return min(s.Count, len(s.values))
}

// residuals are the directions that the basis grows by: of the first pairs that
// are not found, also beyond the wanted ones.
func (s *search) residuals() [][]float64 {
	var next [][]float64
	for j := 0; j < len(s.values) && len(next) < s.Block; j++ {
		r := s.vector()
		if s.residual(r, j) > s.enough(s.values[j]) {
			next = append(next, r)
		} else {
			s.free = append(s.free, r)
		}
	}
	return next
}

// restart keeps the best Ritz vectors only.
func (s *search) restart() {
	keep := min(len(s.v), max(s.Count+s.Block, s.MaxBasis/2), s.MaxBasis-s.Block)
	c := make([]float64, len(s.v)*keep)
	for i := range s.v {
		for j := range keep {
			c[i*keep+j] = s.y.At(i, j)
		}
	}
	v, av := make([][]float64, keep), make([][]float64, keep)
	for j := range keep {
		v[j], av[j] = s.vector(), s.vector()
		clear(v[j])
		clear(av[j])
	}
	combine(v, 1, s.v, c)
	combine(av, 1, s.av, c)
	s.free = append(append(s.free, s.v...), s.av...)
	s.v, s.av = v, av
	s.h = mat.NewSymDense(keep, nil)
	s.values = s.values[:keep]
	s.y = mat.NewDense(keep, keep, nil)
	for j, value := range s.values {
		s.h.SetSym(j, j, value)
		s.y.Set(j, j, 1)
	}
}

func (s *search) result() *Eigenpairs {
	e := &Eigenpairs{Products: s.a.products, Norm: s.size()}
	r := s.vector()
	for j := range min(s.Count, len(s.values)) {
		c := make([]float64, len(s.v))
		for i := range c {
			c[i] = s.y.At(i, j)
		}
		v := make([]float64, s.n)
		combine([][]float64{v}, 1, s.v, c)
		e.Pairs = append(e.Pairs, Eigenpair{Value: s.values[j], Vector: v, Residual: s.residual(r, j)})
	}
	return e
}
