package kernel

// Winograd is a convolution of windows of 3 x 3 with stride 1, or its transpose
// in the image, with 16 instead of 36 multiplications for 2 x 2 results: F(2x2,
// 3x3) of Lavin and Gray, arXiv 1509.09308. Its error in float32, relative to the
// root mean square of the result, is about 1.2e-6 for 300 terms, half as large
// again as that of the plain sum; the larger F(4x4, 3x3) has fifteen times that
// and is not used.
type Winograd[T Float] struct {
	grid
	oh, ow     int // planes of the result
	k          int // its channels
	high, wide int // tiles
	chunk      int // rows of tiles at a time
	tile       tileShape
	block      block // of a chunk and one of 16 products
}

// winogradChunk is how many numbers a chunk may have: they stay in the
// second-level cache.
const winogradChunk = 128 << 10

// CanWinograd tells whether a convolution of that window can be one.
func CanWinograd(w Window) bool {
	return w.R == 3 && w.S == 3 && w.StrideH == 1 && w.StrideW == 1 && w.DilationH == 1 && w.DilationW == 1 && w.OH > 1 && w.OW > 1
}

// WinogradWins tells whether it is faster than the plain sum for c channels in
// and k out.
func WinogradWins(c, k int) bool { return level != Generic && c >= 16 && k >= 16 }

// NewWinograd plans the convolution of an image [H, W, c] to [OH, OW, k].
func NewWinograd[T Float](w Window, c, k int) *Winograd[T] {
	return newWinograd[T](w.H, w.W, c, w.OH, w.OW, k, w.PadTop, w.PadLeft)
}

// NewWinogradImage plans its transpose in the image, from [OH, OW, k] to [H, W,
// c], for weights that are turned as [NewConvImage] says.
func NewWinogradImage[T Float](w Window, c, k int) *Winograd[T] {
	return newWinograd[T](w.OH, w.OW, k, w.H, w.W, c, 2-w.PadTop, 2-w.PadLeft)
}

func newWinograd[T Float](h, w, c, oh, ow, k, top, left int) *Winograd[T] {
	p := &Winograd[T]{oh: oh, ow: ow, k: k, high: (oh + 1) / 2, wide: (ow + 1) / 2, tile: tileOf[T]()}
	p.grid = newGrid(h, w, c, 2*p.high+2, 2*p.wide+2, top, left, 1, 1)
	p.chunk = max(1, min(p.high, winogradChunk/(16*p.wide*(c+k))))
	p.block = block{rows: p.chunk * p.wide, cols: k, k: c, segments: 1, aRow: c, aCol: 1, bRow: k, cRow: k}
	p.block.plan(p.tile)
	return p
}

// TileRows is the number of rows of the result, in pairs.
func (p *Winograd[T]) TileRows() int { return p.high }

// Scratch is the number of elements that Rows needs as scratch.
func (p *Winograd[T]) Scratch() int {
	n := 16 * p.chunk * p.wide * (p.c + p.k)
	if !p.plain {
		n += (2*p.chunk + 2) * p.grid.wide * p.c
	}
	return n + 4*p.k // pixels outside the result
}

// Rows computes the pairs [lo, hi) of rows of the result dst of one image, with
// weights u of [WinogradWeights].
func (p *Winograd[T]) Rows(dst, image, u, scratch []T, lo, hi int) {
	if p.c == 0 || p.k == 0 {
		clear(dst[2*lo*p.ow*p.k : min(p.oh, 2*hi)*p.ow*p.k])
		return
	}
	outside, scratch := scratch[:p.k], scratch[4*p.k:]
	for ; lo < hi; lo += p.chunk {
		rows := min(p.chunk, hi-lo)
		tiles := rows * p.wide
		v, rest := scratch[:16*tiles*p.c], scratch[16*tiles*p.c:]
		m, rest := rest[:16*tiles*p.k], rest[16*tiles*p.k:]
		x := frame(&p.grid, image, rest, 2*lo, 2*(lo+rows)+2)
		for r := range rows {
			winogradIn(v[r*p.wide*p.c:], tiles*p.c, x[2*r*p.pitch*p.c:], p.pitch*p.c, p.c, p.wide)
		}
		b := p.block
		if rows != p.chunk {
			b.rows = tiles
			b.panels = 0
			b.plan(p.tile)
		}
		for i := range 16 {
			run(&b, p.tile, v[i*tiles*p.c:], u[i*p.c*p.k:], m[i*tiles*p.k:], false)
		}
		for r := range rows {
			p.out(dst, m[r*p.wide*p.k:], tiles*p.k, lo+r, outside)
		}
	}
}

// out writes the pair r of rows. What lies outside the result goes to outside.
func (p *Winograd[T]) out(dst, m []T, plane, r int, outside []T) {
	row := p.ow * p.k
	y := [2][]T{dst[2*r*row:][:row]}
	if 2*r+1 < p.oh {
		y[1] = dst[(2*r+1)*row:][:row]
	}
	full := p.ow / 2 // tiles with both columns
	if full > 0 && y[1] != nil {
		winogradOut([4][]T{y[0], y[0][p.k:], y[1], y[1][p.k:]}, 2*p.k, m, plane, p.k, full)
	} else {
		full = 0
	}
	for t := full; t < p.wide; t++ {
		to := [4][]T{outside, outside, outside, outside}
		for i := range to {
			if at := (2*t + i%2) * p.k; y[i/2] != nil && at < row {
				to[i] = y[i/2][at:]
			}
		}
		winogradOut(to, 0, m[t*p.k:], plane, p.k, 1)
	}
}

// WinogradWeights sets u, 16 matrices [c, k], to the transforms of weights w [3,
// 3, c, k].
func WinogradWeights[T Float](u, w []T) {
	n := len(w) / 9
	var t [12][winogradBlock]T
	var half [2][winogradBlock]T
	for at := 0; at < n; at += winogradBlock {
		size := min(winogradBlock, n-at)
		a, b := half[0][:size], half[1][:size]
		// Rows: t[4s+i] = G[i] w[., s].
		for s := range 3 {
			row := func(r int) []T { return w[(3*r+s)*n+at:][:size] }
			four(row(0), row(1), row(2), t[4*s][:size], t[4*s+1][:size], t[4*s+2][:size], t[4*s+3][:size], a, b)
		}
		for i := range 4 {
			to := func(j int) []T { return u[(4*i+j)*n+at:][:size] }
			four(t[i][:size], t[4+i][:size], t[8+i][:size], to(0), to(1), to(2), to(3), a, b)
		}
	}
}

const winogradBlock = 256

// four applies G: x, (x+y+z)/2, (x-y+z)/2 and z. a and b are scratch.
func four[T Float](x, y, z, t0, t1, t2, t3, a, b []T) {
	copy(t0, x)
	copy(t3, z)
	Map2(Add, a, x, z)
	Scale(a, 0.5, a)
	Scale(b, 0.5, y)
	Map2(Add, t1, a, b)
	Map2(Sub, t2, a, b)
}

// winogradIn transforms count tiles of c channels that lie beside each other in
// four rows of pixels to 16 planes.
func winogradIn[T Float](v []T, plane int, x []T, row, c, count int) {
	if winogradInAsm(v, plane, x, row, c, count) {
		return
	}
	for t := range count {
		for ch := range c {
			var d [4][4]T // B'd, by columns of d
			for j := range 4 {
				at := (2*t+j)*c + ch
				x0, x1, x2, x3 := x[at], x[row+at], x[2*row+at], x[3*row+at]
				d[0][j], d[1][j], d[2][j], d[3][j] = x0-x2, x1+x2, x2-x1, x1-x3
			}
			for i := range 4 {
				y := &d[i]
				for j, r := range [4]T{y[0] - y[2], y[1] + y[2], y[2] - y[1], y[1] - y[3]} {
					v[(4*i+j)*plane+t*c+ch] = r
				}
			}
		}
	}
}

// winogradOut transforms count tiles of k channels from 16 planes to the four
// pixels of each, which are step apart from tile to tile.
func winogradOut[T Float](y [4][]T, step int, m []T, plane, k, count int) {
	if winogradOutAsm(y, step, m, plane, k, count) {
		return
	}
	for t := range count {
		for ch := range k {
			var s [2][4]T
			for j := range 4 {
				at := t*k + ch
				m0, m1, m2, m3 := m[j*plane+at], m[(4+j)*plane+at], m[(8+j)*plane+at], m[(12+j)*plane+at]
				s[0][j], s[1][j] = m0+m1+m2, m1-m2-m3
			}
			for i := range 2 {
				y[2*i][t*step+ch] = s[i][0] + s[i][1] + s[i][2]
				y[2*i+1][t*step+ch] = s[i][1] - s[i][2] - s[i][3]
			}
		}
	}
}
