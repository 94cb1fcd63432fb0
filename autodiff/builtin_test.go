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
			var values [][]float64
			for _, s := range c.shapes {
				x := make([]float64, exec.Size(s))
				for i := range x {
					x[i] = lo + (hi-lo)*r.Float64()
				}
				values = append(values, x)
			}
			_, xs, y := c.graph(t)
			loss := y
			if len(y.Shape()) > 0 {
				loss = gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(y))))
			}
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
			same(t, "value", p.Output(0), c.tape(t, values, false)[0])
			if c.wrongGrad {
				return
			}
			for i, want := range c.tape(t, values, true) {
				same(t, fmt.Sprintf("gradient %d", i), p.Output(1+i), want)
			}
		})
	}
}

// graph writes the case.
func (c builtinCase) graph(t *testing.T) (g *gorgonia.ExprGraph, xs []*node, y *node) {
	t.Helper()
	g = gorgonia.NewGraph()
	for i, s := range c.shapes {
		xs = append(xs, autodiff.NewInput(g, tensor.Float64, fmt.Sprintf("x%d", i), s...))
	}
	y, err := c.f(xs)
	if err != nil {
		t.Fatal(err)
	}
	return g, xs, y
}

// tape runs the case on Gorgonia's TapeMachine, each time on a graph of its own,
// as its operations overwrite what others read: the value, or the gradients of
// the sum of its squares.
func (c builtinCase) tape(t *testing.T, values [][]float64, grads bool) (out [][]float64) {
	t.Helper()
	g, xs, y := c.graph(t)
	reads := gorgonia.Nodes{y}
	if grads {
		loss := y
		if len(y.Shape()) > 0 {
			loss = gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Square(y))))
		}
		var err error
		if reads, err = gorgonia.Grad(loss, xs...); err != nil {
			t.Fatalf("gorgonia: %v", err)
		}
	}
	read := make([]gorgonia.Value, len(reads))
	for i, n := range reads {
		gorgonia.Read(n, &read[i])
	}
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
	for _, v := range read {
		out = append(out, floats(v))
	}
	return out
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
	t.Run("LogSumExp is the logarithm of a sum", func(t *testing.T) {
		g := gorgonia.NewGraph()
		x := autodiff.NewInput(g, tensor.Float64, "x", 3)
		y := gorgonia.Must(gorgonia.LogSumExp(x, 0))
		got := evaluate(t, y, map[*node][]float64{x: {-1e4, 1e4, 1e4 - 1}})
		same(t, "value", got, []float64{1e4 + math.Log1p(math.Exp(-1))})
		// What only looks like it means what it says.
		m := gorgonia.Must(gorgonia.Max(x))
		z := gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Exp(gorgonia.Must(gorgonia.Sub(gorgonia.Must(gorgonia.Abs(x)), m))))))
		y = gorgonia.Must(gorgonia.Log(gorgonia.Must(gorgonia.Add(z, m))))
		got = evaluate(t, y, map[*node][]float64{x: {-1, 2, 2}})
		same(t, "value", got, []float64{math.Log(math.Exp(-1) + 2 + 2)})
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
	index := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(2), gorgonia.WithName("index"))
	scale := autodiff.NewInput(g, tensor.Float64, "scale", 1, 3, 1, 1)
	bn, _, _, _, err := gorgonia.BatchNorm(im, nil, nil, 0.1, 1e-5)
	if err != nil {
		t.Fatal(err)
	}
	random := gorgonia.UniformRandomNode(g, tensor.Float64, 0, 1, 3, 4)
	for name, y := range map[string]*node{
		"Lt false":  gorgonia.Must(gorgonia.Lt(x, gorgonia.Must(gorgonia.Square(x)), false)),
		"inside":    gorgonia.Must(gorgonia.Square(gorgonia.Must(gorgonia.Sparsemax(x)))),
		"Sparsemax": gorgonia.Must(gorgonia.Sparsemax(x)),
		"BatchNorm": bn,
		"GroupNorm": gorgonia.Must(gorgonia.GroupNorm(im, scale, scale, 1, 3, 1e-5)),
		"ByIndices": gorgonia.Must(gorgonia.ByIndices(x, index, 0)),
		"ConvType":  gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.ConvType(x, tensor.Float64, tensor.Float32)))),
		"random":    gorgonia.Must(gorgonia.Add(x, random)),
		"DiagFlat":  gorgonia.Must(gorgonia.DiagFlat(gorgonia.Must(gorgonia.Ravel(x)))),
		"a range":   gorgonia.Must(gorgonia.Slice(x, gorgonia.S(1, 7))),
		"a rate":    gorgonia.Must(gorgonia.Dropout(x, 1)),
	} {
		_, err := autodiff.Compile[float64]([]*node{y}, exec.Inputs{x, im}, nil)
		if err == nil || !strings.Contains(err.Error(), "node") || !strings.Contains(err.Error(), "gorgonia.") {
			t.Errorf("%s: error %v; want one that names the node and the operation", name, err)
		}
	}
	var v gorgonia.Value
	for name, y := range map[string]*node{"Read": gorgonia.Read(x, &v), "Set": gorgonia.Set(x, gorgonia.Must(gorgonia.Abs(x)))} {
		_, err := autodiff.Compile[float64]([]*node{y}, exec.Inputs{x}, nil)
		if err == nil || !strings.Contains(err.Error(), "holds no numbers") {
			t.Errorf("%s: error %v; want one that says it is a statement", name, err)
		}
		if _, err = autodiff.Grad(y, x); err == nil {
			t.Errorf("%s: differentiated", name)
		}
	}
}
