package exec

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Window says how a window slides over a plane; see internal/kernel.
type Window = kernel.Window

// convOp is a convolution of images [n, c, h, w] with weights [k, c/groups, r, s]
// to [n, k, oh, ow], or one of its transposes.
type convOp struct {
	part    ConvPart
	win     Window
	n, c, k int
	groups  int
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
	return fmt.Sprintf("%s(%dx%d stride %d %d pad %d %d dilation %d %d groups %d)",
		[...]string{"conv", "conv_image", "conv_weight"}[o.part], w.R, w.S, w.StrideH, w.StrideW,
		w.PadTop, w.PadLeft, w.DilationH, w.DilationW, o.groups)
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
	o := convOp{part, win, n, c, k, groups}
	if !sameShape(b.g.shape(x), want[0]) || !sameShape(b.g.shape(y), want[1]) {
		return b.failf("%s: operands %v and %v, want %v and %v", o, b.g.shape(x), b.g.shape(y), want[0], want[1])
	}
	return b.add(o, want[2], b.Dense(x), b.Dense(y))
}

// poolOp slides a window over the planes of [n, c, h, w].
type poolOp struct {
	kind poolKind
	win  Window
}

type poolKind uint8

const (
	poolMaxIndex poolKind = iota
	poolSum
	poolSumT
)

func (o poolOp) String() string {
	w := o.win
	return fmt.Sprintf("%s(%dx%d stride %d %d pad %d %d)",
		[...]string{"max_index", "sum_pool", "sum_pool_t"}[o.kind], w.R, w.S, w.StrideH, w.StrideW, w.PadTop, w.PadLeft)
}

// MaxIndex is, for each window of the planes of v [n, c, h, w], the index h*W+w
// of its first largest element: [n, c, oh, ow].
func (b *Builder) MaxIndex(win Window, v Value) Value {
	return b.pool(poolMaxIndex, win, v, win.H, win.W, win.OH, win.OW)
}

// SumPool is the sum of each window of the planes of v: [n, c, oh, ow].
func (b *Builder) SumPool(win Window, v Value) Value {
	return b.pool(poolSum, win, v, win.H, win.W, win.OH, win.OW)
}

// SumPoolT is the transpose of SumPool: from [n, c, oh, ow] to [n, c, h, w].
func (b *Builder) SumPoolT(win Window, v Value) Value {
	return b.pool(poolSumT, win, v, win.OH, win.OW, win.H, win.W)
}

func (b *Builder) pool(kind poolKind, win Window, v Value, h, w, oh, ow int) Value {
	if !b.ok(v) {
		return None
	}
	o := poolOp{kind, win}
	s := b.g.shape(v)
	if len(s) != 4 || s[2] != h || s[3] != w {
		return b.failf("%s: shape %v, want planes of %d x %d", o, s, h, w)
	}
	return b.add(o, []int{s[0], s[1], oh, ow}, b.Dense(v))
}
