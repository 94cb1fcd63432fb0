package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// broadcast repeats a tensor to a shape.
type broadcast struct{ to []int }

func (r broadcast) String() string { return fmt.Sprintf("broadcast%v", r.to) }

func (r broadcast) Shape(in [][]int) ([]int, error) {
	if got, err := Broadcast(in[0], r.to); err != nil || !equal(got, r.to) {
		return nil, fmt.Errorf("shape %v does not repeat to %v", in[0], r.to)
	}
	return r.to, nil
}

func (r broadcast) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Broadcast(in[0], r.to)
}

func (r broadcast) JVP(b *Builder, _ *Node, _, t []*Node) *Node { return b.Apply(r, t[0]) }

func (r broadcast) Transpose(b *Builder, _ int, ct *Node, in []*Node) *Node {
	from := shapeOf(in[0])
	lead := len(r.to) - len(from)
	var axes []int
	for i, n := range r.to {
		if i < lead || from[i-lead] != n {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		return ct
	}
	return b.Reshape(b.Sum(ct, axes...), from...)
}

// Broadcast repeats x to the shape by NumPy's rule (see the function
// [Broadcast]).
func (b *Builder) Broadcast(x *Node, shape ...int) *Node {
	if !b.ok("broadcast", x) {
		return nil
	}
	if equal(shapeOf(x), shape) {
		return x
	}
	return b.Apply(broadcast{slices.Clone(shape)}, x)
}

// reshape gives the same elements another shape.
type reshape struct{ to []int }

func (r reshape) String() string { return fmt.Sprintf("reshape%v", r.to) }

func (r reshape) Shape(in [][]int) ([]int, error) {
	if size(in[0]) != size(r.to) {
		return nil, fmt.Errorf("shape %v has %d elements, %v has %d", in[0], size(in[0]), r.to, size(r.to))
	}
	return r.to, nil
}

func (r reshape) Lower(b *exec.Builder, in []exec.Value) exec.Value { return b.Reshape(in[0], r.to) }

func (r reshape) JVP(b *Builder, _ *Node, _, t []*Node) *Node { return b.Apply(r, t[0]) }

func (r reshape) Transpose(b *Builder, _ int, ct *Node, in []*Node) *Node {
	return b.Reshape(ct, shapeOf(in[0])...)
}

// Reshape gives the elements of x, in order, another shape. One axis may be
// -1: what the others leave.
func (b *Builder) Reshape(x *Node, shape ...int) *Node {
	if !b.ok("reshape", x) {
		return nil
	}
	to := slices.Clone(shape)
	if i := slices.Index(to, -1); i >= 0 {
		to[i] = 1
		if err := possible(to); err != nil {
			return b.failf("reshape: %v to %v: %w", shapeOf(x), shape, err)
		}
		n := size(to)
		if n == 0 || size(shapeOf(x))%n != 0 {
			return b.failf("reshape: %v to %v: the axes beside -1 have %d elements, which do not divide %d", shapeOf(x), shape, n, size(shapeOf(x)))
		}
		to[i] = size(shapeOf(x)) / n
	}
	shape = to
	if equal(shapeOf(x), shape) {
		return x
	}
	if shape == nil {
		shape = []int{}
	}
	return b.Apply(reshape{shape}, x)
}

// permute reorders axes.
type permute struct{ perm []int }

func (r permute) String() string { return fmt.Sprintf("transpose%v", r.perm) }

func (r permute) Shape(in [][]int) ([]int, error) {
	out := make([]int, len(r.perm))
	seen := make([]bool, len(r.perm))
	if len(r.perm) != len(in[0]) {
		return nil, fmt.Errorf("%d axes for a tensor of shape %v", len(r.perm), in[0])
	}
	for i, p := range r.perm {
		if p < 0 || p >= len(out) || seen[p] {
			return nil, fmt.Errorf("not an order of %d axes", len(out))
		}
		seen[p] = true
		out[i] = in[0][p]
	}
	return out, nil
}

func (r permute) Lower(b *exec.Builder, in []exec.Value) exec.Value { return b.Permute(in[0], r.perm) }

func (r permute) JVP(b *Builder, _ *Node, _, t []*Node) *Node { return b.Apply(r, t[0]) }

func (r permute) Transpose(b *Builder, _ int, ct *Node, _ []*Node) *Node {
	back := make([]int, len(r.perm))
	for i, p := range r.perm {
		back[p] = i
	}
	return b.Apply(permute{back}, ct)
}

// Transpose reorders the axes: axis i of the result is axis perm[i] of x.
// Without perm it reverses them.
func (b *Builder) Transpose(x *Node, perm ...int) *Node {
	if !b.ok("transpose", x) {
		return nil
	}
	rank := len(shapeOf(x))
	if len(perm) == 0 {
		for i := range rank {
			perm = append(perm, rank-1-i)
		}
	}
	for i, p := range perm {
		if p != i {
			return b.Apply(permute{slices.Clone(perm)}, x)
		}
	}
	if len(perm) != rank {
		return b.failf("transpose: %d axes for a tensor of shape %v", len(perm), shapeOf(x))
	}
	return x
}

// slice takes a range of every axis.
type slice struct{ start, stop, step []int }

func (r slice) String() string { return fmt.Sprintf("slice%v%v%v", r.start, r.stop, r.step) }

func (r slice) Shape(in [][]int) ([]int, error) {
	out := make([]int, len(in[0]))
	for i, n := range in[0] {
		if r.start[i] < 0 || r.stop[i] > n || r.start[i] > r.stop[i] || r.step[i] < 1 {
			return nil, fmt.Errorf("range %d:%d:%d of axis %d of a tensor of shape %v", r.start[i], r.stop[i], r.step[i], i, in[0])
		}
		out[i] = (r.stop[i] - r.start[i] + r.step[i] - 1) / r.step[i] // step is at most max(1, n)
	}
	return out, nil
}

func (r slice) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Slice(in[0], r.start, r.stop, r.step)
}

func (r slice) JVP(b *Builder, _ *Node, _, t []*Node) *Node { return b.Apply(r, t[0]) }

func (r slice) Transpose(b *Builder, _ int, ct *Node, in []*Node) *Node {
	p := pad{slices.Clone(r.start), make([]int, len(r.start)), make([]int, len(r.start))}
	for i, n := range shapeOf(in[0]) {
		p.interior[i] = r.step[i] - 1
		m := shapeOf(ct)[i]
		used := 0
		if m > 0 {
			used = (m-1)*r.step[i] + 1
		}
		p.high[i] = n - r.start[i] - used
	}
	return b.Apply(p, ct)
}

// A Range is the elements Start, Start+Step, ... below Stop of an axis. Stop 0
// means to the end and Step 0 means 1; negative bounds count from the end.
type Range struct{ Start, Stop, Step int }

// Slice takes a range of each of the first axes, and the whole of the others.
func (b *Builder) Slice(x *Node, ranges ...Range) *Node {
	if !b.ok("slice", x) {
		return nil
	}
	shape := shapeOf(x)
	if len(ranges) > len(shape) {
		return b.failf("slice: %d ranges for a tensor of shape %v", len(ranges), shape)
	}
	r := slice{make([]int, len(shape)), slices.Clone(shape), make([]int, len(shape))}
	whole := true
	for i, n := range shape {
		r.step[i] = 1
		if i >= len(ranges) {
			continue
		}
		g := ranges[i]
		if g.Start < 0 {
			g.Start += n
		}
		if g.Stop <= 0 {
			g.Stop += n
		}
		if g.Step == 0 {
			g.Step = 1
		}
		g.Step = min(g.Step, max(1, n)) // as far as the first element only
		r.start[i], r.stop[i], r.step[i] = g.Start, g.Stop, g.Step
		whole = whole && g == Range{0, n, 1}
	}
	if whole {
		return x
	}
	return b.Apply(r, x)
}

// pad puts zeros around and between elements.
type pad struct{ low, high, interior []int }

func (r pad) String() string { return fmt.Sprintf("pad%v%v%v", r.low, r.high, r.interior) }

func (r pad) Shape(in [][]int) ([]int, error) {
	if len(r.low) != len(in[0]) || len(r.high) != len(in[0]) || len(r.interior) != len(in[0]) {
		return nil, fmt.Errorf("%d and %d sizes for a tensor of shape %v", len(r.low), len(r.high), in[0])
	}
	out := make([]int, len(in[0]))
	for i, n := range in[0] {
		for _, p := range []int{r.low[i], r.high[i], r.interior[i]} {
			if p < 0 || p > math.MaxInt32 {
				return nil, fmt.Errorf("padding of axis %d by %d; allowed are from 0 to %d", i, p, math.MaxInt32)
			}
		}
		out[i] = r.low[i] + r.high[i] + n + max(0, n-1)*r.interior[i]
	}
	return out, nil
}

func (r pad) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Pad(in[0], r.low, r.high, r.interior)
}

func (r pad) JVP(b *Builder, _ *Node, _, t []*Node) *Node { return b.Apply(r, t[0]) }

func (r pad) Transpose(b *Builder, _ int, ct *Node, in []*Node) *Node {
	s := slice{slices.Clone(r.low), slices.Clone(shapeOf(ct)), make([]int, len(r.low))}
	for i := range s.stop {
		s.stop[i] -= r.high[i]
		s.step[i] = r.interior[i] + 1
	}
	return b.Apply(s, ct)
}

// Pad puts low[i] zeros before and high[i] behind axis i.
func (b *Builder) Pad(x *Node, low, high []int) *Node {
	return b.Apply(pad{slices.Clone(low), slices.Clone(high), make([]int, len(low))}, x)
}

// PadWith is Pad with the number v in the place of zero.
func (b *Builder) PadWith(v float64, x *Node, low, high []int) *Node {
	y := b.Pad(x, low, high)
	if v == 0 || b.err != nil {
		return y
	}
	inside := b.Pad(b.Fill(1, shapeOf(x)...), low, high)
	return b.Where(inside, y, b.Const(v))
}

// concat joins tensors along an axis.
type concat struct{ axis int }

func (r concat) String() string { return fmt.Sprintf("concat[%d]", r.axis) }

func (r concat) Shape(in [][]int) ([]int, error) {
	out := slices.Clone(in[0])
	for _, s := range in[1:] {
		if len(s) != len(out) || !equal(s[:r.axis], out[:r.axis]) || !equal(s[r.axis+1:], out[r.axis+1:]) {
			return nil, fmt.Errorf("shapes %v and %v differ beside axis %d", in[0], s, r.axis)
		}
		out[r.axis] += s[r.axis]
	}
	return out, nil
}

func (r concat) Lower(b *exec.Builder, in []exec.Value) exec.Value { return b.Concat(r.axis, in...) }

func (r concat) JVP(b *Builder, _ *Node, in, t []*Node) *Node {
	ts := make([]*Node, len(t))
	for i, x := range t {
		if x == nil {
			x = b.Fill(0, shapeOf(in[i])...)
		}
		ts[i] = x
	}
	return b.Apply(r, ts...)
}

func (r concat) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	shape := shapeOf(ct)
	s := slice{make([]int, len(shape)), slices.Clone(shape), make([]int, len(shape))}
	for d := range s.step {
		s.step[d] = 1
	}
	for _, x := range in[:i] {
		s.start[r.axis] += shapeOf(x)[r.axis]
	}
	s.stop[r.axis] = s.start[r.axis] + shapeOf(in[i])[r.axis]
	return b.Apply(s, ct)
}

// Concat joins tensors, whose other axes are equal, along an axis.
func (b *Builder) Concat(ax int, xs ...*Node) *Node {
	if len(xs) == 0 {
		return b.failf("concat: of nothing")
	}
	if !b.ok("concat", xs...) {
		return nil
	}
	ax, err := axis(ax, len(shapeOf(xs[0])))
	if err != nil {
		return b.failf("concat: %w", err)
	}
	if len(xs) == 1 {
		return xs[0]
	}
	return b.Apply(concat{ax}, xs...)
}
