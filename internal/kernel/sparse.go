package kernel

import "unsafe"

// Sparse is the plan of a matrix of which only what is not 0 is kept, row by row:
// data that is mostly 0, such as the pixels of digits, multiplies faster so. It
// lies in a slice of numbers that [Sparse.Size] tells the length of: marks in the
// list of each row's entries, their columns and their values, with room for a full
// row.
type Sparse[T Float] struct {
	rows, cols int
	room       int // entries that a row has room for: whole vectors are written
	blocks     int // a row's marks are the entries before each, and all
	block      int // columns, in whole vectors
}

// sparseBlock is how many columns of a sparse matrix at most meet as many rows of a
// strip of B that stay in the first-level cache, or nearly: 24 KB with AVX2, 48 KB
// with AVX-512. Half as many come and go too often.
const sparseBlock = 96

// SparseShare is the share of numbers other than 0 up to which the product with a
// sparse matrix takes less time than that with a dense one, by a good margin.
const SparseShare = 0.3

// NewSparse plans a matrix of the given shape.
func NewSparse[T Float](rows, cols int) *Sparse[T] {
	s := &Sparse[T]{rows: rows, cols: cols, room: (cols+15)/16*16 + 16, block: 16}
	if cols > 0 {
		s.blocks, s.block = cut(cols, sparseBlock, 16)
	}
	return s
}

// Size is the number of elements that the matrix takes.
func (s *Sparse[T]) Size() int {
	_, _, end := s.places()
	return end
}

// places are where indices, values and the end are, in elements.
func (s *Sparse[T]) places() (index, value, end int) {
	words := sizeof[T]() / 4
	const line = 16 // words: each row's lists begin at one
	index = (s.rows*(s.blocks+1) + line - 1) / line * line / words
	value = index + s.rows*s.room/words
	return index, value, value + s.rows*s.room
}

// parts are the three parts of mem.
func (s *Sparse[T]) parts(mem []T) (mark, index []int32, value []T) {
	i, v, end := s.places()
	return integers(mem[:i])[:s.rows*(s.blocks+1)], integers(mem[i:v]), mem[v:end]
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
	if mark, _, _ := s.parts(mem); len(mark) > 0 {
		mark[0] = -1
	}
}

// Share is the share of numbers that are not 0.
func (s *Sparse[T]) Share(mem []T) float64 {
	mark, _, _ := s.parts(mem)
	if len(mark) > 0 && mark[0] < 0 {
		return 1
	}
	n := 0
	for r := range s.rows {
		n += int(s.count(mark, r))
	}
	return float64(n) / float64(max(1, s.rows*s.cols))
}

// count is the number of entries of a row.
func (s *Sparse[T]) count(mark []int32, row int) int32 { return mark[row*(s.blocks+1)+s.blocks] }

const (
	// compressRows is how many rows of a transposed matrix are made rows at a time.
	compressRows = 16
	// compressAhead is how many columns they have at most that the first-level cache
	// holds the next ones beside them.
	compressAhead = 256
)

// Scratch is the number of elements that Compress needs as scratch.
func (s *Sparse[T]) Scratch() int { return compressRows * s.cols }

// Compress fills the rows [lo, hi) from the matrix x, which lies by rows or by
// columns. A number is dropped if it is 0 or -0.
func (s *Sparse[T]) Compress(mem []T, x []T, m Mat, scratch []T, lo, hi int) {
	mark, index, value := s.parts(mem)
	if s.cols == 0 {
		clear(mark[lo:hi])
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
				// Columns of rows numbers become rows. Another core may have written the next.
				if s.cols <= compressAhead && rows < hi-lo {
					prefetchColumns(from[rows:], m.Col, s.cols)
				}
				Transpose(scratch, s.cols, from, m.Col, s.cols, rows)
			}
			from, row = scratch, s.cols
		}
		s.compress(mark[lo*(s.blocks+1):], index[lo*s.room:], value[lo*s.room:], from, row, rows)
	}
}

// compress lists the numbers that are not 0 of rows of x, row elements apart.
func (s *Sparse[T]) compress(mark, index []int32, value, x []T, row, rows int) {
	if s.compressAsm(mark, index, value, x, row, rows) {
		return
	}
	for i := range rows {
		mark, index, value := mark[i*(s.blocks+1):][:s.blocks+1], index[i*s.room:], value[i*s.room:]
		n := 0
		for j, v := range x[i*row:][:s.cols] {
			if j%s.block == 0 {
				mark[j/s.block] = int32(n)
			}
			index[n], value[n] = int32(j), v
			if v != 0 {
				n++
			}
		}
		mark[s.blocks] = int32(n)
	}
}

// SparseGemm is a plan for products C = A B of a sparse A [m, k] and a B [k, n]
// and C with contiguous rows. Units are cut by shape alone. Each element of C
// adds its products in the order of k.
type SparseGemm[T Float] struct {
	units
	a       *Sparse[T]
	n, b, c int
	lanes   int
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
	least := func(units int) int { return (units + g.across - 1) / g.across }
	g.down = max(work/unitWork, least(minUnits), min(least(fineUnits), a.rows/sparsePackRows))
	g.down = max(1, min(g.down, work/minWork, a.rows))
	g.rows = (a.rows + g.down - 1) / g.down
	g.down = (a.rows + g.rows - 1) / g.rows
	g.cutBands(a.rows, n, a.cols, sizeof[T]())
	return g
}

// Block gives the rows [r0, r1) and columns [c0, c1) of C that a unit computes.
func (g *SparseGemm[T]) Block(unit int) (r0, r1, c0, c1 int) {
	return g.block(unit, g.a.rows, g.n)
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

const (
	// sparsePackRows is how many rows repay it, and that blocks of a strip come into
	// the first-level cache one after another.
	sparsePackRows = 64
	// sparseNear is how many bytes of a strip are there as a whole.
	sparseNear = 32 << 10
)

// step is how many blocks a unit goes through at a time, with rows of B that many
// elements apart.
func (g *SparseGemm[T]) step(row int) int {
	if g.rows >= sparsePackRows && g.a.cols*row*sizeof[T]() > sparseNear {
		return 1
	}
	return g.a.blocks
}

// Do computes a unit: it sets its block of C to that of A B, or adds it if add.
// held is the strip of columns of B that scratch holds packed, or -1.
func (g *SparseGemm[T]) Do(unit int, a, b, c, scratch []T, add bool, held *int) {
	r0, r1, c0, c1 := g.Block(unit)
	mark, index, value := g.a.parts(a)
	marks := g.a.blocks + 1
	if g.a.cols == 0 {
		for r := r0; r < r1 && !add; r++ {
			clear(c[r*g.c+c0 : r*g.c+c1])
		}
		return
	}
	if g.n == 1 {
		sparseVector(mark[r0*marks+marks-1:], marks, r1-r0, index[r0*g.a.room:], value[r0*g.a.room:], g.a.room, b, g.b, c[r0*g.c:], g.c, add)
		return
	}
	b, row := b[c0:(g.a.cols-1)*g.b+c1], g.b
	if g.packs() {
		row = c1 - c0
		if _, strip := g.place(unit); *held != strip {
			copyRows(scratch, b, g.b, row, g.a.cols)
			*held = strip
		}
		b = scratch[:g.a.cols*row]
	}
	s := strip[T]{mark[r0*marks : r1*marks], marks, index[r0*g.a.room:], value[r0*g.a.room:], g.a.room, b, row, c[r0*g.c+c0:], g.c, c1 - c0}
	if level != Generic {
		// Sums go on from block to block, so that their order is that of k.
		step := g.step(row)
		for from := 0; from < g.a.blocks; from += step {
			s.asm(from, from+step, add || from > 0)
		}
		return
	}
	for r := range r1 - r0 {
		to := s.c[r*s.cRow:][:s.cols]
		if !add {
			clear(to)
		}
		for e := range s.mark[(r+1)*marks-1] {
			from := s.b[int(s.index[r*s.room+int(e)])*s.bRow:][:s.cols]
			v := s.value[r*s.room+int(e)]
			for j, w := range from {
				to[j] += v * w
			}
		}
	}
}

// sparseVector is the product of rows with one column. Four sums, of every fourth
// entry each, do not wait for one another. count has the number of entries of every
// so many rows.
func sparseVector[T Float](count []int32, counts, rows int, index []int32, value []T, room int, b []T, bRow int, c []T, cRow int, add bool) {
	for r := range rows {
		n := count[r*counts]
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
	mark       []int32
	marks      int // of a row
	index      []int32
	value      []T
	room       int
	b          []T
	bRow       int
	c          []T
	cRow, cols int
}
