package autodiff_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// builtinCase is a graph written with Gorgonia's own functions.
type builtinCase struct {
	name   string
	shapes [][]int
	f      func(x []*node) (*node, error)
	lo, hi float64

	wrongValue bool // Gorgonia computes something else than it says
	wrongGrad  bool // Gorgonia's first derivative is wrong, or there is none
}

func builtinCases() []builtinCase {
	m := [][]int{{3, 4}}
	mm := [][]int{{3, 4}, {3, 4}}
	image := [][]int{{2, 3, 6, 5}}
	one := func(f func(*node) (*node, error)) func([]*node) (*node, error) {
		return func(x []*node) (*node, error) { return f(x[0]) }
	}
	two := func(f func(a, b *node) (*node, error)) func([]*node) (*node, error) {
		return func(x []*node) (*node, error) { return f(x[0], x[1]) }
	}
	cases := []builtinCase{
		{name: "Abs", shapes: m, f: one(gorgonia.Abs)},
		{name: "Sign", shapes: m, f: one(gorgonia.Sign), wrongGrad: true},
		{name: "Ceil", shapes: m, f: one(gorgonia.Ceil), lo: 0.1, hi: 0.9, wrongGrad: true},
		{name: "Floor", shapes: m, f: one(gorgonia.Floor), lo: 0.1, hi: 0.9, wrongGrad: true},
		{name: "Sin", shapes: m, f: one(gorgonia.Sin)},
		{name: "Cos", shapes: m, f: one(gorgonia.Cos)},
		{name: "Exp", shapes: m, f: one(gorgonia.Exp)},
		{name: "Log", shapes: m, f: one(gorgonia.Log), lo: 0.5, hi: 3},
		{name: "Log2", shapes: m, f: one(gorgonia.Log2), lo: 0.5, hi: 3, wrongGrad: true},
		{name: "Neg", shapes: m, f: one(gorgonia.Neg)},
		{name: "Square", shapes: m, f: one(gorgonia.Square)},
		{name: "Sqrt", shapes: m, f: one(gorgonia.Sqrt), lo: 0.5, hi: 3},
		{name: "Inverse", shapes: m, f: one(gorgonia.Inverse), lo: 0.5, hi: 3},
		{name: "InverseSqrt", shapes: m, f: one(gorgonia.InverseSqrt), lo: 0.5, hi: 3, wrongGrad: true},
		{name: "Cube", shapes: m, f: one(gorgonia.Cube)},
		{name: "Tanh", shapes: m, f: one(gorgonia.Tanh)},
		{name: "Sigmoid", shapes: m, f: one(gorgonia.Sigmoid)},
		{name: "Log1p", shapes: m, f: one(gorgonia.Log1p), lo: -0.4, hi: 3},
		{name: "Expm1", shapes: m, f: one(gorgonia.Expm1)},
		{name: "Softplus", shapes: m, f: one(gorgonia.Softplus)},
		{name: "Rectify", shapes: m, f: one(gorgonia.Rectify)},
		{name: "LeakyRelu", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.LeakyRelu(x, 0.1) })},
		{name: "Mish", shapes: m, f: one(gorgonia.Mish)},

		{name: "Add", shapes: mm, f: two(gorgonia.Add)},
		{name: "Sub", shapes: mm, f: two(gorgonia.Sub)},
		{name: "HadamardProd", shapes: mm, f: two(gorgonia.HadamardProd)},
		{name: "HadamardDiv", shapes: mm, f: two(gorgonia.HadamardDiv), lo: 0.5, hi: 2},
		{name: "Div", shapes: mm, f: two(gorgonia.Div), lo: 0.5, hi: 2},
		{name: "Pow", shapes: mm, f: two(gorgonia.Pow), lo: 0.5, hi: 2, wrongGrad: true},
		{name: "Pow constant", shapes: m, lo: 0.5, hi: 2, f: one(func(x *node) (*node, error) { return gorgonia.Pow(x, gorgonia.NewConstant(3.0)) })},
		{name: "scalar", shapes: [][]int{{3, 4}, {}}, f: two(gorgonia.Mul)},
		{name: "Lt", shapes: mm, f: compare(gorgonia.Lt), wrongGrad: true},
		{name: "Gt", shapes: mm, f: compare(gorgonia.Gt), wrongGrad: true},
		{name: "Lte", shapes: mm, f: compare(gorgonia.Lte), wrongGrad: true},
		{name: "Gte", shapes: mm, f: compare(gorgonia.Gte), wrongGrad: true},
		{name: "Eq", shapes: mm, f: compare(gorgonia.Eq), wrongGrad: true},
		{name: "Ne", shapes: mm, f: compare(gorgonia.Ne), wrongGrad: true},
		{name: "MaxBetween", shapes: mm, f: two(gorgonia.MaxBetween), wrongGrad: true},
		{name: "MinBetween", shapes: mm, f: two(gorgonia.MinBetween), wrongGrad: true},

		{name: "Mul", shapes: [][]int{{3, 4}, {4, 2}}, f: two(gorgonia.Mul)},
		{name: "Mul matrix vector", shapes: [][]int{{3, 4}, {4}}, f: two(gorgonia.Mul), wrongGrad: true},
		{name: "Mul vector matrix", shapes: [][]int{{3}, {3, 4}}, f: two(gorgonia.Mul), wrongGrad: true},
		{name: "Mul vectors", shapes: [][]int{{4}, {4}}, f: two(gorgonia.Mul)},
		{name: "OuterProd", shapes: [][]int{{3}, {4}}, f: two(gorgonia.OuterProd), wrongGrad: true},
		{name: "BatchedMatMul", shapes: [][]int{{2, 3, 4}, {2, 4, 5}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BatchedMatMul(a, b) })},
		{name: "BatchedMatMul transposed", shapes: [][]int{{2, 4, 3}, {2, 5, 4}}, wrongGrad: true, f: two(func(a, b *node) (*node, error) { return gorgonia.BatchedMatMul(a, b, true, true) })},
		{name: "Tensordot", shapes: [][]int{{2, 3, 4}, {4, 3, 5}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Tensordot([]int{1, 2}, []int{1, 0}, a, b) })},

		{name: "BroadcastAdd", shapes: [][]int{{3, 4}, {4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastAdd(a, b, nil, []byte{0}) })},
		{name: "BroadcastSub", shapes: [][]int{{3}, {3, 4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastSub(a, b, []byte{1}, nil) })},
		{name: "BroadcastHadamardProd", shapes: [][]int{{3, 4}, {4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastHadamardProd(a, b, nil, []byte{0}) })},
		{name: "BroadcastHadamardDiv", shapes: [][]int{{3, 4}, {3, 1}}, lo: 0.5, hi: 2, f: two(func(a, b *node) (*node, error) { return gorgonia.BroadcastHadamardDiv(a, b, nil, []byte{1}) })},
		{name: "Auto", shapes: [][]int{{3, 4}, {1, 4}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Auto(gorgonia.BroadcastAdd, a, b) })},

		{name: "Sum", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Sum(x) })},
		{name: "Sum 0", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Sum(x, 0) })},
		{name: "Sum 1 2", shapes: [][]int{{2, 3, 4}}, wrongGrad: true, f: one(func(x *node) (*node, error) { return gorgonia.Sum(x, 1, 2) })},
		{name: "Mean", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Mean(x) })},
		{name: "Mean 1", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Mean(x, 1) })},
		{name: "Max", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Max(x) })},
		{name: "Max 1", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Max(x, 1) })},
		{name: "Norm 2", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Norm(x, 1, 2) })},
		{name: "Norm 3", shapes: m, lo: 0.5, hi: 2, f: one(func(x *node) (*node, error) { return gorgonia.Norm(x, 0, 3) })},
		{name: "SoftMax", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.SoftMax(x) }), wrongGrad: true},
		{name: "SoftMax 0", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.SoftMax(x, 0) }), wrongGrad: true},
		{name: "LogSoftMax", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.LogSoftMax(x) }), wrongGrad: true},

		{name: "Reshape", shapes: m, f: one(func(x *node) (*node, error) { return gorgonia.Reshape(x, tensor.Shape{2, 6}) })},
		{name: "Ravel", shapes: m, f: one(gorgonia.Ravel)},
		{name: "Transpose", shapes: [][]int{{2, 3, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Transpose(x, 2, 0, 1) })},
		{name: "Slice", shapes: [][]int{{5, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Slice(x, gorgonia.S(1, 4), gorgonia.S(0, 2)) })},
		{name: "Slice one", shapes: [][]int{{5, 4}}, f: one(func(x *node) (*node, error) { return gorgonia.Slice(x, nil, gorgonia.S(2)) })},
		{name: "Concat", shapes: [][]int{{3, 4}, {3, 2}}, f: two(func(a, b *node) (*node, error) { return gorgonia.Concat(1, a, b) })},
		{name: "At", shapes: m, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) { return gorgonia.At(x, 1, 2) })},

		{name: "Conv2d", shapes: [][]int{{2, 3, 6, 5}, {4, 3, 3, 2}}, wrongGrad: true, f: two(func(a, b *node) (*node, error) {
			return gorgonia.Conv2d(a, b, tensor.Shape{3, 2}, []int{1, 0}, []int{2, 1}, []int{1, 1})
		})},
		{name: "Conv1d", shapes: [][]int{{2, 3, 1, 7}, {4, 3, 1, 3}}, wrongGrad: true, f: two(func(a, b *node) (*node, error) { return gorgonia.Conv1d(a, b, 3, 1, 1, 1) })},
		{name: "Im2Col", shapes: image, wrongGrad: true, f: one(func(x *node) (*node, error) {
			return gorgonia.Im2Col(x, tensor.Shape{2, 2}, tensor.Shape{1, 1}, tensor.Shape{1, 1}, tensor.Shape{1, 1})
		})},
		{name: "MaxPool2D", shapes: image, f: one(func(x *node) (*node, error) {
			return gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2})
		}), wrongGrad: true},
		{name: "AveragePool2D", shapes: image, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) {
			return gorgonia.AveragePool2D(x, tensor.Shape{2, 3}, []int{1, 0}, []int{2, 1})
		})},
		{name: "GlobalAveragePool2D", shapes: image, f: one(gorgonia.GlobalAveragePool2D), wrongGrad: true},
		{name: "Dropout", shapes: m, wrongValue: true, wrongGrad: true, f: one(func(x *node) (*node, error) { return gorgonia.Dropout(x, 0.4) })},
	}
	return cases
}

func compare(f func(a, b *node, same bool) (*node, error)) func([]*node) (*node, error) {
	return func(x []*node) (*node, error) {
		c, err := f(x[0], x[1], true)
		if err != nil {
			return nil, err
		}
		return gorgonia.HadamardProd(c, x[0])
	}
}

// TestBuiltinFunctionsHaveTheRightDerivatives checks graphs of Gorgonia's own
// functions to the second order.
func TestBuiltinFunctionsHaveTheRightDerivatives(t *testing.T) {
	cases := builtinCases()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := func(b *ops.Builder, x []*node) *node {
				y, err := c.f(x)
				b.Fail(err)
				return y
			}
			for seed := range uint64(3) {
				if err := autodiff.Check(f, c.shapes, autodiff.CheckOptions{Seed: seed, Lo: c.lo, Hi: c.hi, Values: [][]float64{point(c, seed)}}); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	t.Logf("%d functions", len(cases))
}

// point keeps elements of functions with kinks apart.
func point(c builtinCase, seed uint64) []float64 {
	if strings.HasPrefix(c.name, "Max") || strings.HasPrefix(c.name, "Rectify") {
		return apart(rand.New(rand.NewPCG(seed, 5)), c.shapes[0])
	}
	return nil
}

// TestBuiltinFunctionsAgreeWithGorgonia compares values, and first derivatives
// where Gorgonia's are right, with its TapeMachine.
func TestBuiltinFunctionsAgreeWithGorgonia(t *testing.T) {
	for _, c := range builtinCases() {
		if c.wrongValue {
			continue // see TestWhereGorgoniaIsWrong
		}
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 9))
			lo, hi := c.lo, c.hi
			if lo == hi {
				lo, hi = -2, 2
			}
			build := func() (*gorgonia.ExprGraph, []*node, *node, *node) {
				g := gorgonia.NewGraph()
				var xs []*node
				for i, s := range c.shapes {
					xs = append(xs, autodiff.NewInput(g, tensor.Float64, fmt.Sprintf("x%d", i), s...))
				}
				y, err := c.f(xs)
				if err != nil {
					t.Fatal(err)
				}
				loss := y
				if len(y.Shape()) > 0 {
					loss = gorgonia.Must(gorgonia.Sum(y))
				}
				return g, xs, y, loss
			}
			var values [][]float64
			for _, s := range c.shapes {
				x := make([]float64, exec.Size(s))
				for i := range x {
					x[i] = lo + (hi-lo)*r.Float64()
				}
				values = append(values, x)
			}
			_, xs, y, loss := build()
			grads, err := autodiff.Grad(loss, xs...)
			if err != nil {
				t.Fatal(err)
			}
			p, err := autodiff.Compile[float64](append([]*node{y}, grads...), xs, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, x := range values {
				if err := p.Set(xs[i], x); err != nil {
					t.Fatal(err)
				}
			}
			if err := p.Run(); err != nil {
				t.Fatal(err)
			}
			value, grad := tape(t, c, build, values)
			same(t, "value", p.Output(0), value)
			for i := range grad {
				same(t, fmt.Sprintf("gradient %d", i), p.Output(1+i), grad[i])
			}
		})
	}
}

// tape runs a graph on Gorgonia's TapeMachine.
func tape(t *testing.T, c builtinCase, build func() (*gorgonia.ExprGraph, []*node, *node, *node), values [][]float64) (value []float64, grads [][]float64) {
	t.Helper()
	g, xs, y, loss := build()
	var gs gorgonia.Nodes
	if !c.wrongGrad {
		var err error
		if gs, err = gorgonia.Grad(loss, xs...); err != nil {
			t.Fatal(err)
		}
	}
	var read gorgonia.Value
	gorgonia.Read(y, &read)
	for i, x := range values {
		x = append([]float64(nil), x...)
		if len(c.shapes[i]) == 0 {
			gorgonia.Let(xs[i], x[0])
			continue
		}
		gorgonia.Let(xs[i], tensor.New(tensor.WithShape(c.shapes[i]...), tensor.WithBacking(x)))
	}
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatalf("gorgonia: %v", err)
	}
	for _, n := range gs {
		grads = append(grads, floats(n.Value()))
	}
	return floats(read), grads
}

func floats(v gorgonia.Value) []float64 {
	if d, ok := v.(*tensor.Dense); ok && d.RequiresIterator() {
		v = d.Materialize().(*tensor.Dense)
	}
	switch x := v.Data().(type) {
	case float64:
		return []float64{x}
	case []float64:
		return x
	}
	return nil
}

func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, gorgonia has %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if e := math.Abs(got[i] - want[i]); !(e <= 1e-12*math.Max(1, math.Abs(want[i]))) {
			t.Errorf("%s: element %d is %v, gorgonia has %v", what, i, got[i], want[i])
			return
		}
	}
}

// evaluate compiles and runs one node in float64.
func evaluate(t *testing.T, y *node, inputs map[*node][]float64) []float64 {
	t.Helper()
	var in exec.Inputs
	for n := range inputs {
		in = append(in, n)
	}
	p, err := autodiff.Compile[float64]([]*node{y}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, x := range inputs {
		if err := p.Set(n, x); err != nil {
			t.Fatal(err)
		}
	}
	p.Seed(1, 2, 0)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	return p.Output(0)
}

// TestWhereGorgoniaIsWrong states what its functions mean where Gorgonia
// computes something else.
func TestWhereGorgoniaIsWrong(t *testing.T) {
	t.Run("AveragePool2D divides by the window", func(t *testing.T) {
		g := gorgonia.NewGraph()
		x := autodiff.NewInput(g, tensor.Float64, "x", 1, 1, 2, 4)
		y := gorgonia.Must(gorgonia.AveragePool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
		got := evaluate(t, y, map[*node][]float64{x: {1, 2, 3, 4, 5, 6, 7, 8}})
		same(t, "mean", got, []float64{(1 + 2 + 5 + 6) / 4., (3 + 4 + 7 + 8) / 4.})
	})
	t.Run("padding side by side lies where it was asked for", func(t *testing.T) {
		g := gorgonia.NewGraph()
		x := autodiff.NewInput(g, tensor.Float64, "x", 1, 1, 2, 2)
		y := gorgonia.Must(gorgonia.MaxPool2D(x, tensor.Shape{2, 2}, []int{1, 0, 0, 0}, []int{1, 1}))
		got := evaluate(t, y, map[*node][]float64{x: {-1, -2, -3, -4}})
		same(t, "max", got, []float64{-1, -1})
	})
	t.Run("Dropout keeps the mean", func(t *testing.T) {
		g := gorgonia.NewGraph()
		x := autodiff.NewInput(g, tensor.Float64, "x", 100, 100)
		y := gorgonia.Must(gorgonia.Dropout(x, 0.3))
		ones := make([]float64, 10000)
		for i := range ones {
			ones[i] = 1
		}
		got := evaluate(t, y, map[*node][]float64{x: ones})
		sum, zeros := 0.0, 0
		for _, v := range got {
			sum += v
			if v == 0 {
				zeros++
			} else if math.Abs(v-1/0.7) > 1e-15 {
				t.Fatalf("an element is %v, want 0 or 1/0.7", v)
			}
		}
		// Four standard deviations of a binomial share of 10,000.
		if share := float64(zeros) / 10000; math.Abs(share-0.3) > 4*math.Sqrt(0.3*0.7/10000) {
			t.Errorf("a share of %v is dropped, want 0.3", share)
		}
		if mean := sum / 10000; math.Abs(mean-1) > 0.03 {
			t.Errorf("mean %v, want 1", mean)
		}
	})
	t.Run("derivatives of derivatives", func(t *testing.T) {
		// d2/dx2 x^3 at 2 is 12; gorgonia.Grad twice gives 4.
		g := gorgonia.NewGraph()
		x := gorgonia.NewScalar(g, tensor.Float64, gorgonia.WithName("x"))
		y := gorgonia.Must(gorgonia.Cube(x))
		for i, want := range []float64{12, 12, 6, 0} { // f', f'', f''', f''''
			d, err := autodiff.Grad(y, x)
			if err != nil {
				t.Fatal(err)
			}
			y = d[0]
			if got := evaluate(t, y, map[*node][]float64{x: {2}}); got[0] != want {
				t.Errorf("derivative %d of x^3 at 2 is %v, want %v", i+1, got[0], want)
			}
		}
	})
}

// TestUnknownFunctionsAreRefused names the node and the operation.
func TestUnknownFunctionsAreRefused(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 3, 4)
	im := autodiff.NewInput(g, tensor.Float64, "im", 2, 3, 4, 4)
	bn, _, _, _, err := gorgonia.BatchNorm(im, nil, nil, 0.1, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	for name, y := range map[string]*node{
		"Lt false":   gorgonia.Must(gorgonia.Lt(x, gorgonia.Must(gorgonia.Square(x)), false)),
		"inside":     gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sparsemax(x)))),
		"Sparsemax":  gorgonia.Must(gorgonia.Sparsemax(x)),
		"BatchNorm":  bn,
		"Upsample2D": gorgonia.Must(gorgonia.Upsample2D(im, 2)),
		"DiagFlat":   gorgonia.Must(gorgonia.DiagFlat(gorgonia.Must(gorgonia.Ravel(x)))),
	} {
		_, err := autodiff.Compile[float64]([]*node{y}, exec.Inputs{x, im}, nil)
		if err == nil || !strings.Contains(err.Error(), "node") || !strings.Contains(err.Error(), "gorgonia.") {
			t.Errorf("%s: error %v; want one that names the node and the operation", name, err)
		}
	}
}

// As vectors of two float64, inputs named w8423 and w914960 have one 32-bit
// hash.
func colliding(g *gorgonia.ExprGraph) (a, b *node) {
	return autodiff.NewInput(g, tensor.Float64, "w8423", 2), autodiff.NewInput(g, tensor.Float64, "w914960", 2)
}

func TestHashCollisionsDoNotMergeOperations(t *testing.T) {
	g := gorgonia.NewGraph()
	x, y := colliding(g)
	if x.Hashcode() != y.Hashcode() {
		t.Fatal("the two names no longer collide; find two that do")
	}
	b := ops.NewBuilder(g, tensor.Float64)
	sx, sy := b.Square(x), b.Square(y)
	cx, cy := b.Tanh(sx), b.Tanh(sy) // what is built on them must differ too
	if sx == sy || cx == cy {
		t.Fatal("operations on two inputs became one node")
	}
	if again := b.Square(y); again != sy {
		t.Error("the same operation on the same node became two nodes")
	}
	diff := b.Sum(b.Sub(sx, sy))
	got := evaluate(t, diff, map[*node][]float64{x: {3, 4}, y: {0, 1}})
	if got[0] != 24 {
		t.Errorf("sum of x^2 - y^2 is %v, want 24", got[0])
	}
	grads, err := autodiff.Grad(diff, x, y)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "gradient of x", evaluate(t, grads[0], map[*node][]float64{x: {1, 2}, y: {5, 6}}), []float64{2, 4})
	same(t, "gradient of y", evaluate(t, grads[1], map[*node][]float64{x: {1, 2}, y: {5, 6}}), []float64{-10, -12})
}

func TestHashCollisionsOfGorgoniaAreRefused(t *testing.T) {
	g := gorgonia.NewGraph()
	x, y := colliding(g)
	sx, sy := gorgonia.Must(gorgonia.Square(x)), gorgonia.Must(gorgonia.Square(y))
	if sx != sy {
		t.Fatal("gorgonia no longer merges these two; the guard may go")
	}
	_, err := autodiff.Compile[float64]([]*node{sy}, exec.Inputs{x, y}, nil)
	if err == nil || !strings.Contains(err.Error(), "w8423") || !strings.Contains(err.Error(), "w914960") {
		t.Errorf("error %v; want one that names both inputs", err)
	}
}

func TestUnnamedInputsAreRefused(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 2))
	y := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 2))
	if x != y {
		t.Fatal("gorgonia no longer merges unnamed inputs; the guard may go")
	}
	_, err := autodiff.Compile[float64]([]*node{gorgonia.Must(gorgonia.Add(x, y))}, exec.Inputs{x}, nil)
	if err == nil || !strings.Contains(err.Error(), "no name") {
		t.Errorf("error %v; want one that asks for names", err)
	}
}

// TestSharedInputsAreOnlyRead has the graphs in which Gorgonia overwrites an
// operand that others still need.
func TestSharedInputsAreOnlyRead(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 2, 3)
	data := []float64{1, 2, 3, 4, 5, 6}
	t.Run("x'x", func(t *testing.T) {
		y := gorgonia.Must(gorgonia.Mul(gorgonia.Must(gorgonia.Transpose(x)), x))
		same(t, "x'x", evaluate(t, y, map[*node][]float64{x: data}), []float64{17, 22, 27, 22, 29, 36, 27, 36, 45})
	})
	t.Run("a reshaped parameter", func(t *testing.T) {
		r := gorgonia.Must(gorgonia.Reshape(x, tensor.Shape{3, 2}))
		one := gorgonia.NewConstant(tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float64{1, 1, 1, 1, 1, 1})))
		s := gorgonia.Must(gorgonia.Add(r, one))
		y := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.HadamardProd(s, r))))
		got := evaluate(t, y, map[*node][]float64{x: data})
		if want := 1*2. + 2*3 + 3*4 + 4*5 + 5*6 + 6*7; got[0] != want {
			t.Errorf("got %v, want %v", got[0], want)
		}
		same(t, "the parameter afterwards", data, []float64{1, 2, 3, 4, 5, 6})
	})
	t.Run("x*x and x+x", func(t *testing.T) {
		y := gorgonia.Must(gorgonia.Add(gorgonia.Must(gorgonia.HadamardProd(x, x)), gorgonia.Must(gorgonia.Add(x, x))))
		same(t, "x^2+2x", evaluate(t, y, map[*node][]float64{x: data}), []float64{3, 8, 15, 24, 35, 48})
	})
}
