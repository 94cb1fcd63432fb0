package ops

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// Conv says how a convolution's windows lie. The zero value means stride 1, no
// padding, dilation 1 and one group.
type Conv struct {
	Stride   [2]int // down and across; 0 means 1
	Pad      [4]int // zeros above, below, left and right
	Dilation [2]int // distance of neighbouring taps; 0 means 1
	Groups   int    // blocks of channels that do not see each other; 0 means 1
}

// conv is a convolution of images [n, c, h, w] with weights [k, c/groups, r, s],
// or its transpose in either operand. It holds all sizes, so that each form
// knows the shapes of the others.
type conv struct {
	part            exec.ConvPart
	win             exec.Window
	n, c, k, groups int
}

func (r conv) String() string {
	w := r.win
	return fmt.Sprintf("%s(%dx%dx%dx%d, %d filters %dx%d, stride %d %d, pad %d %d, dilation %d %d, groups %d, to %dx%d)",
		[...]string{"conv2d", "conv2d_image", "conv2d_weight"}[r.part], r.n, r.c, w.H, w.W, r.k, w.R, w.S,
		w.StrideH, w.StrideW, w.PadTop, w.PadLeft, w.DilationH, w.DilationW, r.groups, w.OH, w.OW)
}

// shapes of the image, the weights and the result.
func (r conv) shapes() (image, weight, out []int) {
	return []int{r.n, r.c, r.win.H, r.win.W}, []int{r.k, r.c / r.groups, r.win.R, r.win.S}, []int{r.n, r.k, r.win.OH, r.win.OW}
}

func (r conv) Shape(in [][]int) ([]int, error) {
	image, weight, out := r.shapes()
	want := [...][3][]int{{image, weight, out}, {out, weight, image}, {image, out, weight}}[r.part]
	if !equal(in[0], want[0]) || !equal(in[1], want[1]) {
		return nil, fmt.Errorf("operands of shapes %v and %v, want %v and %v", in[0], in[1], want[0], want[1])
	}
	return want[2], nil
}

func (r conv) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	image, weight, out := r.shapes()
	if size(image) == 0 || size(weight) == 0 || size(out) == 0 { // a sum of nothing
		return b.Fill(0, [...][]int{out, image, weight}[r.part]...)
	}
	return b.Conv(r.part, r.win, r.n, r.c, r.k, r.groups, in[0], in[1])
}

func (r conv) JVP(b *Builder, _ *Node, in, t []*Node) *Node {
	switch {
	case t[1] == nil:
		return b.Apply(r, t[0], in[1])
	case t[0] == nil:
		return b.Apply(r, in[0], t[1])
	}
	return b.Add(b.Apply(r, t[0], in[1]), b.Apply(r, in[0], t[1]))
}

func (r conv) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	as := func(part exec.ConvPart, x, y *Node) *Node {
		s := r
		s.part = part
		return b.Apply(s, x, y)
	}
	switch r.part {
	case exec.ConvOut: // image, weight
		if i == 0 {
			return as(exec.ConvImage, ct, in[1])
		}
		return as(exec.ConvWeight, in[0], ct)
	case exec.ConvImage: // out, weight
		if i == 0 {
			return as(exec.ConvOut, ct, in[1])
		}
		return as(exec.ConvWeight, ct, in[0])
	}
	// image, out
	if i == 0 {
		return as(exec.ConvImage, in[1], ct)
	}
	return as(exec.ConvOut, in[0], ct)
}

// Conv2D convolves images x [n, c, h, w] with weights w [k, c/groups, r, s]:
// the result is [n, k, oh, ow]. Weights are not flipped (cross-correlation, as
// in every neural-network library).
func (b *Builder) Conv2D(x, w *Node, o Conv) *Node {
	if !b.ok("conv2d", x, w) {
		return nil
	}
	xs, ws := shapeOf(x), shapeOf(w)
	if len(xs) != 4 || len(ws) != 4 {
		return b.failf("conv2d: input of shape %v and weights of shape %v; want [n c h w] and [k c/groups r s]", xs, ws)
	}
	groups := max(o.Groups, 1)
	switch {
	case o.Groups < 0 || xs[1]%groups != 0 || ws[0]%groups != 0 || groups > max(1, ws[0]):
		return b.failf("conv2d: %d groups do not divide %d channels and %d filters", o.Groups, xs[1], ws[0])
	case ws[1] != xs[1]/groups:
		return b.failf("conv2d: input has %d channels, weights %v with %d groups want %d", xs[1], ws, groups, ws[1]*groups)
	}
	win, err := window(xs[2], xs[3], [2]int{ws[2], ws[3]}, o.Stride, o.Dilation, o.Pad)
	if err != nil {
		return b.failf("conv2d: %w", err)
	}
	return b.Apply(conv{exec.ConvOut, win, xs[0], xs[1], ws[0], groups}, x, w)
}

// Conv2DTranspose is the transpose of a convolution in its image, an
// upsampling: images x [n, k, oh, ow] with weights w [k, c/groups, r, s] give
// [n, c, h, w], the smallest h and w for which Conv2D with the same options
// gives oh and ow, plus outputPad, which is below the stride.
func (b *Builder) Conv2DTranspose(x, w *Node, o Conv, outputPad [2]int) *Node {
	if !b.ok("conv2d_transpose", x, w) {
		return nil
	}
	xs, ws := shapeOf(x), shapeOf(w)
	if len(xs) != 4 || len(ws) != 4 {
		return b.failf("conv2d_transpose: input of shape %v and weights of shape %v; want [n k oh ow] and [k c/groups r s]", xs, ws)
	}
	groups := max(o.Groups, 1)
	if o.Groups < 0 || ws[0] != xs[1] || ws[0]%groups != 0 || groups > max(1, ws[0]) {
		return b.failf("conv2d_transpose: input has %d channels, weights %v in %d groups", xs[1], ws, groups)
	}
	taps := [2]int{ws[2], ws[3]}
	if err := settle(taps, &o.Stride, &o.Dilation, o.Pad); err != nil {
		return b.failf("conv2d_transpose: %w", err)
	}
	var size [2]int
	for i, n := range xs[2:] {
		if outputPad[i] < 0 || outputPad[i] >= o.Stride[i] {
			return b.failf("conv2d_transpose: output padding %v; it must be from 0 to below the stride %v", outputPad, o.Stride)
		}
		size[i] = (n-1)*o.Stride[i] + o.Dilation[i]*(taps[i]-1) + 1 - o.Pad[2*i] - o.Pad[2*i+1] + outputPad[i]
	}
	if n := min(xs[2], xs[3], size[0], size[1]); n < 1 {
		return b.failf("conv2d_transpose: planes of %dx%d with window %v, stride %v and padding %v would give planes of %dx%d",
			xs[2], xs[3], taps, o.Stride, o.Pad, size[0], size[1])
	}
	win, err := window(size[0], size[1], taps, o.Stride, o.Dilation, o.Pad)
	if err != nil {
		return b.failf("conv2d_transpose: %w", err)
	}
	return b.Apply(conv{exec.ConvImage, win, xs[0], ws[1] * groups, ws[0], groups}, x, w)
}

// maxWindow bounds the settings of a window, so that no place overflows.
const maxWindow = 1 << 30

// settle gives settings of 0 their default, 1, and refuses those out of range.
func settle(taps [2]int, stride, dilation *[2]int, padding [4]int) error {
	for i := range 2 {
		if stride[i] == 0 {
			stride[i] = 1
		}
		if dilation[i] == 0 {
			dilation[i] = 1
		}
		for _, n := range []int{taps[i], stride[i], dilation[i]} {
			if n < 1 || n > maxWindow {
				return fmt.Errorf("window %v, stride %v, dilation %v; all must be from 1 to %d", taps, *stride, *dilation, maxWindow)
			}
		}
	}
	for _, p := range padding {
		if p < 0 || p > maxWindow {
			return fmt.Errorf("padding %v; it must be from 0 to %d", padding, maxWindow)
		}
	}
	return nil
}

// window lays a window of taps[0] x taps[1] over a plane of h x w.
func window(h, w int, taps, stride, dilation [2]int, padding [4]int) (exec.Window, error) {
	if err := settle(taps, &stride, &dilation, padding); err != nil {
		return exec.Window{}, err
	}
	win := exec.Window{H: h, W: w, R: taps[0], S: taps[1], StrideH: stride[0], StrideW: stride[1],
		DilationH: dilation[0], DilationW: dilation[1], PadTop: padding[0], PadLeft: padding[2]}
	free := func(n, before, after, taps, dilation int) int { return n + before + after - dilation*(taps-1) - 1 }
	dh, dw := free(h, padding[0], padding[1], taps[0], dilation[0]), free(w, padding[2], padding[3], taps[1], dilation[1])
	if dh < 0 || dw < 0 {
		return win, fmt.Errorf("window %v with dilation %v does not fit a plane of %dx%d with padding %v", taps, dilation, h, w, padding)
	}
	win.OH, win.OW = dh/stride[0]+1, dw/stride[1]+1
	return win, nil
}
