package optimizers

import (
	"errors"
	"fmt"
)

// KroneckerOptions are the choices of a Kronecker approximation. The zero value is the default.
type KroneckerOptions struct {
	Targets Targets
	// Reduce makes the positions of an example in a convolution one row (Eschenhagen et al. 2023, arXiv 2311.00636).
	Reduce bool
	// SeparateBias gives the bias a block of its own instead of a row of the weight's.
	SeparateBias bool
	// EKFAC gives eigenvectors, where InvertExact finds them, the second moments of gradients along them.
	EKFAC bool
	// MaxDim is the size of factors beyond which a block has its diagonal alone; 0 means 4096.
	MaxDim int
}

// Kronecker is the block-diagonal approximation of the Gauss-Newton matrix of a network by Kronecker products (Martens &
// Grosse 2015, arXiv 1503.05671; of convolutions: Grosse & Martens 2016, arXiv 1602.01407). A layer that multiplies rows
// a, with a 1 behind them where there is a bias, by W [in, out] has the block
//
//	A ⊗ G    A = E[a a'] [in, in], G = E[g g'] [out, out], g the derivative by what comes out
//
// which times V [in, out] is A V G. Scale and shift of a normalisation have the block of their gradients' second moments.
// Tensors that belong to no block, and blocks with a factor larger than MaxDim, have a diagonal.
//
// For one example, and for a linear network with squared error and exact targets, these are the diagonal blocks of the
// Gauss-Newton matrix. Not safe for concurrent use.
//
// As a preconditioner of conjugate gradients with curvature on a sample s and damping d:
//
//	err := k.Update(s, x, 0)
//	err = k.Invert(d)
//	res, err := cg.Solve(ctx, multiply, k.Solve, g, step)
type Kronecker[T Float] struct {
	options KroneckerOptions
	size    int
	parts   []*kroneckerPart
	at      map[int][]int // which of them belong to the block that begins at a tensor
	diags   []*kroneckerDiagonal[T]
	diagAt  map[int]*kroneckerDiagonal[T]

	// All factors and diagonals, and all inverses, one behind the other, twice: what the last Update and Invert found, and
	// what they found before, so that a step that fails can go back.
	factors, inverses [2][]T
	now, inverseNow   int
	damping           [2]float64 // of the inverses; 0: none
	inEigen           [2]bool    // they are bases
	eigen             *kroneckerEigen[T]

	products *products[T]
	spd      *spd
	wide     []float64 // a matrix in float64
	rows     []T       // with what the homogeneous coordinate and weights need
	gathered [2][]T    // vectors as matrices
	take     func(*FactorRows[T]) error
	seen     []bool // of the factors of the estimate under way: something is in it
}

// kroneckerFactor is the second moment of rows of n numbers.
type kroneckerFactor struct {
	n, at int // at is where it begins in the factors; -1: it is a 1
	id    int
}

// kroneckerPart is a matrix M [rows, cols] in the parameter vector, with the curvature M -> L M R.
type kroneckerPart struct {
	left, right  kroneckerFactor
	leftInv      int // where the inverse of the damped left factor begins in the inverses
	rightInv     int
	rows, cols   int
	offset       int // of M
	bias         int // where the last column lies, apart from the others; -1: it does not
	tensor       string
	in, out      *kroneckerFactor // which of left and right is which
	first, outAt int              // of its columns in the rows of the block's In and Out
	one          bool             // the rows that go in have a 1 behind them
	fill         bool             // this part, and not another with the same factors, adds to them
}

// NewKronecker prepares the approximation for parameters of the layout, all zero.
func NewKronecker[T Float](l Layout, o KroneckerOptions) (*Kronecker[T], error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	if o.MaxDim == 0 {
		o.MaxDim = 4096
	}
	if o.MaxDim < 1 || int(o.Targets) >= len(targetWords) {
		return nil, fmt.Errorf("optimizers: kronecker: factors of at most %d and targets %d; allowed are sizes from 1 and targets from 0 to %d", o.MaxDim, o.Targets, len(targetWords)-1)
	}
	k := &Kronecker[T]{options: o, size: l.Size(), at: map[int][]int{}, diagAt: map[int]*kroneckerDiagonal[T]{},
		products: newProducts[T](), spd: newSPD()}
	k.take = k.takeRows
	factors, inverses := 0, 0
	for i := 0; i < len(l); i++ {
		b := l[i].Block
		size := l[i].Size()
		if b != nil && b.Tensors == 2 {
			size += l[i+1].Size()
		}
		if b == nil || max(b.In+b.Tensors-1, b.Out) > o.MaxDim {
			d := &kroneckerDiagonal[T]{offset: l[i].Offset, size: size, at: factors, block: b}
			k.diagAt[i] = d
			k.diags = append(k.diags, d)
			factors += size
		} else {
			k.addBlock(i, l, b, &factors, &inverses)
		}
		if b != nil {
			i += b.Tensors - 1
		}
	}
	most, vector := 0, 0
	for _, p := range k.parts {
		most, vector = max(most, p.left.n, p.right.n), max(vector, p.rows*p.cols)
	}
	for i := range 2 {
		k.factors[i], k.inverses[i], k.gathered[i] = make([]T, factors), make([]T, inverses), make([]T, vector)
	}
	k.wide = make([]float64, most*most)
	return k, nil
}

// addBlock adds the parts of the block that begins at tensor i.
func (k *Kronecker[T]) addBlock(i int, l Layout, b *Block, factors, inverses *int) {
	groups, bias := b.groups(), b.In > 0 && b.Tensors == 2
	joint := bias && !k.options.SeparateBias
	moment := func(n int) kroneckerFactor {
		f := kroneckerFactor{n, *factors, len(k.seen)}
		*factors += n * n
		k.seen = append(k.seen, false)
		return f
	}
	inverse := func(n int) int {
		at := *inverses
		*inverses += n * n
		return at
	}
	add := func(p *kroneckerPart) {
		k.at[i] = append(k.at[i], len(k.parts))
		k.parts = append(k.parts, p)
	}
	in := b.In
	if joint {
		in++
	}
	weights := groups * b.In * b.Out
	for g := range groups {
		p := &kroneckerPart{left: kroneckerFactor{1, -1, -1}, rows: max(in, 1), cols: b.Out, offset: l[i].Offset, bias: -1, tensor: l[i].Name,
			first: g * b.In, outAt: g * b.Out, one: joint, fill: true}
		if b.In > 0 {
			p.left = moment(in)
		}
		p.right = moment(b.Out)
		p.in, p.out = &p.left, &p.right
		if b.Transposed && b.In > 0 {
			p.left, p.right = p.right, p.left
			p.in, p.out = &p.right, &p.left
			p.rows, p.cols = b.Out, in
			p.offset += g * b.In * b.Out
			if joint {
				p.bias = l[i].Offset + weights + g*b.Out
			}
		}
		if p.left.at >= 0 {
			p.leftInv = inverse(p.left.n)
		}
		p.rightInv = inverse(p.right.n)
		add(p)
		if bias && !joint {
			q := &kroneckerPart{left: kroneckerFactor{1, -1, -1}, right: *p.out, rightInv: p.rightInv, rows: 1, cols: b.Out, offset: l[i].Offset + weights + g*b.Out, bias: -1,
				tensor: l[i+1].Name, outAt: p.outAt}
			if b.Transposed {
				q.rightInv = p.leftInv
			}
			q.in, q.out = &q.left, &q.right
			add(q)
		}
	}
}

// values is a factor as the last Update left it; nil where it is a 1.
func (k *Kronecker[T]) values(f *kroneckerFactor) []T {
	if f.at < 0 {
		return nil
	}
	return k.factors[k.now][f.at:][:f.n*f.n]
}

// Update estimates the factors on the sample at x: they become what they were times keep, plus 1-keep times the estimate.
// After an error they are as before.
func (k *Kronecker[T]) Update(s Sample[T], x []T, keep float64) error {
	f, ok := SampleAs[Factors[T]](s)
	if !ok {
		return errNoFactors
	}
	if len(x) != k.size {
		return fmt.Errorf("optimizers: kronecker: %d parameters, the layout has %d", len(x), k.size)
	}
	clear(k.seen)
	for _, d := range k.diags {
		clear(k.factors[1-k.now][d.at:][:d.size])
	}
	k.clearEigen()
	if err := f.Factors(x, k.options.Targets, k.options.Reduce, k.take); err != nil {
		return fmt.Errorf("optimizers: kronecker: factors: %w", err)
	}
	k.now = 1 - k.now
	k.mixEigen(keep)
	if keep > 0 {
		lerp(k.factors[k.now], T(keep), k.factors[1-k.now])
	}
	return nil
}

// errNoFactors is that of a sample that is no Factors.
var errNoFactors = errors.New("optimizers: kronecker: the problem's samples give no factors of layers")

// takeRows adds the second moments of rows to the estimate.
func (k *Kronecker[T]) takeRows(r *FactorRows[T]) error {
	if d := k.diagAt[r.Tensor]; d != nil {
		k.takeDiagonal(d, r)
		return nil
	}
	n := r.Examples * r.Positions
	for _, i := range k.at[r.Tensor] {
		p := k.parts[i]
		if !p.fill {
			continue
		}
		if r.In != nil && p.in.at >= 0 {
			k.moment(p.in, r.In, p.first, n, r.Share/float64(n), p.one)
		}
		k.moment(p.out, r.Out, p.outAt, n, r.Share, false)
	}
	if k.follows() {
		k.takeEigen(r)
	}
	return nil
}
