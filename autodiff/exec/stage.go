package exec

// stage marks the instructions that depend on an input of the second stage: a
// program is prepared once with the other inputs, and then run for many values
// of these.
func stage(g *graph) {
	for i := range g.code {
		in := &g.code[i]
		o, input := in.op.(inputOp)
		in.late = input && o.late
		for _, v := range in.in {
			in.late = in.late || g.late(v)
		}
	}
}

// sort puts the instructions into an order in which each comes after those it
// reads, as near to the present one as can be, and drops those that no output
// needs.
func (g *graph) sort() {
	need := make([]bool, len(g.code))
	var stack []int
	reach := func(v Value) {
		if i := int(g.vals[v].inst); !need[i] {
			need[i] = true
			stack = append(stack, i)
		}
	}
	for _, v := range g.outs {
		reach(v)
	}
	for len(stack) > 0 {
		in := &g.code[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		for _, v := range in.in {
			reach(v)
		}
	}
	done := make([]bool, len(g.code))
	code := make([]inst, 0, len(g.code))
	for i := range g.code {
		if _, input := g.code[i].op.(inputOp); !input && !need[i] {
			continue
		}
		stack = append(stack, i)
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			ready := true
			for _, v := range g.code[i].in {
				if d := int(g.vals[v].inst); !done[d] {
					stack = append(stack, d)
					ready = false
				}
			}
			if !ready {
				continue
			}
			if !done[i] {
				done[i] = true
				code = append(code, g.code[i])
			}
			stack = stack[:len(stack)-1]
		}
	}
	g.setCode(code)
}
