package nn

import (
	"cmp"
	"fmt"

	"github.com/saddle-ml/saddle/autodiff/ops"
)

// Padding says how many zeros surround an image.
type Padding struct {
	same                     bool
	Top, Bottom, Left, Right int
}

// Same pads so that a stride of 1 keeps the size; with a stride s the result is
// 1/s of it, rounded up. An odd zero goes to the bottom and right.
var Same = Padding{same: true}

// Valid pads nothing.
var Valid = Padding{}

// Pad puts n zeros on every side.
func Pad(n int) Padding { return Padding{Top: n, Bottom: n, Left: n, Right: n} }

// zeros is the padding for an image of the size, in the order of ops.Conv.
func (p Padding) zeros(size, taps, stride, dilation [2]int) [4]int {
	if !p.same {
		return [4]int{p.Top, p.Bottom, p.Left, p.Right}
	}
	var z [4]int
	for i := range 2 {
		out := (size[i] + stride[i] - 1) / stride[i]
		need := max(0, (out-1)*stride[i]+dilation[i]*(taps[i]-1)+1-size[i])
		z[2*i], z[2*i+1] = need/2, need-need/2
	}
	return z
}

// Conv2D convolves images [n, channels, height, width] with Filters windows of
// Kernel x Kernel and adds a bias: [n, Filters, height', width']. Settings of
// two numbers, for height and width, override the single ones.
type Conv2D struct {
	Filters    int
	Kernel     int
	KernelHW   [2]int
	Stride     int // 0 means 1
	StrideHW   [2]int
	Dilation   int // 0 means 1
	DilationHW [2]int
	Padding    Padding
	Groups     int // 0 means 1
	NoBias     bool
	Init       Init // nil means GlorotUniform
	BiasInit   Init // nil means Zeros
}

func (Conv2D) kind() string { return "conv" }

func (c Conv2D) String() string {
	k := pair(c.Kernel, c.KernelHW, 0)
	return fmt.Sprintf("Conv2D %dx%dx%d", k[0], k[1], c.Filters)
}

// pair is a setting for height and for width: that of both if it is not 0, else
// one, else the default.
func pair(one int, both [2]int, def int) [2]int {
	for i := range both {
		both[i] = cmp.Or(both[i], one, def)
	}
	return both
}

// Apply convolves x.
func (c Conv2D) Apply(s *Scope, x *Node) *Node {
	shape := s.Shape(x)
	if s.Err() != nil {
		return nil
	}
	if len(shape) != 4 {
		return s.Failf("input of shape %v, want a batch of images [n channels height width]", shape)
	}
	k, st, di := pair(c.Kernel, c.KernelHW, 0), pair(c.Stride, c.StrideHW, 1), pair(c.Dilation, c.DilationHW, 1)
	groups := c.Groups
	if groups == 0 {
		groups = 1
	}
	switch {
	case c.Filters < 1 || k[0] < 1 || k[1] < 1:
		return s.Failf("%d filters of %dx%d; all must be at least 1", c.Filters, k[0], k[1])
	case groups < 1 || shape[1]%groups != 0 || c.Filters%groups != 0:
		return s.Failf("%d groups do not divide %d channels and %d filters", groups, shape[1], c.Filters)
	}
	in := shape[1] / groups
	if w := s.known("weight"); len(w) == 4 && w[1] != in {
		return s.Failf("input has %d channels, kernel wants %d (weight of shape %v)", shape[1], w[1]*groups, w)
	}
	w := s.param("weight", Weight, or(c.Init, GlorotUniform), in*k[0]*k[1], c.Filters/groups*k[0]*k[1], []int{c.Filters, in, k[0], k[1]})
	o := ops.Conv{Stride: st, Dilation: di, Groups: groups, Pad: c.Padding.zeros([2]int{shape[2], shape[3]}, k, st, di)}
	y := s.Builder.Conv2D(x, w, o)
	var b *Node
	if !c.NoBias {
		b = s.param("bias", Bias, or(c.BiasInit, Zeros), in*k[0]*k[1], c.Filters, []int{c.Filters})
		y = s.Add(y, s.Builder.Reshape(b, c.Filters, 1, 1))
	}
	block := Block{In: in * k[0] * k[1], Out: c.Filters / groups, Groups: groups, Transposed: true}
	s.site(block, y, []*Node{w, b}, func(s *Scope) *Node { return windows(s, x, k, o) }, plane)
	return y
}

// MaxPool2D takes the largest element of each window of Size x Size; the
// windows lie Stride apart, of which 0 means the size.
type MaxPool2D struct {
	Size     int
	SizeHW   [2]int
	Stride   int
	StrideHW [2]int
	Padding  Padding
}

func (MaxPool2D) kind() string { return "maxpool" }

func (p MaxPool2D) String() string {
	k := pair(p.Size, p.SizeHW, 0)
	return fmt.Sprintf("MaxPool2D %dx%d", k[0], k[1])
}

// Apply pools x.
func (p MaxPool2D) Apply(s *Scope, x *Node) *Node {
	o, ok := pooling(s, x, pair(p.Size, p.SizeHW, 0), p.Stride, p.StrideHW, p.Padding)
	if !ok {
		return nil
	}
	return s.Builder.MaxPool2D(x, o)
}

// AvgPool2D takes the mean of each window, like MaxPool2D. Padding counts as
// zeros unless ExcludePadding.
type AvgPool2D struct {
	Size           int
	SizeHW         [2]int
	Stride         int
	StrideHW       [2]int
	Padding        Padding
	ExcludePadding bool
}

func (AvgPool2D) kind() string { return "avgpool" }

func (p AvgPool2D) String() string {
	k := pair(p.Size, p.SizeHW, 0)
	return fmt.Sprintf("AvgPool2D %dx%d", k[0], k[1])
}

// Apply pools x.
func (p AvgPool2D) Apply(s *Scope, x *Node) *Node {
	o, ok := pooling(s, x, pair(p.Size, p.SizeHW, 0), p.Stride, p.StrideHW, p.Padding)
	if !ok {
		return nil
	}
	o.ExcludePad = p.ExcludePadding
	return s.Builder.AvgPool2D(x, o)
}

func pooling(s *Scope, x *Node, k [2]int, stride int, strideHW [2]int, p Padding) (ops.Pool, bool) {
	shape := s.Shape(x)
	if s.Err() != nil {
		return ops.Pool{}, false
	}
	if len(shape) != 4 {
		s.Failf("input of shape %v, want a batch of images [n channels height width]", shape)
		return ops.Pool{}, false
	}
	if k[0] < 1 || k[1] < 1 {
		s.Failf("window of %dx%d; both must be at least 1", k[0], k[1])
		return ops.Pool{}, false
	}
	st := pair(stride, strideHW, 0)
	for i := range st {
		if st[i] == 0 {
			st[i] = k[i]
		}
	}
	return ops.Pool{Kernel: k, Stride: st, Pad: p.zeros([2]int{shape[2], shape[3]}, k, st, [2]int{1, 1})}, true
}

// GlobalAvgPool takes the mean of each channel: [n, channels].
type GlobalAvgPool struct{}

// Apply pools x.
func (GlobalAvgPool) Apply(s *Scope, x *Node) *Node {
	if s.Err() == nil && len(s.Shape(x)) != 4 {
		return s.Failf("input of shape %v, want a batch of images [n channels height width]", s.Shape(x))
	}
	return s.Mean(x, 2, 3)
}
