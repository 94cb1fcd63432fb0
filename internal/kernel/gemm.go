package kernel

import "unsafe"

//go:generate go run ./gen

// A Mat says how a matrix lies in a slice that begins at its first element:
// element (i, j) is at i*Row + j*Col. A transpose swaps the two.
type Mat struct{ Row, Col int }

// Gemm is a plan for products C = A B of one shape and layout, A [m, k], B [k, n]
// and C [m, n] with contiguous rows. Zero value aside, make one with [NewGemm].
//
// The product is cut into units by shape alone; they may run in any order and
// on any core. Each element of C adds its k products in the order of k, but where it
// is one of a vector that takes contiguous rows by another: those are added like [Dot].
type Gemm[T Float] struct {
	units
	m, n, k int
	a, b    Mat
	c       int // elements from a row of C to the next
	packing packing
	group   int  // tiles of rows that the panels of B go by together; 0: a unit's
	byRows  bool // A's columns, which are contiguous, are packed tile by tile
	tile    tileShape
	dots    bool // C is a vector of products of contiguous rows and columns
	turned  bool // the plan is that of the transposes, whose C is a row
}

// packing says how a unit reads its columns of B.
type packing uint8

const (
	inPlace   packing = iota
	copied            // rows are contiguous, but far apart or at a bad stride
	gathered          // any strides
	reflected         // columns are contiguous
)

const (
	// UnitCols is how many columns a unit has at most, but where A has to be packed or
	// comes from far, which wideCols of them repay better: those of B that it reads stay
	// in the second-level cache while the rows of A go by.
	UnitCols = 64
	wideCols = 256
	// A unit is about unitWork multiplications, so that one core does not wait
	// long for the other's last one, unless that would leave fewer than minUnits, or
	// than fineUnits of fineWork at least; none is smaller than minWork, which takes
	// some microseconds.
	unitWork            = 6 << 20
	minUnits, minWork   = 8, 128 << 10
	fineUnits, fineWork = 32, 1 << 20
	// packBytes is the size of B from which its columns are packed: rows that far
	// apart, and so many pages, are slow to come from where they are, the more so the
	// busier the machine.
	packBytes = 1 << 20
	packRows  = 192 // fewer rows than this do not repay packing, unless B is crowded
	// wayBytes is what a way of the second-level cache has, about: lines so far apart, or
	// a power of two less, share its places.
	wayBytes = 128 << 10
	// With slabs narrower than a unit, every row of one is a line of memory of its
	// own, far from the next: that repays sooner.
	slabRows, slabDepth = 48, 64
	packedRows          = 8 // room for those of A in a tile
	// Rows of A stay in the second-level cache by groups of tiles, each of which reads a
	// strip of B once more; many rows in a unit, which is the larger for it.
	groupBytes, groupWork = 288 << 10, 8 << 20
	// An A of so many bytes comes from far for each strip of B: there are fewer, wider
	// ones then, and larger units.
	farBytes, farWork = 8 << 20, 128 << 20
)

// NewGemm plans products of the given shape. c is the number of elements from a
// row of C to the next.
func NewGemm[T Float](m, n, k int, a, b Mat, c int) *Gemm[T] {
	if n == 1 && m > 1 && c == 1 && a.Row == 1 && a.Col != 1 {
		g := NewGemm[T](1, m, k, Mat{k, b.Row}, Mat{a.Col, 1}, m)
		g.turned = true
		return g
	}
	g := &Gemm[T]{m: m, n: n, k: k, a: a, b: b, c: c, tile: tileOf[T]()}
	if m == 0 || n == 0 {
		return g
	}
	limit, most := UnitCols, unitWork
	if g.tile.slab < UnitCols {
		most = groupWork
		if g.byRows = a.Row == 1 && a.Col != 1 && n > g.tile.slab && m > packedRows && k >= slabDepth; g.byRows {
			limit, most = wideCols, 2*groupWork
		}
		if m*k*sizeof[T]() >= farBytes {
			limit, most = wideCols, farWork
		}
		high := g.tile.heights[len(g.tile.heights)-1]
		g.group = min(max(groupBytes/sizeof[T]()/(max(k, 1)*high), 1), 64)
	}
	g.across, g.cols = cut(n, limit, g.tile.lanes)
	work := m * g.cols * max(k, 1)
	least := func(units int) int { return (units + g.across - 1) / g.across }
	g.down = max(work/most, least(minUnits), min(least(fineUnits), work/fineWork))
	g.dots = (m == 1 || n == 1) && a.Col == 1 && b.Row == 1
	finest := (m + 11) / 12
	if g.dots {
		finest = m
	}
	g.down = max(1, min(g.down, work/minWork, finest))
	g.rows = (m + g.down - 1) / g.down
	if high := g.tile.heights[len(g.tile.heights)-1]; (g.group > 0 || g.across > 1) && g.down > 1 {
		g.rows = (g.rows + high - 1) / high * high // whole tiles
	}
	g.down = (m + g.rows - 1) / g.rows
	g.cutBands(m, n, k, sizeof[T]())
	switch {
	case g.dots: // in place
	case b.Col != 1 && n > 1 && b.Row == 1:
		g.packing = reflected
	case b.Col != 1 && n > 1:
		g.packing = gathered
	case g.tile.slab < UnitCols && n > g.tile.slab && m >= slabRows && k >= slabDepth:
		g.packing = copied
	case crowded(m, k, b.Row*sizeof[T](), g.cols*sizeof[T]()):
		g.packing = copied
	case m < packRows:
	case k*n*sizeof[T]() > packBytes, n > g.tile.lanes && k > 64 && b.Row*sizeof[T]()%4096 == 0:
		g.packing = copied
	case n > UnitCols && k > 64 && b.Row%g.tile.lanes != 0: // most vectors lie in two lines
		g.packing = copied
	}
	return g
}

// crowded tells whether a strip of B, k rows of so many bytes which begin row bytes apart,
// has so few places in the second-level cache that parts of it come from farther away
// each time that rows of A go by. Up to half of 16 ways that does no harm; the more of
// them beyond, the fewer rows repay packing.
func crowded(m, k, row, width int) bool {
	apart := row & -row // rows begin at multiples of it
	ways := k * max(apart, width) / wayBytes
	return m*(ways-8) > 256
}

// cut gives the number of parts, and the size of all but the last, that n falls
// into: of at most limit each, multiples of lanes, as equal as can be.
func cut(n, limit, lanes int) (count, each int) {
	count = (n + limit - 1) / limit
	each = (n + count - 1) / count
	each = (each + lanes - 1) / lanes * lanes
	return (n + each - 1) / each, each
}

// CutLike gives g the units of h, a plan of the same m and n: both can then add
// to one block.
func (g *Gemm[T]) CutLike(h *Gemm[T]) {
	g.units = h.units
	if g.turned != h.turned { // there is one row, or one column, of units
		g.down, g.across, g.rows, g.cols = h.across, h.down, h.cols, h.rows
	}
}

// Scratch is the number of elements that Do needs as scratch.
func (g *Gemm[T]) Scratch() int {
	n := 0
	if g.packing != inPlace {
		n += g.k * g.packedCols()
	}
	if g.byRows {
		n += g.k * packedRows * g.group
	}
	return n
}

// packedCols is the number of columns that there is room for in scratch.
func (g *Gemm[T]) packedCols() int {
	return (g.cols + g.tile.slab - 1) / g.tile.slab * g.tile.slab
}

// Block gives the rows [r0, r1) and columns [c0, c1) of C that a unit computes.
func (g *Gemm[T]) Block(unit int) (r0, r1, c0, c1 int) {
	r0, r1, c0, c1 = g.block(unit, g.m, g.n)
	if g.turned {
		return c0, c1, r0, r1
	}
	return r0, r1, c0, c1
}

// Do computes a unit: it sets its block of C to that of A B, or adds it if add.
// C shares no memory with A or B. held is the strip of columns of B that scratch
// holds packed, or -1: units that follow each other share one. If it is nil,
// scratch holds none.
func (g *Gemm[T]) Do(unit int, a, b, c, scratch []T, add bool, held *int) {
	r0, r1, c0, c1 := g.block(unit, g.m, g.n)
	if g.turned {
		a, b = b, a
	}
	c = c[r0*g.c+c0:]
	if g.k == 0 {
		for r := r0; r < r1 && !add; r++ {
			clear(c[(r-r0)*g.c:][:c1-c0])
		}
		return
	}
	a = a[r0*g.a.Row:]
	if g.dots {
		g.dot(a, b[c0*g.b.Col:], c, r1-r0, c1-c0, add)
		return
	}
	whole := b
	b = b[c0*g.b.Col:]
	t := block{rows: r1 - r0, cols: c1 - c0, k: g.k, segments: 1, aRow: g.a.Row, aCol: g.a.Col, bRow: g.b.Row, cRow: g.c}
	if g.packing != inPlace {
		t.bRow = min(g.tile.slab, (c1-c0+g.tile.lanes-1)/g.tile.lanes*g.tile.lanes)
		t.slab = g.tile.slab
		_, strip := g.place(unit)
		if held == nil || *held != strip {
			g.pack(scratch, t.bRow, b, c1-c0)
		}
		if held != nil {
			*held = strip
		}
		b, scratch = scratch, scratch[g.k*g.packedCols():]
	}
	t.plan(g.tile)
	t.ahead = g.ahead(unit, whole)
	if g.group == 0 {
		run(&t, g.tile, a, b, c, add)
		return
	}
	if !g.byRows {
		scratch = nil
	}
	runInGroups(&t, g.tile, g.group, a, b, c, scratch, add)
}

// dot computes a block as products of vectors: of rows of A by the column of B, or of
// the row of A by columns of B.
func (g *Gemm[T]) dot(a, b, c []T, rows, cols int, add bool) {
	x, y, row, n, to := a, b, g.a.Row, rows, g.c
	if g.n > 1 {
		x, y, row, n, to = b, a, g.b.Col, cols, 1
	}
	var sums [rowsAtOnce]float64
	for i := 0; i < n; i += rowsAtOnce {
		part := sums[:min(rowsAtOnce, n-i)]
		dotRows(part, x[i*row:], row, y, g.k)
		for j, s := range part {
			v := &c[(i+j)*to]
			if add {
				*v += T(s)
			} else {
				*v = T(s)
			}
		}
	}
}

// ahead gives the part of the next strip of B to ask for in a unit: the units of
// a strip have it all. Rows in one page after another are known to no prefetcher
// of the processor.
func (g *Gemm[T]) ahead(unit int, b []T) rowsAhead {
	row, strip := g.place(unit)
	first, parts := g.band(unit)
	part, strip := row-first, strip+1
	if strip >= g.across || g.packing != copied && g.packing != reflected {
		return rowsAhead{}
	}
	c0 := strip * g.cols
	rows, step, length := g.k, g.b.Row, min(g.n-c0, g.cols)
	if g.packing == reflected {
		rows, step, length = length, g.b.Col, g.k
	}
	from := rows * part / parts
	n := rows*(part+1)/parts - from
	if n == 0 {
		return rowsAhead{}
	}
	size := sizeof[T]()
	return rowsAhead{unsafe.Pointer(&b[c0*g.b.Col+from*step]), n, step * size, length * size}
}

// pack copies cols columns of B to dst, slab by slab, whose rows are row elements
// long.
func (g *Gemm[T]) pack(dst []T, row int, b []T, cols int) {
	slab := g.tile.slab
	switch {
	case g.packing == copied && slab == UnitCols:
		if row == cols {
			copyRows(dst, b, g.b.Row, cols, g.k)
			return
		}
		for p := range g.k {
			copy(dst[p*row:][:cols], b[p*g.b.Row:])
		}
		return
	case g.packing == copied:
		whole := cols / slab
		if whole > 0 {
			spread(dst, slab*g.k, slab, b, g.b.Row, whole*slab, whole, g.k)
		}
		if rest := cols - whole*slab; rest > 0 {
			spread(dst[whole*slab*g.k:], 0, row, b[whole*slab:], g.b.Row, rest, 1, g.k)
		}
		return
	}
	for j := 0; j < cols; j += slab {
		to, from, width := dst[j*g.k:], b[j*g.b.Col:], min(slab, cols-j)
		if g.packing == reflected {
			Transpose(to, row, from, g.b.Col, width, g.k)
			continue
		}
		for p := range g.k {
			for i := range width {
				to[p*row+i] = from[p*g.b.Row+i*g.b.Col]
			}
		}
	}
}

// Whole computes all units in turn.
func (g *Gemm[T]) Whole(a, b, c, scratch []T, add bool) {
	held := -1
	for u := range g.Units() {
		g.Do(u, a, b, c, scratch, add, &held)
	}
}
