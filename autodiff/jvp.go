package autodiff

import (
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// JVP gives the tangents of the outputs for tangents of the variables wrt: the
// products of the Jacobian with them (forward mode). A nil tangent is zero. A
// tangent has the shape of its variable. A variable may be given more than once:
// its tangents add up.
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
	moving := false
	dot := make(map[*Node]*Node)
	for i, v := range wrt {
		switch t := tangents[i]; {
		case t == nil:
			continue
		case dot[v] == nil:
			dot[v] = t
		default: // given twice: the derivative is linear in both tangents
			dot[v] = b.Add(dot[v], t)
		}
		moving = true
	}
	order, err := active(outputs, wrt)
	if err != nil {
		return nil, err
	}
	if !moving {
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
		if t := b.Pushforward(op.Rule(), n, op.Operands(), ts); t != nil {
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
