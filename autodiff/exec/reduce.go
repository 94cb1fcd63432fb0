package exec

import (
	"fmt"
	"slices"
)

// reduceOp reduces some axes of its operand, which the result lacks; or, if it has
// code, of the value of that elementwise expression of its operands, seen as from.
type reduceOp struct {
	red  Red
	axes []int // sorted
	code []mapFn
	from layout
}

// layout is how a dense tensor is seen: what a view says of its operand.
type layout struct {
	off           int
	shape, stride []int
}

func (o reduceOp) String() string {
	s := fmt.Sprintf("%s%v", o.red, o.axes)
	if o.code != nil {
		s += fmt.Sprintf(" of %s %v", mapOp{o.code}, o.from.shape)
	}
	return s
}

// reduced is the layout of what in, a reduction, reduces.
func (g *graph) reduced(in *inst) layout {
	if o := in.op.(reduceOp); o.code != nil {
		return o.from
	}
	_, off, stride := g.view(in.in[0])
	return layout{off, g.shape(in.in[0]), stride}
}

// Reduce reduces v over the axes, which the result does not have.
func (b *Builder) Reduce(red Red, v Value, axes []int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	axes = slices.Compact(slices.Sorted(slices.Values(axes)))
	var shape []int
	for i, n := range from {
		if !slices.Contains(axes, i) {
			shape = append(shape, n)
		}
	}
	if len(shape)+len(axes) != len(from) {
		return b.failf("%s: axes %v of a tensor of shape %v", red, axes, from)
	}
	if red == LogSumExpRed {
		// One pass for the maximum and one for the sum want the numbers together.
		v = b.Reshape(b.Dense(b.last(v, axes)), append(slices.Clone(shape), prod(from, axes)))
		axes = []int{len(shape)}
	}
	if len(axes) == 0 {
		return v
	}
	return b.add(reduceOp{red: red, axes: axes}, shape, v)
}

// last moves axes behind all others.
func (b *Builder) last(v Value, axes []int) Value {
	var perm []int
	for i := range b.Shape(v) {
		if !slices.Contains(axes, i) {
			perm = append(perm, i)
		}
	}
	return b.Permute(v, append(perm, axes...))
}

func prod(shape, axes []int) int {
	n := 1
	for _, a := range axes {
		n *= shape[a]
	}
	return n
}

// argMaxOp gives the index of the first largest element along the last axis.
type argMaxOp struct{}

func (argMaxOp) String() string { return "argmax" }

// ArgMax is the index along the axis of the first largest element, or of the
// first NaN. The result lacks the axis.
func (b *Builder) ArgMax(v Value, axis int) Value {
	if !b.ok(v) {
		return None
	}
	from := b.g.shape(v)
	if axis < 0 || axis >= len(from) || from[axis] == 0 {
		return b.failf("argmax: axis %d of a tensor of shape %v", axis, from)
	}
	v = b.Dense(b.last(v, []int{axis}))
	s := b.g.shape(v)
	return b.add(argMaxOp{}, s[:len(s)-1:len(s)-1], v)
}
