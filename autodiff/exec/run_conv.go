package exec

import "github.com/saddle-ml/saddle/internal/kernel"

// bindConv multiplies matrices of unfolded windows, an image at a time.
func (m *machine[T]) bindConv(in *inst, o convOp) step {
	x, y, out := m.operand(in.in[0]), m.operand(in.in[1]), m.operand(in.out)
	c := &conv[T]{m: m, convOp: o, x: x, y: y, out: out}
	w := o.win
	c.image, c.outs = o.c*w.H*w.W, o.k*w.OH*w.OW
	c.taps, c.spots = o.c/o.groups*w.R*w.S, w.OH*w.OW
	c.filters = o.k / o.groups
	if Size(out.shape) == 0 {
		return func() error { return nil }
	}
	switch rows := func(n int) kernel.Mat { return kernel.Mat{Row: n, Col: 1} }; o.part {
	case ConvOut:
		c.product = kernel.NewGemm[T](c.filters, c.spots, c.taps, rows(c.taps), rows(c.spots), c.spots)
	case ConvImage:
		c.product = kernel.NewGemm[T](c.taps, c.spots, c.filters, kernel.Mat{Row: 1, Col: c.taps}, rows(c.spots), c.spots)
	case ConvWeight:
		c.product = kernel.NewGemm[T](c.filters, c.taps, c.spots, rows(c.spots), kernel.Mat{Row: 1, Col: c.spots}, c.taps)
	}
	m.needs(c.taps*c.spots + c.product.Scratch())
	forward, toImage, toWeight := c.forward, c.toImage, c.toWeight // made once
	switch o.part {
	case ConvOut:
		return func() error { m.pool.Run(o.n, forward); return nil }
	case ConvImage:
		return func() error { m.pool.Run(o.n, toImage); return nil }
	}
	// Images are added up in groups fixed by the shape, and the groups at the end.
	c.parts, c.each = cut(o.n, max(1, (o.n+7)/8))
	if o.n == 0 {
		return func() error { clear(out.data()); return nil }
	}
	size := Size(out.shape)
	if c.parts > 1 {
		c.part = make([]T, c.parts*size)
	}
	return func() error {
		m.pool.Run(c.parts, toWeight)
		if c.parts > 1 {
			dst := out.data()
			copy(dst, c.part[:size])
			for p := 1; p < c.parts; p++ {
				kernel.Map2(kernel.Add, dst, dst, c.part[p*size:(p+1)*size])
			}
		}
		return nil
	}
}

type conv[T Float] struct {
	m *machine[T]
	convOp
	x, y, out   operand[T]
	image, outs int // elements of one image that goes in, and out
	taps, spots int // rows and columns of one group's unfolded image
	filters     int // of one group
	parts, each int
	part        []T
	product     *kernel.Gemm[T]
}

// group gives the parts of an image, an output and the weights that group g
// has.
func (c *conv[T]) group(g int, image, weight, out []T) (i, w, o []T) {
	ni, nw, no := c.image/c.groups, c.filters*c.taps, c.outs/c.groups
	return image[g*ni : (g+1)*ni], weight[g*nw : (g+1)*nw], out[g*no : (g+1)*no]
}

// scratch is the worker's memory for an unfolded image, and for the product.
func (c *conv[T]) scratch(worker int) (col, rest []T) {
	mem := c.m.scratch(worker)
	return mem[:c.taps*c.spots], mem[c.taps*c.spots:]
}

func (c *conv[T]) forward(worker, i int) {
	col, scratch := c.scratch(worker)
	image, out := c.x.data()[i*c.image:][:c.image], c.out.data()[i*c.outs:][:c.outs]
	for g := range c.groups {
		img, w, o := c.group(g, image, c.y.data(), out)
		kernel.Im2Col(&c.win, c.c/c.groups, col, img)
		c.product.Whole(w, col, o, scratch, false)
	}
}

func (c *conv[T]) toImage(worker, i int) {
	col, scratch := c.scratch(worker)
	out, image := c.x.data()[i*c.outs:][:c.outs], c.out.data()[i*c.image:][:c.image]
	clear(image)
	for g := range c.groups {
		img, w, o := c.group(g, image, c.y.data(), out)
		c.product.Whole(w, o, col, scratch, false)
		kernel.Col2Im(&c.win, c.c/c.groups, img, col)
	}
}

func (c *conv[T]) toWeight(worker, p int) {
	col, scratch := c.scratch(worker)
	dst := c.out.data()
	if c.parts > 1 {
		dst = c.part[p*len(dst) : (p+1)*len(dst)]
	}
	clear(dst)
	for i := p * c.each; i < min(c.n, (p+1)*c.each); i++ {
		image, out := c.x.data()[i*c.image:][:c.image], c.y.data()[i*c.outs:][:c.outs]
		for g := range c.groups {
			img, w, o := c.group(g, image, dst, out)
			kernel.Im2Col(&c.win, c.c/c.groups, col, img)
			c.product.Whole(o, col, w, scratch, true)
		}
	}
}

func (m *machine[T]) bindPool(in *inst, o poolOp) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	planes := x.shape[0] * x.shape[1]
	ni, no := x.shape[2]*x.shape[3], out.shape[2]*out.shape[3]
	run := kernel.MaxIndex[T]
	switch o.kind {
	case poolSum:
		run = kernel.SumPool[T]
	case poolSumT:
		run = kernel.SumPoolT[T]
	}
	count, each := pieces(planes, max(ni, no)*2)
	f := func(_, i int) {
		src, dst := x.data(), out.data()
		for p := i * each; p < min(planes, (i+1)*each); p++ {
			run(&o.win, dst[p*no:(p+1)*no], src[p*ni:(p+1)*ni])
		}
	}
	return func() error { m.pool.Run(count, f); return nil }
}
