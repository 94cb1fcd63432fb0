package ops

import (
	"fmt"
	"hash"
	"hash/fnv"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// Node is a node of a Gorgonia graph.
type Node = gorgonia.Node

// A Rule is what a differentiable operation must state. Rules are small values
// without memory; all that tells two of one kind apart is in their String.
type Rule interface {
	// String names the operation with every setting. Operations of equal
	// strings on equal operands are the same value.
	String() string
	// Shape is the shape of the result for operands of the given shapes.
	Shape(in [][]int) ([]int, error)
	// JVP is the tangent of the result out = f(in...) for tangents t of the
	// operands. A nil tangent is zero, of an operand or of the result. At
	// least one is not nil. It is linear in t.
	JVP(b *Builder, out *Node, in, t []*Node) *Node
	// Lower writes the operation as instructions.
	Lower(b *exec.Builder, in []exec.Value) exec.Value
}

// Linear is a Rule that is linear in some operands, each with the others held.
// Every operation through which a JVP sends a tangent must be Linear in it.
type Linear interface {
	Rule
	// Transpose is the cotangent of operand i for the cotangent ct of the
	// result: the adjoint of the operation as a linear map of that operand.
	Transpose(b *Builder, i int, ct *Node, in []*Node) *Node
}

// Op is a rule applied to operands: what a node's Op method returns. It
// implements gorgonia.Op and gorgonia.SDOp, so that Gorgonia can print,
// differentiate and run the graph too.
type Op struct {
	rule  Rule
	in    []*Node
	shape []int
	dt    tensor.Dtype
	where string
	salt  uint32 // tells operations apart whose hashes collide
}

var _ gorgonia.SDOp = (*Op)(nil)

// Rule is the operation without its operands.
func (o *Op) Rule() Rule { return o.rule }

// Operands are the nodes that the rule is applied to, in order, with
// repetitions.
func (o *Op) Operands() []*Node { return o.in }

// Where names the layer that the operation was written in, or nothing.
func (o *Op) Where() string { return o.where }

// Lower writes the operation as instructions of a program.
func (o *Op) Lower(b *exec.Builder, in []exec.Value) exec.Value { return o.rule.Lower(b, in) }

// Arity is the number of operands.
func (o *Op) Arity() int { return len(o.in) }

// Type is the function type of the operation on its operands.
func (o *Op) Type() hm.Type {
	ts := make([]hm.Type, 0, len(o.in)+1)
	for _, n := range o.in {
		ts = append(ts, typeOf(o.dt, n.Shape()))
	}
	ts = append(ts, typeOf(o.dt, o.shape))
	if len(ts) == 1 {
		return ts[0]
	}
	return hm.NewFnType(ts...)
}

// InferShape is the shape of the result, which is known.
func (o *Op) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape(o.shape).Clone(), nil
}

// ReturnsPtr is false: the result is new memory.
func (o *Op) ReturnsPtr() bool { return false }

// CallsExtern is false: nothing here calls C.
func (o *Op) CallsExtern() bool { return false }

// OverwritesInput is -1: operands are only read.
func (o *Op) OverwritesInput() int { return -1 }

// WriteHash writes the rule with all its settings.
func (o *Op) WriteHash(h hash.Hash) {
	fmt.Fprintf(h, "saddle %s %d", o.rule, o.salt)
}

// Hashcode is the hash of the rule.
func (o *Op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

func (o *Op) String() string { return o.rule.String() }

// DiffWRT says of every operand that it may be differentiated; where the
// derivative vanishes it is zero.
func (o *Op) DiffWRT(n int) []bool {
	wrt := make([]bool, n)
	for i := range wrt {
		wrt[i] = true
	}
	return wrt
}

// SymDiff gives the gradients of the operands as nodes.
func (o *Op) SymDiff(inputs gorgonia.Nodes, output, grad *Node) (gorgonia.Nodes, error) {
	b := On(output)
	b.where = o.where
	cts := b.Pullback(o.rule, output, inputs, grad, nil)
	for i, ct := range cts {
		if ct == nil {
			cts[i] = b.Fill(0, []int(inputs[i].Shape())...)
		}
	}
	return cts, b.Err()
}

// typeOf is the Gorgonia type of a tensor: a scalar has that of its elements.
func typeOf(dt tensor.Dtype, shape []int) hm.Type {
	if len(shape) == 0 {
		return dt
	}
	return gorgonia.TensorType{Dims: len(shape), Of: dt}
}
