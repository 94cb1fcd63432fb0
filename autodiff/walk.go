package autodiff

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// Node is a node of a Gorgonia graph.
type Node = gorgonia.Node

// active lists, each after its operands, the nodes that the outputs depend on
// and that depend on a variable, without the variables themselves.
func active(outputs, wrt []*Node) ([]*Node, error) { return reach(outputs, wrt, false) }

// reach is active, and with through set the variables that depend on others are
// nodes of the list too.
func reach(outputs, wrt []*Node, through bool) ([]*Node, error) {
	const (
		open = iota + 1
		no
		yes
	)
	state := make(map[*Node]int)
	variable := make(map[*Node]bool)
	for _, n := range wrt {
		if through {
			variable[n] = true
		} else {
			state[n] = yes
		}
	}
	var order []*Node
	var stack []*Node
	for _, o := range outputs {
		stack = append(stack, o)
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			if s := state[n]; s == no || s == yes {
				stack = stack[:len(stack)-1]
				continue
			}
			if n.Op() == nil {
				state[n] = no
				if variable[n] {
					state[n] = yes
				}
				continue
			}
			op, ok := n.Op().(*ops.Op)
			if !ok {
				return nil, fmt.Errorf("autodiff: node %v: operation %v has no derivative", n, n.Op())
			}
			if state[n] == 0 {
				state[n] = open
				for _, c := range op.Operands() {
					if state[c] == 0 {
						stack = append(stack, c)
					}
				}
				continue
			}
			state[n] = no
			for _, c := range op.Operands() {
				if state[c] == yes {
					state[n] = yes
				}
			}
			if state[n] == yes {
				order = append(order, n)
			}
			if variable[n] {
				state[n] = yes
			}
		}
	}
	return order, nil
}

// check refuses nil nodes, and nodes without numbers or of several graphs.
func check(what string, nodes ...*Node) error {
	if len(nodes) == 0 {
		return fmt.Errorf("autodiff: %s: no node given", what)
	}
	for i, n := range nodes {
		switch dt, ok := ops.Dtype(n); {
		case n == nil:
			return fmt.Errorf("autodiff: %s: node %d is nil", what, i)
		case n.Type() == nil && n.Graph() == nil:
			return fmt.Errorf("autodiff: %s: node %d is no node any more: Gorgonia has replaced it by another and destroyed it, as it does with the sum in log(1+a)", what, i)
		case n.Graph() == nil:
			return fmt.Errorf("autodiff: %s: node %q belongs to no graph; is it a constant?", what, n.Name())
		case !ok:
			return fmt.Errorf("autodiff: %s: node %q (%T) holds no numbers", what, n.Name(), n.Op())
		case dt != tensor.Float32 && dt != tensor.Float64:
			return fmt.Errorf("autodiff: %s: node %v (%T) holds %v; allowed are float32 and float64", what, n, n.Op(), dt)
		case n.Graph() != nodes[0].Graph():
			return fmt.Errorf("autodiff: %s: nodes %v and %v belong to different graphs", what, nodes[0], n)
		}
	}
	return nil
}

// fits refuses tensors whose shapes are not those of their variables.
func fits(what string, vars, tensors []*Node) error {
	if len(vars) != len(tensors) {
		return fmt.Errorf("autodiff: %s: %d tensors for %d nodes", what, len(tensors), len(vars))
	}
	for i, t := range tensors {
		if vars[i] == nil {
			return fmt.Errorf("autodiff: %s: node %d is nil", what, i)
		}
		if t != nil && !slices.Equal(t.Shape(), vars[i].Shape()) {
			return fmt.Errorf("autodiff: %s: tensor of shape %v for node %v of shape %v", what, t.Shape(), vars[i], vars[i].Shape())
		}
	}
	return nil
}

// present is the nodes that are not nil.
func present(nodes []*Node) []*Node {
	var out []*Node
	for _, n := range nodes {
		if n != nil {
			out = append(out, n)
		}
	}
	return out
}

// zeros replaces each nil by zeros of the shape of the node beside it.
func zeros(b *ops.Builder, nodes, like []*Node) ([]*Node, error) {
	for i, n := range nodes {
		if n == nil {
			nodes[i] = b.Fill(0, like[i].Shape()...)
		}
	}
	return nodes, b.Err()
}

// operands are what a translated node's operation is applied to.
func operands(n *Node) []*Node {
	if op, ok := n.Op().(*ops.Op); ok {
		return op.Operands()
	}
	return nil
}
