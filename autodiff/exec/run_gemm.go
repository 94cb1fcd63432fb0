package exec

import "github.com/saddle-ml/saddle/internal/kernel"

// alone is how many multiplications a product has at most that one core
// computes: handing a part to another would cost more than it saves.
const alone = 200 << 10

// bindGemm cuts the products of all copies and batches into units.
func (m *machine[T]) bindGemm(in *inst, o gemmOp) wide {
	out := m.operand(in.out)
	r := len(out.shape)
	rows, cols := out.shape[r-2], out.shape[r-1]
	batch := out.shape[:r-2]
	if Size(out.shape) == 0 {
		return func(int, int) error { return nil }
	}
	sums := m.tallies[in.out]
	mat := func(o operand[T]) kernel.Mat { return kernel.Mat{Row: o.stride[r-2], Col: o.stride[r-1]} }
	pairs := make([]pair[T], o.pairs)
	work, scratch := 0, 0
	for i := range pairs {
		x, y := m.operand(in.in[2*i]), m.operand(in.in[2*i+1])
		inner := x.shape[r-1]
		g := kernel.NewGemm[T](rows, cols, inner, mat(x), mat(y), cols)
		if i > 0 {
			g.CutLike(pairs[0].g)
		}
		pairs[i] = pair[T]{x: x, y: y, g: g, strides: [][]int{x.stride[:r-2], y.stride[:r-2]}, at: scratch}
		scratch += g.Scratch()
		work += Size(out.shape) * inner
	}
	last := len(in.in)
	var sparse *sparseProduct[T]
	if o.sparse {
		last--
		sparse = m.newSparseProduct(in.in[last], pairs[0].x, pairs[0].y, cols)
		scratch = max(scratch, sparse.g.Scratch())
	}
	m.needs(scratch)
	e := m.newEpilogue(in, o.code, 2*o.pairs, last, o.strips, scratch)
	units := pairs[0].g.Units()
	n := Size(batch) * units
	// What strip of a batch and copy each worker holds packed, for each pair.
	held := make([]heldStrip, m.pool.Workers()*o.pairs)
	if sums != nil {
		*sums = make(tally, n)
		if sparse != nil {
			*sums = make(tally, max(n, sparse.g.Units()))
		}
	}
	groups := Size(batch) * pairs[0].g.Down()
	sparseGroups := 0
	if sparse != nil {
		sparseGroups = sparse.g.Down()
	}
	columns := m.newColumnSum(in, max(groups, sparseGroups))
	first, copies := 0, 1
	y := pairs[0].y
	own := y.perCopy()
	order := copyOrder(1)
	if own && o.pairs == 1 && len(batch) == 0 {
		order = copyOrder(pairs[0].g.Down())
	}
	f := func(worker, i int) {
		copy, i := order.of(i, copies)
		copy += first
		c := out.of(copy)[i/units*rows*cols:]
		for k := range pairs {
			p := &pairs[k]
			w := walker{dims: batch, strides: p.strides}
			w.seek(i / units)
			h := &held[worker*len(pairs)+k]
			matrix := w.off[1]
			if p.y.perCopy() {
				matrix = -1 - copy
			}
			if h.matrix != matrix || len(batch) > 0 {
				*h = heldStrip{matrix, -1}
			}
			p.g.Do(i%units, p.x.of(copy)[w.off[0]:], p.y.of(copy)[w.off[1]:], c, m.scratch(worker)[p.at:], k > 0, &h.strip)
		}
		r0, r1, c0, c1 := pairs[0].g.Block(i % units)
		if e != nil {
			at := i / units * rows
			e.apply(out.of(copy), copy, at+r0, at+r1, c0, c1, m.scratch(worker))
		}
		if sums != nil {
			(*sums)[i] = squaresOf(c, cols, r0, r1, c0, c1)
		}
		if columns != nil {
			plan := pairs[0].g
			columns.set(columns.group(copy, i/units*plan.Down()+plan.Row(i%units))[c0:c1], c[r0*cols+c0:], r1-r0, cols)
		}
	}
	listOrder := copyOrder(1)
	if own && sparse != nil {
		listOrder = copyOrder(sparse.g.Down())
	}
	lists := func(worker, i int) {
		copy, i := listOrder.of(i, copies)
		copy += first
		h, matrix := &held[worker*len(pairs)], 0
		if own {
			matrix = -1 - copy
		}
		if h.matrix != matrix {
			*h = heldStrip{matrix, -1}
		}
		sparse.g.Do(i, sparse.s.of(copy), y.of(copy), out.of(copy), m.scratch(worker), false, &h.strip)
		r0, r1, c0, c1 := sparse.g.Block(i)
		if e != nil {
			e.apply(out.of(copy), copy, r0, r1, c0, c1, m.scratch(worker))
		}
		if sums != nil {
			(*sums)[i] = squaresOf(out.of(copy), cols, r0, r1, c0, c1)
		}
		if columns != nil {
			columns.set(columns.group(copy, sparse.g.Row(i))[c0:c1], out.of(copy)[r0*cols+c0:], r1-r0, cols)
		}
	}
	return func(from, k int) error {
		first, copies = from, k
		if sums != nil {
			clear(*sums) // lists and products have different numbers of units
		}
		for i := range held {
			held[i].strip = -1
		}
		if columns != nil {
			columns.first = first
		}
		switch {
		case sparse != nil && sparse.a.Share(sparse.s.of(first)) <= kernel.SparseShare:
			m.pool.Run(copies*sparse.g.Units(), lists)
			if columns != nil {
				columns.finish(copies, sparseGroups)
			}
			return nil
		case copies*work < alone:
			for i := range copies * n {
				f(0, i)
			}
		default:
			m.pool.Run(copies*n, f)
		}
		if columns != nil {
			columns.finish(copies, groups)
		}
		return nil
	}
}

// copyOrder is the order of the units of all copies: so many of the first copy, as
// many of the next, and behind the last the first one's next. Copies share most
// operands, and the same unit of each follows; but where each has a B of its own,
// all units of a strip of it do, for which it is packed and comes near once.
type copyOrder int

func (o copyOrder) of(i, copies int) (copy, unit int) {
	run := int(o)
	return i / run % copies, i/run/copies*run + i%run
}

// heldStrip is a strip of a matrix.
type heldStrip struct{ matrix, strip int }

// pair are two operands of a product with its plan.
type pair[T Float] struct {
	x, y    operand[T]
	g       *kernel.Gemm[T]
	strides [][]int // of the batch
	at      int     // of its scratch
}

// cut gives the number and the size of the equal parts, of at most limit each,
// that n falls into.
func cut(n, limit int) (count, each int) {
	count = (n + limit - 1) / limit
	return count, (n + count - 1) / count
}
