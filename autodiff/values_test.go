package autodiff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// array is a tensor whose elements are computed one by one, by definition.
type array struct {
	shape []int
	data  []float64
}

// tabulate is the array of the shape whose element at index i is f(i).
func tabulate(shape []int, f func(i []int) float64) array {
	a := array{shape, make([]float64, 0, exec.Size(shape))}
	i := make([]int, len(shape))
	for range exec.Size(shape) {
		a.data = append(a.data, f(i))
		for d := len(i) - 1; d >= 0; d-- {
			if i[d]++; i[d] < shape[d] {
				break
			}
			i[d] = 0
		}
	}
	return a
}

// at is the element at an index of this shape or of one that it broadcasts to.
func (a array) at(i ...int) float64 {
	i = i[len(i)-len(a.shape):]
	k := 0
	for d, n := range a.shape {
		k *= n
		if n > 1 {
			k += i[d]
		}
	}
	return a.data[k]
}

// reference is an operation and what it should give.
type reference struct {
	name string
	draw func(r *rand.Rand) (f function, in []array, want array)
}

// TestOperationsHaveTheRightValues compares every operation with its definition
// over random shapes and settings, in both precisions. An error is relative to
// the largest element, or 1: sums are short, and functions have errors of a few
// units in the last place.
func TestOperationsHaveTheRightValues(t *testing.T) {
	for _, c := range references() {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(40) {
				f, in, want := c.draw(rand.New(rand.NewPCG(seed, 21)))
				compareWith[float64](t, f, in, want, 1e-13)
				compareWith[float32](t, f, in, want, 4e-6)
				if t.Failed() {
					var shapes [][]int
					for _, x := range in {
						shapes = append(shapes, x.shape)
					}
					t.Fatalf("seed %d, shapes %v", seed, shapes)
				}
			}
		})
	}
}

func compareWith[T exec.Float](t *testing.T, f function, in []array, want array, tol float64) {
	t.Helper()
	dt := tensor.Float64
	if _, ok := any(T(0)).(float32); ok {
		dt = tensor.Float32
	}
	g := gorgonia.NewGraph()
	b := ops.NewBuilder(g, dt)
	var xs exec.Inputs
	for i, a := range in {
		xs = append(xs, autodiff.NewInput(g, dt, fmt.Sprintf("x%d", i), a.shape...))
	}
	y := f(b, xs)
	if b.Err() != nil {
		t.Error(b.Err())
		return
	}
	if !slices.Equal(y.Shape(), want.shape) {
		t.Errorf("shape %v, want %v", y.Shape(), want.shape)
		return
	}
	p, err := autodiff.Compile[T]([]*node{y}, xs, nil)
	if err != nil {
		t.Error(err)
		return
	}
	for i, a := range in {
		x := make([]T, len(a.data))
		for j, v := range a.data {
			x[j] = T(v)
		}
		if err := p.SetInput(i, x); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(); err != nil {
		t.Error(err)
		return
	}
	scale := 1.0
	for _, w := range want.data {
		if a := math.Abs(w); a > scale && !math.IsInf(a, 0) {
			scale = a
		}
	}
	for i, w := range want.data {
		v := float64(p.Output(0)[i])
		if !(math.Abs(v-w) <= tol*scale) && v != w && !(math.IsNaN(v) && math.IsNaN(w)) {
			t.Errorf("%T: element %d is %v, want %v", T(0), i, v, w)
			return
		}
	}
}

// draw is an array of numbers on [lo, hi) that float32 holds exactly, so that
// both precisions see the same.
func draw(r *rand.Rand, shape []int, lo, hi float64) array {
	return tabulate(shape, func([]int) float64 { return float64(float32(lo + (hi-lo)*r.Float64())) })
}

func references() []reference {
	return slices.Concat(unaryReferences(), binaryReferences(), reduceReferences(), layoutReferences(), indexReferences(), productReferences(), imageReferences())
}

func unaryReferences() []reference {
	var all []reference
	inf, nan := math.Inf(1), math.NaN()
	// special values are among the numbers of each function that has a limit
	// there.
	add := func(name string, f func(b *ops.Builder, x *node) *node, want func(x float64) float64, lo, hi float64, special ...float64) {
		all = append(all, reference{name, func(r *rand.Rand) (function, []array, array) {
			x := draw(r, anyShape(r), lo, hi)
			for i := range x.data {
				if len(special) > 0 && r.IntN(4) == 0 {
					x.data[i] = special[r.IntN(len(special))]
				}
			}
			return func(b *ops.Builder, in []*node) *node { return f(b, in[0]) }, []array{x},
				tabulate(x.shape, func(i []int) float64 { return want(x.at(i...)) })
		}})
	}
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	normal := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	add("neg", (*ops.Builder).Neg, func(x float64) float64 { return -x }, -5, 5, inf, nan)
	add("abs", (*ops.Builder).Abs, math.Abs, -5, 5, -inf, nan)
	add("sign", (*ops.Builder).Sign, func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	}, -5, 5, 0, inf, -inf)
	add("ceil", (*ops.Builder).Ceil, math.Ceil, -5, 5, 3, -3)
	add("floor", (*ops.Builder).Floor, math.Floor, -5, 5, 3, -3)
	add("square", (*ops.Builder).Square, func(x float64) float64 { return x * x }, -5, 5)
	add("sqrt", (*ops.Builder).Sqrt, math.Sqrt, 0, 9, 0, inf, -1)
	add("rsqrt", (*ops.Builder).Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 0.1, 9, inf)
	add("reciprocal", (*ops.Builder).Reciprocal, func(x float64) float64 { return 1 / x }, 0.2, 9, -2, inf)
	add("exp", (*ops.Builder).Exp, math.Exp, -9, 3, 0, -1e4, 1e4, inf, -inf)
	add("expm1", (*ops.Builder).Expm1, math.Expm1, -2, 2, 1e-9, -1e4)
	add("log", (*ops.Builder).Log, math.Log, 0.01, 9, 1, 0, inf)
	add("log1p", (*ops.Builder).Log1p, math.Log1p, -0.9, 9, 1e-9, 0)
	add("sin", (*ops.Builder).Sin, math.Sin, -9, 9)
	add("cos", (*ops.Builder).Cos, math.Cos, -9, 9)
	add("tanh", (*ops.Builder).Tanh, math.Tanh, -4, 4, 1e4, -1e4, inf)
	add("sigmoid", (*ops.Builder).Sigmoid, sigmoid, -9, 9, 1e4, -1e4, inf, -inf)
	add("softplus", (*ops.Builder).Softplus, func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, -9, 9, 1e4, -1e4)
	add("erf", (*ops.Builder).Erf, math.Erf, -3, 3, 1e4, -1e4)
	add("relu", (*ops.Builder).Relu, func(x float64) float64 { return math.Max(x, 0) }, -2, 2, 0, inf)
	add("leaky_relu", func(b *ops.Builder, x *node) *node { return b.LeakyRelu(x, 0.125) }, func(x float64) float64 { return math.Max(x, 0) + 0.125*math.Min(x, 0) }, -2, 2, 0)
	add("elu", func(b *ops.Builder, x *node) *node { return b.Elu(x, 1.5) }, func(x float64) float64 { return math.Max(x, 0) + 1.5*math.Expm1(math.Min(x, 0)) }, -3, 3, 0, -1e4)
	add("gelu", (*ops.Builder).Gelu, func(x float64) float64 { return x * normal(x) }, -4, 4, 1e4, -1e4, 0)
	add("gelu_tanh", (*ops.Builder).GeluTanh, func(x float64) float64 {
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}, -4, 4, 1e4, -1e4, 0)
	add("silu", (*ops.Builder).Silu, func(x float64) float64 { return x * sigmoid(x) }, -9, 9, 1e4, -700)
	add("clamp", func(b *ops.Builder, x *node) *node { return b.Clamp(x, -0.75, 1.5) }, func(x float64) float64 { return math.Min(math.Max(x, -0.75), 1.5) }, -2, 2, inf, -inf)
	add("stop_gradient", (*ops.Builder).StopGradient, func(x float64) float64 { return x }, -2, 2)
	add("dropout of nothing", func(b *ops.Builder, x *node) *node { return b.Dropout(x, 0, b.Key(), 1) }, func(x float64) float64 { return x }, -2, 2)
	add("uniform in range", func(b *ops.Builder, x *node) *node {
		u := b.Uniform(b.Key(), 1, b.Shape(x)...)
		return b.Mul(b.GreaterEqual(u, b.Const(0)), b.Less(u, b.Const(1)))
	}, func(float64) float64 { return 1 }, 0, 1)
	return all
}

func binaryReferences() []reference {
	var all []reference
	add := func(name string, f func(b *ops.Builder, x, y *node) *node, want func(x, y float64) float64, lo, hi float64, special ...float64) {
		all = append(all, reference{name, func(r *rand.Rand) (function, []array, array) {
			s := two(r)
			x, y := draw(r, s[0], lo, hi), draw(r, s[1], lo, hi)
			for _, a := range []array{x, y} {
				for i := range a.data {
					if len(special) > 0 && r.IntN(2) == 0 {
						a.data[i] = special[r.IntN(len(special))]
					}
				}
			}
			out := s[0]
			if len(s[1]) > len(out) || exec.Size(s[1]) > exec.Size(out) {
				out = s[1]
			}
			return func(b *ops.Builder, in []*node) *node { return f(b, in[0], in[1]) }, []array{x, y},
				tabulate(out, func(i []int) float64 { return want(x.at(i...), y.at(i...)) })
		}})
	}
	truth := func(is func(x, y float64) bool) func(x, y float64) float64 {
		return func(x, y float64) float64 {
			if is(x, y) {
				return 1
			}
			return 0
		}
	}
	inf, nan := math.Inf(1), math.NaN()
	logistic := func(z, y float64) float64 { return math.Max(z, 0) - z*y + math.Log1p(math.Exp(-math.Abs(z))) }
	add("add", (*ops.Builder).Add, func(x, y float64) float64 { return x + y }, -3, 3)
	add("sub", (*ops.Builder).Sub, func(x, y float64) float64 { return x - y }, -3, 3)
	add("mul", (*ops.Builder).Mul, func(x, y float64) float64 { return x * y }, -3, 3)
	add("div", (*ops.Builder).Div, func(x, y float64) float64 { return x / y }, 0.5, 3, -1, inf)
	add("pow", (*ops.Builder).Pow, math.Pow, 0.1, 3, 0, 1, 2)
	// Unlike Go's, they are NaN wherever an operand is.
	add("maximum", (*ops.Builder).Maximum, func(x, y float64) float64 { return slices.Max([]float64{x, y}) }, -3, 3, 1, inf, nan)
	add("minimum", (*ops.Builder).Minimum, func(x, y float64) float64 { return slices.Min([]float64{x, y}) }, -3, 3, 1, -inf, nan)
	add("logistic_loss", (*ops.Builder).LogisticLoss, logistic, -4, 4)
	add("sigmoid_cross_entropy", (*ops.Builder).SigmoidCrossEntropy, logistic, -4, 4)
	add("greater", (*ops.Builder).Greater, truth(func(x, y float64) bool { return x > y }), -2, 2, 1, nan)
	add("greater_equal", (*ops.Builder).GreaterEqual, truth(func(x, y float64) bool { return x >= y }), -2, 2, 1, nan)
	add("less", (*ops.Builder).Less, truth(func(x, y float64) bool { return x < y }), -2, 2, 1, nan)
	add("less_equal", (*ops.Builder).LessEqual, truth(func(x, y float64) bool { return x <= y }), -2, 2, 1, nan)
	add("equal", (*ops.Builder).Equal, truth(func(x, y float64) bool { return x == y }), -2, 2, 1, nan)
	add("not_equal", (*ops.Builder).NotEqual, truth(func(x, y float64) bool { return x != y }), -2, 2, 1, nan)
	return append(all, reference{"where", func(r *rand.Rand) (function, []array, array) {
		s := anyShape(r)
		in := []array{draw(r, repeated(r, s), -2, 2), draw(r, s, -2, 2), draw(r, repeated(r, s), -2, 2)}
		for i := range in[0].data {
			in[0].data[i] = []float64{0, 1, -2, 0, nan}[r.IntN(5)]
		}
		return func(b *ops.Builder, x []*node) *node { return b.Where(x[0], x[1], x[2]) }, in, tabulate(s, func(i []int) float64 {
			if in[0].at(i...) != 0 {
				return in[1].at(i...)
			}
			return in[2].at(i...)
		})
	}})
}

func reduceReferences() []reference {
	axes := func(name string, f func(b *ops.Builder, x *node, axes ...int) *node, want func(x []float64) float64) reference {
		return reference{name, func(r *rand.Rand) (function, []array, array) {
			s := anyShape(r)
			x, a := draw(r, s, -3, 3), axesOf(r, len(s))
			return func(b *ops.Builder, in []*node) *node { return f(b, in[0], a...) }, []array{x}, reduced(x, a, want)
		}}
	}
	along := func(name string, f func(b *ops.Builder, x *node, axis int) *node, want func(x []float64) float64) reference {
		return reference{name, func(r *rand.Rand) (function, []array, array) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(2*len(s)) - len(s)
			x := draw(r, s, -3, 3)
			return func(b *ops.Builder, in []*node) *node { return f(b, in[0], a) }, []array{x}, reduced(x, []int{a}, want)
		}}
	}
	// softmax is that of x along the axis, less what the logarithm keeps.
	softmax := func(name string, f func(b *ops.Builder, x *node, axis int) *node, of func(p float64) float64) reference {
		return reference{name, func(r *rand.Rand) (function, []array, array) {
			s := shapeOf(r, 1+r.IntN(3))
			a := r.IntN(len(s))
			x := draw(r, s, -3, 3)
			sums := reduced(x, []int{a}, func(x []float64) float64 { return math.Exp(logSumExp(x)) })
			return func(b *ops.Builder, in []*node) *node { return f(b, in[0], a-len(s)) }, []array{x}, tabulate(s, func(i []int) float64 {
				return of(math.Exp(x.at(i...)) / sums.at(slices.Delete(slices.Clone(i), a, a+1)...))
			})
		}}
	}
	return []reference{
		axes("sum", (*ops.Builder).Sum, sum),
		axes("mean", (*ops.Builder).Mean, func(x []float64) float64 { return sum(x) / float64(len(x)) }),
		axes("max", (*ops.Builder).Max, slices.Max[[]float64]),
		axes("min", (*ops.Builder).Min, slices.Min[[]float64]),
		axes("log_sum_exp", (*ops.Builder).LogSumExp, logSumExp),
		along("argmax", (*ops.Builder).ArgMax, func(x []float64) float64 { return float64(slices.Index(x, slices.Max(x))) }),
		softmax("softmax", (*ops.Builder).Softmax, func(p float64) float64 { return p }),
		softmax("log_softmax", (*ops.Builder).LogSoftmax, math.Log),
		{"softmax_cross_entropy", func(r *rand.Rand) (function, []array, array) {
			lead, c := anyShape(r), 1+r.IntN(5)
			z := draw(r, append(slices.Clone(lead), c), -3, 3)
			y := array{lead, indices(r, exec.Size(lead), c)}
			return func(b *ops.Builder, x []*node) *node { return b.SoftmaxCrossEntropy(x[0], x[1]) }, []array{z, y}, tabulate(lead, func(i []int) float64 {
				row := tabulate([]int{c}, func(k []int) float64 { return z.at(append(slices.Clone(i), k[0])...) }).data
				return logSumExp(row) - row[int(y.at(i...))]
			})
		}},
		{"softmax_cross_entropy_probs", func(r *rand.Rand) (function, []array, array) {
			lead, c := anyShape(r), 1+r.IntN(5)
			z, p := draw(r, append(slices.Clone(lead), c), -3, 3), draw(r, append(slices.Clone(lead), c), 0, 1)
			return func(b *ops.Builder, x []*node) *node { return b.SoftmaxCrossEntropyProbs(x[0], x[1]) }, []array{z, p}, tabulate(lead, func(i []int) float64 {
				row := tabulate([]int{c}, func(k []int) float64 { return z.at(append(slices.Clone(i), k[0])...) }).data
				h := 0.0
				for k := range c {
					h += p.at(append(slices.Clone(i), k)...) * (logSumExp(row) - row[k])
				}
				return h
			})
		}},
	}
}

func sum(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}

func logSumExp(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += math.Exp(v)
	}
	return math.Log(s)
}

// reduced applies f to the elements along the axes, all if none are given.
func reduced(x array, axes []int, f func(x []float64) float64) array {
	rank := len(x.shape)
	gone := make([]bool, rank)
	for _, a := range axes {
		gone[(a+rank)%rank] = true
	}
	shape := []int{}
	for d, n := range x.shape {
		if len(axes) == 0 {
			gone[d] = true
		}
		if !gone[d] {
			shape = append(shape, n)
		}
	}
	groups := map[string][]float64{}
	tabulate(x.shape, func(i []int) float64 {
		var key []int
		for d, k := range i {
			if !gone[d] {
				key = append(key, k)
			}
		}
		groups[fmt.Sprint(key)] = append(groups[fmt.Sprint(key)], x.at(i...))
		return 0
	})
	return tabulate(shape, func(i []int) float64 { return f(groups[fmt.Sprint(i)]) })
}
