package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// newtonSchulz brings the singular values of matrices of one shape near to 1 by products alone. With X = G/|G|, of no
// more rows than columns (transposed if need be), it repeats
//
//	A = X X'        X = a·X + (b·A + c·A²) X
//
// a polynomial of every singular value that leaves the singular vectors. The usual a, b, c (Jordan 2024) are steep at 0
// and do not converge to 1: values end between 0.7 and 1.2, which is all that Muon asks for.
type newtonSchulz[T Float] struct {
	products    *products[T]
	rows, cols  int // of the matrices as they are given
	short, long int // of X
}

func newNewtonSchulz[T Float](p *products[T], rows, cols int) *newtonSchulz[T] {
	return &newtonSchulz[T]{p, rows, cols, min(rows, cols), max(rows, cols)}
}

// room is how many numbers orthogonalize needs.
func (n *newtonSchulz[T]) room() int { return 2*n.short*n.long + 2*n.short*n.short }

// orthogonalize sets dst to that of g after some iterations with the coefficients abc. eps is the least that is divided
// by. room is overwritten.
func (n *newtonSchulz[T]) orthogonalize(dst, g []T, iterations int, abc [3]float64, eps float64, room []T) {
	size, side := n.short*n.long, n.short*n.short
	x, y := room[:size], room[size:2*size]
	a, b := room[2*size:2*size+side], room[2*size+side:2*size+2*side]
	n.turn(x, g, n.rows, n.cols)
	scale(x, T(1/max(norm(g), eps)))
	for range iterations {
		n.products.outer(a, x, n.short, n.long, n.long, false)
		n.products.mul(b, a, a, n.short, n.short, n.short)
		combine(b, T(abc[2]), T(abc[1]), a)
		for i := range n.short {
			b[i*n.short+i] += T(abc[0])
		}
		n.products.mul(y, b, x, n.short, n.long, n.short)
		x, y = y, x
	}
	n.turn(dst, x, n.short, n.long)
}

// turn copies src, a matrix of that shape, transposed where the matrices that are given have more rows than columns.
func (n *newtonSchulz[T]) turn(dst, src []T, rows, cols int) {
	if n.rows > n.cols {
		kernel.Transpose(dst, rows, src, cols, rows, cols)
	} else {
		copy(dst, src)
	}
}

// combine sets dst to p·dst + q·v.
func combine[T Float](dst []T, p, q T, v []T) {
	scale(dst, p)
	axpy(dst, q, v)
}

// shapeFactor is the factor of a matrix's learning rate in Muon.
func shapeFactor(adjust string, m matrix) float64 {
	switch adjust {
	case "original":
		return math.Sqrt(max(1, float64(m.out)/float64(m.in)))
	case "match_rms_adamw":
		return 0.2 * math.Sqrt(float64(max(m.out, m.in)))
	}
	return 1
}
