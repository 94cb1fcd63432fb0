package exec

import "github.com/saddle-ml/saddle/internal/kernel"

// alone is how many multiplications a product has at most that one core
// computes: handing a part to another would cost more than it saves.
const alone = 200 << 10

func (m *machine[T]) bindGemm(in *inst) step {
	x, y, out := m.operand(in.in[0]), m.operand(in.in[1]), m.operand(in.out)
	r := len(out.shape)
	rows, cols, inner := out.shape[r-2], out.shape[r-1], x.shape[r-1]
	batch := out.shape[:r-2]
	strides := [][]int{x.stride[:r-2], y.stride[:r-2]}
	if Size(out.shape) == 0 {
		return func() error { return nil }
	}
	mat := func(o operand[T]) kernel.Mat { return kernel.Mat{Row: o.stride[r-2], Col: o.stride[r-1]} }
	g := kernel.NewGemm[T](rows, cols, inner, mat(x), mat(y), cols)
	m.needs(g.Scratch())
	units := g.Units()
	f := func(worker, i int) {
		w := walker{dims: batch, strides: strides}
		w.seek(i / units)
		a, b, c := x.data()[w.off[0]:], y.data()[w.off[1]:], out.data()[i/units*rows*cols:]
		g.Do(i%units, a, b, c, m.scratch(worker), false)
	}
	n := Size(batch) * units
	if Size(out.shape)*inner < alone {
		return func() error {
			for i := range n {
				f(0, i)
			}
			return nil
		}
	}
	return func() error { m.pool.Run(n, f); return nil }
}

// cut gives the number and the size of the equal parts, of at most limit each,
// that n falls into.
func cut(n, limit int) (count, each int) {
	count = (n + limit - 1) / limit
	return count, (n + count - 1) / count
}
