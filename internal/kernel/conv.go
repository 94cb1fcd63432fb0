package kernel

// Images lie with their channels together, [h, w, c], so that the numbers under
// a row of a window are one run of memory: a convolution is then a product of
// matrices whose left one is the image itself, with a zero border around it.
// Weights lie as [r, s, channel in, channel out].

// Window says how a window of R x S taps slides over a plane of H x W with
// zeros around it. Output (oh, ow) reads (oh*StrideH + r*DilationH - PadTop,
// ow*StrideW + s*DilationW - PadLeft); what lies outside the plane is padding.
type Window struct {
	H, W                 int
	R, S                 int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
	OH, OW               int
}

// grid is a plane of pixels of a convolution's operand as the windows see it: in
// a frame of zeros, and with zeros between the pixels of an operand that stands
// behind a stride.
type grid struct {
	h, w         int // of the operand
	high, wide   int // of the frame
	top, left    int // place of the first pixel; below 0 if it is outside the frame
	stepH, stepW int // from a pixel to the next
	c            int // channels
	plain        bool
	pitch        int // pixels from a row to the next
}

func newGrid(h, w, c, high, wide, top, left, stepH, stepW int) grid {
	g := grid{h: h, w: w, high: high, wide: wide, top: top, left: left, stepH: stepH, stepW: stepW, c: c}
	// Where the windows stay inside, the operand is read where it lies.
	g.plain = top == 0 && left == 0 && stepH == 1 && stepW == 1 && high <= h && wide <= w
	g.pitch = wide
	if g.plain {
		g.pitch = w
	}
	return g
}

// scratch is the number of elements of the frame, if one is needed.
func (g *grid) scratch() int {
	if g.plain {
		return 0
	}
	return g.high * g.wide * g.c
}

// frame gives the rows [r0, r1) of the frame around an image, in scratch if
// they do not lie in the image.
func frame[T Float](g *grid, image, scratch []T, r0, r1 int) []T {
	if g.plain {
		return image[r0*g.w*g.c:]
	}
	row := g.wide * g.c
	scratch = scratch[:(r1-r0)*row]
	j0, j1 := within(g.w, g.wide, g.left, g.stepW)
	for r := r0; r < r1; r++ {
		dst := scratch[(r-r0)*row : (r-r0+1)*row]
		i := (r - g.top) / g.stepH
		if r < g.top || (r-g.top)%g.stepH != 0 || i >= g.h || j0 >= j1 {
			clear(dst)
			continue
		}
		src := image[(i*g.w+j0)*g.c : (i*g.w+j1)*g.c]
		at := (g.left + j0*g.stepW) * g.c
		clear(dst[:at])
		if g.stepW == 1 {
			copy(dst[at:], src)
			clear(dst[at+len(src):])
			continue
		}
		clear(dst[at:])
		for ; len(src) > 0; src = src[g.c:] {
			copy(dst[at:], src[:g.c])
			at += g.stepW * g.c
		}
	}
	return scratch
}

// within gives the pixels [lo, hi) of n that lie in a frame of the given size.
func within(n, size, first, step int) (lo, hi int) {
	if first < 0 {
		lo = (-first + step - 1) / step
	}
	if size > first {
		hi = min(n, (size-first-1)/step+1)
	}
	return lo, max(lo, hi)
}

// Correlation slides windows of weights over an image: a convolution, or its
// transpose in the image.
type Correlation[T Float] struct {
	grid
	oh, ow           int // planes of the result
	k                int // its channels
	r, s             int
	strideH, strideW int
	dilH, dilW       int
	groups           int
	tile             tileShape
	block            block // of a row of the result and one group
}

// NewConv plans the convolution of an image [H, W, c] with weights [R, S,
// c/groups, k] to [OH, OW, k]. Output channel block g of k/groups reads input
// channel block g.
func NewConv[T Float](w Window, c, k, groups int) *Correlation[T] {
	p := &Correlation[T]{oh: w.OH, ow: w.OW, k: k, r: w.R, s: w.S, strideH: w.StrideH, strideW: w.StrideW,
		dilH: w.DilationH, dilW: w.DilationW, groups: groups}
	high, wide := p.needs()
	p.grid = newGrid(w.H, w.W, c, high, wide, w.PadTop, w.PadLeft, 1, 1)
	return p.plan()
}

// NewConvImage plans its transpose in the image: from [OH, OW, k] with turned
// weights [R, S, k/groups, c] to [H, W, c]. Turned means that tap (r, s) is that
// of the convolution at (R-1-r, S-1-s), with its channels exchanged in each
// group.
func NewConvImage[T Float](w Window, c, k, groups int) *Correlation[T] {
	p := &Correlation[T]{oh: w.H, ow: w.W, k: c, r: w.R, s: w.S, strideH: 1, strideW: 1,
		dilH: w.DilationH, dilW: w.DilationW, groups: groups}
	high, wide := p.needs()
	p.grid = newGrid(w.OH, w.OW, k, high, wide,
		(w.R-1)*w.DilationH-w.PadTop, (w.S-1)*w.DilationW-w.PadLeft, w.StrideH, w.StrideW)
	return p.plan()
}

// needs is the size of the frame that the windows reach.
func (p *Correlation[T]) needs() (high, wide int) {
	return (p.oh-1)*p.strideH + (p.r-1)*p.dilH + 1, (p.ow-1)*p.strideW + (p.s-1)*p.dilW + 1
}

func (p *Correlation[T]) plan() *Correlation[T] {
	p.tile = tileOf[T]()
	in := p.c / p.groups
	p.block = block{rows: p.ow, cols: p.k / p.groups, aRow: p.strideW * p.c, aCol: 1, bRow: p.k, cRow: p.k}
	if p.joined() {
		// A row of a window is one run.
		p.block.k, p.block.segments = p.s*in, p.r
		p.block.aJump = p.dilH*p.pitch*p.c - p.s*in
	} else {
		p.block.k, p.block.segments = in, p.s
		p.block.aJump = p.dilW*p.c - in
	}
	p.block.plan(p.tile)
	return p
}

func (p *Correlation[T]) joined() bool { return p.groups == 1 && (p.dilW == 1 || p.s == 1) }

// Scratch is the number of elements that Rows needs as scratch.
func (p *Correlation[T]) Scratch() int { return p.scratch() }

// Rows computes the rows [lo, hi) of the result dst of one image.
func (p *Correlation[T]) Rows(dst, image, weights, scratch []T, lo, hi int) {
	if p.ow == 0 || p.k == 0 || lo >= hi {
		return
	}
	if p.c == 0 {
		clear(dst[lo*p.ow*p.k : hi*p.ow*p.k])
		return
	}
	first := lo * p.strideH
	x := frame(&p.grid, image, scratch, first, (hi-1)*p.strideH+(p.r-1)*p.dilH+1)
	if p.depthwise() {
		p.rowsDepthwise(dst, x, weights, lo, hi)
		return
	}
	in, out := p.c/p.groups, p.k/p.groups
	for oh := lo; oh < hi; oh++ {
		y := dst[oh*p.ow*p.k:]
		from := x[(oh*p.strideH-first)*p.pitch*p.c:]
		if p.joined() {
			run(&p.block, p.tile, from, weights, y, false)
			continue
		}
		for g := range p.groups {
			for r := range p.r {
				run(&p.block, p.tile, from[r*p.dilH*p.pitch*p.c+g*in:], weights[r*p.s*in*p.k+g*out:], y[g*out:], r > 0)
			}
		}
	}
}

// depthwise tells whether each channel is convolved by itself.
func (p *Correlation[T]) depthwise() bool { return p.groups == p.c && p.groups == p.k && p.groups > 1 }

// rowsDepthwise works on all channels of a pixel at once.
func (p *Correlation[T]) rowsDepthwise(dst, x, weights []T, lo, hi int) {
	d := depthwise{n: p.ow, xStep: p.strideW * p.c, yStep: p.c,
		r: p.r, s: p.s, row: p.dilH * p.pitch * p.c, tap: p.dilW * p.c, c: p.c}
	for oh := range hi - lo {
		convolve(&d, dst[(oh+lo)*p.ow*p.c:], x[oh*p.strideH*p.pitch*p.c:], weights, false)
	}
}

// ConvWeights is the transpose of a convolution in its weights.
type ConvWeights[T Float] struct {
	grid
	w         Window
	k, groups int
	tile      tileShape
	block     block
}

// NewConvWeights plans the transpose in the weights: from an image [H, W, c] and
// a result [OH, OW, k] to weights [R, S, c/groups, k].
func NewConvWeights[T Float](w Window, c, k, groups int) *ConvWeights[T] {
	p := &ConvWeights[T]{w: w, k: k, groups: groups, tile: tileOf[T]()}
	high, wide := (w.OH-1)*w.StrideH+(w.R-1)*w.DilationH+1, (w.OW-1)*w.StrideW+(w.S-1)*w.DilationW+1
	p.grid = newGrid(w.H, w.W, c, high, wide, w.PadTop, w.PadLeft, 1, 1)
	// Rows of A are the taps and channels under a window's row, k its places.
	p.block = block{rows: c / groups, cols: k / groups, k: w.OW, segments: w.OH,
		aRow: 1, aCol: w.StrideW * c, aJump: (w.StrideH*p.pitch - w.OW*w.StrideW) * c, bRow: k, cRow: k}
	if p.joined() {
		p.block.rows = w.S * c
	}
	p.block.plan(p.tile)
	return p
}

func (p *ConvWeights[T]) joined() bool { return p.groups == 1 && (p.w.DilationW == 1 || p.w.S == 1) }

// Scratch is the number of elements that Add needs as scratch.
func (p *ConvWeights[T]) Scratch() int { return p.scratch() }

// Image sets dst to the weights' share of one image and result, or adds it.
func (p *ConvWeights[T]) Image(dst, image, result, scratch []T, add bool) {
	w := &p.w
	in, out := p.c/p.groups, p.k/p.groups
	if p.c == 0 || p.k == 0 {
		return
	}
	if w.OH == 0 || w.OW == 0 {
		if !add {
			clear(dst[:w.R*w.S*in*p.k])
		}
		return
	}
	x := frame(&p.grid, image, scratch, 0, p.high)
	if p.groups == p.c && p.groups == p.k && p.groups > 1 {
		p.depthwise(dst, x, result, add)
		return
	}
	for r := range w.R {
		from := x[r*w.DilationH*p.pitch*p.c:]
		to := dst[r*w.S*in*p.k:]
		if p.joined() {
			run(&p.block, p.tile, from, result, to, add)
			continue
		}
		for s := range w.S {
			for g := range p.groups {
				run(&p.block, p.tile, from[s*w.DilationW*p.c+g*in:], result[g*out:], to[s*in*p.k+g*out:], add)
			}
		}
	}
}

func (p *ConvWeights[T]) depthwise(dst, x, result []T, add bool) {
	w := &p.w
	d := depthwise{n: w.S, xStep: w.DilationW * p.c, yStep: p.c,
		r: w.OH, s: w.OW, row: w.StrideH * p.pitch * p.c, tap: w.StrideW * p.c, c: p.c}
	for r := range w.R {
		convolve(&d, dst[r*w.S*p.c:], x[r*w.DilationH*p.pitch*p.c:], result, add)
	}
}
