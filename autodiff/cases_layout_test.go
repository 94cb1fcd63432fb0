package autodiff_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// layout is a case of what moves elements of one tensor: draw gives the shape and
// the move. The derivative of a sine before it and a square behind it would
// show elements in wrong places.
func layout(name string, draw func(r *rand.Rand) ([]int, func(b *ops.Builder, x *node) *node)) opCase {
	return opCase{name, func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
		s, move := draw(r)
		return func(b *ops.Builder, x []*node) *node { return b.Square(move(b, b.Sin(x[0]))) }, [][]int{s}, autodiff.CheckOptions{}
	}}
}

// someRange draws a range of an axis of n elements that takes one or more.
func someRange(r *rand.Rand, n int) ops.Range {
	start := r.IntN(n)
	g := ops.Range{Start: start, Stop: start + 1 + r.IntN(n-start), Step: r.IntN(4)}
	if g.Stop == n && r.IntN(2) == 0 {
		g.Stop = 0
	}
	if g.Stop > 0 && g.Stop < n && r.IntN(2) == 0 {
		g.Stop -= n
	}
	if r.IntN(2) == 0 {
		g.Start -= n
	}
	return g
}

func layoutCases() []opCase {
	type move = func(b *ops.Builder, x *node) *node
	padding := func(r *rand.Rand, rank int) (low, high []int) {
		for range rank {
			low, high = append(low, r.IntN(3)), append(high, r.IntN(3))
		}
		return low, high
	}
	return []opCase{
		layout("reshape", func(r *rand.Rand) ([]int, move) {
			s := anyShape(r)
			to := slices.Clone(s)
			r.Shuffle(len(to), func(i, j int) { to[i], to[j] = to[j], to[i] })
			to = slices.Insert(to, r.IntN(len(to)+1), 1)
			if i := r.IntN(len(to)); r.IntN(2) == 0 {
				to[i] = -1
			}
			return s, func(b *ops.Builder, x *node) *node { return b.Reshape(x, to...) }
		}),
		layout("reshape of a transpose", func(r *rand.Rand) ([]int, move) {
			return shapeOf(r, 3), func(b *ops.Builder, x *node) *node { return b.Reshape(b.Transpose(x), b.Shape(x)...) }
		}),
		layout("expand_dims", func(r *rand.Rand) ([]int, move) {
			s := anyShape(r)
			var axes []int
			for _, a := range r.Perm(len(s) + 2)[:2] {
				axes = append(axes, a-(len(s)+2)*r.IntN(2))
			}
			return s, func(b *ops.Builder, x *node) *node { return b.ExpandDims(x, axes...) }
		}),
		layout("transpose", func(r *rand.Rand) ([]int, move) {
			s := shapeOf(r, r.IntN(5))
			perm := r.Perm(len(s))
			return s, func(b *ops.Builder, x *node) *node { return b.Transpose(x, perm...) }
		}),
		layout("transpose all", func(r *rand.Rand) ([]int, move) {
			return shapeOf(r, r.IntN(5)), func(b *ops.Builder, x *node) *node { return b.Transpose(x) }
		}),
		layout("broadcast", func(r *rand.Rand) ([]int, move) {
			to := anyShape(r)
			return repeated(r, to), func(b *ops.Builder, x *node) *node { return b.Broadcast(x, to...) }
		}),
		layout("slice", func(r *rand.Rand) ([]int, move) {
			s := anyShape(r)
			var ranges []ops.Range
			for _, n := range s[:r.IntN(len(s)+1)] {
				ranges = append(ranges, someRange(r, n))
			}
			return s, func(b *ops.Builder, x *node) *node { return b.Slice(x, ranges...) }
		}),
		layout("pad", func(r *rand.Rand) ([]int, move) {
			s := anyShape(r)
			low, high := padding(r, len(s))
			return s, func(b *ops.Builder, x *node) *node { return b.Pad(x, low, high) }
		}),
		layout("pad_with", func(r *rand.Rand) ([]int, move) {
			s := anyShape(r)
			low, high := padding(r, len(s))
			return s, func(b *ops.Builder, x *node) *node { return b.PadWith(-2, x, low, high) }
		}),
		{"concat", func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			s := shapeOf(r, 1+r.IntN(3))
			t := slices.Clone(s)
			a := r.IntN(len(s))
			t[a] = 1 + r.IntN(3)
			axis := a - len(s)*r.IntN(2)
			return func(b *ops.Builder, x []*node) *node { return b.Square(b.Concat(axis, x[0], b.Sin(x[1]), x[0])) },
				[][]int{s, t}, autodiff.CheckOptions{}
		}},
	}
}

// indexCases are of what moves elements to and from places that a second
// operand names.
func indexCases() []opCase {
	// indexed draws the shapes of tensor and index, and below what an index is.
	indexed := func(name string, draw func(r *rand.Rand) (x, index []int, below int, f function)) opCase {
		return opCase{name, func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			x, index, below, f := draw(r)
			return func(b *ops.Builder, x []*node) *node { return b.Square(f(b, []*node{b.Sin(x[0]), x[1]})) }, [][]int{x, index},
				autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, exec.Size(index), below)}}
		}}
	}
	// beside draws two shapes that differ along one axis.
	beside := func(r *rand.Rand) (s, t []int, a int) {
		s = shapeOf(r, 1+r.IntN(3))
		t = slices.Clone(s)
		a = r.IntN(len(s))
		t[a] = 1 + r.IntN(5)
		return s, t, a
	}
	return []opCase{
		indexed("gather", func(r *rand.Rand) ([]int, []int, int, function) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(len(s))
			axis := a - len(s)*r.IntN(2)
			return s, shapeOf(r, r.IntN(3)), s[a], func(b *ops.Builder, x []*node) *node { return b.Gather(x[0], x[1], axis) }
		}),
		indexed("scatter_add", func(r *rand.Rand) ([]int, []int, int, function) {
			s, index := anyShape(r), shapeOf(r, r.IntN(3))
			a, size := r.IntN(len(s)+1), 1+r.IntN(4)
			if len(index) == 0 && a == len(s) {
				a, index = 0, []int{2}
			}
			return slices.Concat(s[:a], index, s[a:]), index, size, func(b *ops.Builder, x []*node) *node { return b.ScatterAdd(x[0], x[1], a, size) }
		}),
		indexed("take_along", func(r *rand.Rand) ([]int, []int, int, function) {
			s, t, a := beside(r)
			return s, t, s[a], func(b *ops.Builder, x []*node) *node { return b.TakeAlong(x[0], x[1], a-len(s)) }
		}),
		indexed("put_along", func(r *rand.Rand) ([]int, []int, int, function) {
			s, _, a := beside(r)
			size := 1 + r.IntN(4)
			return s, s, size, func(b *ops.Builder, x []*node) *node { return b.PutAlong(x[0], x[1], a, size) }
		}),
		indexed("one_hot", func(r *rand.Rand) ([]int, []int, int, function) {
			index, depth := anyShape(r), 1+r.IntN(4)
			return append(index[:len(index):len(index)], depth), index, depth, func(b *ops.Builder, x []*node) *node {
				return b.Mul(b.OneHot(x[1], depth), x[0])
			}
		}),
	}
}

func productCases() []opCase {
	var cases []opCase
	for _, t := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		name := fmt.Sprintf("matmul_t %v %v", t[0], t[1])
		if !t[0] && !t[1] {
			name = "matmul"
		}
		f := func(b *ops.Builder, x []*node) *node { return b.MatMulT(b.Sin(x[0]), x[1], t[0], t[1]) }
		cases = append(cases, fixed(name, f, func(r *rand.Rand) [][]int {
			m, k, n := 1+r.IntN(4), 1+r.IntN(4), 1+r.IntN(4)
			x, y := []int{m, k}, []int{k, n}
			if t[0] {
				x = []int{k, m}
			}
			if t[1] {
				y = []int{n, k}
			}
			lead := shapeOf(r, r.IntN(3))
			s := [][]int{slices.Concat(repeated(r, lead), x), slices.Concat(repeated(r, lead), y)}
			i := r.IntN(2) // one of them has the whole of it
			s[i] = slices.Concat(lead, s[i][len(s[i])-2:])
			return s
		}))
	}
	vectors := func(name string, draw func(r *rand.Rand, k int) [][]int) opCase {
		return fixed(name, func(b *ops.Builder, x []*node) *node { return b.MatMul(b.Sin(x[0]), x[1]) },
			func(r *rand.Rand) [][]int { return draw(r, 1+r.IntN(4)) })
	}
	return append(cases,
		vectors("matmul vector vector", func(r *rand.Rand, k int) [][]int { return [][]int{{k}, {k}} }),
		vectors("matmul matrix vector", func(r *rand.Rand, k int) [][]int { return [][]int{append(shapeOf(r, 1+r.IntN(2)), k), {k}} }),
		vectors("matmul vector matrix", func(r *rand.Rand, k int) [][]int {
			return [][]int{{k}, append(shapeOf(r, r.IntN(2)), k, 1+r.IntN(4))}
		}),
		fixed("matmul_t x by itself", func(b *ops.Builder, x []*node) *node { return b.MatMulT(x[0], x[0], true, false) }, matrix),
	)
}

// anyConv draws settings of a convolution, and image and weights that fit.
func anyConv(r *rand.Rand) (image, weight []int, o ops.Conv) {
	o = ops.Conv{
		Stride:   [2]int{r.IntN(3), 1 + r.IntN(3)},
		Pad:      [4]int{r.IntN(3), r.IntN(2), r.IntN(2), r.IntN(3)},
		Dilation: [2]int{1 + r.IntN(2), r.IntN(3)},
		Groups:   1 + r.IntN(3),
	}
	image = []int{1 + r.IntN(3), o.Groups * (1 + r.IntN(2)), 5 + r.IntN(3), 5 + r.IntN(2)}
	weight = []int{o.Groups * (1 + r.IntN(2)), image[1] / o.Groups, 1 + r.IntN(3), 1 + r.IntN(3)}
	return image, weight, o
}

// anyConvTranspose is that for the transpose.
func anyConvTranspose(r *rand.Rand) (x, weight []int, o ops.Conv, outputPad [2]int) {
	_, weight, o = anyConv(r)
	x = []int{1 + r.IntN(2), weight[0], 3 + r.IntN(2), 3 + r.IntN(2)}
	for i := range outputPad {
		outputPad[i] = r.IntN(max(1, o.Stride[i]))
		// No more padding than leaves the plane of the result its elements.
		o.Pad[2*i], o.Pad[2*i+1] = min(o.Pad[2*i], 1), min(o.Pad[2*i+1], 1)
	}
	return x, weight, o, outputPad
}

func anyPool(r *rand.Rand) ([]int, ops.Pool) {
	o := ops.Pool{Kernel: [2]int{1 + r.IntN(3), 2 + r.IntN(2)}, ExcludePad: r.IntN(2) == 0}
	o.Stride = [2]int{r.IntN(3), r.IntN(3)}
	for i := range o.Pad {
		o.Pad[i] = r.IntN(o.Kernel[i/2])
	}
	return []int{1 + r.IntN(2), 1 + r.IntN(3), 4 + r.IntN(3), 5 + r.IntN(2)}, o
}

func imageCases() []opCase {
	pool := func(name string, f func(b *ops.Builder, x *node, o ops.Pool) *node) opCase {
		return opCase{name, func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			s, o := anyPool(r)
			return func(b *ops.Builder, x []*node) *node { return b.Square(f(b, x[0], o)) }, [][]int{s},
				autodiff.CheckOptions{Values: [][]float64{apart(r, s)}}
		}}
	}
	return []opCase{
		{"conv2d", func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			image, weight, o := anyConv(r)
			return func(b *ops.Builder, x []*node) *node { return b.Conv2D(b.Sin(x[0]), x[1], o) }, [][]int{image, weight}, autodiff.CheckOptions{}
		}},
		{"conv2d_transpose", func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			image, weight, o, outputPad := anyConvTranspose(r)
			return func(b *ops.Builder, x []*node) *node { return b.Conv2DTranspose(b.Sin(x[0]), x[1], o, outputPad) },
				[][]int{image, weight}, autodiff.CheckOptions{}
		}},
		pool("max_pool2d", (*ops.Builder).MaxPool2D),
		pool("avg_pool2d", (*ops.Builder).AvgPool2D),
	}
}
