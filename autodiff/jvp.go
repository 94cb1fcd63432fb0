package autodiff

import (
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// JVP gives the tangents of the outputs for tangents of the variables wrt: the
// products of the Jacobian with them (forward mode). A nil tangent is zero. A
// tangent has the shape of its variable.
func JVP(outputs, wrt, tangents []*Node) ([]*Node, error) {
	t, err := newTranslation("jvp", outputs, wrt, present(tangents))
	if err != nil {
		return nil, err
	}
	if err := fits("jvp", wrt, tangents); err != nil {
		return nil, err
	}
	outs, vars := t.all(outputs), t.all(wrt)
	dots, err := pushforward(t.b, outs, vars, t.all(tangents))
	if err != nil {
		return nil, err
	}
	return zeros(t.b, dots, outs)
}

// pushforward gives the tangents of the outputs; a nil one is zero.
func pushforward(b *ops.Builder, outputs, wrt, tangents []*Node) ([]*Node, error) {
	var moving []*Node
	dot := make(map[*Node]*Node)
	for i, v := range wrt {
		if tangents[i] != nil {
			moving = append(moving, v)
			dot[v] = tangents[i]
		} else if _, ok := dot[v]; !ok {
			dot[v] = nil
		}
	}
	order, err := active(outputs, wrt)
	if err != nil {
		return nil, err
	}
	if len(moving) == 0 {
		order = nil
	}
	for _, n := range order {
		op := n.Op().(*ops.Op)
		ts := make([]*Node, len(op.Operands()))
		any := false
		for i, c := range op.Operands() {
			ts[i] = dot[c]
			any = any || ts[i] != nil
		}
		if !any {
			continue
		}
		b.In(op.Where())
		if t := op.Rule().JVP(b, n, op.Operands(), ts); t != nil {
			dot[n] = t
		}
		if b.Err() != nil {
			return nil, b.Err()
		}
	}
	b.In("")
	out := make([]*Node, len(outputs))
	for i, o := range outputs {
		out[i] = dot[o]
	}
	return out, nil
}
