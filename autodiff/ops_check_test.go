package autodiff_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

type node = autodiff.Node

// opCase is an operation to check at random shapes.
type opCase struct {
	name string
	f    func(b *ops.Builder, x []*node) *node
	// gen draws shapes; the point is uniform on [lo, hi), or [-2, 2).
	gen    func(r *rand.Rand) (shapes [][]int, o autodiff.CheckOptions)
	lo, hi float64
}

// anyShape draws up to three axes of up to four elements.
func anyShape(r *rand.Rand) []int {
	s := make([]int, r.IntN(4))
	for i := range s {
		s[i] = 1 + r.IntN(4)
	}
	return s
}

// repeated draws a shape that broadcasts with s.
func repeated(r *rand.Rand, s []int) []int {
	t := append([]int(nil), s[r.IntN(len(s)+1):]...)
	for i := range t {
		if r.IntN(3) == 0 {
			t[i] = 1
		}
	}
	return t
}

func one(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
	return [][]int{anyShape(r)}, autodiff.CheckOptions{}
}

func two(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
	s := anyShape(r)
	t := [][]int{s, repeated(r, s)}
	if r.IntN(2) == 0 {
		t[0], t[1] = t[1], t[0]
	}
	return t, autodiff.CheckOptions{}
}

func unaryCases() []opCase {
	type fn = func(b *ops.Builder, x *node) *node
	fs := []struct {
		name   string
		f      fn
		lo, hi float64
	}{
		{"neg", (*ops.Builder).Neg, 0, 0},
		{"abs", (*ops.Builder).Abs, 0, 0},
		{"sign", (*ops.Builder).Sign, 0, 0},
		{"ceil", (*ops.Builder).Ceil, 0.1, 0.9},
		{"floor", (*ops.Builder).Floor, 0.1, 0.9},
		{"square", (*ops.Builder).Square, 0, 0},
		{"sqrt", (*ops.Builder).Sqrt, 0.5, 3},
		{"rsqrt", (*ops.Builder).Rsqrt, 0.5, 3},
		{"reciprocal", (*ops.Builder).Reciprocal, 0.5, 3},
		{"exp", (*ops.Builder).Exp, 0, 0},
		{"expm1", (*ops.Builder).Expm1, 0, 0},
		{"log", (*ops.Builder).Log, 0.5, 3},
		{"log1p", (*ops.Builder).Log1p, -0.4, 3},
		{"sin", (*ops.Builder).Sin, 0, 0},
		{"cos", (*ops.Builder).Cos, 0, 0},
		{"tanh", (*ops.Builder).Tanh, 0, 0},
		{"sigmoid", (*ops.Builder).Sigmoid, -5, 5},
		{"softplus", (*ops.Builder).Softplus, -5, 5},
		{"erf", (*ops.Builder).Erf, 0, 0},
		{"relu", (*ops.Builder).Relu, 0, 0},
		{"leaky_relu", func(b *ops.Builder, x *node) *node { return b.LeakyRelu(x, 0.1) }, 0, 0},
		{"elu", func(b *ops.Builder, x *node) *node { return b.Elu(x, 1.3) }, 0, 0},
		{"gelu", (*ops.Builder).Gelu, -3, 3},
		{"gelu_tanh", (*ops.Builder).GeluTanh, -3, 3},
		{"silu", (*ops.Builder).Silu, -3, 3},
		{"clamp", func(b *ops.Builder, x *node) *node { return b.Clamp(x, -0.7, 1.1) }, 0, 0},
		{"stop_gradient", func(b *ops.Builder, x *node) *node { return b.Add(b.Square(x), b.Mul(x, b.StopGradient(b.Fill(3)))) }, 0, 0},
	}
	var cases []opCase
	for _, f := range fs {
		cases = append(cases, opCase{f.name, func(b *ops.Builder, x []*node) *node { return f.f(b, x[0]) }, one, f.lo, f.hi})
	}
	return cases
}

func binaryCases() []opCase {
	type fn = func(b *ops.Builder, x, y *node) *node
	fs := []struct {
		name   string
		f      fn
		lo, hi float64
	}{
		{"add", (*ops.Builder).Add, 0, 0},
		{"sub", (*ops.Builder).Sub, 0, 0},
		{"mul", (*ops.Builder).Mul, 0, 0},
		{"div", (*ops.Builder).Div, 0.6, 2},
		{"pow", (*ops.Builder).Pow, 0.5, 2},
		{"maximum", (*ops.Builder).Maximum, 0, 0},
		{"minimum", (*ops.Builder).Minimum, 0, 0},
		{"logistic_loss", (*ops.Builder).LogisticLoss, -4, 4},
	}
	for name, f := range map[string]fn{
		"greater": (*ops.Builder).Greater, "greater_equal": (*ops.Builder).GreaterEqual, "less": (*ops.Builder).Less,
		"less_equal": (*ops.Builder).LessEqual, "equal": (*ops.Builder).Equal, "not_equal": (*ops.Builder).NotEqual,
	} {
		// A comparison has no derivative; it must let that of its company pass.
		fs = append(fs, struct {
			name   string
			f      fn
			lo, hi float64
		}{name, func(b *ops.Builder, x, y *node) *node { return b.Mul(b.Add(x, y), f(b, x, y)) }, 0, 0})
	}
	var cases []opCase
	for _, f := range fs {
		cases = append(cases, opCase{f.name, func(b *ops.Builder, x []*node) *node { return f.f(b, x[0], x[1]) }, two, f.lo, f.hi})
	}
	return append(cases, opCase{"where", func(b *ops.Builder, x []*node) *node {
		return b.Where(b.Greater(x[0], b.Const(0)), b.Square(x[1]), b.Sin(x[2]))
	}, func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
		s := anyShape(r)
		return [][]int{repeated(r, s), s, repeated(r, s)}, autodiff.CheckOptions{}
	}, 0, 0})
}

// axesCase checks a reduction over a random choice of axes.
func axesCase(name string, f func(b *ops.Builder, x *node, axes ...int) *node) opCase {
	return opCase{name: name, f: func(b *ops.Builder, x []*node) *node {
		n := len(x[0].Shape())
		var axes []int
		for a := range n {
			if (len(x[0].Shape())+elements(x[0])>>a)%2 == 0 {
				axes = append(axes, a-n*(a%2)) // some counted from the end
			}
		}
		return f(b, b.Add(x[0], b.Mul(b.Const(0.1), b.Square(x[0]))), axes...)
	}, gen: one}
}

func elements(n *node) int {
	size := 1
	for _, d := range n.Shape() {
		size *= d
	}
	return size
}

func reduceCases() []opCase {
	return []opCase{
		axesCase("sum", (*ops.Builder).Sum),
		axesCase("mean", (*ops.Builder).Mean),
		axesCase("max", (*ops.Builder).Max),
		axesCase("min", (*ops.Builder).Min),
		axesCase("logsumexp", (*ops.Builder).LogSumExp),
		{name: "argmax", f: func(b *ops.Builder, x []*node) *node {
			return b.Mul(b.ArgMax(x[0], -1), b.Sum(b.Square(x[0]), -1))
		}, gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
			return [][]int{append(anyShape(r), 3)}, autodiff.CheckOptions{}
		}},
		{name: "softmax", f: func(b *ops.Builder, x []*node) *node { return b.Softmax(x[0], 0) }, gen: matrix},
		{name: "log_softmax", f: func(b *ops.Builder, x []*node) *node { return b.LogSoftmax(x[0], -1) }, gen: matrix},
		{name: "softmax_cross_entropy", f: func(b *ops.Builder, x []*node) *node { return b.SoftmaxCrossEntropy(x[0], x[1]) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				n, c := 1+r.IntN(4), 2+r.IntN(4)
				return [][]int{{n, c}, {n}}, autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, n, c)}}
			}},
		{name: "softmax_cross_entropy_probs", f: func(b *ops.Builder, x []*node) *node { return b.SoftmaxCrossEntropyProbs(x[0], b.Square(x[1])) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				s := []int{1 + r.IntN(4), 2 + r.IntN(4)}
				return [][]int{s, s}, autodiff.CheckOptions{}
			}},
		{name: "sigmoid_cross_entropy", f: func(b *ops.Builder, x []*node) *node { return b.SigmoidCrossEntropy(x[0], x[1]) }, gen: two},
	}
}

func matrix(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
	return [][]int{{1 + r.IntN(4), 1 + r.IntN(4)}}, autodiff.CheckOptions{}
}

func indices(r *rand.Rand, n, below int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(below))
	}
	return x
}

// apart draws numbers that differ by more than a difference moves them, so
// that none overtakes another.
func apart(r *rand.Rand, shape []int) []float64 {
	n := 1
	for _, d := range shape {
		n *= d
	}
	x := make([]float64, n)
	for i, p := range r.Perm(n) {
		x[i] = 4*(float64(p)+0.5)/float64(n) - 2
	}
	return x
}

func layoutCases() []opCase {
	square := func(f func(b *ops.Builder, x *node) *node) func(b *ops.Builder, x []*node) *node {
		return func(b *ops.Builder, x []*node) *node { return b.Square(f(b, b.Sin(x[0]))) }
	}
	shape := func(s ...int) func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
		return func(r *rand.Rand) ([][]int, autodiff.CheckOptions) { return [][]int{s}, autodiff.CheckOptions{} }
	}
	return []opCase{
		{name: "reshape", f: square(func(b *ops.Builder, x *node) *node { return b.Reshape(x, 3, -1, 2) }), gen: shape(4, 3, 1)},
		{name: "expand_dims", f: square(func(b *ops.Builder, x *node) *node { return b.ExpandDims(x, 0, -1) }), gen: shape(4, 3)},
		{name: "transpose", f: square(func(b *ops.Builder, x *node) *node { return b.Transpose(x, 2, 0, 1) }), gen: shape(2, 3, 4)},
		{name: "transpose_all", f: square(func(b *ops.Builder, x *node) *node { return b.Transpose(x) }), gen: shape(2, 3, 4)},
		{name: "reshape_of_transpose", f: square(func(b *ops.Builder, x *node) *node { return b.Reshape(b.Transpose(x), 6, 4) }), gen: shape(2, 3, 4)},
		{name: "broadcast", f: square(func(b *ops.Builder, x *node) *node { return b.Broadcast(x, 2, 3, 4) }), gen: shape(3, 1)},
		{name: "slice", f: square(func(b *ops.Builder, x *node) *node {
			return b.Slice(x, ops.Range{Start: 1}, ops.Range{Stop: -1}, ops.Range{Start: 1, Step: 2})
		}), gen: shape(3, 4, 6)},
		{name: "pad", f: square(func(b *ops.Builder, x *node) *node { return b.Pad(x, []int{1, 0}, []int{2, 3}) }), gen: shape(3, 2)},
		{name: "pad_with", f: square(func(b *ops.Builder, x *node) *node { return b.PadWith(-2, x, []int{1, 0}, []int{2, 3}) }), gen: shape(3, 2)},
		{name: "concat", f: func(b *ops.Builder, x []*node) *node { return b.Square(b.Concat(-1, x[0], b.Sin(x[1]), x[0])) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				return [][]int{{3, 1 + r.IntN(3)}, {3, 1 + r.IntN(3)}}, autodiff.CheckOptions{}
			}},
		{name: "gather", f: func(b *ops.Builder, x []*node) *node { return b.Square(b.Gather(b.Sin(x[0]), x[1], 1)) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				return [][]int{{2, 4, 3}, {2, 3}}, autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, 6, 4)}}
			}},
		{name: "scatter_add", f: func(b *ops.Builder, x []*node) *node { return b.Square(b.ScatterAdd(b.Sin(x[0]), x[1], 0, 4)) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				return [][]int{{5, 3}, {5}}, autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, 5, 4)}}
			}},
		{name: "take_along", f: func(b *ops.Builder, x []*node) *node { return b.Square(b.TakeAlong(b.Sin(x[0]), x[1], 1)) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				return [][]int{{3, 4, 2}, {3, 5, 2}}, autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, 30, 4)}}
			}},
		{name: "put_along", f: func(b *ops.Builder, x []*node) *node { return b.Square(b.PutAlong(b.Sin(x[0]), x[1], -1, 3)) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				return [][]int{{2, 5}, {2, 5}}, autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, 10, 3)}}
			}},
		{name: "one_hot", f: func(b *ops.Builder, x []*node) *node {
			return b.Mul(b.OneHot(x[1], 4), b.Square(x[0]))
		}, gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
			return [][]int{{3, 4}, {3}}, autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, 3, 4)}}
		}},
		{name: "dropout", f: func(b *ops.Builder, x []*node) *node { return b.Dropout(b.Square(x[0]), 0.4, b.Key(), 7) }, gen: shape(4, 5)},
	}
}

func productCases() []opCase {
	var cases []opCase
	for _, t := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
		cases = append(cases, opCase{name: fmt.Sprintf("matmul_%v_%v", t[0], t[1]),
			f: func(b *ops.Builder, x []*node) *node { return b.MatMulT(b.Sin(x[0]), x[1], t[0], t[1]) },
			gen: func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
				m, k, n := 1+r.IntN(4), 1+r.IntN(4), 1+r.IntN(4)
				x, y := []int{m, k}, []int{k, n}
				if t[0] {
					x = []int{k, m}
				}
				if t[1] {
					y = []int{n, k}
				}
				lead := anyShape(r)
				if len(lead) > 2 {
					lead = lead[:2]
				}
				return [][]int{append(lead[:len(lead):len(lead)], x...), append(repeated(r, lead), y...)}, autodiff.CheckOptions{}
			}})
	}
	vec := func(x, y []int) func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
		return func(r *rand.Rand) ([][]int, autodiff.CheckOptions) { return [][]int{x, y}, autodiff.CheckOptions{} }
	}
	mul := func(b *ops.Builder, x []*node) *node { return b.MatMul(b.Sin(x[0]), x[1]) }
	cases = append(cases,
		opCase{name: "matmul_vector_vector", f: mul, gen: vec([]int{3}, []int{3})},
		opCase{name: "matmul_matrix_vector", f: mul, gen: vec([]int{2, 3}, []int{3})},
		opCase{name: "matmul_vector_matrix", f: mul, gen: vec([]int{3}, []int{2, 3, 4})},
		opCase{name: "matmul_shared", f: func(b *ops.Builder, x []*node) *node { return b.MatMulT(x[0], x[0], true, false) }, gen: vec([]int{2, 3}, []int{1})},
	)
	return cases
}

func imageCases() []opCase {
	conv := func(r *rand.Rand) (image, weight []int, o ops.Conv) {
		o = ops.Conv{
			Stride:   [2]int{1 + r.IntN(2), 1 + r.IntN(3)},
			Pad:      [4]int{r.IntN(3), r.IntN(2), r.IntN(2), r.IntN(3)},
			Dilation: [2]int{1 + r.IntN(2), 1 + r.IntN(2)},
			Groups:   1 + r.IntN(2),
		}
		image = []int{1 + r.IntN(3), o.Groups * (1 + r.IntN(2)), 4 + r.IntN(3), 5 + r.IntN(2)}
		weight = []int{o.Groups * (1 + r.IntN(2)), image[1] / o.Groups, 1 + r.IntN(3), 1 + r.IntN(3)}
		return image, weight, o
	}
	pool := func(r *rand.Rand) ([]int, ops.Pool) {
		o := ops.Pool{Kernel: [2]int{1 + r.IntN(3), 2 + r.IntN(2)}, ExcludePad: r.IntN(2) == 0}
		o.Stride = [2]int{r.IntN(3), r.IntN(3)}
		for i := range o.Pad {
			o.Pad[i] = r.IntN(o.Kernel[i/2])
		}
		return []int{1 + r.IntN(2), 1 + r.IntN(3), 4 + r.IntN(3), 5 + r.IntN(2)}, o
	}
	var cases []opCase
	for i := range 6 {
		image, weight, o := conv(rand.New(rand.NewPCG(uint64(i), 3)))
		cases = append(cases, opCase{name: fmt.Sprintf("conv2d_%d", i),
			f: func(b *ops.Builder, x []*node) *node { return b.Conv2D(b.Sin(x[0]), x[1], o) },
			gen: func(*rand.Rand) ([][]int, autodiff.CheckOptions) {
				return [][]int{image, weight}, autodiff.CheckOptions{}
			}})
		plane, p := pool(rand.New(rand.NewPCG(uint64(i), 4)))
		gen := func(r *rand.Rand) ([][]int, autodiff.CheckOptions) {
			return [][]int{plane}, autodiff.CheckOptions{Values: [][]float64{apart(r, plane)}}
		}
		cases = append(cases,
			opCase{name: fmt.Sprintf("max_pool2d_%d", i), f: func(b *ops.Builder, x []*node) *node { return b.Square(b.MaxPool2D(x[0], p)) }, gen: gen},
			opCase{name: fmt.Sprintf("avg_pool2d_%d", i), f: func(b *ops.Builder, x []*node) *node { return b.Square(b.AvgPool2D(x[0], p)) }, gen: gen})
	}
	cases = append(cases, opCase{name: "conv2d_transpose", f: func(b *ops.Builder, x []*node) *node {
		return b.Conv2DTranspose(b.Sin(x[0]), x[1], ops.Conv{Stride: [2]int{2, 2}, Pad: [4]int{1, 1, 0, 0}}, [2]int{1, 0})
	}, gen: func(*rand.Rand) ([][]int, autodiff.CheckOptions) {
		return [][]int{{2, 3, 3, 2}, {3, 2, 3, 2}}, autodiff.CheckOptions{}
	}})
	return cases
}

func allCases() []opCase {
	var all []opCase
	for _, c := range [][]opCase{unaryCases(), binaryCases(), reduceCases(), layoutCases(), productCases(), imageCases()} {
		all = append(all, c...)
	}
	return all
}

// TestEveryOperationHasTheRightDerivatives checks first and second order,
// forward and reverse, over random shapes.
func TestEveryOperationHasTheRightDerivatives(t *testing.T) {
	checks := 0
	for _, c := range allCases() {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(8) {
				r := rand.New(rand.NewPCG(seed, 2))
				shapes, o := c.gen(r)
				o.Seed, o.Lo, o.Hi = seed, c.lo, c.hi
				if err := autodiff.Check(c.f, shapes, o); err != nil {
					t.Fatalf("seed %d, shapes %v: %v", seed, shapes, err)
				}
				checks++
			}
		})
	}
	t.Logf("%d operations, %d checks", len(allCases()), checks)
}
