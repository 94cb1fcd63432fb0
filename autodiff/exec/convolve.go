package exec

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Window says how a window slides over a plane; see internal/kernel.
type Window = kernel.Window

// convOp is a convolution of images [n, h, w, c] with weights [r, s, c/groups, k]
// to [n, oh, ow, k], or one of its transposes.
type convOp struct {
	part    ConvPart
	win     Window
	n, c, k int
	groups  int

	winograd bool    // the weights are transformed
	code     []mapFn // a function of the result, register 0, and further operands
}

// ConvPart is a convolution seen as a function of one of its operands.
type ConvPart uint8

const (
	ConvOut    ConvPart = iota // of images and weights: the images that come out
	ConvImage                  // its transpose in the image, of (output, weights)
	ConvWeight                 // its transpose in the weights, of (image, output)
)

func (o convOp) String() string {
	w := o.win
	name := [...]string{"conv", "conv_image", "conv_weight"}[o.part]
	if o.winograd {
		name += "_winograd"
	}
	name = fmt.Sprintf("%s(%dx%d stride %d %d pad %d %d dilation %d %d groups %d)",
		name, w.R, w.S, w.StrideH, w.StrideW,
		w.PadTop, w.PadLeft, w.DilationH, w.DilationW, o.groups)
	if o.code != nil {
		name += " " + mapOp{o.code}.String()
	}
	return name
}

// Conv is a convolution of n images of c channels with k filters, or one of
// its transposes, for the operands that part says. Windows are not flipped
// (cross-correlation).
func (b *Builder) Conv(part ConvPart, win Window, n, c, k, groups int, x, y Value) Value {
	if !b.ok(x, y) {
		return None
	}
	image := []int{n, c, win.H, win.W}
	weight := []int{k, c / groups, win.R, win.S}
	out := []int{n, k, win.OH, win.OW}
	want := [...][3][]int{{image, weight, out}, {out, weight, image}, {image, out, weight}}[part]
	o := convOp{part: part, win: win, n: n, c: c, k: k, groups: groups}
	if !sameShape(b.g.shape(x), want[0]) || !sameShape(b.g.shape(y), want[1]) {
		return b.failf("%s: operands %v and %v, want %v and %v", o, b.g.shape(x), b.g.shape(y), want[0], want[1])
	}
	// Kernels want channels together, and weights with those of the result last.
	switch part {
	case ConvOut:
		w := b.Dense(b.Permute(y, []int{2, 3, 1, 0}))
		return b.channelsSecond(b.add(o, []int{n, win.OH, win.OW, k}, b.channelsLast(x), w))
	case ConvImage:
		w := b.Reshape(y, []int{groups, k / groups, c / groups, win.R, win.S})
		w = b.Dense(b.Permute(w, []int{3, 4, 1, 0, 2}))
		w = b.reverse(b.Reshape(w, []int{win.R * win.S, k / groups * c}))
		return b.channelsSecond(b.add(o, []int{n, win.H, win.W, c}, b.channelsLast(x), w))
	}
	w := b.add(o, []int{win.R, win.S, c / groups, k}, b.channelsLast(x), b.channelsLast(y))
	return b.Permute(w, []int{3, 2, 0, 1})
}

// channelsLast is images [n, c, h, w] as a dense [n, h, w, c], and channelsSecond
// the view the other way.
func (b *Builder) channelsLast(v Value) Value   { return b.Dense(b.Permute(v, []int{0, 2, 3, 1})) }
func (b *Builder) channelsSecond(v Value) Value { return b.Permute(v, []int{0, 3, 1, 2}) }

// reverseOp turns the order of the first axis of a dense matrix.
type reverseOp struct{}

func (reverseOp) String() string { return "reverse" }

func (b *Builder) reverse(v Value) Value {
	if !b.ok(v) || b.g.shape(v)[0] < 2 {
		return v
	}
	return b.add(reverseOp{}, b.g.shape(v), v)
}

// poolOp slides a window over images whose channels are last, [n, h, w, c].
type poolOp struct {
	kind poolKind
	win  Window
}

type poolKind uint8

const (
	poolMaxIndex poolKind = iota
	poolTake
	poolPut
	poolSum
	poolSumT
)

func (o poolOp) String() string {
	w := o.win
	return fmt.Sprintf("%s(%dx%d stride %d %d pad %d %d)",
		[...]string{"max_index", "pool_take", "pool_put", "sum_pool", "sum_pool_t"}[o.kind], w.R, w.S, w.StrideH, w.StrideW, w.PadTop, w.PadLeft)
}

// MaxIndex is, for each window of the planes of v [n, c, h, w], the index h*W+w
// of its first largest element: [n, c, oh, ow].
func (b *Builder) MaxIndex(win Window, v Value) Value { return b.pool(poolMaxIndex, win, false, v) }

// PoolTake is the element of each window of v [n, c, h, w] that at, a MaxIndex of
// the same window, names: [n, c, oh, ow].
func (b *Builder) PoolTake(win Window, v, at Value) Value { return b.pool(poolTake, win, false, v, at) }

// PoolPut is the transpose of PoolTake in v: it adds each element of v [n, c, oh,
// ow] to the place that at names, [n, c, h, w].
func (b *Builder) PoolPut(win Window, v, at Value) Value { return b.pool(poolPut, win, true, v, at) }

// SumPool is the sum of each window of the planes of v: [n, c, oh, ow].
func (b *Builder) SumPool(win Window, v Value) Value { return b.pool(poolSum, win, false, v) }

// SumPoolT is the transpose of SumPool: from [n, c, oh, ow] to [n, c, h, w].
func (b *Builder) SumPoolT(win Window, v Value) Value { return b.pool(poolSumT, win, true, v) }

// pool gives planes if back and results of windows otherwise, from the other
// and indices.
func (b *Builder) pool(kind poolKind, win Window, back bool, in ...Value) Value {
	if !b.ok(in...) {
		return None
	}
	o := poolOp{kind, win}
	from, to := [2]int{win.H, win.W}, [2]int{win.OH, win.OW}
	if back {
		from, to = to, from
	}
	s := b.g.shape(in[0])
	if len(s) != 4 || s[2] != from[0] || s[3] != from[1] {
		return b.failf("%s: shape %v, want planes of %d x %d", o, s, from[0], from[1])
	}
	args := []Value{b.channelsLast(in[0])}
	if len(in) > 1 {
		if want := []int{s[0], s[1], win.OH, win.OW}; !sameShape(b.g.shape(in[1]), want) {
			return b.failf("%s: indices of shape %v, want %v", o, b.g.shape(in[1]), want)
		}
		args = append(args, b.channelsLast(in[1]))
	}
	return b.channelsSecond(b.add(o, []int{s[0], to[0], to[1], s[1]}, args...))
}
