package autodiff

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// Grad gives the gradients of a scalar with respect to each variable, of the
// variable's shape. That of a variable it does not depend on is zero.
func Grad(loss *Node, wrt ...*Node) ([]*Node, error) {
	t, err := newTranslation("grad", []*Node{loss}, wrt)
	if err != nil {
		return nil, err
	}
	vars := t.all(wrt)
	grads, err := grad(t.b, t.of[loss], vars)
	if err != nil {
		return nil, err
	}
	return zeros(t.b, grads, vars)
}

// grad is Grad for translated nodes; a nil gradient is zero.
func grad(b *ops.Builder, loss *Node, wrt []*Node) ([]*Node, error) {
	if len(loss.Shape()) != 0 {
		return nil, fmt.Errorf("autodiff: grad: node %v has the shape %v; want a scalar", loss, loss.Shape())
	}
	return pullback(b, []*Node{loss}, wrt, []*Node{b.Const(1)})
}

// VJP gives the cotangents of the variables wrt for cotangents of the outputs:
// the products of the transposed Jacobian with them (reverse mode). A nil
// cotangent is zero.
func VJP(outputs, wrt, cotangents []*Node) ([]*Node, error) {
	t, err := newTranslation("vjp", outputs, wrt, present(cotangents))
	if err != nil {
		return nil, err
	}
	if err := fits("vjp", outputs, cotangents); err != nil {
		return nil, err
	}
	vars := t.all(wrt)
	cts, err := pullback(t.b, t.all(outputs), vars, t.all(cotangents))
	if err != nil {
		return nil, err
	}
	return zeros(t.b, cts, vars)
}

// Cotangents gives the cotangents of nodes on the way from the variables to the
// outputs, such as the pre-activations of every layer, for cotangents of the
// outputs. Unlike VJP it follows the dependence of one of the nodes on another:
// each result is the whole derivative, as if the node alone were a variable.
func Cotangents(outputs, nodes, cotangents []*Node) ([]*Node, error) {
	t, err := newTranslation("cotangents", outputs, nodes, present(cotangents))
	if err != nil {
		return nil, err
	}
	if err := fits("cotangents", outputs, cotangents); err != nil {
		return nil, err
	}
	inner := t.all(nodes)
	order, err := reach(t.all(outputs), inner, true)
	if err != nil {
		return nil, err
	}
	cts, err := backward(t.b, order, t.all(outputs), inner, t.all(cotangents))
	if err != nil {
		return nil, err
	}
	return zeros(t.b, cts, inner)
}

// pullback gives the cotangents of the variables; a nil one is zero.
func pullback(b *ops.Builder, outputs, wrt, cotangents []*Node) ([]*Node, error) {
	order, err := active(outputs, wrt)
	if err != nil {
		return nil, err
	}
	return backward(b, order, outputs, wrt, cotangents)
}

// backward passes cotangents from the outputs through the nodes of order, last
// to first, and gives those that arrive at wrt.
func backward(b *ops.Builder, order, outputs, wrt, cotangents []*Node) ([]*Node, error) {
	depends := make(map[*Node]bool)
	for _, n := range order {
		depends[n] = true
	}
	for _, n := range wrt {
		depends[n] = true
	}
	bar := make(map[*Node]*Node)
	add := func(n, ct *Node) {
		if ct == nil || !depends[n] {
			return
		}
		if old := bar[n]; old != nil {
			ct = b.Add(old, ct)
		}
		bar[n] = ct
	}
	for i, o := range outputs {
		add(o, cotangents[i])
	}
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		ct := bar[n]
		if ct == nil {
			continue
		}
		op := n.Op().(*ops.Op)
		in := op.Operands()
		want := make([]bool, len(in))
		for j, c := range in {
			want[j] = depends[c]
		}
		b.In(op.Where())
		for j, c := range b.Pullback(op.Rule(), n, in, ct, want) {
			add(in[j], c)
		}
		if b.Err() != nil {
			return nil, b.Err()
		}
	}
	b.In("")
	out := make([]*Node, len(wrt))
	for i, v := range wrt {
		out[i] = bar[v]
	}
	return out, nil
}
