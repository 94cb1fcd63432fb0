package ops

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// Pool says how a pooling's windows lie.
type Pool struct {
	Kernel [2]int // height and width of the window
	Stride [2]int // down and across; 0 means the size of the window
	Pad    [4]int // above, below, left and right

	// ExcludePad makes an average that of the elements inside the image alone;
	// by default padding counts as zeros. A maximum never takes padding.
	ExcludePad bool
}

func (o Pool) window(shape []int) (exec.Window, error) {
	if len(shape) != 4 {
		return exec.Window{}, fmt.Errorf("input of shape %v; want [n c h w]", shape)
	}
	for i := range o.Stride {
		if o.Stride[i] == 0 {
			o.Stride[i] = o.Kernel[i]
		}
	}
	for i, p := range o.Pad {
		if p >= o.Kernel[i/2] && p > 0 {
			return exec.Window{}, fmt.Errorf("padding %v must be less than the window %v", o.Pad, o.Kernel)
		}
	}
	win, err := window(shape[2], shape[3], o.Kernel, o.Stride, [2]int{1, 1}, o.Pad)
	if err == nil && (float64(win.H)*float64(win.W) > maxIndices || float64(win.OH)*float64(win.OW) > maxIndices) {
		err = fmt.Errorf("planes of %dx%d to %dx%d; at most %d elements have a number of their own in float32", win.H, win.W, win.OH, win.OW, maxIndices)
	}
	return win, err
}

// poolSum adds each window; transposed, it spreads each element over its
// window.
type poolSum struct {
	win        exec.Window
	transposed bool
}

func (r poolSum) String() string {
	w := r.win
	name := "sum_pool"
	if r.transposed {
		name = "sum_pool_transposed"
	}
	return fmt.Sprintf("%s(%dx%d, %dx%d, stride %d %d, pad %d %d, to %dx%d)", name, w.H, w.W, w.R, w.S, w.StrideH, w.StrideW, w.PadTop, w.PadLeft, w.OH, w.OW)
}

func (r poolSum) Shape(in [][]int) ([]int, error) {
	from, to := [2]int{r.win.H, r.win.W}, [2]int{r.win.OH, r.win.OW}
	if r.transposed {
		from, to = to, from
	}
	if s := in[0]; len(s) != 4 || [2]int{s[2], s[3]} != from {
		return nil, fmt.Errorf("input of shape %v, want planes of %v", in[0], from)
	}
	return []int{in[0][0], in[0][1], to[0], to[1]}, nil
}

func (r poolSum) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	if r.transposed {
		return b.SumPoolT(r.win, in[0])
	}
	return b.SumPool(r.win, in[0])
}

func (r poolSum) JVP(b *Builder, _ *Node, _, t []*Node) *Node { return b.Apply(r, t[0]) }

func (r poolSum) Transpose(b *Builder, _ int, ct *Node, _ []*Node) *Node {
	return b.Apply(poolSum{r.win, !r.transposed}, ct)
}

// AvgPool2D is the mean of each window of images [n, c, h, w].
func (b *Builder) AvgPool2D(x *Node, o Pool) *Node {
	if !b.ok("avg_pool2d", x) {
		return nil
	}
	win, err := o.window(shapeOf(x))
	if err != nil {
		return b.failf("avg_pool2d: %w", err)
	}
	sum := b.Apply(poolSum{win: win}, x)
	if !o.ExcludePad || o.Pad == [4]int{} {
		return b.Mul(sum, b.Const(1/float64(win.R*win.S)))
	}
	count := make([]float64, 0, win.OH*win.OW)
	for oh := range win.OH {
		for ow := range win.OW {
			n := inside(oh*win.StrideH-win.PadTop, win.R, win.H) * inside(ow*win.StrideW-win.PadLeft, win.S, win.W)
			count = append(count, 1/float64(n))
		}
	}
	return b.Mul(sum, b.Tensor(count, win.OH, win.OW))
}

// inside counts the taps at, at+1, ... at+taps-1 that lie in [0, n).
func inside(at, taps, n int) int { return min(at+taps, n) - max(at, 0) }

// maxIndex is where each window has its largest element.
type maxIndex struct{ win exec.Window }

func (r maxIndex) String() string {
	w := r.win
	return fmt.Sprintf("max_index(%dx%d, %dx%d, stride %d %d, pad %d %d, to %dx%d)", w.H, w.W, w.R, w.S, w.StrideH, w.StrideW, w.PadTop, w.PadLeft, w.OH, w.OW)
}

func (r maxIndex) Shape(in [][]int) ([]int, error) {
	return []int{in[0][0], in[0][1], r.win.OH, r.win.OW}, nil
}

func (r maxIndex) JVP(*Builder, *Node, []*Node, []*Node) *Node { return nil }

func (r maxIndex) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.MaxIndex(r.win, in[0])
}

// poolAt takes from each window the element that an index of maxIndex names, or,
// transposed, puts it back there. It is linear in its first operand.
type poolAt struct {
	win        exec.Window
	transposed bool
}

func (r poolAt) String() string {
	w := r.win
	name := "pool_take"
	if r.transposed {
		name = "pool_put"
	}
	return fmt.Sprintf("%s(%dx%d, %dx%d, stride %d %d, pad %d %d, to %dx%d)", name, w.H, w.W, w.R, w.S, w.StrideH, w.StrideW, w.PadTop, w.PadLeft, w.OH, w.OW)
}

func (r poolAt) Shape(in [][]int) ([]int, error) {
	x, at := in[0], in[1]
	if len(x) != 4 || len(at) != 4 {
		return nil, fmt.Errorf("a tensor of shape %v at indices of shape %v; want [n c h w] for both", x, at)
	}
	plane, result := []int{x[0], x[1], r.win.H, r.win.W}, []int{x[0], x[1], r.win.OH, r.win.OW}
	from, to := plane, result
	if r.transposed {
		from, to = result, plane
	}
	if !equal(x, from) || !equal(at, result) {
		return nil, fmt.Errorf("a tensor of shape %v at indices of shape %v; want %v and %v", x, at, from, result)
	}
	return to, nil
}

func (r poolAt) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	if r.transposed {
		return b.PoolPut(r.win, in[0], in[1])
	}
	return b.PoolTake(r.win, in[0], in[1])
}

func (r poolAt) JVP(b *Builder, _ *Node, in, t []*Node) *Node {
	if t[0] == nil {
		return nil
	}
	return b.Apply(r, t[0], in[1])
}

func (r poolAt) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	if i != 0 {
		return b.failf("%s is not linear in its indices", r)
	}
	return b.Apply(poolAt{r.win, !r.transposed}, ct, in[1])
}

// MaxPool2D is the largest element of each window of images [n, c, h, w]: the
// first, where several are equal.
func (b *Builder) MaxPool2D(x *Node, o Pool) *Node {
	if !b.ok("max_pool2d", x) {
		return nil
	}
	win, err := o.window(shapeOf(x))
	if err != nil {
		return b.failf("max_pool2d: %w", err)
	}
	return b.Apply(poolAt{win: win}, x, b.Apply(maxIndex{win}, x))
}
