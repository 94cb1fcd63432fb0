package exec

import "slices"

// accumulate makes a sum of products one instruction, which adds each product
// to the sum of those before it.
func accumulate(g *graph) {
	uses := g.uses()
	for i := range g.code {
		in := &g.code[i]
		if !one(in.op, Add) {
			continue
		}
		var operands []Value
		for _, v := range in.in {
			d := g.def(v)
			p, ok := d.op.(gemmOp)
			if !ok || p.code != nil || len(uses[v]) != 1 || d.late != in.late {
				operands = nil
				break
			}
			operands = append(operands, d.in...)
		}
		if operands == nil || in.in[0] == in.in[1] {
			continue
		}
		in.op, in.in = gemmOp{pairs: len(operands) / 2}, slices.Clone(operands)
	}
}
