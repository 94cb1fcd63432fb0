package kernel

import "unsafe"

// Sparse is the plan of a matrix of which only what is not 0 is kept, row by row:
// data that is mostly 0, such as the pixels of digits, multiplies faster so. It
// lies in a slice of numbers that [Sparse.Size] tells the length of: the number
// of entries of each row, their columns and their values, with room for a full
// row.
type Sparse[T Float] struct {
	rows, cols int
	room       int // entries that a row has room for: whole vectors are written
}

// SparseShare is the share of numbers other than 0 up to which the product with a
// sparse matrix takes less time than that with a dense one, by a good margin.
const SparseShare = 0.3

// NewSparse plans a matrix of the given shape.
func NewSparse[T Float](rows, cols int) *Sparse[T] {
	return &Sparse[T]{rows, cols, (cols+15)/16*16 + 16}
}

// Size is the number of elements that the matrix takes.
func (s *Sparse[T]) Size() int {
	_, _, end := s.places()
	return end
}

// places are where indices, values and the end are, in elements.
func (s *Sparse[T]) places() (index, value, end int) {
	words := sizeof[T]() / 4
	index = (s.rows + words - 1) / words
	value = index + s.rows*s.room/words
	return index, value, value + s.rows*s.room
}

// parts are the three parts of mem.
func (s *Sparse[T]) parts(mem []T) (count, index []int32, value []T) {
	i, v, end := s.places()
	return integers(mem[:i])[:s.rows], integers(mem[i:v]), mem[v:end]
}

// integers is the memory of x as integers of 4 bytes.
func integers[T Float](x []T) []int32 {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Slice((*int32)(unsafe.Pointer(&x[0])), len(x)*sizeof[T]()/4)
}

// SetDense says that the matrix was not compressed: its share is 1.
func (s *Sparse[T]) SetDense(mem []T) {
	if count, _, _ := s.parts(mem); len(count) > 0 {
		count[0] = -1
	}
}

// Share is the share of numbers that are not 0.
func (s *Sparse[T]) Share(mem []T) float64 {
	count, _, _ := s.parts(mem)
	if len(count) > 0 && count[0] < 0 {
		return 1
	}
	n := 0
	for _, c := range count {
		n += int(c)
	}
	return float64(n) / float64(max(1, s.rows*s.cols))
}

// compressRows is how many rows of a transposed matrix are made rows at a time.
const compressRows = 16

// Scratch is the number of elements that Compress needs as scratch.
func (s *Sparse[T]) Scratch() int { return compressRows * s.cols }

// Compress fills the rows [lo, hi) from the matrix x, which lies by rows or by
// columns. A number is dropped if it is 0 or -0.
func (s *Sparse[T]) Compress(mem []T, x []T, m Mat, scratch []T, lo, hi int) {
	count, index, value := s.parts(mem)
	if s.cols == 0 {
		clear(count[lo:hi])
		return
	}
	for ; lo < hi; lo += compressRows {
		rows := min(compressRows, hi-lo)
		from, row := x[lo*m.Row:], m.Row
		if m.Col != 1 && s.cols > 1 {
			if m.Row != 1 {
				for i := range rows {
					for j := range s.cols {
						scratch[i*s.cols+j] = from[i*m.Row+j*m.Col]
					}
				}
			} else {
				// Columns of rows numbers become rows.
				Transpose(scratch, s.cols, from, m.Col, s.cols, rows)
			}
			from, row = scratch, s.cols
		}
		for i := range rows {
			at := (lo + i) * s.room
			count[lo+i] = int32(compress(index[at:at+s.room], value[at:at+s.room], from[i*row:][:s.cols]))
		}
	}
}

// compress lists the numbers of a row that are not 0.
func compress[T Float](index []int32, value, row []T) int {
	n, done := compressAsm(index, value, row)
	for j, v := range row[done:] {
		index[n], value[n] = int32(done+j), v
		if v != 0 {
			n++
		}
	}
	return n
}

// SparseGemm is a plan for products C = A B of a sparse A [m, k] and a B [k, n]
// and C with contiguous rows. Units are cut by shape alone. Each element of C
// adds its products in the order of k.
type SparseGemm[T Float] struct {
	a            *Sparse[T]
	n, b, c      int
	rows, cols   int // of a unit
	down, across int
	lanes        int
}

// stripVectors is the largest number of vectors that a strip of columns has.
const stripVectors = 8

// NewSparseGemm plans a product. b and c are the numbers of elements from a row to
// the next.
func NewSparseGemm[T Float](a *Sparse[T], n, b, c int) *SparseGemm[T] {
	g := &SparseGemm[T]{a: a, n: n, b: b, c: c, lanes: tileOf[T]().lanes}
	if a.rows == 0 || n == 0 {
		return g
	}
	g.across, g.cols = cut(n, stripVectors*g.lanes, g.lanes)
	work := a.rows * g.cols * max(a.cols, 1) / 4
	g.down = max(work/unitWork, (minUnits+g.across-1)/g.across)
	g.down = max(1, min(g.down, work/minWork, a.rows))
	g.rows = (a.rows + g.down - 1) / g.down
	g.down = (a.rows + g.rows - 1) / g.rows
	return g
}

// Units is the number of calls of Do that make a product.
func (g *SparseGemm[T]) Units() int { return g.down * g.across }

// Down is the number of units that share a strip of columns of B. They follow each
// other.
func (g *SparseGemm[T]) Down() int { return max(g.down, 1) }

// Block gives the rows [r0, r1) and columns [c0, c1) of C that a unit computes.
func (g *SparseGemm[T]) Block(unit int) (r0, r1, c0, c1 int) {
	r0, c0 = unit%g.down*g.rows, unit/g.down*g.cols
	return r0, min(g.a.rows, r0+g.rows), c0, min(g.n, c0+g.cols)
}

// Scratch is the number of elements that Do needs as scratch.
func (g *SparseGemm[T]) Scratch() int {
	if !g.packs() {
		return 0
	}
	return g.a.cols * g.cols
}

// packs tells whether units copy their columns of B together: rows a power of two
// apart share few places in a cache, and rows a page apart are slow to find.
func (g *SparseGemm[T]) packs() bool {
	return level != Generic && g.n > g.cols && g.rows >= sparsePackRows
}

// sparsePackRows is how many rows repay it.
const sparsePackRows = 128

// Do computes a unit: it sets its block of C to that of A B, or adds it if add.
// held is the strip of columns of B that scratch holds packed, or -1.
func (g *SparseGemm[T]) Do(unit int, a, b, c, scratch []T, add bool, held *int) {
	r0, r1, c0, c1 := g.Block(unit)
	count, index, value := g.a.parts(a)
	if g.a.cols == 0 {
		for r := r0; r < r1 && !add; r++ {
			clear(c[r*g.c+c0 : r*g.c+c1])
		}
		return
	}
	if g.n == 1 {
		sparseVector(count[r0:r1], index[r0*g.a.room:], value[r0*g.a.room:], g.a.room, b, g.b, c[r0*g.c:], g.c, add)
		return
	}
	b, row := b[c0:(g.a.cols-1)*g.b+c1], g.b
	if g.packs() {
		row = c1 - c0
		if *held != unit/g.down {
			for p := range g.a.cols {
				copy(scratch[p*row:][:row], b[p*g.b:])
			}
			*held = unit / g.down
		}
		b = scratch[:g.a.cols*row]
	}
	s := strip[T]{count[r0:r1], index[r0*g.a.room:], value[r0*g.a.room:], g.a.room, b, row, c[r0*g.c+c0:], g.c, c1 - c0}
	if s.asm(add) {
		return
	}
	for r, n := range s.count {
		to := s.c[r*s.cRow:][:s.cols]
		if !add {
			clear(to)
		}
		for e := range n {
			from := s.b[int(s.index[r*s.room+int(e)])*s.bRow:][:s.cols]
			v := s.value[r*s.room+int(e)]
			for j, w := range from {
				to[j] += v * w
			}
		}
	}
}

// sparseVector is the product of rows with one column. Four sums, of every fourth
// entry each, do not wait for one another.
func sparseVector[T Float](count, index []int32, value []T, room int, b []T, bRow int, c []T, cRow int, add bool) {
	for r, n := range count {
		at, v := index[r*room:][:n], value[r*room:][:n]
		var s [4]T
		for len(at) >= 4 && len(v) >= 4 {
			s[0] += T(v[0] * b[int(at[0])*bRow])
			s[1] += T(v[1] * b[int(at[1])*bRow])
			s[2] += T(v[2] * b[int(at[2])*bRow])
			s[3] += T(v[3] * b[int(at[3])*bRow])
			at, v = at[4:], v[4:]
		}
		for e, j := range at {
			s[e] += T(v[e] * b[int(j)*bRow])
		}
		sum := (s[0] + s[1]) + (s[2] + s[3])
		if add {
			sum += c[r*cRow]
		}
		c[r*cRow] = sum
	}
}

// strip is a unit at work.
type strip[T Float] struct {
	count, index []int32
	value        []T
	room         int
	b            []T
	bRow         int
	c            []T
	cRow, cols   int
}
