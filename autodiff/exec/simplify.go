package exec

import (
	"fmt"
	"slices"
	"strings"
)

// simplify rewrites the program without changing its values: equal
// instructions become one, constants are folded, what does nothing goes, and
// work on repeated numbers is done once before they are repeated.
//
// Sums are never reordered. x·0 stays: it is NaN where x is not finite.
func simplify(g *graph) {
	s := &simplifier{b: newBuilder(), seen: map[string]Value{}, now: make([]Value, len(g.vals))}
	for i := range g.code {
		in := &g.code[i]
		s.b.where = in.where
		args := make([]Value, len(in.in))
		for j, v := range in.in {
			args[j] = s.now[v]
		}
		s.now[in.out] = s.inst(in, g.shape(in.out), args)
	}
	for i, v := range g.outs {
		g.outs[i] = s.now[v]
	}
	g.code, g.vals = s.b.g.code, s.b.g.vals // copies and outputs stay
}

type simplifier struct {
	b    *Builder
	seen map[string]Value
	now  []Value // the new value of each old one
}

// inst adds the instruction, or something equal and simpler.
func (s *simplifier) inst(in *inst, shape []int, args []Value) Value {
	b := s.b
	for i, v := range args {
		// What was dense may have become a view.
		switch o := in.op.(type) {
		case argMaxOp, convOp, poolOp, indexOp, uniformOp, reverseOp:
			args[i] = s.same(b.Dense(v))
		case reduceOp:
			if o.red == LogSumExpRed {
				args[i] = s.same(b.Dense(v))
			}
		case gemmOp:
			// A product reads a transposed matrix as well as a copy of it.
			if c, ok := b.g.def(v).op.(mapOp); ok && c.code[0].fn == Copy && len(c.code) == 1 {
				if from := b.g.def(v).in[0]; b.isMatrix(from) {
					v = from
				}
			}
			args[i] = s.same(b.matrix(v))
		}
	}
	switch o := in.op.(type) {
	case viewOp:
		return s.view(o, shape, args[0])
	case mapOp:
		if v, ok := s.trivial(o, shape, args); ok {
			return v
		}
		if v, ok := s.shrink(in, o, shape, args); ok {
			return v
		}
		if v, ok := s.relayout(in, o, shape, args); ok {
			return v
		}
	case reduceOp:
		if from := b.Shape(args[0]); prod(from, o.axes) == 1 && o.red != LogSumExpRed {
			return s.same(b.Reshape(args[0], shape))
		}
	}
	v := s.same(b.g.add(in.op, in.where, shape, args...))
	return s.fold(v)
}

// same gives the earlier value that equals v, the last one added, if there is
// one.
func (s *simplifier) same(v Value) Value {
	g := s.b.g
	if int(g.vals[v].inst) != len(g.code)-1 {
		return v // not new
	}
	in := g.def(v)
	if _, input := in.op.(inputOp); input {
		return v
	}
	var key strings.Builder
	key.WriteString(in.op.String())
	for _, a := range in.in {
		fmt.Fprintf(&key, " %d", a)
	}
	fmt.Fprint(&key, g.shape(v))
	if w, ok := s.seen[key.String()]; ok && w != v {
		g.code = g.code[:len(g.code)-1]
		g.vals = g.vals[:len(g.vals)-1]
		return w
	}
	s.seen[key.String()] = v
	return v
}

// view remakes a view of what its base became.
func (s *simplifier) view(o viewOp, shape []int, base Value) Value {
	b := s.b
	nb, off, stride := b.g.view(base)
	if b.g.dense(base) {
		return s.same(b.viewOf(nb, off+o.off, shape, slices.Clone(o.stride)))
	}
	if v, ok := b.review(b.Shape(base), nb, off, stride, o, shape); ok {
		return s.same(v)
	}
	d := s.same(b.Dense(base))
	return s.same(b.viewOf(d, o.off, shape, slices.Clone(o.stride)))
}

// review expresses o, a view of a dense tensor of shape vs, as a view of base,
// in which that tensor now lies at off and stride. It can if every axis of o
// walks along one axis of the tensor.
func (b *Builder) review(vs []int, base Value, off int, stride []int, o viewOp, shape []int) (Value, bool) {
	plain := rowMajor(vs)
	reach := make([]int, len(vs)) // the last index of each axis that o visits
	rest := o.off
	for j, p := range plain {
		if p != 0 {
			reach[j] = rest / p
			off += reach[j] * stride[j]
			rest %= p
		}
	}
	to := make([]int, len(shape))
	for i, st := range o.stride {
		if st == 0 {
			continue
		}
		at := slices.IndexFunc(plain, func(p int) bool { return p != 0 && st%p == 0 })
		if at < 0 {
			return None, false
		}
		to[i] = stride[at] * (st / plain[at])
		if reach[at] += st / plain[at] * (shape[i] - 1); reach[at] >= vs[at] {
			return None, false
		}
	}
	return b.viewOf(base, off, shape, to), true
}

// trivial recognises functions that do nothing or less than they seem to.
func (s *simplifier) trivial(o mapOp, shape []int, args []Value) (Value, bool) {
	if len(o.code) != 1 {
		return None, false
	}
	g := s.b.g
	f := o.code[0]
	is := func(i int, x float64) bool {
		c, ok := g.splat(args[i])
		return ok && c == x
	}
	again := func(fn Fn, v Value) (Value, bool) {
		m := mapOp{[]mapFn{{fn: fn, operand: 1}}}
		in := inst{op: m, where: s.b.where}
		return s.inst(&in, shape, []Value{v}), true
	}
	switch f.fn {
	case Copy:
		if g.dense(args[0]) {
			return args[0], true
		}
	case Add:
		if is(1, 0) {
			return args[0], true
		}
		if is(0, 0) {
			return args[1], true
		}
	case Sub:
		if is(1, 0) {
			return args[0], true
		}
		if is(0, 0) {
			return again(Neg, args[1])
		}
	case Mul:
		for i, v := range args {
			if is(1-i, 1) {
				return v, true
			}
			if is(1-i, -1) {
				return again(Neg, v)
			}
		}
	case Div:
		if is(1, 1) {
			return args[0], true
		}
	case Pow:
		if is(1, 1) {
			return args[0], true
		}
		if is(1, 2) {
			return again(Square, args[0])
		}
	case Neg:
		if d, ok := g.def(args[0]).op.(mapOp); ok && len(d.code) == 1 && d.code[0].fn == Neg {
			return g.def(args[0]).in[0], true
		}
	}
	return None, false
}

// shrink computes a function of repeated numbers before they are repeated.
func (s *simplifier) shrink(in *inst, o mapOp, shape []int, args []Value) (Value, bool) {
	g := s.b.g
	small := slices.Clone(shape)
	for i, n := range shape {
		repeated := n > 1
		for _, v := range args {
			_, _, stride := g.view(v)
			repeated = repeated && stride[i] == 0
		}
		if repeated {
			small[i] = 1
		}
	}
	if sameShape(small, shape) || (len(o.code) == 1 && o.code[0].fn == Copy) {
		return None, false
	}
	ones, zeros := make([]int, len(shape)), make([]int, len(shape))
	for i := range ones {
		ones[i] = 1
	}
	parts := make([]Value, len(args))
	for i, v := range args {
		parts[i] = s.same(s.b.Slice(v, zeros, small, ones))
	}
	v := s.inst(&inst{op: in.op, where: in.where}, small, parts)
	return s.same(s.b.Broadcast(v, shape)), true
}

// foldLimit is the largest constant that folding makes.
const foldLimit = 1 << 14

// fold computes v now, in float64, if it depends on constants alone.
func (s *simplifier) fold(v Value) Value {
	g := s.b.g
	in := g.def(v)
	switch in.op.(type) {
	case constOp, inputOp, viewOp:
		return v
	}
	if Size(g.shape(v)) > foldLimit {
		return v
	}
	for _, a := range in.in {
		base, _, _ := g.view(a)
		if _, ok := g.def(base).op.(constOp); !ok {
			return v
		}
	}
	data, err := evaluate(g, v)
	if err != nil {
		return v // the error comes again when the program runs
	}
	return s.same(g.add(constOp{data}, in.where, g.shape(v)))
}
