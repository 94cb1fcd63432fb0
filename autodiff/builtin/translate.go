package builtin

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// Node is a node of a Gorgonia graph.
type Node = gorgonia.Node

// A Translation gives, for nodes of a graph, nodes of the same values and
// shapes made of the operations of package ops alone. Inputs and nodes that
// already are such stay themselves.
type Translation struct {
	b    *ops.Builder
	of   map[*Node]*Node
	twin map[uint32]*Node // a node for each hash, and which hashes are shared
	dup  map[uint32]bool
}

// New is an empty translation that adds nodes with b.
func New(b *ops.Builder) *Translation {
	return &Translation{b: b, of: make(map[*Node]*Node)}
}

// Node is the translation of n.
func (t *Translation) Node(n *Node) (*Node, error) {
	stack := []*Node{n}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		if _, ok := t.of[n]; ok {
			stack = stack[:len(stack)-1]
			continue
		}
		var in []*Node
		own, isOwn := n.Op().(*ops.Op)
		switch {
		case n.Op() == nil:
			if err := t.input(n); err != nil {
				return nil, err
			}
		case isOwn:
			in = own.Operands()
		case allowed[kind(n)] == nil:
			return nil, refused(n, errUnknown)
		case changed(n):
			return nil, refused(n, errChanged)
		default:
			in = children(n)
		}
		wait := false
		for _, c := range in {
			if _, ok := t.of[c]; !ok {
				stack = append(stack, c)
				wait = true
			}
		}
		if wait {
			continue
		}
		stack = stack[:len(stack)-1]
		to := make([]*Node, len(in))
		for i, c := range in {
			to[i] = t.of[c]
		}
		switch {
		case n.Op() == nil, isOwn && slices.Equal(in, to):
			t.of[n] = n
		case isOwn:
			t.b.In(own.Where())
			t.of[n] = t.b.Apply(own.Rule(), to...)
			t.b.In("")
		default:
			m, err := t.builtin(n, in, to)
			if err != nil {
				return nil, refused(n, err)
			}
			t.of[n] = m
		}
		if err := t.b.Err(); err != nil {
			return nil, err
		}
	}
	return t.of[n], nil
}

// refused says which node an error is about.
func refused(n *Node, err error) error {
	return fmt.Errorf("builtin: node %q: operation %v (%T): %w", n.Name(), n.Op(), n.Op(), err)
}

// input refuses inputs of other number types, and those that Gorgonia may have
// taken for others.
func (t *Translation) input(n *Node) error {
	if dt, ok := ops.Dtype(n); !ok || dt != t.b.Dtype() {
		return fmt.Errorf("builtin: input %q holds %v, the graph %v; give indices, labels and masks as numbers of that type", n.Name(), dt, t.b.Dtype())
	}
	if !named(n) {
		return fmt.Errorf("builtin: an input of shape %v has no name: Gorgonia makes all unnamed inputs of one shape one node; give it one with gorgonia.WithName", n.Shape())
	}
	return nil
}

// builtin translates the operation of n, whose operands in have the
// translations to.
func (t *Translation) builtin(n *Node, in, to []*Node) (*Node, error) {
	if err := t.collision(in); err != nil {
		return nil, err
	}
	shape := []int(n.Shape())
	m, err := t.operation(n, to, shape)
	if err == nil {
		err = t.b.Err()
	}
	if err != nil {
		return nil, err
	}
	// Gorgonia calls some tensors of one element scalars, and some columns
	// vectors.
	if got := t.b.Shape(m); !slices.Equal(got, shape) {
		if tensor.Shape(got).TotalSize() != n.Shape().TotalSize() {
			return nil, fmt.Errorf("it gives shape %v, Gorgonia says %v", got, shape)
		}
		m = t.b.Reshape(m, shape...)
	}
	return m, t.b.Err()
}

// collision refuses an operation on a node whose hash another node of the graph
// has: Gorgonia takes f of one for f of the other.
func (t *Translation) collision(in []*Node) error {
	if t.twin == nil {
		t.twin, t.dup = make(map[uint32]*Node), make(map[uint32]bool)
		for _, n := range t.b.Graph().AllNodes() {
			h := n.Hashcode()
			if m, ok := t.twin[h]; ok && m != n {
				t.dup[h] = true
			}
			t.twin[h] = n
		}
	}
	for _, n := range in {
		if h := n.Hashcode(); t.dup[h] {
			for _, m := range t.b.Graph().AllNodes() {
				if m != n && m.Hashcode() == h {
					return fmt.Errorf("its operand %q and node %q have the same hash, so Gorgonia cannot tell what is built on them apart; rename an input or use package ops", n.Name(), m.Name())
				}
			}
		}
	}
	return nil
}
