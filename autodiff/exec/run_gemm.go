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
		return func(int) error { return nil }
	}
	mat := func(o operand[T]) kernel.Mat { return kernel.Mat{Row: o.stride[r-2], Col: o.stride[r-1]} }
	pairs := make([]pair[T], o.pairs)
	work := 0
	for i := range pairs {
		x, y := m.operand(in.in[2*i]), m.operand(in.in[2*i+1])
		inner := x.shape[r-1]
		g := kernel.NewGemm[T](rows, cols, inner, mat(x), mat(y), cols)
		if i > 0 {
			g.CutLike(pairs[0].g)
		}
		m.needs(g.Scratch())
		pairs[i] = pair[T]{x, y, g, [][]int{x.stride[:r-2], y.stride[:r-2]}}
		work += Size(out.shape) * inner
	}
	var sparse *sparseProduct[T]
	if o.sparse {
		sparse = m.newSparseProduct(in, pairs[0].x, pairs[0].y, cols)
	}
	units := pairs[0].g.Units()
	n := Size(batch) * units
	copies := 1
	f := func(worker, i int) {
		// Copies of one unit follow each other: they often share an operand.
		copy, i := i%copies, i/copies
		c := out.of(copy)[i/units*rows*cols:]
		for k := range pairs {
			p := &pairs[k]
			w := walker{dims: batch, strides: p.strides}
			w.seek(i / units)
			p.g.Do(i%units, p.x.of(copy)[w.off[0]:], p.y.of(copy)[w.off[1]:], c, m.scratch(worker), k > 0)
		}
	}
	lists := func(_, i int) {
		p := &pairs[0]
		sparse.g.Do(i/copies, sparse.s.of(i%copies), p.y.of(i%copies), out.of(i%copies), false)
	}
	return func(k int) error {
		copies = k
		if sparse != nil && sparse.a.Share(sparse.s.of(0)) <= kernel.SparseShare {
			m.pool.Run(copies*sparse.g.Units(), lists)
			return nil
		}
		if copies*work < alone {
			for i := range copies * n {
				f(0, i)
			}
			return nil
		}
		m.pool.Run(copies*n, f)
		return nil
	}
}

// pair are two operands of a product with its plan.
type pair[T Float] struct {
	x, y    operand[T]
	g       *kernel.Gemm[T]
	strides [][]int // of the batch
}

// cut gives the number and the size of the equal parts, of at most limit each,
// that n falls into.
func cut(n, limit int) (count, each int) {
	count = (n + limit - 1) / limit
	return count, (n + count - 1) / count
}
