package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// sparsify lets products with data skip what is 0: images of digits and other
// sparse data need a fraction of the multiplications of their first layer. Which
// way a product goes is seen from the data of each run.
func sparsify(g *graph) {
	made := map[Value]Value{} // of a matrix, its sparse form
	changed := false
	for i := range g.code[:len(g.code):len(g.code)] {
		in := g.code[i]
		o, ok := in.op.(gemmOp)
		if !ok || o.pairs != 1 || o.sparse || len(g.shape(in.out)) != 2 || !g.wantsSparse(in.in[0], in.in[1], in.late) {
			continue
		}
		s, ok := made[in.in[0]]
		if !ok {
			shape := g.shape(in.in[0])
			size := kernel.NewSparse[float64](shape[0], shape[1]).Size()
			if g.single {
				size = kernel.NewSparse[float32](shape[0], shape[1]).Size()
			}
			s = g.add(compressOp{}, in.where, []int{size}, in.in[0])
			g.def(s).late = g.late(in.in[0])
			made[in.in[0]] = s
		}
		o.sparse = true
		to := &g.code[i] // the program has grown
		to.op, to.in = o, slices.Concat(in.in, []Value{s})
		changed = true
	}
	if changed {
		g.sort()
	}
}

const (
	sparseElements = 16 << 10 // a smaller matrix is not worth a look
	sparseCols     = 64       // fewer columns do not repay making the lists for one product
)

// wantsSparse tells whether x, by y, is data that may be worth it. The lists for
// products that run many times for one Prepare are made once, so that few columns
// repay them too.
func (g *graph) wantsSparse(x, y Value, late bool) bool {
	base, _, _ := g.view(x)
	o, ok := g.def(base).op.(inputOp)
	if !ok || !o.data {
		return false
	}
	xs, ys := g.shape(x), g.shape(y)
	_, _, stride := g.view(y)
	often := late && !g.late(x)
	return Size(xs) >= sparseElements && (ys[1] >= sparseCols || often) && (stride[1] == 1 || ys[1] == 1)
}

// compressOp lists the numbers of a matrix that are not 0, row by row, unless
// there are so many that the dense matrix is faster.
type compressOp struct{}

func (compressOp) String() string { return "compress" }

// compressSample is how many numbers, spread over a matrix, tell whether it is
// worth a closer look.
const compressSample = 512

func (m *machine[T]) bindCompress(in *inst) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	rows, cols := x.shape[0], x.shape[1]
	s := kernel.NewSparse[T](rows, cols)
	m.needs(s.Scratch())
	mat := kernel.Mat{Row: x.stride[0], Col: x.stride[1]}
	// Whole groups of rows, as the kernel makes them.
	count, each := pieces((rows+15)/16, 16*cols)
	each *= 16
	f := func(worker, i int) {
		s.Compress(out.data(), x.data(), mat, m.scratch(worker), i*each, min(rows, (i+1)*each))
	}
	return func() error {
		src := x.data()
		full := 0
		step := max(1, rows*cols/compressSample)
		down, along := step/max(cols, 1), step%max(cols, 1)
		for r, c := 0, 0; r < rows && cols > 0; {
			if src[r*mat.Row+c*mat.Col] != 0 {
				full++
			}
			if r, c = r+down, c+along; c >= cols {
				r, c = r+1, c-cols
			}
		}
		if float64(full*step) > 1.2*kernel.SparseShare*float64(rows*cols) {
			s.SetDense(out.data())
			return nil
		}
		m.pool.Run(count, f)
		return nil
	}
}

// sparseProduct is the product of a sparse matrix, for the plan of the dense one.
type sparseProduct[T Float] struct {
	a *kernel.Sparse[T]
	g *kernel.SparseGemm[T]
	s operand[T]
}

func (m *machine[T]) newSparseProduct(s Value, x, y operand[T], cols int) *sparseProduct[T] {
	a := kernel.NewSparse[T](x.shape[0], x.shape[1])
	return &sparseProduct[T]{a, kernel.NewSparseGemm(a, cols, y.stride[0], cols), m.operand(s)}
}
