package autodiff_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

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

// TestStabilisedLogarithms has the logarithms that Gorgonia rewrites as it
// builds them, which it does unless told otherwise.
func TestStabilisedLogarithms(t *testing.T) {
	logs := map[string]func(x *node) *node{
		"log(softmax(x))": func(x *node) *node { return gorgonia.Must(gorgonia.Log(gorgonia.Must(gorgonia.SoftMax(x)))) },
		"log(1+x^2)": func(x *node) *node {
			return gorgonia.Must(gorgonia.Log(gorgonia.Must(gorgonia.Add(gorgonia.NewConstant(1.0), gorgonia.Must(gorgonia.Square(x))))))
		},
		"log(1-sigmoid(x))": func(x *node) *node {
			return gorgonia.Must(gorgonia.Log(gorgonia.Must(gorgonia.Sub(gorgonia.NewConstant(1.0), gorgonia.Must(gorgonia.Sigmoid(x))))))
		},
		"log(sigmoid(x))": func(x *node) *node { return gorgonia.Must(gorgonia.Log(gorgonia.Must(gorgonia.Sigmoid(x)))) },
		"exp(x)-1": func(x *node) *node {
			return gorgonia.Must(gorgonia.Sub(gorgonia.Must(gorgonia.Exp(x)), gorgonia.NewConstant(1.0)))
		},
		"-(-x)": func(x *node) *node { return gorgonia.Must(gorgonia.Neg(gorgonia.Must(gorgonia.Neg(x)))) },
	}
	x := []float64{1, -2, 0.5, 3, 0.1, -1}
	row := func(i int, f func(x float64) float64) float64 { return f(x[i]) }
	softmax := func(i int) float64 {
		sum := 0.0
		for _, v := range x[i/3*3 : i/3*3+3] {
			sum += math.Exp(v)
		}
		return x[i] - math.Log(sum)
	}
	want := map[string]func(i int) float64{
		"log(softmax(x))":   softmax,
		"log(1+x^2)":        func(i int) float64 { return row(i, func(x float64) float64 { return math.Log1p(x * x) }) },
		"log(1-sigmoid(x))": func(i int) float64 { return row(i, func(x float64) float64 { return -math.Log1p(math.Exp(x)) }) },
		"log(sigmoid(x))":   func(i int) float64 { return row(i, func(x float64) float64 { return -math.Log1p(math.Exp(-x)) }) },
		"exp(x)-1":          func(i int) float64 { return row(i, math.Expm1) },
		"-(-x)":             func(i int) float64 { return x[i] },
	}
	for name, f := range logs {
		for _, stable := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, stable %v", name, stable), func(t *testing.T) {
				if !stable {
					gorgonia.UseNonStable()
					defer gorgonia.UseStabilization()
				}
				g := gorgonia.NewGraph()
				in := autodiff.NewInput(g, tensor.Float64, "x", 2, 3)
				var values []float64
				for i := range x {
					values = append(values, want[name](i))
				}
				same(t, "value", evaluate(t, f(in), map[*node][]float64{in: x}), values)
				err := autodiff.Check(func(b *ops.Builder, x []*node) *node { return f(x[0]) }, [][]int{{2, 3}}, autodiff.CheckOptions{})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestWhatStabilisationDestroysIsRefused: log(1+a) takes the sum out of the graph
// and gives its memory to a later node, so what was built on the sum would be
// that of another number.
func TestWhatStabilisationDestroysIsRefused(t *testing.T) {
	for _, minus := range []bool{false, true} {
		g := gorgonia.NewGraph()
		x := autodiff.NewInput(g, tensor.Float64, "x", 3)
		y := autodiff.NewInput(g, tensor.Float64, "y", 3)
		// Only Gorgonia's own constant 1 counts; a graph that has it uses it for
		// every other.
		gorgonia.Must(gorgonia.BinaryXent(gorgonia.Must(gorgonia.Sin(y)), y))
		sum := gorgonia.Must(gorgonia.Add(x, gorgonia.NewConstant(1.0)))
		if minus {
			sum = gorgonia.Must(gorgonia.Sub(gorgonia.NewConstant(1.0), x))
		}
		square := gorgonia.Must(gorgonia.Square(sum))
		log := gorgonia.Must(gorgonia.Log(sum))
		if _, err := autodiff.Compile[float64]([]*node{sum}, exec.Inputs{x, y}, nil); err == nil || !strings.Contains(err.Error(), "destroyed") {
			t.Errorf("the sum itself: error %v; want one that says it was destroyed", err)
		}
		for range 8 { // one of these gets the memory of the sum
			gorgonia.Must(gorgonia.Tanh(y))
			y = gorgonia.Must(gorgonia.Sin(y))
		}
		_, err := autodiff.Compile[float64]([]*node{square}, exec.Inputs{x}, nil)
		if err == nil || !strings.Contains(err.Error(), "was changed by Gorgonia") || !strings.Contains(err.Error(), "square") {
			t.Errorf("a square of the sum: error %v; want one that names it and says why", err)
		}
		got := evaluate(t, log, map[*node][]float64{x: {0.5, 0.25, 0}})
		want := []float64{math.Log(1.5), math.Log(1.25), 0}
		if minus {
			want = []float64{math.Log(0.5), math.Log(0.75), 0}
		}
		same(t, "the logarithm", got, want)
	}
}

// TestTwoDropoutsHaveTwoMasks: of two nodes of one graph, and of a network's own
// beside Gorgonia's.
func TestTwoDropoutsHaveTwoMasks(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 10, 20)
	ones := make([]float64, 200)
	for i := range ones {
		ones[i] = 1
	}
	b := ops.NewBuilder(g, tensor.Float64)
	first := gorgonia.Must(gorgonia.Dropout(x, 0.5))
	second := gorgonia.Must(gorgonia.Dropout(gorgonia.Must(gorgonia.Abs(x)), 0.5))
	masks := [][]float64{}
	for _, n := range []*node{first, second, b.Dropout(x, 0.5, b.Key(), uint32(first.ID()))} {
		masks = append(masks, append([]float64(nil), evaluate(t, n, map[*node][]float64{x: ones})...))
	}
	for i := range masks {
		for j := range i {
			equal := 0
			for k := range ones {
				if masks[i][k] == masks[j][k] {
					equal++
				}
			}
			if equal < 60 || equal > 140 { // more than five standard deviations of 200 coins
				t.Errorf("masks %d and %d agree in %d of 200 places", i, j, equal)
			}
		}
	}
	if err := first.Op().(interface{ SetTraining(bool) error }).SetTraining(false); err != nil {
		t.Fatal(err)
	}
	same(t, "dropout out of training", evaluate(t, first, map[*node][]float64{x: ones}), ones)
}
