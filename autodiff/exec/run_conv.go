package exec

import "github.com/saddle-ml/saddle/internal/kernel"

// share cuts n images, each of rows rows, into pieces of whole images, or of
// some rows where images are few: it gives the pieces of an image and the rows
// of each.
func share(n, rows int) (count, each int) {
	if n >= pieceCount {
		return 1, rows
	}
	return cut(rows, max(1, rows*n/pieceCount))
}

// pieceCount is the number of pieces, or more, that work is cut into so that no
// core waits long for another.
const pieceCount = 8

func (m *machine[T]) bindConv(in *inst, o convOp) step {
	x, y, out := m.operand(in.in[0]), m.operand(in.in[1]), m.operand(in.out)
	w := o.win
	image, result := w.H*w.W*o.c, w.OH*w.OW*o.k
	if Size(out.shape) == 0 {
		return func() error { return nil }
	}
	switch {
	case o.part == ConvWeight:
		return m.bindConvWeight(x, y, out, o)
	case o.winograd:
		return m.bindWinograd(in, x, y, out, o)
	}
	p := kernel.NewConv[T](w, o.c, o.k, o.groups)
	rows, from, to := w.OH, image, result
	if o.part == ConvImage {
		p = kernel.NewConvImage[T](w, o.c, o.k, o.groups)
		rows, from, to = w.H, result, image
	}
	m.needs(p.Scratch())
	e := m.newEpilogue(in, o.code, 2, len(in.in), 0, p.Scratch())
	wide := out.shape[2]
	count, each := share(o.n, rows)
	f := func(worker, i int) {
		n, part := i/count, i%count
		lo, hi := part*each, min(rows, (part+1)*each)
		p.Rows(out.data()[n*to:][:to], x.data()[n*from:][:from], y.data(), m.scratch(worker), lo, hi)
		if e != nil {
			e.apply(out.data(), m.copy, (n*rows+lo)*wide, (n*rows+hi)*wide, 0, out.shape[3], m.scratch(worker))
		}
	}
	return func() error { m.pool.Run(o.n*count, f); return nil }
}

// bindConvWeight adds images up in groups fixed by the shape, and the groups at
// the end.
func (m *machine[T]) bindConvWeight(x, y, out operand[T], o convOp) step {
	w := o.win
	image, result, size := w.H*w.W*o.c, w.OH*w.OW*o.k, Size(out.shape)
	if o.n == 0 {
		return func() error { clear(out.data()); return nil }
	}
	p := kernel.NewConvWeights[T](w, o.c, o.k, o.groups)
	m.needs(p.Scratch())
	parts, each := cut(o.n, (o.n+pieceCount-1)/pieceCount)
	if m.alone {
		parts, each = 1, o.n
	}
	var part []T
	if parts > 1 {
		part = aligned[T](parts * size)
		m.extra += len(part)
	}
	f := func(worker, g int) {
		dst := out.data()
		if parts > 1 {
			dst = part[g*size : (g+1)*size]
		}
		for i := g * each; i < min(o.n, (g+1)*each); i++ {
			p.Image(dst, x.data()[i*image:][:image], y.data()[i*result:][:result], m.scratch(worker), i > g*each)
		}
	}
	return func() error {
		m.pool.Run(parts, f)
		if parts > 1 {
			addUp(out.data(), part, parts)
		}
		return nil
	}
}

// addUp sets dst to the sum of n vectors of its length, in order.
func addUp[T Float](dst, parts []T, n int) {
	copy(dst, parts)
	for i := 1; i < n; i++ {
		kernel.Map2(kernel.Add, dst, dst, parts[i*len(dst):(i+1)*len(dst)])
	}
}

func (m *machine[T]) bindPool(in *inst, o poolOp) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	var at operand[T]
	if len(in.in) > 1 {
		at = m.operand(in.in[1])
	}
	n, c := out.shape[0], out.shape[3]
	w := o.win
	plane, result := w.H*w.W*c, w.OH*w.OW*c
	back := o.kind == poolPut || o.kind == poolSumT
	count, each := 1, w.OH
	if !back {
		count, each = share(n, w.OH)
	}
	f := func(_, i int) {
		k, part := i/count, i%count
		lo, hi := part*each, min(w.OH, (part+1)*each)
		if back {
			src, dst := x.data()[k*result:][:result], out.data()[k*plane:][:plane]
			if o.kind == poolPut {
				kernel.PoolPut(&w, c, dst, src, at.data()[k*result:][:result])
			} else {
				kernel.SumPoolT(&w, c, dst, src)
			}
			return
		}
		src, dst := x.data()[k*plane:][:plane], out.data()[k*result:][:result]
		switch o.kind {
		case poolMaxIndex:
			kernel.MaxIndex(&w, c, dst, src, lo, hi)
		case poolTake:
			kernel.PoolTake(&w, c, dst, src, at.data()[k*result:][:result], lo, hi)
		case poolSum:
			kernel.SumPool(&w, c, dst, src, lo, hi)
		}
	}
	if Size(out.shape) == 0 {
		return func() error { return nil }
	}
	return func() error { m.pool.Run(n*count, f); return nil }
}

func (m *machine[T]) bindReverse(in *inst) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	n, size := out.shape[0], out.shape[1]
	return func() error {
		src, dst := x.data(), out.data()
		for i := range n {
			copy(dst[i*size:(i+1)*size], src[(n-1-i)*size:])
		}
		return nil
	}
}
