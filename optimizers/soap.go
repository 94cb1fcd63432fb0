package optimizers

import (
	"math"
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// SOAP is Adam in the eigenbasis of Shampoo's preconditioner. For a matrix X, with the minibatch gradient G at X and
// t = 1, 2, ...
//
//	M' = Q_L' G Q_R                                       Adam's gradient
//	X  = X - LR·sqrt(1-Beta2^t)/(1-Beta1^t) · Q_L (m/(sqrt(v) + Eps)) Q_R'
//	X  = (1 - LR·WeightDecay)·X
//	L  = β·L + (1-β)·G G'      R = β·R + (1-β)·G' G       β = ShampooBeta
//	every Frequency steps: Q_L = QR(L Q_L), Q_R = QR(R Q_R), of the columns in the order of their Rayleigh quotients
//
// where m and v are Adam's means of M' and its square; m turns with the bases. The first step only makes the bases, by
// eigenvalue decompositions, and leaves the parameters where they are (Vyas et al. 2024, Algorithm 3, and the authors'
// code, which these defaults are of). The kernel of a convolution is a matrix [out, in·kh·kw]. A side longer than MaxDim
// is not turned; biases, norms and other tensors that are no matrices have plain Adam, unless Precondition1D turns them
// too. Where a decomposition finds numbers that are not finite the basis stays.
//
// For long training where a step's gradient takes most of the time: it needs fewer steps than Adam, and memory for four
// square matrices beside each weight. For small nets Adam is as good.
type SOAP struct {
	LR             float64 `set:"lr" default:"0.003" range:"[0,inf)" help:"learning rate"`
	Beta1          float64 `set:"beta1" default:"0.95" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2          float64 `set:"beta2" default:"0.95" range:"[0,1)" help:"decay of the mean of its square"`
	ShampooBeta    float64 `set:"shampoo_beta" default:"0.95, or beta2" range:"[0,1)" help:"decay of the means of G G' and G' G"`
	Eps            float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay    float64 `set:"weight_decay" default:"0.01" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	Frequency      int     `set:"frequency" default:"10" range:"[1,inf)" help:"steps from one turn of the bases to the next"`
	MaxDim         int     `set:"max_dim" default:"10000" range:"[1,inf)" help:"longest side of a matrix that is turned"`
	Precondition1D bool    `set:"precondition_1d" default:"false" help:"turn vectors too"`
	NormalizeGrads bool    `set:"normalize_grads" default:"false" help:"make the root mean square of each tensor's step 1, times the rate"`
	CorrectBias    Toggle  `set:"correct_bias" default:"true" help:"divide the means by what they have of their numbers"`
}

var _ Method = (*SOAP)(nil)

// Name is soap.
func (*SOAP) Name() string { return "soap" }

func (*SOAP) info() Info {
	return Info{Name: "soap", Memory: 3, DefaultLR: 0.003,
		Use: "Adam in the eigenbasis of Shampoo: fewer steps, each dearer; also four square matrices for each weight"}
}

func (m *SOAP) defaults() {
	if m.ShampooBeta == 0 {
		m.ShampooBeta = m.Beta2
		if m.Beta2 == 0 {
			m.ShampooBeta = 0.95
		}
	}
}

func (m *SOAP) start32(l Layout) (Optimizer[float32], error) { return startSOAP[float32](m, l) }
func (m *SOAP) start64(l Layout) (Optimizer[float64], error) { return startSOAP[float64](m, l) }

func startSOAP[T Float](m *SOAP, l Layout) (Optimizer[T], error) {
	s, err := resolve("soap", m)
	if err != nil {
		return nil, err
	}
	o := &soap[T]{set: s, products: newProducts[T]()}
	o.start("soap", l, o.take)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_avg_sq")
	var list []matrix
	for _, t := range l {
		m := asMatrix(t)
		m.bare = !isMatrix(t) && !s.Precondition1D
		if !m.bare || s.NormalizeGrads {
			list = append(list, m)
		} else {
			o.rest = appendRun(o.rest, t)
		}
	}
	longest, largest := 0, 0
	o.matrices, longest, largest = sidesOf(&o.elementwise, list, s.MaxDim)
	o.spectral = newSpectral(longest)
	o.order = make([]int, longest)
	o.quotients = make([]float64, longest)
	o.room = make([]T, max(longest*longest, largest))
	o.turn = make([]T, largest)
	return o, nil
}

type soap[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          SOAP
	mean, square []T // of matrices: turned
	matrices     []sided[T]
	rest         []run

	products   *products[T]
	spectral   *spectral
	order      []int
	quotients  []float64
	room, turn []T
}

// MomentumBuffer is nil: the mean is in bases that turn, so that it cannot be mixed with an earlier one.
func (o *soap[T]) MomentumBuffer() []T { return nil }

// take is a step. The first makes the bases.
func (o *soap[T]) take(t int, x []T) {
	t--
	lr, keep := o.Rate(), 1-o.Rate()*o.set.WeightDecay
	step := lr
	if o.set.CorrectBias == On && t > 0 {
		step *= math.Sqrt(unbiased(o.set.Beta2, t)) / unbiased(o.Momentum(), t)
	}
	c := kernel.AdamCoefficients[T]{Fresh1: T(1 - o.Momentum()), Beta2: T(o.set.Beta2), Fresh2: T(1 - o.set.Beta2), Eps: T(o.set.Eps)}
	for i := range o.matrices {
		m := &o.matrices[i]
		if t > 0 {
			o.move(m, x, c, step, keep)
		}
		o.collect(m, t)
	}
	if t == 0 {
		return
	}
	c.Rate, c.Keep = T(step*keep), T(keep)
	for _, r := range o.rest {
		kernel.AdamUpdate(x[r.from:r.to], o.grad[r.from:r.to], o.mean[r.from:r.to], o.square[r.from:r.to], c)
	}
}

// move takes the step of a matrix.
func (o *soap[T]) move(m *sided[T], x []T, c kernel.AdamCoefficients[T], step, keep float64) {
	u := o.turn[:m.size()]
	m.turned(o.products, u, elements(o.grad, m.matrix), o.room, false)
	g := o.room[:m.size()]
	copy(g, u)
	c.Rate = -1 // u = 0·u + m/(sqrt(v) + eps)
	kernel.AdamUpdate(u, g, elements(o.mean, m.matrix), elements(o.square, m.matrix), c)
	m.turned(o.products, u, u, o.room, true)
	if o.set.NormalizeGrads {
		step /= 1e-30 + norm(u)/math.Sqrt(float64(m.size()))
	}
	x = elements(x, m.matrix)
	axpy(x, T(-step), u)
	if keep != 1 {
		scale(x, T(keep))
	}
}

// collect takes in the gradient of a matrix and turns its bases, after t steps of Adam.
func (o *soap[T]) collect(m *sided[T], t int) {
	m.collect(o.products, elements(o.grad, m.matrix), o.room, T(o.set.ShampooBeta), T(1-o.set.ShampooBeta))
	if t == 0 {
		o.begin(&m.left)
		o.begin(&m.right)
		return
	}
	if t%o.set.Frequency != 0 {
		return
	}
	mean := elements(o.mean, m.matrix)
	m.turned(o.products, mean, mean, o.room, true)
	if n := m.left.n; n > 0 && o.next(&m.left) {
		o.reorder(elements(o.square, m.matrix), m.rows, m.cols, true)
	}
	if n := m.right.n; n > 0 && o.next(&m.right) {
		o.reorder(elements(o.square, m.matrix), m.rows, m.cols, false)
	}
	m.turned(o.products, mean, mean, o.room, false)
}

// begin makes the basis of a side: the eigenvectors, those of the largest eigenvalues first.
func (o *soap[T]) begin(s *side[T]) {
	n := s.n
	if n == 0 {
		return
	}
	widen(o.spectral, s.gram)
	if !o.spectral.eigen(n) {
		s.identity()
		return
	}
	for i := range n {
		for j := range n {
			s.basis[i*n+j] = T(o.spectral.matrix[i*n+n-1-j])
		}
	}
}

// next turns the basis of a side by one step of orthogonal iteration, and leaves the order that the old vectors were
// put into. It returns false where there is no such basis.
func (o *soap[T]) next(s *side[T]) bool {
	n := s.n
	power := o.room[:n*n]
	o.products.mul(power, s.gram, s.basis, n, n, n)
	quotients, order := o.quotients[:n], o.order[:n]
	for j := range n {
		order[j], quotients[j] = j, 0
		for i := range n {
			quotients[j] += float64(s.basis[i*n+j]) * float64(power[i*n+j])
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case quotients[a] > quotients[b]:
			return -1
		case quotients[a] < quotients[b]:
			return 1
		}
		return 0
	})
	for i := range n {
		for j, from := range order {
			o.spectral.matrix[i*n+j] = float64(power[i*n+from])
		}
	}
	if !o.spectral.orthonormal(n) {
		return false
	}
	narrow(s.basis, o.spectral)
	return true
}

// reorder puts the rows or the columns of v, a matrix, into the order.
func (o *soap[T]) reorder(v []T, rows, cols int, byRow bool) {
	old := o.room[:len(v)]
	copy(old, v)
	for i := range rows {
		for j := range cols {
			if byRow {
				v[i*cols+j] = old[o.order[i]*cols+j]
			} else {
				v[i*cols+j] = old[i*cols+o.order[j]]
			}
		}
	}
}
