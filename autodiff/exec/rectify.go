package exec

// rectify asks relu(x) instead of x whether it is positive, where both are
// there: the mask of a gradient then needs no memory of its own, as relu(x) is
// kept for the gradient of the weights anyhow.
func rectify(g *graph) {
	after := map[Value]Value{} // of an operand, its rectified value
	for i := range g.code {
		if in := &g.code[i]; rectifies(in.op) {
			after[in.in[0]] = in.out
		}
	}
	if len(after) == 0 {
		return
	}
	for i := range g.code {
		in := &g.code[i]
		if !one(in.op, Gt) {
			continue
		}
		r, ok := after[in.in[0]]
		if zero, splat := g.splat(in.in[1]); ok && splat && zero == 0 {
			in.in = []Value{r, in.in[1]}
		}
	}
	g.sort()
}

// rectifies tells whether o is positive exactly where its operand is.
func rectifies(o op) bool {
	m, ok := o.(mapOp)
	if !ok || len(m.code) != 1 {
		return false
	}
	switch f := m.code[0]; f.fn {
	case Relu:
		return true
	case LeakyRelu, Elu:
		return f.p > 0
	}
	return false
}
