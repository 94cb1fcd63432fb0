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
// reads, as near to the present one as can be.
func (g *graph) sort() {
	done := make([]bool, len(g.vals))
	code := make([]inst, 0, len(g.code))
	var stack []int
	for i := range g.code {
		stack = append(stack, i)
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			in := &g.code[i]
			if done[in.out] {
				stack = stack[:len(stack)-1]
				continue
			}
			ready := true
			for _, v := range in.in {
				if !done[v] {
					stack = append(stack, int(g.vals[v].inst))
					ready = false
				}
			}
			if ready {
				done[in.out] = true
				code = append(code, *in)
				stack = stack[:len(stack)-1]
			}
		}
	}
	g.setCode(code)
}
