package exec

// pretranspose copies a matrix that a late product reads by columns, and that is
// early, to one that lies by rows: it is then transposed once for many products.
func pretranspose(g *graph) {
	made := map[Value]Value{} // of a matrix, its copy
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		in := g.code[i]
		o, ok := in.op.(gemmOp)
		if !ok || !in.late || len(g.shape(in.out)) != 2 {
			continue
		}
		args := append([]Value(nil), in.in...)
		for k := 1; k < 2*o.pairs; k += 2 {
			v := args[k]
			shape := g.shape(v)
			_, _, stride := g.view(v)
			if g.late(v) || stride[1] == 1 || shape[1] == 1 || g.shape(in.out)[0] < pretransposeRows {
				continue
			}
			c, ok := made[v]
			if !ok {
				c = g.add(mapOp{[]mapFn{{fn: Copy, operand: 1}}}, in.where, shape, v)
				made[v] = c
			}
			args[k] = c
			changed = true
		}
		g.code[i].in = args // again: the program may have grown
	}
	if changed {
		g.sort()
	}
}

// pretransposeRows is how many rows of a product repay the memory of the copy.
const pretransposeRows = 8
