package ops

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// matmul multiplies the matrices in the last two axes of its operands, either
// transposed if so said. The leading axes are equal.
type matmul struct{ ta, tb bool }

func (r matmul) String() string {
	name := func(t bool, x string) string {
		if t {
			return x + "'"
		}
		return x
	}
	return "matmul(" + name(r.ta, "a") + ", " + name(r.tb, "b") + ")"
}

func (r matmul) Shape(in [][]int) ([]int, error) {
	x, y := in[0], in[1]
	n := len(x)
	if n < 2 || len(y) != n || !equal(x[:n-2], y[:n-2]) {
		return nil, fmt.Errorf("shapes %v and %v", x, y)
	}
	m, k := ends(x, r.ta)
	l, p := ends(y, r.tb)
	if k != l {
		return nil, fmt.Errorf("shapes %v and %v: inner sizes %d and %d differ", x, y, k, l)
	}
	return append(slices.Clone(x[:n-2]), m, p), nil
}

// ends gives the rows and columns of the matrix in the last two axes.
func ends(shape []int, transposed bool) (rows, cols int) {
	n := len(shape)
	if transposed {
		return shape[n-1], shape[n-2]
	}
	return shape[n-2], shape[n-1]
}

func (r matmul) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	turn := func(v exec.Value, t bool) exec.Value {
		if !t {
			return v
		}
		perm := make([]int, len(b.Shape(v)))
		for i := range perm {
			perm[i] = i
		}
		n := len(perm)
		perm[n-2], perm[n-1] = n-1, n-2
		return b.Permute(v, perm)
	}
	return b.Gemm(turn(in[0], r.ta), turn(in[1], r.tb))
}

func (r matmul) JVP(b *Builder, _ *Node, in, t []*Node) *Node {
	switch {
	case t[1] == nil:
		return b.Apply(r, t[0], in[1])
	case t[0] == nil:
		return b.Apply(r, in[0], t[1])
	}
	return b.Add(b.Apply(r, t[0], in[1]), b.Apply(r, in[0], t[1]))
}

func (r matmul) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	switch {
	case i == 0 && !r.ta:
		return b.Apply(matmul{false, !r.tb}, ct, in[1])
	case i == 0:
		return b.Apply(matmul{r.tb, true}, in[1], ct)
	case !r.tb:
		return b.Apply(matmul{!r.ta, false}, in[0], ct)
	}
	return b.Apply(matmul{true, r.ta}, ct, in[0])
}

// MatMul is the matrix product of the last two axes, for every index of the
// leading axes, which are repeated to a common shape. A vector is a row on the
// left and a column on the right, and its axis is missing in the result, as in
// NumPy.
func (b *Builder) MatMul(x, y *Node) *Node { return b.MatMulT(x, y, false, false) }

// MatMulT is MatMul with either operand's last two axes exchanged; an operand
// that is not a vector.
func (b *Builder) MatMulT(x, y *Node, transX, transY bool) *Node {
	if !b.ok("matmul", x, y) {
		return nil
	}
	if len(shapeOf(x)) == 0 || len(shapeOf(y)) == 0 {
		return b.failf("matmul: a scalar operand; multiply with Mul")
	}
	if len(shapeOf(x)) == 1 && transX || len(shapeOf(y)) == 1 && transY {
		return b.failf("matmul: shapes %v and %v: a vector cannot be transposed", shapeOf(x), shapeOf(y))
	}
	var drop []int // axes of the result, from its end
	if len(shapeOf(x)) == 1 {
		x = b.ExpandDims(x, 0)
		drop = append(drop, -2)
	}
	if len(shapeOf(y)) == 1 {
		y = b.ExpandDims(y, 1)
		drop = append(drop, -1)
	}
	xs, ys := shapeOf(x), shapeOf(y)
	lead, err := Broadcast(xs[:len(xs)-2], ys[:len(ys)-2])
	if err != nil {
		return b.failf("matmul: shapes %v and %v: %w", shapeOf(x), shapeOf(y), err)
	}
	x = b.Broadcast(x, slices.Concat(lead, xs[len(xs)-2:])...)
	y = b.Broadcast(y, slices.Concat(lead, ys[len(ys)-2:])...)
	out := b.Apply(matmul{transX, transY}, x, y)
	if len(drop) == 0 || b.err != nil {
		return out
	}
	axes, err := axesOf(drop, len(shapeOf(out)))
	if err != nil {
		return b.failf("matmul: %w", err)
	}
	return b.Reshape(out, without(shapeOf(out), axes)...)
}
