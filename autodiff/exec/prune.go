package exec

// prune drops every instruction that no wanted output needs, such as the
// gradient of a model's input. Inputs stay: the caller may set them.
func prune(g *graph) {
	need := make([]bool, len(g.vals))
	for _, v := range g.outs {
		need[v] = true
	}
	wanted := func(in *inst) bool {
		yes := false
		in.outs(func(v Value) { yes = yes || need[v] })
		return yes
	}
	for i := len(g.code) - 1; i >= 0; i-- {
		if in := &g.code[i]; wanted(in) {
			for _, v := range in.in {
				need[v] = true
			}
		}
	}
	keep := g.code[:0:0]
	for _, in := range g.code {
		if _, input := in.op.(inputOp); input || wanted(&in) {
			keep = append(keep, in)
		}
	}
	g.setCode(keep)
}

// setCode replaces the instructions by some of them, perhaps in another order.
func (g *graph) setCode(code []inst) {
	g.code = code
	for i := range code {
		code[i].outs(func(v Value) { g.vals[v].inst = int32(i) })
	}
}
