package exec

import "slices"

// absorb moves the elementwise expression that only a reduction reads into it: its
// values are then reduced block by block while they are in the cache, and never
// written to memory. They are reduced in the order in which they would have been, so
// the bits stay the same.
func absorb(g *graph) {
	uses := g.uses()
	for i := range g.code {
		in := &g.code[i]
		o, ok := in.op.(reduceOp)
		if !ok {
			continue
		}
		base, off, stride := g.view(in.in[0])
		d := g.def(base)
		m, ok := d.op.(mapOp)
		if !ok || one(m, Copy) || len(uses[base]) != 1 || d.late != in.late || slices.Contains(g.outs, base) {
			continue
		}
		o.from = layout{off, g.shape(in.in[0]), stride}
		if shape := newReduceShape(o); shape.at < absorbLeast || o.red == LogSumExpRed && shape.ins > reduceBlock {
			continue
		}
		o.code = m.code
		in.op, in.in = o, d.in
	}
}

// absorbLeast is how many elements at a time an expression has to be computed for,
// so that it is not slower than in a pass of its own.
const absorbLeast = 64
