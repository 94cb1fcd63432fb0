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

// QuadratureOptions say how Quadrature works. Zero values mean the defaults.
type QuadratureOptions struct {
	Probes   int // random directions; default 10
	Steps    int // of Lanczos, each a product with every probe; default 60, at most Size
	Block    int // probes multiplied at once; default 8
	Seed     uint64
	Progress func(done, products int) // called after every product of a block, if not nil
}

// Rule is the quadrature of one probe: for a function f, the sum of
// Weights[i] f(Nodes[i]) is v'f(A)v for its unit vector v, exactly for polynomials
// of degree 2 Steps-1. The weights are positive and add to 1.
type Rule struct{ Nodes, Weights []float64 } // nodes ascend

// Spectrum is the spectral density of a matrix, the measure that puts 1/n on each
// of its n eigenvalues, as the mean of the rules of random probes.
type Spectrum struct {
	Size     int
	Rules    []Rule
	Products int
}

// Estimate is a number with its standard error over probes, NaN where there is
// one probe only.
type Estimate struct {
	Value float64
	Error float64
}

// Quadrature estimates the spectral density of a by stochastic Lanczos quadrature
// (Ubaru, Chen & Saad 2017): Lanczos from random unit vectors, kept orthogonal in
// full; the nodes are the eigenvalues of the tridiagonal matrices and the weights
// the squared first components of their eigenvectors. Memory is Steps vectors for
// every probe of a block.
func Quadrature(ctx context.Context, a Matrix, o QuadratureOptions) (*Spectrum, error) {
	n := a.Size()
	o.Probes, o.Block = cmp.Or(o.Probes, 10), cmp.Or(o.Block, 8)
	o.Steps = min(cmp.Or(o.Steps, 60), n)
	if n < 1 || o.Probes < 1 || o.Steps < 1 || o.Block < 1 {
		return nil, fmt.Errorf("landscape: quadrature of a matrix of %d rows with %d probes, %d steps, blocks of %d; each must be at least 1", n, o.Probes, o.Steps, o.Block)
	}
	c := &counted{Matrix: a}
	s := &Spectrum{Size: n}
	for at := 0; at < o.Probes; at += o.Block {
		runs := make([]*lanczos, min(o.Block, o.Probes-at))
		for i := range runs {
			start := make([]float64, n)
			normals(start, source(o.Seed, uint64(at+i)))
			runs[i] = newLanczos(start)
		}
		for range o.Steps {
			var live []*lanczos
			var v, av [][]float64
			for _, l := range runs {
				if !l.done {
					live = append(live, l)
					v = append(v, l.q[len(l.q)-1])
					av = append(av, make([]float64, n))
				}
			}
			if len(live) == 0 {
				break
			}
			if err := c.Mul(ctx, av, v); err != nil {
				return nil, err
			}
			for i, l := range live {
				l.step(av[i], o.Steps)
			}
			if o.Progress != nil {
				o.Progress(len(s.Rules), c.products)
			}
		}
		for _, l := range runs {
			rule, err := l.rule()
			if err != nil {
				return nil, err
			}
			s.Rules = append(s.Rules, rule)
		}
	}
	s.Products = c.products
	return s, nil
}

// lanczos is one run.
type lanczos struct {
	q           [][]float64
	alpha, beta []float64
	largest     float64
	done        bool
}

func newLanczos(start []float64) *lanczos {
	scale(1/norm(start), start)
	return &lanczos{q: [][]float64{start}}
}

// step takes w, the product with the newest vector, whose memory it keeps.
func (l *lanczos) step(w []float64, most int) {
	k := len(l.q) - 1
	one := [][]float64{w}
	l.largest = max(l.largest, norm(w))
	l.alpha = append(l.alpha, dot(w, l.q[k]))
	for range 2 {
		combine(one, -1, l.q, gram(l.q, one))
	}
	beta := norm(w)
	if len(l.alpha) == most || beta <= 1e-13*l.largest { // the space maps to itself: the rule is exact
		l.done = true
		return
	}
	scale(1/beta, w)
	l.beta = append(l.beta, beta)
	l.q = append(l.q, w)
}

// rule is the quadrature of the steps so far. It lets the basis go.
func (l *lanczos) rule() (Rule, error) {
	k := len(l.alpha)
	t := mat.NewSymDense(k, nil)
	for i, v := range l.alpha {
		t.SetSym(i, i, v)
		if i+1 < k {
			t.SetSym(i, i+1, l.beta[i])
		}
	}
	l.q = nil
	var e mat.EigenSym
	if !e.Factorize(t, true) {
		return Rule{}, fmt.Errorf("landscape: the eigenvalues of a tridiagonal matrix of order %d did not converge", k)
	}
	var y mat.Dense
	e.VectorsTo(&y)
	r := Rule{Nodes: e.Values(nil), Weights: make([]float64, k)}
	for i := range r.Weights {
		r.Weights[i] = y.At(0, i) * y.At(0, i)
	}
	return r, nil
}

// apply is the rule's value for f.
func (r Rule) apply(f func(float64) float64) float64 {
	sum := 0.0
	for i, x := range r.Nodes {
		sum += r.Weights[i] * f(x)
	}
	return sum
}

// Mean is the mean of f over the eigenvalues.
func (s *Spectrum) Mean(f func(float64) float64) Estimate {
	values := make([]float64, len(s.Rules))
	for i, r := range s.Rules {
		values[i] = r.apply(f)
	}
	return meanOf(values)
}

// Sum is the sum of f over the eigenvalues: the trace of f(A).
func (s *Spectrum) Sum(f func(float64) float64) Estimate {
	e := s.Mean(f)
	n := float64(s.Size)
	return Estimate{n * e.Value, n * e.Error}
}

// meanOf is a mean with its standard error.
func meanOf(x []float64) Estimate {
	n := float64(len(x))
	mean := 0.0
	for _, v := range x {
		mean += v / n
	}
	if len(x) < 2 {
		return Estimate{mean, math.NaN()}
	}
	sum := 0.0
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return Estimate{mean, math.Sqrt(sum / (n - 1) / n)}
}

// LogDet is the logarithm of the determinant of A + d I, which must be positive
// definite as far as the nodes show.
func (s *Spectrum) LogDet(d float64) (Estimate, error) {
	if low := s.Bounds()[0]; !(low+d > 0) {
		return Estimate{}, fmt.Errorf("landscape: the lowest node is %v, so A + %v I is not positive definite; d must be above %v", low, d, -low)
	}
	return s.Sum(func(x float64) float64 { return math.Log(x + d) }), nil
}

// EffectiveRank is exp of the entropy of |λ|/Σ|λ| (Roy & Vetterli 2007): n where
// all n eigenvalues are of one magnitude, 1 where all but one are 0. The error is
// that of the entropy, carried over to first order.
func (s *Spectrum) EffectiveRank() (Estimate, error) {
	n := float64(s.Size)
	values := make([]float64, len(s.Rules))
	total := s.Mean(math.Abs).Value
	if total == 0 {
		return Estimate{}, errors.New("landscape: all eigenvalues are 0: there is no effective rank")
	}
	for i, r := range s.Rules {
		values[i] = r.apply(func(x float64) float64 {
			if x == 0 {
				return 0
			}
			p := math.Abs(x) / (n * total)
			return -n * p * math.Log(p)
		})
	}
	entropy := meanOf(values)
	rank := math.Exp(entropy.Value)
	return Estimate{rank, rank * entropy.Error}, nil
}

// NegativeMass is the share of the eigenvalues below -tol, and the share of
// Σ|λ| that they have.
func (s *Spectrum) NegativeMass(tol float64) (count, mass Estimate) {
	count = s.Mean(func(x float64) float64 {
		if x < -tol {
			return 1
		}
		return 0
	})
	total := s.Mean(math.Abs).Value
	if total == 0 {
		return count, Estimate{}
	}
	mass = s.Mean(func(x float64) float64 {
		if x < -tol {
			return -x / total
		}
		return 0
	})
	return count, mass
}

// Bounds are the lowest and the highest node.
func (s *Spectrum) Bounds() [2]float64 {
	b := [2]float64{math.Inf(1), math.Inf(-1)}
	for _, r := range s.Rules {
		b[0], b[1] = min(b[0], r.Nodes[0]), max(b[1], r.Nodes[len(r.Nodes)-1])
	}
	return b
}

// Density is the density smoothed by a Gaussian of standard deviation sigma at
// each x, for each probe a row; their mean is the estimate, their spread how sure
// it is.
func (s *Spectrum) Density(x []float64, sigma float64) ([][]float64, error) {
	if !(sigma > 0) {
		return nil, fmt.Errorf("landscape: sigma is %v; allowed are numbers above 0", sigma)
	}
	rows := make([][]float64, len(s.Rules))
	for i, r := range s.Rules {
		rows[i] = make([]float64, len(x))
		for j, at := range x {
			rows[i][j] = r.apply(func(node float64) float64 {
				z := (at - node) / sigma
				return math.Exp(-z*z/2) / (sigma * math.Sqrt(2*math.Pi))
			})
		}
	}
	return rows, nil
}

// Cumulative is the share of the eigenvalues that are at most each x, for each
// probe a row.
func (s *Spectrum) Cumulative(x []float64) [][]float64 {
	rows := make([][]float64, len(s.Rules))
	for i, r := range s.Rules {
		rows[i] = make([]float64, len(x))
		for j, at := range x {
			k, equal := slices.BinarySearch(r.Nodes, at)
			if equal {
				k++
			}
			for _, w := range r.Weights[:k] {
				rows[i][j] += w
			}
		}
	}
	return rows
}
