package ops

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// reduce reduces some axes, which the result lacks.
type reduce struct {
	red  exec.Red
	axes []int // sorted
}

func (r reduce) String() string { return fmt.Sprintf("%s%v", r.red, r.axes) }

func (r reduce) Shape(in [][]int) ([]int, error) {
	if n := prodAt(in[0], r.axes); n == 0 && r.red != exec.SumRed {
		return nil, fmt.Errorf("of no elements: shape %v", in[0])
	}
	return without(in[0], r.axes), nil
}

func prodAt(shape, axes []int) int {
	n := 1
	for _, a := range axes {
		n *= shape[a]
	}
	return n
}

func (r reduce) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Reduce(r.red, in[0], r.axes)
}

func (r reduce) JVP(b *Builder, y *Node, in, t []*Node) *Node {
	sum := func(x *Node) *Node { return b.Apply(reduce{exec.SumRed, r.axes}, x) }
	back := func(y *Node) *Node { return b.unreduce(y, shapeOf(in[0]), r.axes) }
	switch r.red {
	case exec.SumRed:
		return sum(t[0])
	case exec.LogSumExpRed:
		return sum(b.Mul(t[0], b.Exp(b.Sub(in[0], back(y)))))
	}
	// Equal extremes share the slope.
	at := b.Equal(in[0], back(y))
	return sum(b.Mul(t[0], b.Div(at, back(sum(at)))))
}

func (r reduce) Transpose(b *Builder, _ int, ct *Node, in []*Node) *Node {
	if r.red != exec.SumRed {
		return b.failf("%s is not linear", r)
	}
	return b.unreduce(ct, shapeOf(in[0]), r.axes)
}

// unreduce repeats y, the result of a reduction of shape over axes, to shape.
func (b *Builder) unreduce(y *Node, shape, axes []int) *Node {
	return b.Broadcast(b.Reshape(y, kept(shape, axes)...), shape...)
}

func (b *Builder) reduce(red exec.Red, x *Node, axes []int) *Node {
	if !b.ok(red.String(), x) {
		return nil
	}
	axes, err := axesOf(axes, len(shapeOf(x)))
	if err != nil {
		return b.failf("%s: %w", red, err)
	}
	if len(axes) == 0 {
		return x
	}
	return b.Apply(reduce{red, axes}, x)
}

// Sum adds x over the axes, which the result lacks; over all if none is given.
// Negative axes count from the last.
func (b *Builder) Sum(x *Node, axes ...int) *Node { return b.reduce(exec.SumRed, x, axes) }

// Max is the largest element over the axes, like [Builder.Sum]; equal largest
// elements share the slope.
func (b *Builder) Max(x *Node, axes ...int) *Node { return b.reduce(exec.MaxRed, x, axes) }

// Min is the smallest element over the axes, like [Builder.Max].
func (b *Builder) Min(x *Node, axes ...int) *Node { return b.reduce(exec.MinRed, x, axes) }

// LogSumExp is log(sum e^x) over the axes, like [Builder.Sum], for any x.
func (b *Builder) LogSumExp(x *Node, axes ...int) *Node { return b.reduce(exec.LogSumExpRed, x, axes) }

// Mean is the average over the axes, like [Builder.Sum].
func (b *Builder) Mean(x *Node, axes ...int) *Node {
	sum := b.Sum(x, axes...)
	if b.err != nil {
		return nil
	}
	return b.Mul(sum, b.Const(float64(size(shapeOf(sum)))/float64(size(shapeOf(x)))))
}

// ExpandDims gives x further axes of one element, so that they are the given
// axes of the result: it undoes what a reduction does to the shape.
func (b *Builder) ExpandDims(x *Node, axes ...int) *Node {
	if !b.ok("expand_dims", x) {
		return nil
	}
	if len(axes) == 0 {
		return x
	}
	from := shapeOf(x)
	axes, err := axesOf(axes, len(from)+len(axes))
	if err != nil {
		return b.failf("expand_dims: %w", err)
	}
	shape := make([]int, len(from)+len(axes))
	for _, a := range axes {
		shape[a] = -1
	}
	for i, k := 0, 0; i < len(shape); i++ {
		if shape[i] < 0 {
			shape[i] = 1
		} else {
			shape[i] = from[k]
			k++
		}
	}
	return b.Reshape(x, shape...)
}

// argMax is the place of the largest element along an axis.
type argMax struct{ axis int }

func (r argMax) String() string { return fmt.Sprintf("argmax[%d]", r.axis) }

func (r argMax) Shape(in [][]int) ([]int, error) {
	if n := in[0][r.axis]; n == 0 || n > maxIndices {
		return nil, fmt.Errorf("of %d elements; allowed are from 1 to %d: shape %v", n, maxIndices, in[0])
	}
	return without(in[0], []int{r.axis}), nil
}

func (r argMax) JVP(*Builder, *Node, []*Node, []*Node) *Node { return nil }

func (r argMax) Lower(b *exec.Builder, in []exec.Value) exec.Value { return b.ArgMax(in[0], r.axis) }

// ArgMax is the index along the axis of the first largest element; the result
// lacks the axis. Its derivative is zero.
func (b *Builder) ArgMax(x *Node, ax int) *Node {
	if !b.ok("argmax", x) {
		return nil
	}
	ax, err := axis(ax, len(shapeOf(x)))
	if err != nil {
		return b.failf("argmax: %w", err)
	}
	return b.Apply(argMax{ax}, x)
}
