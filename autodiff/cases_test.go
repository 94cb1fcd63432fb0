package autodiff_test

import (
	"math/rand/v2"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

type node = autodiff.Node

// function is an expression of operands.
type function func(b *ops.Builder, x []*node) *node

// opCase is an operation to check at random shapes and settings. The first word
// of its name is the Builder's method, in lower case.
type opCase struct {
	name string
	draw func(r *rand.Rand) (f function, shapes [][]int, o autodiff.CheckOptions)
}

// fixed is a case of a function without settings.
func fixed(name string, f function, gen func(r *rand.Rand) [][]int) opCase {
	return within(name, f, gen, 0, 0)
}

// within is that at points on [lo, hi).
func within(name string, f function, gen func(r *rand.Rand) [][]int, lo, hi float64) opCase {
	return opCase{name, func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
		return f, gen(r), autodiff.CheckOptions{Lo: lo, Hi: hi}
	}}
}

// anyShape draws up to three axes of up to four elements.
func anyShape(r *rand.Rand) []int { return shapeOf(r, r.IntN(4)) }

// shapeOf draws a shape of that many axes.
func shapeOf(r *rand.Rand, rank int) []int {
	s := make([]int, rank)
	for i := range s {
		s[i] = 1 + r.IntN(4)
	}
	return s
}

// repeated draws a shape that broadcasts to s.
func repeated(r *rand.Rand, s []int) []int {
	t := append([]int(nil), s[r.IntN(len(s)+1):]...)
	for i := range t {
		if r.IntN(3) == 0 {
			t[i] = 1
		}
	}
	return t
}

func one(r *rand.Rand) [][]int { return [][]int{anyShape(r)} }

func two(r *rand.Rand) [][]int {
	s := anyShape(r)
	t := [][]int{s, repeated(r, s)}
	if r.IntN(2) == 0 {
		t[0], t[1] = t[1], t[0]
	}
	return t
}

func matrix(r *rand.Rand) [][]int { return [][]int{shapeOf(r, 2)} }

// axesOf draws some axes of a tensor, in any order, some counted from the end;
// none means all.
func axesOf(r *rand.Rand, rank int) []int {
	axes := r.Perm(rank)[:r.IntN(rank+1)]
	for i := range axes {
		axes[i] -= rank * r.IntN(2)
	}
	return axes
}

func indices(r *rand.Rand, n, below int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(below))
	}
	return x
}

// apart draws numbers that differ by more than a difference moves them, so
// that none overtakes another, and none is 0.
func apart(r *rand.Rand, shape []int) []float64 {
	n := exec.Size(shape)
	x := make([]float64, n)
	for i, p := range r.Perm(n) {
		x[i] = 4*(float64(p)+0.37)/float64(n) - 2
	}
	return x
}

func allCases() []opCase {
	var all []opCase
	for _, c := range [][]opCase{unaryCases(), binaryCases(), reduceCases(), lossCases(), layoutCases(), indexCases(), productCases(), imageCases()} {
		all = append(all, c...)
	}
	return all
}

func unaryCases() []opCase {
	type fn = func(b *ops.Builder, x *node) *node
	var cases []opCase
	add := func(name string, f fn, lo, hi float64) {
		cases = append(cases, within(name, func(b *ops.Builder, x []*node) *node { return f(b, x[0]) }, one, lo, hi))
	}
	add("neg", (*ops.Builder).Neg, 0, 0)
	add("abs", (*ops.Builder).Abs, 0, 0)
	add("sign", func(b *ops.Builder, x *node) *node { return b.Mul(x, b.Sign(x)) }, 0, 0)
	add("ceil", func(b *ops.Builder, x *node) *node { return b.Mul(x, b.Ceil(x)) }, 0.1, 0.9)
	add("floor", func(b *ops.Builder, x *node) *node { return b.Mul(x, b.Floor(x)) }, -0.9, -0.1)
	add("square", (*ops.Builder).Square, 0, 0)
	add("sqrt", (*ops.Builder).Sqrt, 0.5, 3)
	add("rsqrt", (*ops.Builder).Rsqrt, 0.5, 3)
	add("reciprocal", (*ops.Builder).Reciprocal, 0.5, 3)
	add("exp", (*ops.Builder).Exp, 0, 0)
	add("expm1", (*ops.Builder).Expm1, 0, 0)
	add("log", (*ops.Builder).Log, 0.5, 3)
	add("log1p", (*ops.Builder).Log1p, -0.4, 3)
	add("sin", (*ops.Builder).Sin, 0, 0)
	add("cos", (*ops.Builder).Cos, 0, 0)
	add("tanh", (*ops.Builder).Tanh, 0, 0)
	add("sigmoid", (*ops.Builder).Sigmoid, -5, 5)
	add("softplus", (*ops.Builder).Softplus, -5, 5)
	add("erf", (*ops.Builder).Erf, 0, 0)
	add("relu", (*ops.Builder).Relu, 0, 0)
	add("leaky_relu", func(b *ops.Builder, x *node) *node { return b.LeakyRelu(x, 0.1) }, 0, 0)
	add("elu", func(b *ops.Builder, x *node) *node { return b.Elu(x, 1.3) }, 0, 0)
	add("gelu", (*ops.Builder).Gelu, -3, 3)
	add("gelu_tanh", (*ops.Builder).GeluTanh, -3, 3)
	add("silu", (*ops.Builder).Silu, -3, 3)
	add("clamp", func(b *ops.Builder, x *node) *node { return b.Clamp(x, -0.7, 1.1) }, 0, 0)
	return append(cases,
		opCase{"stop_gradient", func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) { // see also TestStopGradient
			return func(b *ops.Builder, x []*node) *node { return b.Mul(b.Square(x[0]), b.StopGradient(b.Sin(x[1]))) }, two(r),
				autodiff.CheckOptions{Fixed: []bool{false, true}}
		}},
		fixed("uniform", func(b *ops.Builder, x []*node) *node {
			return b.Mul(b.Square(x[0]), b.Uniform(b.Key(), 4, b.Shape(x[0])...))
		}, one),
		fixed("dropout", func(b *ops.Builder, x []*node) *node { return b.Dropout(b.Square(x[0]), 0.4, b.Key(), 7) }, one))
}

func binaryCases() []opCase {
	type fn = func(b *ops.Builder, x, y *node) *node
	var cases []opCase
	add := func(name string, f fn, lo, hi float64) {
		cases = append(cases, within(name, func(b *ops.Builder, x []*node) *node { return f(b, x[0], x[1]) }, two, lo, hi))
	}
	add("add", (*ops.Builder).Add, 0, 0)
	add("sub", (*ops.Builder).Sub, 0, 0)
	add("mul", (*ops.Builder).Mul, 0, 0)
	add("div", (*ops.Builder).Div, 0.6, 2)
	add("pow", (*ops.Builder).Pow, 0.5, 2)
	add("maximum", (*ops.Builder).Maximum, 0, 0)
	add("minimum", (*ops.Builder).Minimum, 0, 0)
	add("logistic_loss", (*ops.Builder).LogisticLoss, -4, 4)
	add("sigmoid_cross_entropy", (*ops.Builder).SigmoidCrossEntropy, -4, 4)
	// A comparison has no derivative; it must let that of its company pass.
	for _, c := range []struct {
		name string
		f    fn
	}{
		{"greater", (*ops.Builder).Greater}, {"greater_equal", (*ops.Builder).GreaterEqual}, {"less", (*ops.Builder).Less},
		{"less_equal", (*ops.Builder).LessEqual}, {"equal", (*ops.Builder).Equal}, {"not_equal", (*ops.Builder).NotEqual},
	} {
		add(c.name, func(b *ops.Builder, x, y *node) *node { return b.Mul(b.Add(x, y), c.f(b, x, y)) }, 0, 0)
	}
	return append(cases,
		fixed("mul x by itself", func(b *ops.Builder, x []*node) *node { return b.Mul(x[0], x[0]) }, one),
		fixed("where", func(b *ops.Builder, x []*node) *node {
			return b.Where(b.Greater(x[0], b.Const(0)), b.Square(x[1]), b.Sin(x[2]))
		}, func(r *rand.Rand) [][]int {
			s := anyShape(r)
			t := [][]int{repeated(r, s), s, repeated(r, s)}
			r.Shuffle(3, func(i, j int) { t[i], t[j] = t[j], t[i] })
			return t
		}))
}

func reduceCases() []opCase {
	axes := func(name string, f func(b *ops.Builder, x *node, axes ...int) *node) opCase {
		return opCase{name, func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			s := anyShape(r)
			a := axesOf(r, len(s))
			return func(b *ops.Builder, x []*node) *node {
				return f(b, b.Add(x[0], b.Mul(b.Const(0.1), b.Square(x[0]))), a...)
			}, [][]int{s}, autodiff.CheckOptions{Values: [][]float64{apart(r, s)}}
		}}
	}
	// along draws one axis.
	along := func(name string, f func(b *ops.Builder, x *node, axis int) *node) opCase {
		return opCase{name, func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(2*len(s)) - len(s)
			return func(b *ops.Builder, x []*node) *node { return f(b, x[0], a) }, [][]int{s}, autodiff.CheckOptions{}
		}}
	}
	return []opCase{
		axes("sum", (*ops.Builder).Sum),
		axes("mean", (*ops.Builder).Mean),
		axes("max", (*ops.Builder).Max),
		axes("min", (*ops.Builder).Min),
		axes("log_sum_exp", (*ops.Builder).LogSumExp),
		along("argmax", func(b *ops.Builder, x *node, a int) *node { return b.Mul(b.ArgMax(x, a), b.Sum(b.Square(x), a)) }),
		along("softmax", (*ops.Builder).Softmax),
		along("log_softmax", (*ops.Builder).LogSoftmax),
	}
}

func lossCases() []opCase {
	return []opCase{
		{"softmax_cross_entropy", func(r *rand.Rand) (function, [][]int, autodiff.CheckOptions) {
			lead, c := anyShape(r), 1+r.IntN(5)
			return func(b *ops.Builder, x []*node) *node { return b.SoftmaxCrossEntropy(x[0], x[1]) },
				[][]int{append(lead[:len(lead):len(lead)], c), lead},
				autodiff.CheckOptions{Fixed: []bool{false, true}, Values: [][]float64{nil, indices(r, exec.Size(lead), c)}}
		}},
		fixed("softmax_cross_entropy_probs", func(b *ops.Builder, x []*node) *node {
			return b.SoftmaxCrossEntropyProbs(x[0], b.Square(x[1]))
		}, func(r *rand.Rand) [][]int {
			s := shapeOf(r, 1+r.IntN(3))
			return [][]int{s, s}
		}),
	}
}
