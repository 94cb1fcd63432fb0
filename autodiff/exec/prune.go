package exec

// prune drops every instruction that no wanted output needs, such as the
// gradient of a model's input. Inputs stay: the caller may set them.
func prune(g *graph) {
	need := make([]bool, len(g.vals))
	for _, v := range g.outs {
		need[v] = true
	}
	for i := len(g.code) - 1; i >= 0; i-- {
		if in := &g.code[i]; need[in.out] {
			for _, v := range in.in {
				need[v] = true
			}
		}
	}
	keep := g.code[:0:0]
	for _, in := range g.code {
		if _, input := in.op.(inputOp); need[in.out] || input {
			keep = append(keep, in)
		}
	}
	g.setCode(keep)
}

// setCode replaces the instructions by some of them, perhaps in another order.
func (g *graph) setCode(code []inst) {
	g.code = code
	for i := range code {
		g.vals[code[i].out].inst = int32(i)
	}
}
