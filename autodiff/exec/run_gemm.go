package exec

import "github.com/saddle-ml/saddle/internal/kernel"

// A product is cut into tiles of at most tileRows x tileCols.
const (
	tileRows = 64
	tileCols = 256
)

func (m *machine[T]) bindGemm(in *inst) step {
	x, y, out := m.operand(in.in[0]), m.operand(in.in[1]), m.operand(in.out)
	r := len(out.shape)
	rows, cols, inner := out.shape[r-2], out.shape[r-1], x.shape[r-1]
	batch := out.shape[:r-2]
	strides := [][]int{x.stride[:r-2], y.stride[:r-2]}
	if Size(out.shape) == 0 {
		return func() error { return nil }
	}
	mat := func(o operand[T]) kernel.Mat[T] { return kernel.Mat[T]{Row: o.stride[r-2], Col: o.stride[r-1]} }
	xm, ym, om := mat(x), mat(y), kernel.Mat[T]{Row: cols, Col: 1}
	down, height := cut(rows, tileRows)
	across, width := cut(cols, tileCols)
	f := func(_, i int) {
		t := i % (down * across)
		i /= down * across
		r0, c0 := t/across*height, t%across*width
		w := walker{dims: batch, strides: strides}
		w.seek(i)
		a, b, c := xm, ym, om
		a.X, b.X, c.X = x.data()[w.off[0]:], y.data()[w.off[1]:], out.data()[i*rows*cols:]
		kernel.Gemm(min(height, rows-r0), min(width, cols-c0), inner, a.At(r0, 0), b.At(0, c0), c.At(r0, c0), false)
	}
	n := Size(batch) * down * across
	if Size(out.shape)*inner < 32<<10 {
		// Too little work to share.
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
