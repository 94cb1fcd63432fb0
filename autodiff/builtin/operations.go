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

// call is the application of an operation that is to be translated.
type call struct {
	n      *Node
	fields *fields // settings of the operation
	to     []*Node // translated operands
	shape  []int   // of the result
}

// allowed is the allow-list, by the name of the operation's type.
var allowed = map[string]func(t *Translation, c call) (*Node, error){
	"constantScalar":      (*Translation).constant,
	"constantTensor":      (*Translation).constant,
	"elemUnaryOp":         (*Translation).unary,
	"elemBinOp":           (*Translation).binary,
	"linAlgBinOp":         (*Translation).linear,
	"tensordotOp":         sure((*Translation).tensordot),
	"sumOp":               sure(func(t *Translation, c call) *Node { return t.b.Sum(c.to[0], c.fields.ints("along")...) }),
	"maxOp":               sure(func(t *Translation, c call) *Node { return t.b.Max(c.to[0], c.fields.ints("along")...) }),
	"maxBetween":          sure(func(t *Translation, c call) *Node { return t.b.Maximum(c.to[0], c.to[1]) }),
	"minBetween":          sure(func(t *Translation, c call) *Node { return t.b.Minimum(c.to[0], c.to[1]) }),
	"sizeOp":              sure((*Translation).sizeOf),
	"repeatOp":            (*Translation).repeat,
	"reshapeOp":           sure(func(t *Translation, c call) *Node { return t.b.Reshape(c.to[0], c.shape...) }),
	"transposeOp":         sure((*Translation).transpose),
	"sliceOp":             (*Translation).slice,
	"concatOp":            sure(func(t *Translation, c call) *Node { return t.b.Concat(c.fields.int("axis"), c.to...) }),
	"atOp":                sure((*Translation).at),
	"softmaxOp":           sure((*Translation).softmax),
	"im2colOp":            sure((*Translation).im2col),
	"maxPoolOp":           sure(func(t *Translation, c call) *Node { return t.b.MaxPool2D(c.to[0], pool(c.fields)) }),
	"avgPoolOp":           sure(func(t *Translation, c call) *Node { return t.b.AvgPool2D(c.to[0], pool(c.fields)) }),
	"globalAveragePoolOp": sure(func(t *Translation, c call) *Node { return t.b.Mean(c.to[0], 2, 3) }),
	"upsampleOp":          sure((*Translation).upsample),
	"dropoutOp":           sure((*Translation).dropout),
}

// sure makes a translation of one that refuses nothing itself.
func sure(f func(t *Translation, c call) *Node) func(t *Translation, c call) (*Node, error) {
	return func(t *Translation, c call) (*Node, error) { return f(t, c), nil }
}

// operation translates the operation of a node.
func (t *Translation) operation(n *Node, to []*Node, shape []int) (*Node, error) {
	f := fieldsOf(n.Op())
	m, err := allowed[kind(n)](t, call{n, f, to, shape})
	if f.err != nil {
		return nil, f.err
	}
	return m, err
}

func (t *Translation) constant(c call) (*Node, error) {
	data, err := numbers(c.n.Value())
	if err != nil {
		return nil, err
	}
	return t.b.Tensor(data, c.shape...), nil
}

func (t *Translation) sizeOf(c call) *Node {
	if a, s := c.fields.int("axis"), t.b.Shape(c.to[0]); a < len(s) {
		return t.b.Const(float64(s[a]))
	}
	return t.b.Const(1)
}

func (t *Translation) transpose(c call) *Node {
	if m := t.conv2d(c.n); m != nil {
		return m
	}
	return t.b.Transpose(c.to[0], c.fields.ints("pattern")...)
}

func (t *Translation) at(c call) *Node {
	var r []ops.Range
	for _, i := range c.fields.ints("coordinates") {
		r = append(r, ops.Range{Start: i, Stop: i + 1})
	}
	return t.b.Reshape(t.b.Slice(c.to[0], r...))
}

func (t *Translation) dropout(c call) *Node {
	rate := c.fields.float("probability")
	if !c.fields.bool("isTraining") {
		rate = 0
	}
	return t.b.Dropout(c.to[0], rate, t.b.Key(), dropoutStream|uint32(c.n.ID()))
}

// unary translates the elementwise functions, which go by name.
func (t *Translation) unary(c call) (*Node, error) {
	b, x := t.b, c.to[0]
	switch c.n.Op().String() {
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
		if m := t.logSumExp(c.n); m != nil {
			return m, nil
		}
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
func (t *Translation) binary(c call) (*Node, error) {
	b := t.b
	sign, same, _ := strings.Cut(c.n.Op().String(), " ")
	x, y := c.to[0], c.to[1]
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
func (t *Translation) linear(c call) (*Node, error) {
	b, name := t.b, c.n.Op().String()
	x, y := c.to[0], c.to[1]
	ta, tb := c.fields.bool("transA"), c.fields.bool("transB")
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

// tensordot contracts axes of one operand with axes of the other.
func (t *Translation) tensordot(c call) *Node {
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
	xm, xs := matrix(c.to[0], c.fields.ints("aAxes"), true)
	ym, ys := matrix(c.to[1], c.fields.ints("bAxes"), false)
	return b.Reshape(b.MatMul(xm, ym), slices.Concat(xs, ys)...)
}

// repeat repeats each slice of an axis, which is how Gorgonia broadcasts.
func (t *Translation) repeat(c call) (*Node, error) {
	b, x, along, shape := t.b, c.to[0], c.fields.int("along"), c.shape
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

func (t *Translation) slice(c call) (*Node, error) {
	op, ok := c.n.Op().(interface{ IsSlice() tensor.Slice })
	if !ok {
		return nil, errUnknown
	}
	s := op.IsSlice()
	if s == nil {
		return c.to[0], nil
	}
	along := c.fields.int("along")
	if s.End() <= s.Start() { // which Gorgonia takes for the whole axis
		return nil, fmt.Errorf("range %d:%d of axis %d is empty", s.Start(), s.End(), along)
	}
	r := make([]ops.Range, along+1)
	r[along] = ops.Range{Start: s.Start(), Stop: s.End(), Step: s.Step()}
	return t.b.Slice(c.to[0], r...), nil
}

// softmax takes the axis as Gorgonia does: by default the last, of a column the
// first.
func (t *Translation) softmax(c call) *Node {
	x, axis := c.to[0], c.fields.int("axis")
	if s := t.b.Shape(x); axis == -1 && len(s) == 2 && s[1] == 1 {
		axis = 0
	}
	if c.fields.bool("isLog") {
		return t.b.LogSoftmax(x, axis)
	}
	return t.b.Softmax(x, axis)
}

// logSumExp recognises what gorgonia.LogSumExp writes for a vector,
// log(m + sum e^(x-m)) with the largest element m, and gives what it means:
// m + log(sum e^(x-m)). It is nil for any other logarithm.
func (t *Translation) logSumExp(n *Node) *Node {
	is := func(n *Node, kind1, name string, in ...**Node) bool {
		if kind(n) != kind1 || len(children(n)) != len(in) || name != "" && !strings.HasPrefix(n.Op().String(), name) {
			return false
		}
		for i, c := range children(n) {
			*in[i] = c
		}
		return true
	}
	var plus, sum, m, exp, minus, x, m2, x2 *Node
	if is(n, "elemUnaryOp", "ln", &plus) && is(plus, "elemBinOp", "+", &sum, &m) && is(sum, "sumOp", "", &exp) &&
		is(exp, "elemUnaryOp", "exp", &minus) && is(minus, "elemBinOp", "-", &x, &m2) && is(m, "maxOp", "", &x2) && m == m2 && x == x2 && m.IsScalar() {
		return t.b.LogSumExp(t.of[x])
	}
	return nil
}

func pool(f *fields) ops.Pool {
	return ops.Pool{
		Kernel: [2]int{f.int("h"), f.int("w")},
		Stride: [2]int{f.int("strideH"), f.int("strideW")},
		Pad:    [4]int{f.int("padNorth"), f.int("padSouth"), f.int("padWest"), f.int("padEast")},
	}
}
