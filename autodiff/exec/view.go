package exec

import "slices"

// view makes a view of v at an offset and strides counted in the elements of
// v's base.
func (b *Builder) viewOf(base Value, off int, shape, stride []int) Value {
	for i, n := range shape {
		if n == 1 {
			stride[i] = 0
		}
	}
	g := b.g
	if off == 0 && sameShape(shape, g.shape(base)) && slices.Equal(stride, rowMajor(shape)) {
		return base
	}
	return b.add(viewOp{off, stride}, slices.Clone(shape), base)
}

// Broadcast repeats v to the shape by NumPy's rule: axes are matched from the
// last, and an axis of one element, or a missing one, is repeated.
func (b *Builder) Broadcast(v Value, shape []int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	base, off, stride := b.g.view(v)
	lead := len(shape) - len(from)
	if lead < 0 {
		return b.failf("broadcast: %v has more axes than %v", from, shape)
	}
	to := make([]int, len(shape))
	for i, n := range from {
		switch {
		case n == shape[lead+i]:
			to[lead+i] = stride[i]
		case n != 1:
			return b.failf("broadcast: %v does not fit %v: axis %d has %d elements", from, shape, i, n)
		}
	}
	return b.viewOf(base, off, shape, to)
}

// Reshape gives the elements of v, in order, another shape of the same size.
func (b *Builder) Reshape(v Value, shape []int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	if Size(from) != Size(shape) {
		return b.failf("reshape: %v to %v: %d elements do not fit %d", from, shape, Size(from), Size(shape))
	}
	base, off, stride := b.g.view(v)
	to, ok := restride(from, stride, shape)
	if !ok {
		return b.Reshape(b.Dense(v), shape)
	}
	return b.viewOf(base, off, shape, to)
}

// Permute reorders axes: axis i of the result is axis perm[i] of v.
func (b *Builder) Permute(v Value, perm []int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	if len(perm) != len(from) {
		return b.failf("permute: %d axes given for the shape %v", len(perm), from)
	}
	base, off, stride := b.g.view(v)
	shape, to := make([]int, len(perm)), make([]int, len(perm))
	seen := make([]bool, len(perm))
	for i, p := range perm {
		if p < 0 || p >= len(perm) || seen[p] {
			return b.failf("permute: %v is not an order of %d axes", perm, len(perm))
		}
		seen[p] = true
		shape[i], to[i] = from[p], stride[p]
	}
	return b.viewOf(base, off, shape, to)
}

// Slice takes the elements start, start+step, ... below stop of every axis;
// step is at least 1.
func (b *Builder) Slice(v Value, start, stop, step []int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	base, off, stride := b.g.view(v)
	shape, to := make([]int, len(from)), make([]int, len(from))
	for i, n := range from {
		if start[i] < 0 || stop[i] > n || start[i] > stop[i] || step[i] < 1 {
			return b.failf("slice: %d:%d:%d of axis %d of %v", start[i], stop[i], step[i], i, from)
		}
		shape[i] = (stop[i] - start[i] + step[i] - 1) / step[i]
		to[i] = stride[i] * step[i]
		if shape[i] > 0 {
			off += stride[i] * start[i]
		}
	}
	return b.viewOf(base, off, shape, to)
}

// Dense is v itself if its elements lie one after another, else a copy of it
// in which they do.
func (b *Builder) Dense(v Value) Value {
	if !b.ok(v) || b.g.dense(v) {
		return v
	}
	return b.Map1(Copy, v, 0, 0)
}
