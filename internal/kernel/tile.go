package kernel

import "unsafe"

// block multiplies a part of A and a part of B that are read where they lie:
// C = A B or C += A B for a [rows, cols] block of C. k counts the steps of one
// segment; behind each segment the places in A and B jump, by which a
// convolution is a product whose A is the image. Sizes are in elements.
type block struct {
	rows, cols   int
	k, segments  int
	aRow, aCol   int // from a row of A to the next, and from a step of k to the next
	aJump, bJump int
	bRow, cRow   int
	tiles, aTile int // A comes packed in so many tiles, and the elements from one to the next; 0: it does not
	slab         int // columns of B that lie together, one such slab behind the other; 0: its rows lie whole
	panels       int // cols fall into so many strips of tiles
	ahead        rowsAhead
}

// rowsAhead are the rows of memory that the next blocks read, which come from far
// meanwhile: some of them are asked for with each tile.
type rowsAhead struct {
	from     unsafe.Pointer
	n        int // rows, 0 for none
	row, len int // bytes from one to the next and of each
}

// part is the share [i, j) of n of them.
func (a rowsAhead) part(i, j, n int) rowsAhead {
	i, j = a.n*i/n, a.n*j/n
	if i == j {
		return rowsAhead{}
	}
	a.from, a.n = unsafe.Add(a.from, i*a.row), j-i
	return a
}

// tileShape bounds the tiles of C that are held in registers.
type tileShape struct {
	lanes   int   // columns in a vector
	heights []int // largest number of rows for each number of vectors
	slab    int   // columns of B to pack together: a multiple of those of the widest tile
}

// cycles is the time of a step of k in a tile of h rows and nv vectors: two
// multiply-adds a cycle, if there are enough of them to hide that each takes
// four; a vector of B and two numbers of A read in a cycle.
func (s tileShape) cycles(h, nv int) int { return max(h*nv, 2*nv+h, 8) }

// plan chooses how many strips of tiles the columns fall into.
func (b *block) plan(s tileShape) {
	vectors := (b.cols + s.lanes - 1) / s.lanes
	best := 0
	strip := func(nv int) int {
		tiles := (b.rows + s.heights[nv-1] - 1) / s.heights[nv-1]
		low := b.rows / tiles
		tall := b.rows - tiles*low // tiles of one row more
		return tall*s.cycles(low+1, nv) + (tiles-tall)*s.cycles(low, nv)
	}
	for panels := (vectors + len(s.heights) - 1) / len(s.heights); panels <= vectors; panels++ {
		nv, wider := vectors/panels, vectors%panels // panels of one vector more
		cost := (panels - wider) * strip(nv)
		if wider > 0 {
			cost += wider * strip(nv+1)
		}
		if b.panels == 0 || cost < best {
			b.panels, best = panels, cost
		}
	}
}

// reach is the number of elements of A, B and C from the first to the last one.
func (b *block) reach() (na, nb, nc int) {
	n := b.segments - 1
	at, cols := b.inSlab(b.cols - 1)
	if b.tiles > 0 {
		return b.tiles * b.aTile, at + (b.k-1)*b.bRow + cols + 1, (b.rows-1)*b.cRow + b.cols
	}
	return n*(b.k*b.aCol+b.aJump) + (b.k-1)*b.aCol + (b.rows-1)*b.aRow + 1,
		n*(b.k*b.bRow+b.bJump) + at + (b.k-1)*b.bRow + cols + 1,
		(b.rows-1)*b.cRow + b.cols
}

// inSlab gives where in B the slab of a column begins, and the column in it.
func (b *block) inSlab(column int) (at, inside int) {
	if b.slab == 0 {
		return 0, column
	}
	inside = column % b.slab
	return (column - inside) * b.k, inside
}

// run computes the block. Neither it nor k is empty.
func run[T Float](b *block, s tileShape, x, y, c []T, add bool) {
	na, nb, nc := b.reach()
	x, y, c = x[:na], y[:nb], c[:nc] // what the kernels touch, checked once
	vectors := (b.cols + s.lanes - 1) / s.lanes
	for at, p := 0, b.panels; p > 0; p-- {
		nv := (vectors + p - 1) / p
		vectors -= nv
		cols := min(nv*s.lanes, b.cols-at)
		tiles := b.tiles
		if tiles == 0 {
			tiles = (b.rows + s.heights[nv-1] - 1) / s.heights[nv-1]
		}
		slab, column := b.inSlab(at)
		from := y[slab+column:]
		if level == Generic {
			for r := 0; tiles > 0; tiles-- {
				h := (b.rows - r + tiles - 1) / tiles
				tileGo(b, h, cols, x[r*b.aRow:], from, c[r*b.cRow+at:], add)
				r += h
			}
		} else {
			ahead := b.ahead.part(b.panels-p, b.panels-p+1, b.panels)
			tilesAsm(b, ahead, tiles, nv, cols-(nv-1)*s.lanes, x, from, c[at:], add)
		}
		at += cols
	}
}

// runInGroups computes the block by groups of so many tiles of rows, whose part of A
// stays in the second-level cache while the panels of B go by. With scratch that part
// is packed to it tile by tile, packedRows numbers for each step of k: A's columns
// then are contiguous, but far apart.
func runInGroups[T Float](b *block, s tileShape, group int, x, y, c, scratch []T, add bool) {
	most := s.heights[len(s.heights)-1]
	part := *b
	if scratch != nil {
		part.aRow, part.aCol, part.aTile = 1, packedRows, b.k*packedRows
	}
	for r, tiles := 0, (b.rows+most-1)/most; tiles > 0; {
		n := min(group, tiles)
		part.rows = (b.rows - r) * n / tiles
		tiles -= n
		part.ahead = b.ahead.part(r, r+part.rows, b.rows)
		if scratch == nil {
			if b.ahead.n == 0 && b.aCol == 1 {
				part.ahead = following(b, x, r+part.rows, n*most)
			}
			run(&part, s, x[r*b.aRow:], y, c[r*b.cRow:], add)
		} else {
			spread(scratch, part.aTile, packedRows, x[r:], b.aCol, part.rows, n, b.k)
			part.tiles = n
			run(&part, s, scratch, y, c[r*b.cRow:], add)
		}
		r += part.rows
	}
}

// following are up to n rows of A from row r on: those of the next group, in this
// block or behind it.
func following[T Float](b *block, x []T, r, n int) rowsAhead {
	if b.aRow < b.k {
		return rowsAhead{}
	}
	if n = min(n, (len(x)-b.k)/b.aRow+1-r); n <= 0 {
		return rowsAhead{}
	}
	size := sizeof[T]()
	return rowsAhead{unsafe.Pointer(&x[r*b.aRow]), n, b.aRow * size, b.k * size}
}

// goTile are the tiles of the version in plain Go.
var goTile = tileShape{4, []int{4}, UnitCols}

// tileGo computes a tile of h x w elements, at most 4 x 4.
func tileGo[T Float](b *block, h, w int, x, y, c []T, add bool) {
	var s [4][4]T
	for i, j := 0, 0; i < b.segments; i++ {
		from := y[i*(b.k*b.bRow+b.bJump):]
		if h == 4 && w == 4 {
			tile4x4(&s, b, x[j:], from)
		} else {
			tileEdge(&s, b, h, w, x[j:], from)
		}
		j += b.k*b.aCol + b.aJump
	}
	for i := range h {
		row := c[i*b.cRow:][:w]
		for j := range row {
			if add {
				row[j] += s[i][j]
			} else {
				row[j] = s[i][j]
			}
		}
	}
}

func tile4x4[T Float](s *[4][4]T, b *block, x, y []T) {
	for p := range b.k {
		r := y[p*b.bRow:][:4]
		b0, b1, b2, b3 := r[0], r[1], r[2], r[3]
		for i := range s {
			v := x[i*b.aRow+p*b.aCol]
			s[i][0] += v * b0
			s[i][1] += v * b1
			s[i][2] += v * b2
			s[i][3] += v * b3
		}
	}
}

func tileEdge[T Float](s *[4][4]T, b *block, h, w int, x, y []T) {
	for p := range b.k {
		for i := range h {
			v := x[i*b.aRow+p*b.aCol]
			for j, u := range y[p*b.bRow:][:w] {
				s[i][j] += v * u
			}
		}
	}
}
