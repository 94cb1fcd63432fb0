package exec

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// bindIndex checks all indices before it moves anything.
func (m *machine[T]) bindIndex(in *inst, o indexOp) step {
	x, ix, out := m.operand(in.in[0]), m.operand(in.in[1]), m.operand(in.out)
	n := ix.n
	if o.kind == take || o.kind == put {
		n = ix.shape[o.axis]
	}
	d := &indexed[T]{x: x, ix: ix, out: out, n: n, size: o.size,
		outer: Size(x.shape[:o.axis]), inner: Size(out.shape[o.axis+1:])}
	run := d.gather
	switch o.kind {
	case gather:
		d.inner = Size(x.shape[o.axis+1:])
	case scatter:
		run = d.scatter
	case take:
		run = d.take
	case put:
		run = d.put
	}
	return func() error {
		if err := checkIndices(in, ix.data(), o.size); err != nil {
			return err
		}
		m.pool.Run(d.outer, run)
		return nil
	}
}

// checkIndices tells what an instruction cannot take as indices below size.
func checkIndices[T Float](in *inst, x []T, size int) error {
	for i, v := range x {
		if !(v >= 0 && v < T(size) && v == T(int(v))) {
			return fmt.Errorf("exec: %s: index %v at place %d: want a whole number from 0 to %d", label(in), v, i, size-1)
		}
	}
	return nil
}

// label names an instruction in an error.
func label(in *inst) string {
	if in.where != "" {
		return in.where
	}
	return in.op.String()
}

// indexed moves elements between a tensor [outer, size, inner] and one of
// [outer, n, inner].
type indexed[T Float] struct {
	x, ix, out            operand[T]
	outer, n, size, inner int
}

func (d *indexed[T]) gather(_, o int) {
	src, dst := d.x.data()[o*d.size*d.inner:], d.out.data()[o*d.n*d.inner:]
	for i, at := range d.ix.data() {
		copy(dst[i*d.inner:(i+1)*d.inner], src[int(at)*d.inner:])
	}
}

func (d *indexed[T]) scatter(_, o int) {
	src, dst := d.x.data()[o*d.n*d.inner:], d.out.data()[o*d.size*d.inner:][:d.size*d.inner]
	clear(dst)
	for i, at := range d.ix.data() {
		row := dst[int(at)*d.inner:][:d.inner]
		kernel.Map2(kernel.Add, row, row, src[i*d.inner:(i+1)*d.inner])
	}
}

func (d *indexed[T]) take(_, o int) {
	src := d.x.data()[o*d.size*d.inner:]
	at, dst := d.ix.data()[o*d.n*d.inner:], d.out.data()[o*d.n*d.inner:][:d.n*d.inner]
	for i := range dst {
		dst[i] = src[int(at[i])*d.inner+i%d.inner]
	}
}

func (d *indexed[T]) put(_, o int) {
	src := d.x.data()[o*d.n*d.inner:][:d.n*d.inner]
	at, dst := d.ix.data()[o*d.n*d.inner:], d.out.data()[o*d.size*d.inner:][:d.size*d.inner]
	clear(dst)
	for i, v := range src {
		dst[int(at[i])*d.inner+i%d.inner] += v
	}
}

// bindPlace copies operands into their regions.
func (m *machine[T]) bindPlace(in *inst, o placeOp) step {
	out := m.operand(in.out)
	covered := 0
	var copies []func()
	for i, v := range in.in {
		x := m.operand(v)
		covered += Size(x.shape)
		off := 0
		to := make([]int, len(x.shape))
		for d := range to {
			off += out.stride[d] * o.at[i].start[d]
			to[d] = out.stride[d] * o.at[i].step[d]
			if out.shape[d] == 1 {
				to[d] = 0
			}
		}
		dims, strides := collapse(x.shape, [][]int{to, x.stride})
		inner, so, sx := 1, 1, 1
		if n := len(dims) - 1; n >= 0 {
			inner, so, sx = dims[n], strides[0][n], strides[1][n]
			dims, strides = dims[:n], [][]int{strides[0][:n], strides[1][:n]}
		}
		rows := Size(dims)
		if inner == 0 || rows == 0 {
			continue
		}
		count, each := pieces(rows, inner)
		f := func(_, i int) {
			src, dst := x.data(), out.data()[off:]
			w := walker{dims: dims, strides: strides}
			lo, hi := i*each, min(rows, (i+1)*each)
			for w.seek(lo); lo < hi; lo++ {
				if so == 1 && sx == 1 {
					copy(dst[w.off[0]:][:inner], src[w.off[1]:])
				} else {
					for j := range inner {
						dst[w.off[0]+j*so] = src[w.off[1]+j*sx]
					}
				}
				w.next()
			}
		}
		copies = append(copies, func() { m.pool.Run(count, f) })
	}
	holes := covered != Size(out.shape)
	return func() error {
		if holes {
			clear(out.data())
		}
		for _, f := range copies {
			f()
		}
		return nil
	}
}

func (m *machine[T]) bindUniform(in *inst, o uniformOp) step {
	key, out := m.operand(in.in[0]), m.operand(in.out)
	rows := 1
	if len(out.shape) > 0 {
		rows = out.shape[0]
	}
	if Size(out.shape) == 0 {
		return func() error { return nil }
	}
	n := Size(out.shape) / rows
	count, each := pieces(rows, n*8)
	f := func(_, i int) {
		k, dst := key.data(), out.data()
		words := [3]uint32{uint32(k[0]), uint32(k[1]), uint32(k[2])}
		for r := i * each; r < min(rows, (i+1)*each); r++ {
			kernel.Uniform(dst[r*n:(r+1)*n], words, o.stream, uint32(k[3])+uint32(r), 0)
		}
	}
	return func() error {
		for i, v := range key.data() {
			if !(v >= 0 && v < 1<<24 && v == T(int(v))) {
				return fmt.Errorf("exec: %s: word %d of the random key is %v: want a whole number below 2^24", label(in), i, v)
			}
		}
		m.pool.Run(count, f)
		return nil
	}
}
