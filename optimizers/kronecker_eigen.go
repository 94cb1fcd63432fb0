package optimizers

import (
	"fmt"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// kroneckerEigen is the approximation in the bases of its factors' eigenvectors: a part is
//
//	M -> U_L ( (U_L' M U_R) ∘ S ) U_R'
//
// with S the products of the eigenvalues or, of EKFAC, second moments of gradients along the eigenvectors. The bases lie
// where inverses would.
type kroneckerEigen[T Float] struct {
	// What the last InvertExact or Update left, and what the two before that did: a step that fails after both goes back.
	scales [3][]T
	now    int
	at     []int // where the S of a part begins
	values []float64
	system mat.EigenSym
	basis  mat.Dense

	// Of EKFAC.
	in  [][]T // of each part, what went in last, times its basis
	out []T   // what comes back, times its basis
	one []T   // an example's gradient
}

// InvertExact prepares Solve with damping d added to each block as it is, (A ⊗ G + d I)⁻¹, by eigenvalue decompositions
// of the factors, which gonum makes in float64. They take far longer than the inverses of Invert.
//
// With EKFAC set, each later Update also moves the eigenvalues' products towards the second moments of the gradients along
// the eigenvectors, which are the best for these (George et al. 2018, arXiv 1806.03884).
func (k *Kronecker[T]) InvertExact(damping float64) error {
	if !(damping > 0) || !finite(damping) {
		return fmt.Errorf("optimizers: kronecker: damping %v; allowed are numbers above 0", damping)
	}
	if k.eigen == nil {
		k.startEigen()
	}
	e := k.eigen
	to, next := k.inverses[1-k.inverseNow], (e.now+1)%len(e.scales)
	values := [2][]float64{}
	for i, p := range k.parts {
		for side, f := range []*kroneckerFactor{&p.left, &p.right} {
			values[side] = e.values[side*len(e.values)/2:][:f.n]
			at := p.leftInv
			if side == 1 {
				at = p.rightInv
			}
			if f.at < 0 {
				values[side][0] = 1
				continue
			}
			if err := k.decompose(to[at:][:f.n*f.n], values[side], f, p.tensor); err != nil {
				return err
			}
		}
		s := e.scales[next][e.at[i]:]
		for r, l := range values[0] {
			for c, v := range values[1] {
				s[r*p.cols+c] = T(max(0, l) * max(0, v))
			}
		}
	}
	k.inverseNow, e.now = 1-k.inverseNow, next
	k.damping[k.inverseNow], k.inEigen[k.inverseNow] = damping, true
	return nil
}

// startEigen allocates what the bases need.
func (k *Kronecker[T]) startEigen() {
	e := &kroneckerEigen[T]{in: make([][]T, len(k.parts))}
	size, most := 0, 0
	for _, p := range k.parts {
		e.at = append(e.at, size)
		size += p.rows * p.cols
		most = max(most, p.left.n, p.right.n)
	}
	for i := range e.scales {
		e.scales[i] = make([]T, size)
	}
	e.values = make([]float64, 2*most)
	k.eigen = e
}

// decompose sets basis to the eigenvectors of a factor, as columns, and values to its eigenvalues.
func (k *Kronecker[T]) decompose(basis []T, values []float64, f *kroneckerFactor, tensor string) error {
	if t := k.meanTrace(f); !finite(t) {
		return &NonFiniteError{Method: "kronecker", What: "curvature factor", Tensor: tensor, Value: t}
	}
	w := k.wide[:f.n*f.n]
	for i, v := range k.values(f) {
		w[i] = float64(v)
	}
	e := k.eigen
	if !e.system.Factorize(mat.NewSymDense(f.n, w), true) {
		return fmt.Errorf("optimizers: kronecker: the eigenvalues of a factor of %s were not found", tensor)
	}
	e.system.Values(values)
	e.basis.Reset()
	e.system.VectorsTo(&e.basis)
	for i, v := range e.basis.RawMatrix().Data {
		basis[i] = T(v)
	}
	return nil
}

// solveEigen sets the part's piece of dst to U_L ( (U_L' M U_R) / (S + d) ) U_R', where M is its piece of v.
func (k *Kronecker[T]) solveEigen(i int, dst, v []T) {
	p, e := k.parts[i], k.eigen
	inverses, damping := k.inverses[k.inverseNow], T(k.damping[k.inverseNow])
	a, b := k.gathered[0][:p.rows*p.cols], k.gathered[1][:p.rows*p.cols]
	right := inverses[p.rightInv:][:p.cols*p.cols]
	plain := func(n int) kernel.Mat { return kernel.Mat{Row: n, Col: 1} }
	turned := func(n int) kernel.Mat { return kernel.Mat{Row: 1, Col: n} }
	m := k.read(p, v)
	if p.left.at >= 0 {
		left := inverses[p.leftInv:][:p.rows*p.rows]
		k.products.do(productShape{p.rows, p.cols, p.rows, turned(p.rows), plain(p.cols), p.cols}, b, left, m, false)
		m = b
	}
	k.products.mul(a, m, right, p.rows, p.cols, p.cols)
	for j, s := range e.scales[e.now][e.at[i]:][:len(a)] {
		a[j] /= s + damping
	}
	if p.left.at >= 0 {
		k.products.mul(b, inverses[p.leftInv:][:p.rows*p.rows], a, p.rows, p.cols, p.rows)
	} else {
		copy(b, a)
	}
	to := a
	if p.bias < 0 {
		to = dst[p.offset:][:p.rows*p.cols]
	}
	k.products.do(productShape{p.rows, p.cols, p.cols, plain(p.cols), turned(p.cols), p.cols}, to, b, right, false)
	if p.bias >= 0 {
		write(p, dst, to)
	}
}
