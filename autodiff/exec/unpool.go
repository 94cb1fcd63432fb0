package exec

import "slices"

// unpool moves the mask of a rectifier from the plane to the results of
// pooling: what pooling puts back, times a mask of the places it came from, is
// what it puts back of the product with the mask of what it took. The gradient
// then never reads the plane before pooling.
//
//	pool_put(y, at) * (x > c) = pool_put(y * (pool_take(x, at) > c), at)
func unpool(g *graph) {
	taken := map[[2]Value][]Value{} // of a plane and indices, what was taken
	for i := range g.code {
		in := &g.code[i]
		if o, ok := in.op.(poolOp); ok && o.kind == poolTake {
			key := [2]Value{in.in[0], in.in[1]}
			taken[key] = append(taken[key], in.out)
		}
	}
	if len(taken) == 0 {
		return
	}
	uses := g.uses()
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		in := g.code[i]
		if !one(in.op, Mul) {
			continue
		}
		for k := range 2 {
			put, mask := g.def(in.in[k]), g.def(in.in[1-k])
			p, ok := put.op.(poolOp)
			if !ok || p.kind != poolPut || len(uses[put.out]) != 1 || !one(mask.op, Gt) {
				continue
			}
			c, splat := g.splat(mask.in[1])
			j := slices.IndexFunc(taken[[2]Value{mask.in[0], put.in[1]}], func(v Value) bool {
				return g.def(v).op.(poolOp).win == p.win
			})
			if !splat || j < 0 {
				continue
			}
			t := taken[[2]Value{mask.in[0], put.in[1]}][j]
			b := &Builder{g: g, where: in.where}
			y := b.Map2(Mul, put.in[0], b.Map2(Gt, t, b.Fill(c, g.shape(t)...)))
			to := &g.code[i] // again: the program has grown
			to.op, to.in = put.op, []Value{y, put.in[1]}
			changed = true
			break
		}
	}
	if changed {
		g.sort()
	}
}

// one tells whether o is the function fn alone.
func one(o op, fn Fn) bool {
	m, ok := o.(mapOp)
	return ok && len(m.code) == 1 && m.code[0].fn == fn
}
