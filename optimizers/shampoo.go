package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Shampoo divides the gradient of a matrix by roots of what it has been, once for the rows and once for the columns. With
// the minibatch gradient G at X and t = 1, 2, ...
//
//	L = Beta2·L + (1-Beta2)·G G'          R = Beta2·R + (1-Beta2)·G' G          (sums where Beta2 is 1)
//	M = Beta1·M + (1-Beta1)·G
//	P = (L/b + e·I)^(-1/4)  M/(1-Beta1^t)  (R/b + e·I)^(-1/4)                   b = 1-Beta2^t, or 1 where Beta2 is 1
//	X = X - LR·(P + WeightDecay·X)
//
// (Gupta, Koren & Singer 2018, Algorithm 1; with means, bias correction and defaults as in the Distributed Shampoo of
// Shi et al. 2023, Algorithm 2, but for Frequency, which is 1 there). e is Eps + RelativeEps·(the largest eigenvalue of
// L/b). The roots are made in step 1 and every Frequency steps, by eigenvalue decompositions in float64; one that finds
// numbers that are not finite stays as it was. Roots that are older than the gradient stretch what they have not seen by
// e^(-1/4): so RelativeEps is that of Anil et al. (2020) then, and 0 as Shi et al. have it where Frequency is 1. The
// kernel of a convolution is a matrix [out, in·kh·kw], and a matrix with a side longer than MaxDim is cut into blocks.
// One with a single row or column has the other side alone, to the power -1/2.
//
// With Graft each block's P has the length of that method's step, whose learning rate LR then is: M itself for sgd, M over
// sqrt(v) + GraftEps for the others, v the sum of squared gradients (adagrad), their mean (rmsprop) or that over
// 1-GraftBeta2^t (adam). Biases, norms and other tensors that are no matrices take the graft's step itself, or, without one,
// that of the diagonal of what would be their L, which is AdaGrad's; with Precondition1D all of L.
//
// For matrices of some hundred rows and columns, in long training. The decompositions are dear: raise Frequency until
// they are not most of the time. SOAP takes the same bases at less cost.
type Shampoo struct {
	LR             float64 `set:"lr" default:"0.01" range:"[0,inf)" help:"learning rate"`
	Beta1          float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2          float64 `set:"beta2" default:"1" range:"[0,1]" help:"decay of the means of G G' and G' G; 1: sums"`
	Eps            float64 `set:"eps" default:"1e-12" range:"(0,inf)" help:"added to the eigenvalues"`
	RelativeEps    float64 `set:"relative_eps" default:"1e-06, or 0 with frequency=1" range:"[0,inf)" help:"added too, times the largest eigenvalue"`
	WeightDecay    float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	Frequency      int     `set:"frequency" default:"10" range:"[1,inf)" help:"steps from one computation of the roots to the next"`
	MaxDim         int     `set:"max_dim" default:"1024" range:"[1,inf)" help:"longest side of a block"`
	Graft          string  `set:"graft" default:"none" oneof:"none|sgd|adagrad|rmsprop|adam" help:"the method whose step's length each block takes"`
	GraftBeta2     float64 `set:"graft_beta2" default:"0.999, or 0.99 with graft=rmsprop" range:"[0,1)" help:"its decay of the mean of the squared gradient"`
	GraftEps       float64 `set:"graft_eps" default:"1e-08" range:"(0,inf)" help:"added to its denominator"`
	Precondition1D bool    `set:"precondition_1d" default:"false" help:"all of L for vectors too"`
}

var _ Method = (*Shampoo)(nil)

// Name is shampoo.
func (*Shampoo) Name() string { return "shampoo" }

func (*Shampoo) info() Info {
	return Info{Name: "shampoo", Memory: 3, DefaultLR: 0.01,
		Use: "matrices divided by roots of their rows' and columns' past: fewer steps, each dearer; also four square matrices for each weight"}
}

func (m *Shampoo) defaults() {
	if m.RelativeEps == 0 && m.Frequency != 1 {
		m.RelativeEps = 1e-6
	}
	if m.GraftBeta2 == 0 {
		m.GraftBeta2 = 0.999
		if m.Graft == "rmsprop" {
			m.GraftBeta2 = 0.99
		}
	}
}

func (m *Shampoo) start32(l Layout) (Optimizer[float32], error) { return startShampoo[float32](m, l) }
func (m *Shampoo) start64(l Layout) (Optimizer[float64], error) { return startShampoo[float64](m, l) }

func startShampoo[T Float](m *Shampoo, l Layout) (Optimizer[T], error) {
	s, err := resolve("shampoo", m)
	if err != nil {
		return nil, err
	}
	o := &shampoo[T]{set: s, products: newProducts[T]()}
	o.start("shampoo", l, o.take)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean = o.keep("exp_avg")
	var blocks []matrix
	for _, t := range l {
		if isMatrix(t) || s.Precondition1D {
			blocks = append(blocks, asMatrix(t).cut(s.MaxDim)...)
		} else {
			o.rest = appendRun(o.rest, t)
		}
	}
	if s.Graft == "adagrad" || s.Graft == "rmsprop" || s.Graft == "adam" {
		o.squares = o.keep("graft_sum")
	}
	if s.Graft == "none" {
		o.diagonal = o.keepSome("vector_sum", sizeOf(o.rest))
	}
	longest, largest := 0, 0
	o.blocks, longest, largest = sidesOf(&o.elementwise, blocks, s.MaxDim)
	for i := range o.blocks {
		o.blocks[i].left.identity()
		o.blocks[i].right.identity()
	}
	o.square = o.squareBlock
	o.spectral = newSpectral(longest)
	o.root = make([]T, longest*longest)
	o.room, o.g, o.p = make([]T, max(longest*longest, largest)), make([]T, largest), make([]T, largest)
	return o, nil
}

type shampoo[T Float] struct {
	elementwise[T]
	rate
	momentum // beta1
	set      Shampoo
	mean     []T
	squares  []T // of the graft, where it has them
	diagonal []T // of the tensors that are no matrices, one stretch after the other; without a graft
	blocks   []sided[T]
	rest     []run

	products *products[T]
	spectral *spectral
	root     []T
	room     []T
	g, p     []T // of one block

	// Of the step that is being taken.
	t      int
	x      []T
	first  float64 // 1 over what the mean has of its numbers
	square func(worker, i int)
}

// take is a step.
func (o *shampoo[T]) take(t int, x []T) {
	lerp(o.mean, T(1-o.Momentum()), o.grad)
	o.t, o.x, o.first = t, x, 1/unbiased(o.Momentum(), t)
	if o.squares != nil {
		inBlocks(o.size, o.square)
	}
	for i := range o.blocks {
		o.move(&o.blocks[i])
	}
	at := 0
	for _, r := range o.rest {
		o.moveRest(r, at)
		at += r.to - r.from
	}
	o.x = nil
}

// squareBlock takes the gradient's squares in block i into those of the graft.
func (o *shampoo[T]) squareBlock(_, i int) {
	g, v := block(o.grad, i), block(o.squares, i)
	keep, fresh := T(o.set.GraftBeta2), T(1-o.set.GraftBeta2)
	if o.set.Graft == "adagrad" {
		keep, fresh = 1, 1
	}
	for j, d := range g {
		v[j] = T(keep*v[j]) + T(T(fresh*d)*d)
	}
}

// move takes the step of one block of a matrix.
func (o *shampoo[T]) move(b *sided[T]) {
	g, p := o.g[:b.size()], o.p[:b.size()]
	gather(g, o.grad, b.matrix)
	second := 1.0
	if o.set.Beta2 == 1 {
		b.collect(o.products, g, o.room, 1, 1)
	} else {
		b.collect(o.products, g, o.room, T(o.set.Beta2), T(1-o.set.Beta2))
		second /= unbiased(o.set.Beta2, o.t)
	}
	if (o.t-1)%o.set.Frequency == 0 {
		power := -0.25
		if b.left.n == 0 || b.right.n == 0 {
			power = -0.5
		}
		o.renew(&b.left, power, second)
		o.renew(&b.right, power, second)
	}
	gather(p, o.mean, b.matrix)
	scale(p, T(o.first))
	size := 1.0
	if o.set.Graft != "none" {
		size = o.graftNorm(b, p)
	}
	b.turned(o.products, p, p, o.room, false) // the roots are symmetric
	if o.set.Graft != "none" {
		size /= norm(p) + 1e-16
	}
	step, keep := T(-o.Rate()*size), T(1-o.Rate()*o.set.WeightDecay)
	for i := range b.rows {
		x := o.x[b.at+i*b.stride:][:b.cols]
		if keep != 1 {
			scale(x, keep)
		}
		axpy(x, step, p[i*b.cols:][:b.cols])
	}
}

// graftNorm is the length of the graft's step in a block, at the rate 1; m is the block's mean without bias.
func (o *shampoo[T]) graftNorm(b *sided[T], m []T) float64 {
	if o.squares == nil {
		return norm(m)
	}
	v := o.g[:b.size()]
	gather(v, o.squares, b.matrix)
	for i, d := range m {
		v[i] = o.grafted(d, v[i])
	}
	return norm(v)
}

// grafted is an element of the graft's step for one of the mean and of the squares.
func (o *shampoo[T]) grafted(m, v T) T {
	if o.set.Graft == "adam" {
		v = T(float64(v) / unbiased(o.set.GraftBeta2, o.t))
	}
	return m / (T(math.Sqrt(float64(v))) + T(o.set.GraftEps))
}

// moveRest takes the step of a stretch of what is no matrix, whose squares begin at at.
func (o *shampoo[T]) moveRest(r run, at int) {
	lr, keep := T(o.Rate()), T(1-o.Rate()*o.set.WeightDecay)
	second := 1.0
	old, fresh := T(1), T(1)
	if o.set.Beta2 != 1 {
		old, fresh = T(o.set.Beta2), T(1-o.set.Beta2)
		second /= unbiased(o.set.Beta2, o.t)
	}
	for i := r.from; i < r.to; i++ {
		p := T(float64(o.mean[i]) * o.first)
		switch {
		case o.squares != nil:
			p = o.grafted(p, o.squares[i])
		case o.diagonal != nil:
			s := &o.diagonal[at+i-r.from]
			*s = T(old**s) + T(T(fresh*o.grad[i])*o.grad[i])
			p = T(float64(p) / math.Sqrt(float64(*s)*second+o.set.Eps))
		}
		o.x[i] = T(keep*o.x[i]) - T(lr*p)
	}
}

// renew makes the root of a side: (second·L + Eps·I)^power, unless that cannot be.
func (o *shampoo[T]) renew(s *side[T], power, second float64) {
	n := s.n
	if n == 0 {
		return
	}
	widen(o.spectral, s.gram)
	if !o.spectral.eigen(n) {
		return
	}
	least := min(0, o.spectral.values[0]*second) // below 0 by rounding alone
	eps := o.set.Eps + o.set.RelativeEps*max(0, o.spectral.values[n-1]*second)
	q, weighted := o.root[:n*n], o.room[:n*n]
	narrow(q, o.spectral)
	for j := range n {
		root := math.Pow(o.spectral.values[j]*second-least+eps, power)
		for i := range n {
			weighted[i*n+j] = T(o.spectral.matrix[i*n+j] * root)
		}
	}
	o.products.do(productShape{n, n, n, kernel.Mat{Row: n, Col: 1}, kernel.Mat{Row: 1, Col: n}, n}, s.basis, weighted, q, false)
}
