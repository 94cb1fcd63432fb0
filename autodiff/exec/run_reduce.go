package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// reduceShape says how a reduction goes through what it reduces.
type reduceShape struct {
	keep, drop []int // axes that stay and axes that are reduced, collapsed
	ks, ds     []int // their strides
	outs, ins  int
	loop       reduceLoop
	at         int // elements that follow each other and are taken at a time
}

// reduceLoop is where the contiguous axis is: in what is reduced, in what stays, or
// in neither.
type reduceLoop uint8

const (
	byElement reduceLoop = iota
	byRows               // sums of rows
	byColumns            // sums of columns
)

// newReduceShape is the shape of o.
func newReduceShape(o reduceOp) reduceShape {
	var s reduceShape
	for i, n := range o.from.shape {
		if slices.Contains(o.axes, i) {
			s.drop, s.ds = append(s.drop, n), append(s.ds, o.from.stride[i])
		} else {
			s.keep, s.ks = append(s.keep, n), append(s.ks, o.from.stride[i])
		}
	}
	keep, ks := collapse(s.keep, [][]int{s.ks})
	drop, ds := collapse(s.drop, [][]int{s.ds})
	s.keep, s.ks, s.drop, s.ds = keep, ks[0], drop, ds[0]
	s.outs, s.ins = Size(keep), Size(drop)
	row, col := 0, 0
	if n := len(drop) - 1; n >= 0 && s.ds[n] == 1 {
		row = drop[n]
	}
	if n := len(keep) - 1; n >= 0 && s.ks[n] == 1 {
		col = keep[n]
	}
	s.at = 1
	switch {
	case o.red == kernel.LogSumExpRed || row >= col && row > 1:
		s.loop = byRows
		s.at = max(1, row)
		if s.rowsFollow() {
			s.at *= s.outs
		}
	case col > 1:
		s.loop = byColumns
		s.at = col
		if s.columnsFollow() {
			s.at *= s.ins
		}
	}
	return s
}

// rowsFollow tells whether each result is of one run, and these follow each other.
func (s *reduceShape) rowsFollow() bool {
	return len(s.drop) == 1 && (len(s.keep) == 0 || len(s.keep) == 1 && s.ks[0] == s.drop[0])
}

// columnsFollow tells whether the rows that are added follow each other.
func (s *reduceShape) columnsFollow() bool {
	return len(s.drop) == 1 && s.ds[0] == s.keep[len(s.keep)-1]
}

// bindReduce reduces an operand, or an expression of several.
func (m *machine[T]) bindReduce(in *inst, o reduceOp) step {
	o.from = m.g.reduced(in)
	r := &reduction[T]{reduceShape: newReduceShape(o), m: m, red: o.red, x: m.operand(in.in[0]), out: m.operand(in.out)}
	if o.code != nil {
		r.e = m.newExpr(o.code, in.in, reduceBlock)
		r.off = o.from.off
	}
	switch {
	case r.outs == 0:
		return func() error { return nil }
	case r.ins == 0:
		return func() error { fill(r.out.data(), T(o.red.Start())); return nil }
	case r.loop == byRows:
		return r.rows()
	case r.loop == byColumns:
		return r.columns()
	}
	return r.strided()
}

// reduceBlock is how many values of an expression are computed at a time, to be
// reduced while they are near. Fewer would stay in the first-level cache, but to go
// from one kernel to the other more often takes longer than that saves.
const reduceBlock = grain

type reduction[T Float] struct {
	reduceShape
	m              *machine[T]
	red            Red
	x, out         operand[T]
	e              *expr[T] // of what is reduced, in place of x
	off            int      // of its first value
	src, dst, part []T
}

func (r *reduction[T]) load() {
	r.dst = r.out.data()
	if r.e != nil {
		r.e.load()
		return
	}
	r.src = r.x.data()
}

// begin is called by a worker before its first read for a piece.
func (r *reduction[T]) begin(worker int) {
	if r.e != nil {
		r.e.begin(worker)
	}
}

// read gives the n values from off on, of an expression at most reduceBlock.
func (r *reduction[T]) read(worker, off, n int) []T {
	if r.e == nil {
		return r.src[off : off+n]
	}
	dst := r.m.scratch(worker)[:n]
	r.e.span(worker, r.off+off, dst)
	return dst
}

// run reduces n values from off on. Those of an expression that are more than a
// block are taken apart as the kernels do.
func (r *reduction[T]) run(worker, off, n int) T {
	switch {
	case r.e == nil || n <= reduceBlock:
		return kernel.Reduce(r.red, r.read(worker, off, n))
	case r.red == SumRed:
		return T(r.sum(worker, off, n))
	}
	half := kernel.HalfBlocks(n)
	return r.combine(r.run(worker, off, half), r.run(worker, off+half, n-half))
}

func (r *reduction[T]) sum(worker, off, n int) float64 {
	if n <= reduceBlock {
		return kernel.Sum64(r.read(worker, off, n))
	}
	half := kernel.HalfBlocks(n)
	return r.sum(worker, off, half) + r.sum(worker, off+half, n-half)
}

// combine is the reduction of two partial results.
func (r *reduction[T]) combine(a, b T) T {
	switch r.red {
	case kernel.SumRed:
		return a + b
	case kernel.MaxRed:
		return max(a, b)
	}
	return min(a, b)
}

// rows reduces contiguous runs. A run longer than a grain is cut, and the
// parts are reduced at the end.
func (r *reduction[T]) rows() step {
	n, run := 1, r.ins
	var outer []int
	if l := len(r.drop) - 1; l >= 0 {
		run = r.drop[l]
		outer = r.drop[:l]
		n = Size(outer)
	}
	if r.outs >= 8 || n*run <= grain || r.red == kernel.LogSumExpRed {
		count, each := pieces(r.outs, n*run)
		if together := rowsOf[T](r.red); together != nil && r.rowsFollow() && (r.e == nil || run <= reduceBlock) {
			at := each // rows at a time
			if r.e != nil {
				at = min(each, max(1, reduceBlock/max(1, run)))
			}
			f := func(worker, i int) {
				r.begin(worker)
				for lo, hi := i*each, min(r.outs, (i+1)*each); lo < hi; lo += at {
					k := min(at, hi-lo)
					together(r.dst[lo:lo+k], r.read(worker, lo*run, k*run), k, run)
				}
			}
			return func() error { r.load(); r.m.pool.Run(count, f); return nil }
		}
		f := func(worker, i int) {
			w := walker{dims: r.keep, strides: [][]int{r.ks}}
			lo, hi := i*each, min(r.outs, (i+1)*each)
			r.begin(worker)
			for w.seek(lo); lo < hi; lo++ {
				r.dst[lo] = r.runs(worker, w.off[0], outer, n, run)
				w.next()
			}
		}
		return func() error { r.load(); r.m.pool.Run(count, f); return nil }
	}
	cuts := (run + grain - 1) / grain
	r.part = make([]T, r.outs*n*cuts)
	r.m.extra += len(r.part)
	f := func(worker, i int) {
		r.begin(worker)
		k, c := i/cuts, i%cuts // run k, part c
		w := walker{dims: r.keep, strides: [][]int{r.ks}}
		w.seek(k / n)
		v := walker{dims: outer, strides: [][]int{r.ds}}
		v.seek(k % n)
		o := w.off[0] + v.off[0]
		r.part[i] = r.run(worker, o+c*grain, min(run, (c+1)*grain)-c*grain)
	}
	return func() error {
		r.load()
		r.m.pool.Run(len(r.part), f)
		for i := range r.dst {
			r.dst[i] = kernel.Reduce(r.red, r.part[i*n*cuts:(i+1)*n*cuts])
		}
		return nil
	}
}

// rowsOf is the reduction of the rows of a matrix, if it is there as one kernel.
func rowsOf[T Float](r Red) func(dst, x []T, rows, cols int) {
	switch r {
	case SumRed:
		return kernel.SumRows[T]
	case MaxRed:
		return kernel.MaxRows[T]
	case LogSumExpRed:
		return kernel.LogSumExpRows[T]
	}
	return nil
}

// runs reduces n runs of the given length, one at each index of outer.
func (r *reduction[T]) runs(worker, off int, outer []int, n, run int) T {
	if n == 1 {
		return r.run(worker, off, run)
	}
	w := walker{dims: outer, strides: [][]int{r.ds}}
	w.seek(0)
	acc := T(r.red.Start())
	for range n {
		acc = r.combine(acc, r.run(worker, off+w.off[0], run))
		w.next()
	}
	return acc
}

// columnCut is how many rows are added into one partial row.
const columnCut = 256

// columns adds rows into a row. Many rows are cut into groups, whose sums are
// added at the end.
func (r *reduction[T]) columns() step {
	l := len(r.keep) - 1
	cols, outer := r.keep[l], r.keep[:l]
	n := Size(outer)
	groups := (r.ins + columnCut - 1) / columnCut
	if groups > 1 {
		r.part = make([]T, n*groups*cols)
		r.m.extra += len(r.part)
	}
	// Long rows are cut too.
	strips, width := pieces(cols, min(r.ins, columnCut))
	f := func(worker, i int) {
		i, strip := i/strips, i%strips
		k, c := i/groups, i%groups
		dst := r.dst[k*cols : (k+1)*cols]
		if groups > 1 {
			dst = r.part[i*cols : (i+1)*cols]
		}
		w := walker{dims: outer, strides: [][]int{r.ks}}
		w.seek(k)
		r.begin(worker)
		from := strip * width
		r.addRows(worker, dst[from:min(cols, from+width)], w.off[0]+from, c*columnCut, min(r.ins, (c+1)*columnCut))
	}
	return func() error {
		r.load()
		r.m.pool.Run(n*groups*strips, f)
		if groups > 1 {
			for k := range n {
				dst := r.dst[k*cols : (k+1)*cols]
				copy(dst, r.part[k*groups*cols:])
				for c := 1; c < groups; c++ {
					kernel.Map2(r.red.Fn(), dst, dst, r.part[(k*groups+c)*cols:][:cols])
				}
			}
		}
		return nil
	}
}

// addRows reduces the rows [lo, hi), which begin at off, to dst: as many columns at a
// time, and of these as many rows, as can be read together.
func (r *reduction[T]) addRows(worker int, dst []T, off, lo, hi int) {
	cols, fn := len(dst), r.red.Fn()
	width, together := cols, 1
	if r.e != nil {
		width = min(cols, reduceBlock)
	}
	switch {
	case fn != kernel.Add || len(r.drop) != 1:
	case r.e == nil:
		together = hi - lo
	case r.columnsFollow() && cols == r.keep[len(r.keep)-1]:
		together = max(1, reduceBlock/cols)
	}
	row := 0
	if together > 1 {
		row = r.ds[0]
	}
	v := walker{dims: r.drop, strides: [][]int{r.ds}}
	for c := 0; c < cols; c += width {
		to := dst[c:min(cols, c+width)]
		v.seek(lo)
		for i := lo; i < hi; i += together {
			n := min(together, hi-i)
			x := r.read(worker, off+v.off[0]+c, (n-1)*row+len(to))
			if i == lo {
				copy(to, x)
				if n--; n > 0 {
					x = x[row:]
				}
			}
			switch {
			case n == 0:
			case fn == kernel.Add:
				kernel.AddRows(to, x, n, row)
			default:
				kernel.Map2(fn, to, to, x)
			}
			if together > 1 {
				v.off[0] += together * row
			} else {
				v.next()
			}
		}
	}
}

// strided reduces one element at a time.
func (r *reduction[T]) strided() step {
	count, each := pieces(r.outs, r.ins)
	f := func(worker, i int) {
		w := walker{dims: r.keep, strides: [][]int{r.ks}}
		lo, hi := i*each, min(r.outs, (i+1)*each)
		r.begin(worker)
		for w.seek(lo); lo < hi; lo++ {
			v := walker{dims: r.drop, strides: [][]int{r.ds}}
			v.seek(0)
			acc := T(r.red.Start())
			for range r.ins {
				acc = r.combine(acc, r.read(worker, w.off[0]+v.off[0], 1)[0])
				v.next()
			}
			r.dst[lo] = acc
			w.next()
		}
	}
	return func() error { r.load(); r.m.pool.Run(count, f); return nil }
}

func fill[T Float](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

func (m *machine[T]) bindArgMax(in *inst) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	n := x.shape[len(x.shape)-1]
	rows := Size(out.shape)
	count, each := pieces(rows, n)
	f := func(_, i int) {
		src, dst := x.data(), out.data()
		lo, hi := i*each, min(rows, (i+1)*each)
		kernel.ArgMaxRows(dst[lo:hi], src[lo*n:hi*n], hi-lo, n)
	}
	return func() error { m.pool.Run(count, f); return nil }
}
