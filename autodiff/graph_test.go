package autodiff_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// chains are functions x -> f(f(...f(x))) of a vector, written with package ops
// and with Gorgonia's functions.
var chains = map[string]func(x *node, depth int) *node{
	"ops": func(x *node, depth int) *node {
		b := ops.On(x)
		for range depth {
			x = b.Sin(x)
		}
		return b.Sum(x)
	},
	"gorgonia": func(x *node, depth int) *node {
		for range depth {
			x = gorgonia.Must(gorgonia.Sin(x))
		}
		return gorgonia.Must(gorgonia.Sum(x))
	},
	"one node read by many": func(x *node, depth int) *node {
		b := ops.On(x)
		sum := b.Fill(0, b.Shape(x)...)
		for i := range depth {
			sum = b.Add(sum, b.Mul(b.Const(1/float64(depth+i)), b.Sin(x)))
		}
		return b.Sum(sum)
	},
}

// sines is the chain's value, derivative and second derivative at x.
func sines(x float64, depth int) (y, dy, ddy float64) {
	y, dy = x, 1
	for range depth {
		// (sin y)” = cos y y” - sin y y'^2
		s, c := math.Sincos(y)
		y, dy, ddy = s, c*dy, c*ddy-s*dy*dy
	}
	return y, dy, ddy
}

// TestGraphsGrowAsTheirFunctionsDo: derivatives of a function of twice as many
// operations have twice as many.
func TestGraphsGrowAsTheirFunctionsDo(t *testing.T) {
	for name, chain := range chains {
		var size []int
		for _, depth := range []int{250, 500, 1000} {
			g := gorgonia.NewGraph()
			x := autodiff.NewInput(g, tensor.Float64, "x", 2)
			if _, err := autodiff.HVP(chain(x, depth), []*node{x}, []*node{x}); err != nil {
				t.Fatal(err)
			}
			size = append(size, len(g.AllNodes()))
		}
		if a, b := size[1]-size[0], size[2]-size[1]; b > 2*a+10 {
			t.Errorf("%s: %d nodes; want a straight line", name, size)
		}
	}
}

// TestDeepGraphs differentiates chains of 5,000 operations.
func TestDeepGraphs(t *testing.T) {
	const depth = 5000
	for _, c := range []struct {
		name  string
		twice bool
	}{{"ops", true}, {"gorgonia", false}} {
		t.Run(c.name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			x := autodiff.NewInput(g, tensor.Float64, "x", 2)
			y := chains[c.name](x, depth)
			in := map[*node][]float64{x: {0.5, 1}}
			d, err := autodiff.Grad(y, x)
			if c.twice {
				d, err = autodiff.HVP(y, []*node{x}, []*node{x})
			}
			if err != nil {
				t.Fatal(err)
			}
			got := evaluate(t, d[0], in)
			for i, at := range in[x] {
				_, dy, ddy := sines(at, depth)
				want := dy
				if c.twice {
					want = ddy * at
				}
				// The rounding of a product of that many factors.
				if math.Abs(got[i]-want) > 1e-15*depth*math.Abs(want) {
					t.Errorf("derivative at %v is %v, want %v", at, got[i], want)
				}
			}
		})
	}
}

// TestDerivativesMayBeTakenAgain: calls for the same derivatives give the same
// nodes and leave the graph as it is, whatever was asked for in between.
func TestDerivativesMayBeTakenAgain(t *testing.T) {
	for _, name := range []string{"ops", "gorgonia"} {
		t.Run(name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			x := autodiff.NewInput(g, tensor.Float64, "x", 2)
			y := chains[name](x, 3)
			var first []*node
			var nodes int
			for call := range 4 {
				var all []*node
				add := func(ns []*node, err error) []*node {
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, ns...)
					return ns
				}
				d := add(autodiff.Grad(y, x))
				add(autodiff.HVP(y, []*node{x}, []*node{x}))
				dd := add(autodiff.Grad(ops.On(x).Sum(d[0]), x))
				add(autodiff.JVP(dd, []*node{x}, []*node{x}))
				add(autodiff.Grad(y, x, x))
				if call == 0 {
					first, nodes = all, len(g.AllNodes())
					continue
				}
				for i, n := range all {
					if n != first[i] {
						t.Errorf("call %d: derivative %d is another node", call, i)
					}
				}
				if n := len(g.AllNodes()); n != nodes {
					t.Errorf("call %d: %d nodes, after the first %d", call, n, nodes)
				}
			}
			at := 0.3
			in := map[*node][]float64{x: {at, at}}
			_, dy, ddy := sines(at, 3)
			for i, want := range []float64{dy, ddy * at, ddy} {
				if got := evaluate(t, first[i], in)[0]; math.Abs(got-want) > 1e-15 {
					t.Errorf("derivative %d is %v, want %v", i, got, want)
				}
			}
		})
	}
}

// TestAVariableGivenTwice: its tangents add up, its gradient is given twice, and
// a Jacobian has its columns twice.
func TestAVariableGivenTwice(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 2)
	b := ops.NewBuilder(g, tensor.Float64)
	y := b.Square(x)
	in := map[*node][]float64{x: {2, 3}}
	v, w := b.Tensor([]float64{1, 10}, 2), b.Tensor([]float64{5, 7}, 2)
	dots, err := autodiff.JVP([]*node{y}, []*node{x, x}, []*node{v, w})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "tangent", evaluate(t, dots[0], in), []float64{4 * 6, 6 * 17})
	dots, err = autodiff.JVP([]*node{y}, []*node{x, x}, []*node{nil, w})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "tangent of one", evaluate(t, dots[0], in), []float64{4 * 5, 6 * 7})
	cts, err := autodiff.VJP([]*node{y, y}, []*node{x, x}, []*node{v, w})
	if err != nil {
		t.Fatal(err)
	}
	for _, ct := range cts {
		same(t, "cotangent", evaluate(t, ct, in), []float64{4 * 6, 6 * 17})
	}
	j, err := autodiff.Jacobian(y, x, x)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "Jacobian", evaluate(t, j, in), []float64{4, 0, 4, 0, 0, 6, 0, 6})
}

// TestDirectionsShareThePrimal: each further direction of HVPs adds the same few
// nodes, and none to the gradient.
func TestDirectionsShareThePrimal(t *testing.T) {
	nodes := func(k int) int {
		g := gorgonia.NewGraph()
		b := ops.NewBuilder(g, tensor.Float64)
		x, w := autodiff.NewInput(g, tensor.Float64, "x", 5, 3), autodiff.NewInput(g, tensor.Float64, "w", 3, 4)
		y := b.Mean(b.LogSumExp(b.Gelu(b.MatMul(x, w)), 1))
		var vs [][]*node
		for i := range k {
			vs = append(vs, []*node{autodiff.NewInput(g, tensor.Float64, string(rune('a'+i)), 3, 4)})
		}
		if _, err := autodiff.HVPs(y, []*node{w}, vs); err != nil {
			t.Fatal(err)
		}
		return len(g.AllNodes())
	}
	none, first, second, third := nodes(0), nodes(1), nodes(2), nodes(3)
	if third-second != second-first || second-first > first-none || none < 20 {
		t.Errorf("%d, %d, %d and %d nodes for up to three directions", none, first, second, third)
	}
}
