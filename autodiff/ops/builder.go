package ops

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// A Builder adds operations to a graph. Its methods take and give nodes and
// follow NumPy's broadcasting rule.
//
// The first error sticks: later calls do nothing and give nil, so that an
// expression is checked once, at its end, with [Builder.Err].
type Builder struct {
	g     *gorgonia.ExprGraph
	dt    tensor.Dtype
	where string
	err   error

	// The nodes of a linearised operation depend on made-up tangents. They
	// live in a graph of their own and are forgotten once transposed.
	scratch *gorgonia.ExprGraph
	tape    []*Node
	serial  uint32
}

// NewBuilder adds to g operations on numbers of type dt, tensor.Float32 or
// tensor.Float64.
func NewBuilder(g *gorgonia.ExprGraph, dt tensor.Dtype) *Builder {
	b := &Builder{g: g, dt: dt}
	switch {
	case g == nil:
		b.failf("no graph")
	case dt != tensor.Float32 && dt != tensor.Float64:
		b.failf("numbers of type %v; allowed are float32 and float64", dt)
	}
	return b
}

// On is a builder for the graph and number type of n.
func On(n *Node) *Builder {
	b := &Builder{}
	switch dt, ok := Dtype(n); {
	case n == nil:
		b.failf("a builder on a node: %w", errNil)
	case n.Graph() == nil:
		b.failf("node %v belongs to no graph", n)
	case !ok:
		b.failf("node %v holds no numbers", n)
	default:
		return NewBuilder(n.Graph(), dt)
	}
	return b
}

// Dtype is the number type of n; ok is false for a node that has none, such as
// a statement, of which Gorgonia's own method panics.
func Dtype(n *Node) (dt tensor.Dtype, ok bool) {
	if n == nil {
		return dt, false
	}
	switch t := n.Type().(type) {
	case tensor.Dtype:
		return t, true
	case gorgonia.TensorType:
		dt, ok = t.Of.(tensor.Dtype)
	}
	return dt, ok
}

// Err is the first error.
func (b *Builder) Err() error { return b.err }

// Graph is the graph that the builder adds to.
func (b *Builder) Graph() *gorgonia.ExprGraph { return b.g }

// Dtype is the number type of the graph.
func (b *Builder) Dtype() tensor.Dtype { return b.dt }

// In makes where the name that errors and profiles give to what is added from
// now on; it returns the name before.
func (b *Builder) In(where string) (before string) {
	before, b.where = b.where, where
	return before
}

// Fail records an error, unless there is one already.
func (b *Builder) Fail(err error) {
	if b.err == nil && err != nil {
		b.err = err
	}
}

// Refail replaces the error, so that a caller can say more about it.
func (b *Builder) Refail(err error) { b.err = err }

func (b *Builder) failf(format string, args ...any) *Node {
	b.Fail(&Error{b.where, fmt.Errorf(format, args...)})
	return nil
}

// An Error is what was wrong with an operation, and where it was written.
type Error struct {
	Where string // as given to [Builder.In], or nothing
	Err   error
}

func (e *Error) Error() string {
	if e.Where == "" {
		return "ops: " + e.Err.Error()
	}
	return "ops: " + e.Where + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

var errNil = errors.New("nil node")

// ok tells whether the operands of an operation can be used.
func (b *Builder) ok(name string, in ...*Node) bool {
	if b.err != nil {
		return false
	}
	for i, n := range in {
		switch dt, ok := Dtype(n); {
		case n == nil:
			b.failf("%s: operand %d: %w", name, i, errNil)
			return false
		case n.Graph() == nil:
			b.failf("%s: operand %v belongs to no graph; write constants with Const, Fill or Tensor", name, n)
			return false
		case n.Graph() != b.g && (b.scratch == nil || n.Graph() != b.scratch):
			b.failf("%s: operand %v belongs to another graph", name, n)
			return false
		case !ok:
			b.failf("%s: operand %v holds no numbers", name, n)
			return false
		case dt != b.dt:
			b.failf("%s: operand %v holds %v, the graph %v", name, n, dt, b.dt)
			return false
		}
	}
	return true
}

// Apply adds rule applied to operands of fitting shapes, or finds the node that
// is already that.
func (b *Builder) Apply(rule Rule, in ...*Node) *Node {
	name := rule.String()
	if !b.ok(name, in...) {
		return nil
	}
	shapes := make([][]int, len(in))
	linear := false
	for i, n := range in {
		shapes[i] = shapeOf(n)
		linear = linear || (b.scratch != nil && n.Graph() == b.scratch)
	}
	shape, err := rule.Shape(shapes)
	if err == nil {
		err = possible(shape)
	}
	if err != nil {
		return b.failf("%s: %w", name, err)
	}
	op := &Op{rule: rule, in: slices.Clone(in), shape: shape, dt: b.dt, where: b.where}
	if linear {
		return b.tangent(op)
	}
	for {
		place(b.g)
		n := gorgonia.NewUniqueNode(gorgonia.WithType(typeOf(b.dt, shape)), gorgonia.WithShape(shape...),
			gorgonia.WithOp(op), gorgonia.WithChildren(slices.Clone(in)), gorgonia.In(b.g))
		// The graph merges nodes of equal 32-bit hashes without a look at
		// what they are.
		if got, ok := n.Op().(*Op); ok && (got == op || got.rule.String() == name && slices.Equal(got.in, in)) {
			return n
		}
		op.salt++
	}
}

// tangent adds an operation on made-up tangents.
func (b *Builder) tangent(op *Op) *Node {
	b.serial++
	op.salt = b.serial
	n := gorgonia.NewUniqueNode(gorgonia.WithType(typeOf(b.dt, op.shape)), gorgonia.WithShape(op.shape...),
		gorgonia.WithOp(op), gorgonia.In(b.scratch))
	b.tape = append(b.tape, n)
	return n
}

// shapeOf is the shape of n, empty for a scalar. Gorgonia calls tensors of one
// element scalars in places; here only a tensor without axes is one.
func shapeOf(n *Node) []int { return []int(n.Shape()) }

// Shape is the shape of n; it is nil for a nil node.
func (b *Builder) Shape(n *Node) []int {
	if n == nil {
		return nil
	}
	return shapeOf(n)
}

// Pushforward gives, for the operation rule applied to in with the result out,
// the tangent of the result for tangents t of the operands: the rule's JVP,
// whose result must have the shape of out. A tangent that is zero is nil.
func (b *Builder) Pushforward(rule Rule, out *Node, in, t []*Node) *Node {
	if b.err != nil {
		return nil
	}
	dot := rule.JVP(b, out, in, t)
	if b.err != nil {
		return nil
	}
	if dot != nil && !equal(shapeOf(dot), shapeOf(out)) {
		return b.failf("%s: its derivative has the shape %v, its result %v", rule, shapeOf(dot), shapeOf(out))
	}
	return dot
}

// Pullback gives, for the operation rule applied to in with the result out, the
// cotangents of the operands for the cotangent ct of the result. wrt says which
// operands are wanted; nil means all. A cotangent that is zero is nil.
//
// It makes up a tangent for each operand, writes the operation's JVP, which is
// linear in them, and transposes that step by step from its end.
func (b *Builder) Pullback(rule Rule, out *Node, in []*Node, ct *Node, wrt []bool) []*Node {
	cts := make([]*Node, len(in))
	if b.err != nil || ct == nil {
		return cts
	}
	if b.scratch == nil {
		b.scratch = gorgonia.NewGraph()
	}
	b.tape = b.tape[:0]
	tangents := make([]*Node, len(in))
	for i, n := range in {
		if wrt == nil || wrt[i] {
			tangents[i] = b.tangent(&Op{rule: madeUp{}, shape: shapeOf(n), dt: b.dt})
		}
	}
	t := b.Pushforward(rule, out, in, tangents)
	if t == nil {
		return cts
	}
	of := map[*Node]*Node{t: ct}
	for i := len(b.tape) - 1; i >= 0; i-- {
		n := b.tape[i]
		ct := of[n]
		op := n.Op().(*Op)
		if ct == nil || len(op.in) == 0 {
			continue
		}
		lin, ok := op.rule.(Linear)
		if !ok {
			b.failf("%s: its derivative sends a tangent through %s, which is not linear", rule, op.rule)
			return cts
		}
		for j, a := range op.in {
			if a.Graph() != b.scratch {
				continue
			}
			c := lin.Transpose(b, j, ct, op.in)
			if b.err == nil && c != nil && !equal(shapeOf(c), shapeOf(a)) {
				b.failf("%s: its transpose has the shape %v, the operand %v", op.rule, shapeOf(c), shapeOf(a))
			}
			if b.err != nil {
				return cts
			}
			if c == nil {
				continue
			}
			if old := of[a]; old != nil {
				c = b.Add(old, c)
			}
			of[a] = c
		}
	}
	for i, t := range tangents {
		cts[i] = of[t]
	}
	return cts
}
