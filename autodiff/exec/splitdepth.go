package exec

// splitDepth cuts products whose elements are sums of very many terms into parts of
// fewer, and adds these up: as many rows of the operands as one part has stay in the
// cache, and a small result keeps more than one core busy. Where it cuts depends on
// the shape alone.
func splitDepth(g *graph) {
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		in := g.code[i]
		o, ok := in.op.(gemmOp)
		if !ok || o.sparse || len(g.shape(in.out)) != 2 {
			continue
		}
		shape := g.shape(in.out)
		depth := g.shape(in.in[0])[1]
		same := true
		for k := range o.pairs {
			same = same && g.shape(in.in[2*k])[1] == depth
		}
		_, _, stride := g.view(in.in[0])
		parts := depthParts(shape[0], shape[1], depth, stride[0] == 1 && stride[1] != 1)
		if !same || parts < 2 {
			continue
		}
		s := splitter{g, &in, depth / parts}
		products := s.products(o.pairs, 0, parts)
		op, operands := op(reduceOp{red: SumRed, axes: []int{0}}), []Value{products}
		if left := depth % parts; left > 0 {
			rest := s.products(o.pairs, parts*s.each, 1)
			sum := s.add(op, shape, operands...)
			op = mapOp{[]mapFn{{fn: Add, operand: 2, arg: [3]int{0, 1}}}}
			operands = []Value{sum, s.see(rest, 0, shape, rowMajor(shape))}
		}
		if o.code != nil {
			sum := s.add(op, shape, operands...)
			op, operands = mapOp{o.code}, append([]Value{sum}, in.in[2*o.pairs:]...)
		}
		to := &g.code[i] // the program has grown
		to.op, to.in = op, operands
		changed = true
	}
	if changed {
		g.sort()
	}
}

const (
	splitLeast = 8 << 10 // terms of a sum that is cut
	splitEach  = 1 << 10 // and of a part, about
	splitWork  = 1 << 20 // multiplications of a product that is
	splitRoom  = 4 << 20 // elements of its parts together, at most
	splitRows  = 64      // of a result that is small
)

// depthParts is how many parts of its depth an m x k by k x n product falls into. It
// gains where the first matrix lies by columns, of which a line of memory has several
// rows that are read one after another, and where it has so few rows that each of the
// units they are cut into would read all of the second.
func depthParts(m, n, k int, byColumns bool) int {
	if k < splitLeast || m*n == 0 || m*n*k < splitWork || !byColumns && (m > splitRows || n == 1) {
		return 1
	}
	parts := min(k/splitEach, splitRoom/(m*n))
	if parts < 2 || m*n*parts > k*(m+n)/4 {
		return 1 // to write the parts and read them would cost more
	}
	return parts
}

// splitter adds the instructions of one product in parts.
type splitter struct {
	g    *graph
	in   *inst
	each int // terms of a part
}

func (s *splitter) add(o op, shape []int, in ...Value) Value {
	v := s.g.add(o, s.in.where, shape, in...)
	s.g.def(v).late = s.in.late
	return v
}

// see is part of v, from off on, at other strides.
func (s *splitter) see(v Value, off int, shape, stride []int) Value {
	for i, n := range shape {
		if n == 1 {
			stride[i] = 0
		}
	}
	base, at, _ := s.g.view(v)
	w := s.g.add(viewOp{at + off, stride}, s.in.where, shape, base)
	s.g.def(w).late = s.g.late(v)
	return w
}

// products are parts products, [parts, m, n], of terms from from on: of all that are
// left, if it is one.
func (s *splitter) products(pairs, from, parts int) Value {
	g, each := s.g, s.each
	if parts == 1 {
		each = g.shape(s.in.in[0])[1] - from
	}
	shape := []int{parts, g.shape(s.in.in[0])[0], g.shape(s.in.in[1])[1]}
	var operands []Value
	for k := range pairs {
		x, y := s.in.in[2*k], s.in.in[2*k+1]
		_, _, xs := g.view(x)
		_, _, ys := g.view(y)
		operands = append(operands,
			s.see(x, from*xs[1], []int{parts, shape[1], each}, []int{each * xs[1], xs[0], xs[1]}),
			s.see(y, from*ys[0], []int{parts, each, shape[2]}, []int{each * ys[0], ys[0], ys[1]}))
	}
	return s.add(gemmOp{pairs: pairs}, shape, operands...)
}
