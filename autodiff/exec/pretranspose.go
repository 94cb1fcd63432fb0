package exec

// pretranspose copies matrices that products read by columns to ones that lie by
// rows, where that saves time: the second of a late product, if it is early, as it
// is then transposed once for many products; and the first of any, if its columns
// lie so many bytes apart that all of them fall into the same few lines of the
// cache.
func pretranspose(g *graph) {
	made := map[Value]Value{} // of a matrix, its copy
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		in := g.code[i]
		o, ok := in.op.(gemmOp)
		if !ok || len(g.shape(in.out)) != 2 {
			continue
		}
		args := append([]Value(nil), in.in...)
		for k, v := range args[:2*o.pairs] {
			if k%2 == 0 && !g.collides(v, g.shape(in.out)[1]) ||
				k%2 == 1 && (!in.late || g.late(v) || g.shape(in.out)[0] < pretransposeRows || g.byRows(v)) {
				continue
			}
			c, ok := made[v]
			if !ok {
				c = g.add(mapOp{[]mapFn{{fn: Copy, operand: 1}}}, in.where, g.shape(v), v)
				g.def(c).late = g.late(v)
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

const (
	pretransposeRows = 8       // rows of a product that repay the memory of a copy
	pretransposeCols = 32      // and columns
	cachePage        = 4 << 10 // bytes after which a first-level cache begins again
)

func (g *graph) byRows(v Value) bool {
	_, _, stride := g.view(v)
	return stride[1] == 1 || g.shape(v)[1] == 1
}

// collides tells whether the columns of v share cache lines, in a product of the
// given number of columns.
func (g *graph) collides(v Value, cols int) bool {
	_, _, stride := g.view(v)
	size := 8
	if g.single {
		size = 4
	}
	shape := g.shape(v)
	return stride[0] == 1 && shape[0] > 1 && shape[1] > 2*cachePage/64 && stride[1]*size%cachePage == 0 && cols >= pretransposeCols
}
