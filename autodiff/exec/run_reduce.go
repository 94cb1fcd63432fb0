package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// bindReduce chooses among three loops by where the contiguous axis is: in
// what is reduced (sums of rows), in what stays (sums of columns), or in
// neither.
func (m *machine[T]) bindReduce(in *inst, o reduceOp) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	var keep, drop, ks, ds []int
	for i, n := range x.shape {
		if slices.Contains(o.axes, i) {
			drop, ds = append(drop, n), append(ds, x.stride[i])
		} else {
			keep, ks = append(keep, n), append(ks, x.stride[i])
		}
	}
	keep, kss := collapse(keep, [][]int{ks})
	drop, dss := collapse(drop, [][]int{ds})
	ks, ds = kss[0], dss[0]

	r := &reduction[T]{m: m, red: o.red, x: x, out: out, keep: keep, drop: drop, ks: ks, ds: ds,
		outs: Size(keep), ins: Size(drop)}
	rowLen, colLen := 0, 0
	if n := len(drop) - 1; n >= 0 && ds[n] == 1 {
		rowLen = drop[n]
	}
	if n := len(keep) - 1; n >= 0 && ks[n] == 1 {
		colLen = keep[n]
	}
	switch {
	case r.outs == 0:
		return func() error { return nil }
	case r.ins == 0:
		return func() error { fill(out.data(), T(o.red.Start())); return nil }
	case o.red == kernel.LogSumExpRed || (rowLen >= colLen && rowLen > 1):
		return r.rows()
	case colLen > 1:
		return r.columns()
	}
	return r.strided()
}

type reduction[T Float] struct {
	m              *machine[T]
	red            Red
	x, out         operand[T]
	keep, drop     []int // axes that stay and axes that are reduced, collapsed
	ks, ds         []int // their strides in x
	outs, ins      int
	src, dst, part []T
}

func (r *reduction[T]) load() { r.src, r.dst = r.x.data(), r.out.data() }

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
		if together := rowsOf[T](r.red); together != nil && n == 1 && len(r.keep) == 1 && r.ks[0] == run {
			f := func(_, i int) {
				lo, hi := i*each, min(r.outs, (i+1)*each)
				together(r.dst[lo:hi], r.src[lo*run:hi*run], hi-lo, run)
			}
			return func() error { r.load(); r.m.pool.Run(count, f); return nil }
		}
		f := func(_, i int) {
			w := walker{dims: r.keep, strides: [][]int{r.ks}}
			lo, hi := i*each, min(r.outs, (i+1)*each)
			for w.seek(lo); lo < hi; lo++ {
				r.dst[lo] = r.runs(w.off[0], outer, n, run)
				w.next()
			}
		}
		return func() error { r.load(); r.m.pool.Run(count, f); return nil }
	}
	cuts := (run + grain - 1) / grain
	r.part = make([]T, r.outs*n*cuts)
	r.m.extra += len(r.part)
	f := func(_, i int) {
		k, c := i/cuts, i%cuts // run k, part c
		w := walker{dims: r.keep, strides: [][]int{r.ks}}
		w.seek(k / n)
		v := walker{dims: outer, strides: [][]int{r.ds}}
		v.seek(k % n)
		o := w.off[0] + v.off[0]
		r.part[i] = kernel.Reduce(r.red, r.src[o+c*grain:o+min(run, (c+1)*grain)])
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
func (r *reduction[T]) runs(off int, outer []int, n, run int) T {
	if n == 1 {
		return kernel.Reduce(r.red, r.src[off:off+run])
	}
	w := walker{dims: outer, strides: [][]int{r.ds}}
	w.seek(0)
	acc := T(r.red.Start())
	for range n {
		acc = r.combine(acc, kernel.Reduce(r.red, r.src[off+w.off[0]:][:run]))
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
	fn := r.red.Fn()
	f := func(_, i int) {
		k, c := i/groups, i%groups
		dst := r.dst[k*cols : (k+1)*cols]
		if groups > 1 {
			dst = r.part[i*cols : (i+1)*cols]
		}
		w := walker{dims: outer, strides: [][]int{r.ks}}
		w.seek(k)
		v := walker{dims: r.drop, strides: [][]int{r.ds}}
		lo, hi := c*columnCut, min(r.ins, (c+1)*columnCut)
		v.seek(lo)
		from := r.src[w.off[0]+v.off[0]:]
		copy(dst, from[:cols])
		lo++
		if fn == kernel.Add && len(r.drop) == 1 && r.ds[0] == cols {
			kernel.AddRows(dst, from[cols:][:(hi-lo)*cols], hi-lo, cols)
			return
		}
		for ; lo < hi; lo++ {
			v.next()
			kernel.Map2(fn, dst, dst, r.src[w.off[0]+v.off[0]:][:cols])
		}
	}
	return func() error {
		r.load()
		r.m.pool.Run(n*groups, f)
		if groups > 1 {
			for k := range n {
				dst := r.dst[k*cols : (k+1)*cols]
				copy(dst, r.part[k*groups*cols:])
				for c := 1; c < groups; c++ {
					kernel.Map2(fn, dst, dst, r.part[(k*groups+c)*cols:][:cols])
				}
			}
		}
		return nil
	}
}

// strided reduces one element at a time.
func (r *reduction[T]) strided() step {
	count, each := pieces(r.outs, r.ins)
	f := func(_, i int) {
		w := walker{dims: r.keep, strides: [][]int{r.ks}}
		lo, hi := i*each, min(r.outs, (i+1)*each)
		for w.seek(lo); lo < hi; lo++ {
			v := walker{dims: r.drop, strides: [][]int{r.ds}}
			v.seek(0)
			acc := T(r.red.Start())
			for range r.ins {
				acc = r.combine(acc, r.src[w.off[0]+v.off[0]])
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
