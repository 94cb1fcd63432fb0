package builtin

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// dropoutStream begins the numbers of Gorgonia's dropouts, which those of a
// network, counted from 0, do not reach.
const dropoutStream = 1 << 31

var errUnknown = errors.New("has no exact counterpart, so it can be neither differentiated nor compiled")

// operation is the allow-list, by the name of the operation's type.
func (t *Translation) operation(n *Node, to []*Node, shape []int) (*Node, error) {
	b := t.b
	f := fieldsOf(n.Op())
	m, err := func() (*Node, error) {
		switch kind(n) {
		case "constantScalar", "constantTensor":
			data, err := numbers(n.Value())
			if err != nil {
				return nil, err
			}
			return b.Tensor(data, shape...), nil
		case "elemUnaryOp":
			return t.unary(n.Op().String(), to[0])
		case "elemBinOp":
			return t.binary(n.Op().String(), to)
		case "linAlgBinOp":
			return t.linear(n.Op().String(), f, to)
		case "tensordotOp":
			return t.tensordot(to[0], to[1], f.ints("aAxes"), f.ints("bAxes")), nil
		case "sumOp":
			return b.Sum(to[0], f.ints("along")...), nil
		case "maxOp":
			return b.Max(to[0], f.ints("along")...), nil
		case "maxBetween":
			return b.Maximum(to[0], to[1]), nil
		case "minBetween":
			return b.Minimum(to[0], to[1]), nil
		case "sizeOp":
			a := f.int("axis")
			if s := b.Shape(to[0]); a < len(s) {
				return b.Const(float64(s[a])), nil
			}
			return b.Const(1), nil
		case "repeatOp":
			return t.repeat(to[0], f.int("along"), shape)
		case "reshapeOp":
			return b.Reshape(to[0], shape...), nil
		case "transposeOp":
			if m := t.conv2d(n); m != nil {
				return m, nil
			}
			return b.Transpose(to[0], f.ints("pattern")...), nil
		case "sliceOp":
			return t.slice(n, f, to[0])
		case "concatOp":
			return b.Concat(f.int("axis"), to...), nil
		case "atOp":
			at := f.ints("coordinates")
			r := make([]ops.Range, len(at))
			for i, c := range at {
				r[i] = ops.Range{Start: c, Stop: c + 1}
			}
			return b.Reshape(b.Slice(to[0], r...)), nil
		case "softmaxOp":
			return t.softmax(f, to[0]), nil
		case "im2colOp":
			return t.im2col(f, to[0]), nil
		case "maxPoolOp":
			return b.MaxPool2D(to[0], pool(f)), nil
		case "avgPoolOp":
			return b.AvgPool2D(to[0], pool(f)), nil
		case "globalAveragePoolOp":
			return b.Mean(to[0], 2, 3), nil
		case "dropoutOp":
			if !f.bool("isTraining") {
				return to[0], nil
			}
			return b.Dropout(to[0], f.float("probability"), b.Key(), dropoutStream|uint32(n.ID())), nil
		}
		return nil, errUnknown
	}()
	if f.err != nil {
		return nil, f.err
	}
	return m, err
}

// unary translates the elementwise functions, which go by name.
func (t *Translation) unary(name string, x *Node) (*Node, error) {
	b := t.b
	switch name {
	case "abs":
		return b.Abs(x), nil
	case "sign":
		return b.Sign(x), nil
	case "ceil":
		return b.Ceil(x), nil
	case "floor":
		return b.Floor(x), nil
	case "sin":
		return b.Sin(x), nil
	case "cos":
		return b.Cos(x), nil
	case "exp":
		return b.Exp(x), nil
	case "ln":
		return b.Log(x), nil
	case "log2":
		return b.Mul(b.Log(x), b.Const(1/math.Ln2)), nil
	case "neg":
		return b.Neg(x), nil
	case "square":
		return b.Square(x), nil
	case "sqrt":
		return b.Sqrt(x), nil
	case "inv":
		return b.Reciprocal(x), nil
	case "invSqrt":
		return b.Rsqrt(x), nil
	case "cube":
		return b.Mul(x, b.Square(x)), nil
	case "tanh":
		return b.Tanh(x), nil
	case "sigmoid":
		return b.Sigmoid(x), nil
	case "log1p":
		return b.Log1p(x), nil
	case "expm1":
		return b.Expm1(x), nil
	case "softplus":
		return b.Softplus(x), nil
	}
	return nil, errUnknown
}

// binary translates arithmetic and comparisons. The name is followed by
// whether a comparison gives numbers or truth values.
func (t *Translation) binary(name string, in []*Node) (*Node, error) {
	b := t.b
	sign, same, _ := strings.Cut(name, " ")
	x, y := in[0], in[1]
	switch sign {
	case "+":
		return b.Add(x, y), nil
	case "-":
		return b.Sub(x, y), nil
	case "⊙":
		return b.Mul(x, y), nil
	case "÷":
		return b.Div(x, y), nil
	case "^":
		return b.Pow(x, y), nil
	}
	if same != "true" {
		return nil, errors.New("it gives truth values; ask for numbers with retSame = true")
	}
	switch sign {
	case "<":
		return b.Less(x, y), nil
	case ">":
		return b.Greater(x, y), nil
	case "<=":
		return b.LessEqual(x, y), nil
	case ">=":
		return b.GreaterEqual(x, y), nil
	case "==":
		return b.Equal(x, y), nil
	case "!=":
		return b.NotEqual(x, y), nil
	}
	return nil, errUnknown
}

// linear translates products of matrices and vectors, which are told apart by
// the sign between their operands.
func (t *Translation) linear(name string, f *fields, in []*Node) (*Node, error) {
	b := t.b
	x, y := in[0], in[1]
	ta, tb := f.bool("transA"), f.bool("transB")
	flat := func(n *Node) *Node { return b.Reshape(n, -1) }
	switch {
	case strings.Contains(name, "⊗"):
		return b.Mul(b.Reshape(x, -1, 1), b.Reshape(y, 1, -1)), nil
	case strings.Contains(name, "⋅"):
		return b.Sum(b.Mul(flat(x), flat(y))), nil
	case strings.HasSuffix(name, "b"):
		return b.MatMulT(x, flat(y), ta, false), nil
	case strings.Contains(name, "×"):
		return b.MatMulT(x, y, ta, tb), nil
	}
	return nil, errUnknown
}

// tensordot contracts axes of x with axes of y.
func (t *Translation) tensordot(x, y *Node, xAxes, yAxes []int) *Node {
	b := t.b
	matrix := func(n *Node, axes []int, last bool) (*Node, []int) {
		var free, shape []int
		for i, d := range b.Shape(n) {
			if !slices.Contains(axes, i) {
				free, shape = append(free, i), append(shape, d)
			}
		}
		perm := slices.Concat(axes, free)
		if last {
			perm = slices.Concat(free, axes)
		}
		m := 1
		for _, d := range shape {
			m *= d
		}
		if last {
			return b.Reshape(b.Transpose(n, perm...), m, -1), shape
		}
		return b.Reshape(b.Transpose(n, perm...), -1, m), shape
	}
	xm, xs := matrix(x, xAxes, true)
	ym, ys := matrix(y, yAxes, false)
	return b.Reshape(b.MatMul(xm, ym), slices.Concat(xs, ys)...)
}

// repeat repeats each slice of an axis, which is how Gorgonia broadcasts.
func (t *Translation) repeat(x *Node, along int, shape []int) (*Node, error) {
	b := t.b
	from := slices.Clone(b.Shape(x))
	for len(from) <= along {
		from = append(from, 1)
	}
	if len(from) != len(shape) || from[along] == 0 || shape[along]%from[along] != 0 {
		return nil, fmt.Errorf("it repeats shape %v to %v", from, shape)
	}
	split := slices.Insert(slices.Clone(from), along+1, 1)
	x = b.Reshape(x, split...)
	split[along+1] = shape[along] / from[along]
	return b.Reshape(b.Broadcast(x, split...), shape...), nil
}

func (t *Translation) slice(n *Node, f *fields, x *Node) (*Node, error) {
	op, ok := n.Op().(interface{ IsSlice() tensor.Slice })
	if !ok {
		return nil, errUnknown
	}
	s := op.IsSlice()
	if s == nil {
		return x, nil
	}
	along := f.int("along")
	if s.End() <= s.Start() { // which Gorgonia takes for the whole axis
		return nil, fmt.Errorf("range %d:%d of axis %d is empty", s.Start(), s.End(), along)
	}
	r := make([]ops.Range, along+1)
	r[along] = ops.Range{Start: s.Start(), Stop: s.End(), Step: s.Step()}
	return t.b.Slice(x, r...), nil
}

// softmax takes the axis as Gorgonia does: by default the last, of a column the
// first.
func (t *Translation) softmax(f *fields, x *Node) *Node {
	axis := f.int("axis")
	if s := t.b.Shape(x); axis == -1 && len(s) == 2 && s[1] == 1 {
		axis = 0
	}
	if f.bool("isLog") {
		return t.b.LogSoftmax(x, axis)
	}
	return t.b.Softmax(x, axis)
}

func pool(f *fields) ops.Pool {
	return ops.Pool{
		Kernel: [2]int{f.int("h"), f.int("w")},
		Stride: [2]int{f.int("strideH"), f.int("strideW")},
		Pad:    [4]int{f.int("padNorth"), f.int("padSouth"), f.int("padWest"), f.int("padEast")},
	}
}
