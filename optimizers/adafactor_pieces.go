package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// How Adafactor's work is cut: by the shapes of the tensors alone. Each pass goes over all pieces on all cores.

// matrices is a tensor as a stack of matrices, or as a vector, which is not factored.
type matrices[T Float] struct {
	at, count, rows, cols int       // the place of the first element, and the shape of the stack
	row, col              []T       // r and c of all matrices; of a vector nil and v
	root                  []T       // 1/sqrt(c)
	mean                  []float64 // of each matrix's r
	from, to              int       // its pieces
	step, keep            T         // of u and x in the step that is being taken
}

// piece is what one task works on: a block of a vector, some of the rows of a matrix, or some whole matrices.
type piece[T Float] struct {
	of     *matrices[T]
	at, n  int       // its elements, counted through the stack: whole rows
	sums   []float64 // of the squares in each column, of a part of a matrix
	x2, u2 float64   // sums of squares
}

// factorScratch is one worker's.
type factorScratch[T Float] struct {
	columns []T       // sums of squares in columns, of a few rows
	sums    []float64 // and of a matrix
}

const (
	mostParts = 16 // pieces of one matrix
	fewRows   = 32 // rows whose squares are added in T before they go to a sum in float64
	shortRow  = 32 // rows with fewer columns are put together, as a kernel is called for each of the others
)

// cut makes the pieces and the state of a layout.
func (o *adafactor[T]) cut(l Layout) {
	var rows, cols, vectors, widest int
	o.matrices = make([]matrices[T], len(l))
	for i, t := range l {
		m := &o.matrices[i]
		*m = matrices[T]{at: t.Offset, count: 1, rows: 1, cols: t.Size()}
		if d := len(t.Shape); d > 1 {
			m.rows, m.cols = t.Shape[d-2], t.Shape[d-1]
			m.count = t.Size() / (m.rows * m.cols)
			m.mean, m.root = make([]float64, m.count), make([]T, m.count*m.cols)
			rows += m.count * m.rows
			cols += m.count * m.cols
			widest = max(widest, m.cols)
		} else {
			vectors += m.cols
		}
	}
	var row, col, variance []T
	if rows > 0 {
		row, col = o.keepSome("row_var", rows), o.keepSome("col_var", cols)
	}
	if vectors > 0 {
		variance = o.keepSome("variance", vectors)
	}
	for i := range o.matrices {
		m := &o.matrices[i]
		m.from = len(o.pieces)
		switch size := m.rows * m.cols; {
		case m.mean == nil:
			m.col, variance = variance[:m.cols], variance[m.cols:]
			o.addPieces(m, size, min(size, blockSize))
		default:
			m.row, row = row[:m.count*m.rows], row[m.count*m.rows:]
			m.col, col = col[:m.count*m.cols], col[m.count*m.cols:]
			if m.count > 1 || size <= blockSize {
				o.addPieces(m, size*m.count, max(1, blockSize/size)*size)
				break
			}
			o.addPieces(m, size, (m.rows+mostParts-1)/mostParts*m.cols)
			o.split = append(o.split, i)
			for k := m.from; k < len(o.pieces); k++ {
				o.pieces[k].sums = make([]float64, m.cols)
			}
		}
		m.to = len(o.pieces)
	}
	for range parallel.Shared().Workers() {
		o.scratch = append(o.scratch, factorScratch[T]{
			columns: make([]T, widest), sums: make([]float64, widest),
		})
	}
}

// addPieces cuts n elements into pieces.
func (o *adafactor[T]) addPieces(m *matrices[T], n, each int) {
	for at := 0; at < n; at += each {
		o.pieces = append(o.pieces, piece[T]{of: m, at: at, n: min(each, n-at)})
	}
}

// square is the first pass over piece i: it adds the squares to the means, but for the columns of a matrix in several
// pieces.
func (o *adafactor[T]) square(worker, i int) {
	p := &o.pieces[i]
	m := p.of
	x, g := o.x[m.at+p.at:][:p.n], o.grad[m.at+p.at:][:p.n]
	p.x2 = kernel.Dot64(x, x)
	if m.row == nil {
		kernel.MeanSquareUpdate(m.col[p.at:][:p.n], g, kernel.MeanSquareCoefficients[T]{Fresh: T(o.fresh)})
		return
	}
	if p.sums != nil {
		o.addSquares(worker, m, p.at/m.cols, g, p.sums)
		return
	}
	size := m.rows * m.cols
	sums := o.scratch[worker].sums[:m.cols]
	for at := 0; at < p.n; at += size {
		o.addSquares(worker, m, (p.at+at)/m.cols, g[at:at+size], sums)
		k := (p.at + at) / size
		o.setColumns(m, k, sums)
	}
}

// addSquares updates r of the rows of g, of which the first is row at of the stack, and sets sums to the sums of squares
// of the columns.
func (o *adafactor[T]) addSquares(worker int, m *matrices[T], at int, g []T, sums []float64) {
	clear(sums)
	setRow := func(i int, sum float64) {
		r := &m.row[at+i]
		*r += T(o.fresh * (sum/float64(m.cols) - float64(*r)))
	}
	if m.cols < shortRow {
		for i := 0; i*m.cols < len(g); i++ {
			sum := 0.0
			for j, v := range g[i*m.cols:][:m.cols] {
				square := float64(v) * float64(v)
				sum += square
				sums[j] += square
			}
			setRow(i, sum)
		}
		return
	}
	columns := o.scratch[worker].columns[:m.cols]
	rows := len(g) / m.cols
	for lo := 0; lo < rows; lo += fewRows {
		clear(columns)
		for i := lo; i < min(rows, lo+fewRows); i++ {
			row := g[i*m.cols:][:m.cols]
			setRow(i, kernel.Dot64(row, row))
			kernel.AddSquare(columns, row)
		}
		for j, v := range columns {
			sums[j] += float64(v)
		}
	}
}

// setColumns updates c of matrix k from the sums of squares of its columns, and its roots, and finds the mean of its r.
func (o *adafactor[T]) setColumns(m *matrices[T], k int, sums []float64) {
	for j, sum := range sums {
		c := &m.col[k*m.cols+j]
		*c += T(o.fresh * (sum/float64(m.rows) - float64(*c)))
		m.root[k*m.cols+j] = T(1 / math.Sqrt(float64(*c)))
	}
	m.mean[k] = kernel.Sum64(m.row[k*m.rows:][:m.rows]) / float64(m.rows)
}

// join sets the columns of a matrix in several pieces.
func (o *adafactor[T]) join(_, i int) {
	m := &o.matrices[o.split[i]]
	all := o.pieces[m.from:m.to]
	sums := all[0].sums
	for _, p := range all[1:] {
		kernel.Axpy(sums, 1, p.sums)
	}
	o.setColumns(m, 0, sums)
}

// walk computes u in a piece, strip by strip in cache: once to measure it, once more to apply it.
func (o *adafactor[T]) walk(p *piece[T], apply bool) {
	m := p.of
	p.u2 = 0
	var quotients, roots [stripSize]T
	use := func(at int, u []T) {
		if !apply {
			p.u2 += kernel.Dot64(u, u)
			return
		}
		x := o.x[m.at+at:][:len(u)]
		kernel.Axpby(x, m.keep, x, m.step, u)
	}
	if m.row == nil {
		c := kernel.RootQuotientCoefficients[T]{Bottom: T(o.set.Eps1 * o.set.Eps1)}
		for at := p.at; at < p.at+p.n; at += stripSize {
			u := quotients[:min(stripSize, p.at+p.n-at)]
			kernel.RootQuotientUpdate(u, o.grad[m.at+at:][:len(u)], m.col[at:][:len(u)], c)
			use(at, u)
		}
		return
	}
	// The inverse root of v is that of r times that of c.
	c := kernel.FactoredQuotientCoefficients[T]{Row: 1, Top: T(1 / o.set.Eps1)}
	strip := func(at int, w []T) {
		u := quotients[:len(w)]
		kernel.FactoredQuotientUpdate(u, o.grad[m.at+at:][:len(w)], w, c)
		use(at, u)
	}
	factor := func(row int) T {
		return T(math.Sqrt(max(o.set.Eps1, m.mean[row/m.rows]) / float64(m.row[row])))
	}
	columns := func(row int) []T { return m.root[row/m.rows*m.cols:][:m.cols] }
	first, end := p.at/m.cols, (p.at+p.n)/m.cols
	if m.cols < shortRow {
		each := stripSize / m.cols
		for lo := first; lo < end; lo += each {
			hi := min(end, lo+each)
			w := roots[:(hi-lo)*m.cols]
			for row := lo; row < hi; row++ {
				f, into := factor(row), w[(row-lo)*m.cols:][:m.cols]
				for j, v := range columns(row) {
					into[j] = T(f * v)
				}
			}
			strip(lo*m.cols, w)
		}
		return
	}
	for row := first; row < end; row++ {
		c.Row = factor(row)
		for at := 0; at < m.cols; at += stripSize {
			strip(row*m.cols+at, columns(row)[at:min(m.cols, at+stripSize)])
		}
	}
}
