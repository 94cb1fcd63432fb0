package exec

import (
	"fmt"
	"slices"
)

// gemmOp multiplies matrices, [batch..., m, k] by [batch..., k, n], and adds the
// products of all its pairs of operands. A transposed operand is a view.
type gemmOp struct {
	pairs  int
	sparse bool    // behind the one pair is the compressed form of its first matrix
	code   []mapFn // a function of the sum, register 0, and the operands behind the pairs
	strips int     // of which so many, the last, lie in strips (see stripsOp)
}

func (o gemmOp) String() string {
	s := "gemm"
	if o.pairs > 1 {
		s = fmt.Sprintf("gemm[%d]", o.pairs)
	}
	if o.sparse {
		s += "[sparse]"
	}
	if o.code != nil {
		s += " " + mapOp{o.code}.String()
	}
	if o.strips > 0 {
		s += fmt.Sprintf(" with %d in strips", o.strips)
	}
	return s
}

// Gemm is the matrix product of the last two axes, [batch..., m, k] by
// [batch..., k, n], for every index of the leading axes, which are equal.
// Transposes and repeated batches given as views cost nothing.
func (b *Builder) Gemm(x, y Value) Value {
	if !b.ok(x, y) {
		return None
	}
	xs, ys := b.g.shape(x), b.g.shape(y)
	r := len(xs)
	if r < 2 || len(ys) != r || !sameShape(xs[:r-2], ys[:r-2]) || xs[r-1] != ys[r-2] {
		return b.failf("gemm: %v by %v", xs, ys)
	}
	shape := append(slices.Clone(xs[:r-1]), ys[r-1])
	return b.add(gemmOp{pairs: 1}, shape, b.matrix(x), b.matrix(y))
}

// matrix is v, or a copy of it if neither its rows nor its columns are
// contiguous.
func (b *Builder) matrix(v Value) Value {
	if b.isMatrix(v) {
		return v
	}
	return b.Dense(v)
}

// isMatrix tells whether a product can read v as it lies.
func (b *Builder) isMatrix(v Value) bool {
	shape := b.g.shape(v)
	r := len(shape)
	_, _, stride := b.g.view(v)
	return stride[r-1] == 1 || shape[r-1] == 1 || stride[r-2] == 1 || shape[r-2] == 1
}
