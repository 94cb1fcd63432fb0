package exec

import (
	"fmt"
	"slices"
)

// indexOp moves elements to or from the places that an operand of indices
// names. Both its operands are dense.
type indexOp struct {
	kind indexKind
	axis int
	size int // of that axis, in what is read or written at indices
}

type indexKind uint8

const (
	gather  indexKind = iota // out[..., i, ...] = x[..., index[i], ...]
	scatter                  // out[..., index[i], ...] += x[..., i, ...]
	take                     // out[..., i, ...] = x[..., index[..., i, ...], ...]
	put                      // out[..., index[..., i, ...], ...] += x[..., i, ...]
)

func (o indexOp) String() string {
	return fmt.Sprintf("%s[axis %d of %d]", [...]string{"gather", "scatter_add", "take", "put_add"}[o.kind], o.axis, o.size)
}

// Gather takes, along an axis of x, the slices that the indices name. The axes
// of index stand in the place of the axis.
func (b *Builder) Gather(x, index Value, axis int) Value {
	if !b.ok(x, index) {
		return None
	}
	s := b.g.shape(x)
	if axis < 0 || axis >= len(s) {
		return b.failf("gather: axis %d of a tensor of shape %v", axis, s)
	}
	shape := slices.Concat(s[:axis], b.g.shape(index), s[axis+1:])
	return b.add(indexOp{gather, axis, s[axis]}, shape, b.Dense(x), b.Dense(index))
}

// ScatterAdd is the transpose of Gather in x: it adds the slices of x into the
// places of an axis of the given size, zero elsewhere.
func (b *Builder) ScatterAdd(x, index Value, axis, size int) Value {
	if !b.ok(x, index) {
		return None
	}
	s, is := b.g.shape(x), b.g.shape(index)
	if axis < 0 || axis+len(is) > len(s) || !sameShape(s[axis:axis+len(is)], is) {
		return b.failf("scatter_add: %v at indices %v, axis %d", s, is, axis)
	}
	shape := slices.Concat(s[:axis], []int{size}, s[axis+len(is):])
	return b.add(indexOp{scatter, axis, size}, shape, b.Dense(x), b.Dense(index))
}

// Take picks single elements along an axis: index has the axes of x, of equal
// sizes but for that one.
func (b *Builder) Take(x, index Value, axis int) Value {
	if !b.ok(x, index) {
		return None
	}
	s, is := b.g.shape(x), b.g.shape(index)
	if !fitsAlong(s, is, axis) {
		return b.failf("take: %v at indices %v, axis %d", s, is, axis)
	}
	return b.add(indexOp{take, axis, s[axis]}, is, b.Dense(x), b.Dense(index))
}

// PutAdd is the transpose of Take in x: it adds each element of x into the place
// of an axis of the given size that index names, zero elsewhere.
func (b *Builder) PutAdd(x, index Value, axis, size int) Value {
	if !b.ok(x, index) {
		return None
	}
	s, is := b.g.shape(x), b.g.shape(index)
	if axis < 0 || axis >= len(s) || !sameShape(s, is) {
		return b.failf("put_add: %v at indices %v, axis %d", s, is, axis)
	}
	shape := slices.Clone(s)
	shape[axis] = size
	return b.add(indexOp{put, axis, size}, shape, b.Dense(x), b.Dense(index))
}

func fitsAlong(a, b []int, axis int) bool {
	return axis >= 0 && axis < len(a) && len(a) == len(b) &&
		sameShape(a[:axis], b[:axis]) && sameShape(a[axis+1:], b[axis+1:])
}

// placeOp writes each operand into its spot of a tensor that is zero
// elsewhere.
type placeOp struct{ at []spot }

type spot struct {
	start, step []int
}

func (o placeOp) String() string { return fmt.Sprintf("place%v", o.at) }

// Pad puts low zeros before and high zeros behind each axis, and interior
// zeros between neighbours.
func (b *Builder) Pad(v Value, low, high, interior []int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	shape, step := make([]int, len(from)), make([]int, len(from))
	for i, n := range from {
		if low[i] < 0 || high[i] < 0 || interior[i] < 0 {
			return b.failf("pad: negative padding of axis %d", i)
		}
		step[i] = interior[i] + 1
		shape[i] = low[i] + high[i] + max(0, (n-1)*step[i]+1)
		if n == 0 {
			shape[i] = low[i] + high[i]
		}
	}
	return b.add(placeOp{[]spot{{slices.Clone(low), step}}}, shape, v)
}

// Concat joins tensors, whose other axes are equal, along an axis.
func (b *Builder) Concat(axis int, vs ...Value) Value {
	if !b.ok(vs...) {
		return None
	}
	var o placeOp
	shape := slices.Clone(b.g.shape(vs[0]))
	if axis < 0 || axis >= len(shape) {
		return b.failf("concat: axis %d of a tensor of shape %v", axis, shape)
	}
	shape[axis] = 0
	for _, v := range vs {
		s := b.g.shape(v)
		if !fitsAlong(shape, s, axis) {
			return b.failf("concat: %v does not fit %v along axis %d", s, b.g.shape(vs[0]), axis)
		}
		r := spot{make([]int, len(s)), make([]int, len(s))}
		for i := range s {
			r.step[i] = 1
		}
		r.start[axis] = shape[axis]
		o.at = append(o.at, r)
		shape[axis] += s[axis]
	}
	return b.add(o, shape, vs...)
}

// uniformOp draws random numbers.
type uniformOp struct{ stream uint32 }

func (o uniformOp) String() string { return fmt.Sprintf("uniform(stream %d)", o.stream) }

// Uniform is a tensor of random numbers on [0, 1), a function of the key, the
// stream and the place alone. key holds four whole numbers below 2^24: three
// of key, and the number of the first row. Row i of the result, along its
// first axis, depends on the key, the stream and that number plus i.
func (b *Builder) Uniform(key Value, stream uint32, shape ...int) Value {
	if !b.ok(key) {
		return None
	}
	if !sameShape(b.g.shape(key), []int{4}) {
		return b.failf("uniform: key of shape %v, want [4]", b.g.shape(key))
	}
	return b.add(uniformOp{stream}, slices.Clone(shape), b.Dense(key))
}
