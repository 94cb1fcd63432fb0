package exec

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Op is an operation of a graph that can be compiled.
type Op interface {
	gorgonia.Op
	// Operands are the nodes that it is applied to, in order.
	Operands() []*gorgonia.Node
	// Lower writes it as instructions. in are the values of its operands; the
	// result has the shape of its node.
	Lower(b *Builder, in []Value) Value
	// Where names the layer that it belongs to, or nothing.
	Where() string
}

// KeyName is the name of the input that holds the random key of a graph: four
// whole numbers below 2^24. It need not be given to Compile: a program that
// depends on it takes it from [Program.Seed].
const KeyName = "saddle.key"

// lower writes the outputs, as functions of the given nodes, to b; the first
// data of these are no parameters, and the last late are of the second stage. It gives the key node if the outputs
// depend on one that is not given.
func lower(b *Builder, dt tensor.Dtype, outputs, given []*gorgonia.Node, data, late int) (key *gorgonia.Node, err error) {
	values := make(map[*gorgonia.Node]Value)
	for i, n := range given {
		if n == nil {
			return nil, fmt.Errorf("exec: input %d is nil", i)
		}
		if _, ok := values[n]; ok {
			return nil, fmt.Errorf("exec: input %q is given twice", n.Name())
		}
		if n.Dtype() != dt {
			return nil, fmt.Errorf("exec: input %q holds %v, the program works in %v", n.Name(), n.Dtype(), dt)
		}
		values[n] = b.add(inputOp{i, n.Name(), i >= len(given)-late, i < data}, []int(n.Shape()))
	}
	keyOf := func(n *gorgonia.Node) Value {
		if n.Name() != KeyName || !n.Shape().Eq(tensor.Shape{4}) {
			return None
		}
		key = n
		return b.add(inputOp{slot: len(given), name: KeyName}, []int{4})
	}
	for i, n := range outputs {
		if n == nil {
			return nil, fmt.Errorf("exec: output %d is nil", i)
		}
		if n.Dtype() != dt {
			return nil, fmt.Errorf("exec: output %v holds %v, the program works in %v", n, n.Dtype(), dt)
		}
		v, err := lowerNode(b, values, n, keyOf)
		if err != nil {
			return nil, err
		}
		b.g.outs = append(b.g.outs, v)
	}
	return key, b.err
}

// lowerNode lowers what n needs first, without recursion: graphs may be deep.
func lowerNode(b *Builder, values map[*gorgonia.Node]Value, n *gorgonia.Node, keyOf func(*gorgonia.Node) Value) (Value, error) {
	stack := []*gorgonia.Node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		if _, ok := values[n]; ok {
			stack = stack[:len(stack)-1]
			continue
		}
		op, ok := n.Op().(Op)
		if !ok {
			if n.Op() == nil {
				if v := keyOf(n); v != None {
					values[n] = v
					continue
				}
				return None, fmt.Errorf("exec: node %q of shape %v is neither an input nor a parameter of the program", n.Name(), n.Shape())
			}
			return None, fmt.Errorf("exec: node %v: operation %v cannot be compiled", n, n.Op())
		}
		wait := false
		for _, c := range op.Operands() {
			if _, ok := values[c]; !ok {
				stack = append(stack, c)
				wait = true
			}
		}
		if wait {
			continue
		}
		in := make([]Value, len(op.Operands()))
		for i, c := range op.Operands() {
			in[i] = values[c]
		}
		b.where = op.Where()
		v := op.Lower(b, in)
		if b.err != nil {
			return None, b.err
		}
		if !sameShape(b.Shape(v), []int(n.Shape())) {
			return None, fmt.Errorf("exec: node %v: lowered to shape %v, want %v", n, b.Shape(v), n.Shape())
		}
		values[n] = v
		stack = stack[:len(stack)-1]
	}
	return values[n], nil
}
