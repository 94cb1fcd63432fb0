package nn_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/internal/golden"
	"github.com/saddle-ml/saddle/internal/golden/goldennet"
	"github.com/saddle-ml/saddle/nn"
)

// goldenNet is a case of curvature.json.
type goldenNet struct {
	Name         string
	Layers       []golden.Settings
	LossFunction golden.Settings `json:"loss_function"`
	InputShape   []int           `json:"input_shape"`
	X            []float64
	TargetShape  []int `json:"target_shape"`
	Y            []float64
	Parameters   []struct {
		Name   string
		Shape  []int
		Values []float64
	}
	V           []float64
	OutputShape []int `json:"output_shape"`
	Out         []float64
	Loss        float64
	Grad        []float64
	JVP         []float64
	HVP         []float64
	GGN         []float64
	Reference   string
}

// TestCurvature compares output, loss, gradient, JVP, Hessian and Gauss-Newton
// products of every net with those of torch, in both precisions.
func TestCurvature(t *testing.T) {
	for _, path := range golden.Files(t, "curvature.json") {
		var file struct{ Cases []goldenNet }
		golden.Read(t, path, &file)
		if len(file.Cases) == 0 {
			t.Fatalf("%s has no cases", path)
		}
		for _, c := range file.Cases {
			t.Run(c.Name, func(t *testing.T) {
				var net nn.Sequential
				for _, s := range c.Layers {
					l, err := goldennet.Layer(s)
					if err != nil {
						t.Fatal(err)
					}
					net = append(net, l)
				}
				loss, err := goldennet.Loss(c.LossFunction)
				if err != nil {
					t.Fatal(err)
				}
				t.Run("float64", func(t *testing.T) { curvature[float64](t, c, net, loss, 1e-9) })
				t.Run("float32", func(t *testing.T) { curvature[float32](t, c, net, loss, 1e-4) })
			})
		}
	}
}

// curvature tests one net. Errors are relative to the largest element of each
// result.
func curvature[T nn.Float](t *testing.T, c goldenNet, net nn.Layer, loss nn.Loss, tol float64) {
	m, err := nn.Build[T](net, loss, c.InputShape[1:], 0)
	if err != nil {
		t.Fatal(err)
	}
	ps := m.Parameters()
	if len(ps) != len(c.Parameters) {
		t.Fatalf("%d parameters, want %d", len(ps), len(c.Parameters))
	}
	for i, p := range c.Parameters {
		if !tensor.Shape(p.Shape).Eq(tensor.Shape(ps[i].Shape)) {
			t.Fatalf("parameter %q has the shape %v, want %v", ps[i].Name, ps[i].Shape, p.Shape)
		}
		convert(m.Params[ps[i].Offset:], p.Values)
	}
	g, err := m.Graph(c.InputShape[0], true)
	if err != nil {
		t.Fatal(err)
	}
	var vs exec.Inputs
	for i, p := range ps {
		vs = append(vs, autodiff.NewInput(g.X.Graph(), g.X.Dtype(), fmt.Sprintf("v%d", i), p.Shape...))
	}
	outputs := []*nn.Node{g.Output, g.Loss}
	add := func(ns []*nn.Node, err error) int {
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, ns...)
		return len(outputs) - len(ns)
	}
	grad := add(autodiff.Grad(g.Loss, g.Params...))
	jvp := add(autodiff.JVP([]*nn.Node{g.Output}, g.Params, vs))
	hvp := add(autodiff.HVP(g.Loss, g.Params, vs))
	ggn := add(autodiff.GGN(g.Loss, g.Output, g.Params, vs))
	own := add(autodiff.GGNWith(func(_, u *nn.Node) (*nn.Node, error) { return g.OutputHessian(u) }, g.Output, g.Params, vs))

	inputs := append(exec.Inputs{g.X, g.Y}, vs...)
	for _, b := range g.Buffers {
		inputs = append(inputs, b)
	}
	prog, err := autodiff.Compile[T](outputs, inputs, exec.Params(g.Params))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Bind(g, prog, m.Params); err != nil {
		t.Fatal(err)
	}
	x, y, v := make([]T, len(c.X)), make([]T, len(c.Y)), make([]T, len(c.V))
	convert(x, c.X)
	convert(y, c.Y)
	convert(v, c.V)
	set := func(n *nn.Node, x []T) {
		if err := prog.Set(n, x); err != nil {
			t.Fatal(err)
		}
	}
	set(g.X, x)
	set(g.Y, y)
	for i, p := range ps {
		set(vs[i], v[p.Offset:p.Offset+p.Size()])
	}
	if err := prog.Run(); err != nil {
		t.Fatal(err)
	}
	flat := func(first int) []T {
		var all []T
		for i := range ps {
			all = append(all, prog.Output(first+i)...)
		}
		return all
	}
	near(t, "output", prog.Output(0), c.Out, tol)
	near(t, "loss", prog.Output(1), []float64{c.Loss}, tol)
	near(t, "gradient", flat(grad), c.Grad, tol)
	near(t, "jvp", prog.Output(jvp), c.JVP, tol)
	near(t, "hvp", flat(hvp), c.HVP, tol)
	near(t, "ggn", flat(ggn), c.GGN, tol)
	near(t, "ggn by the loss's own Hessian", flat(own), c.GGN, tol)
}

func convert[T nn.Float](dst []T, src []float64) {
	for i, v := range src {
		dst[i] = T(v)
	}
}

func near[T nn.Float](t *testing.T, what string, got []T, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	scale := 0.0
	for _, w := range want {
		scale = math.Max(scale, math.Abs(w))
	}
	for i, w := range want {
		if e := math.Abs(float64(got[i]) - w); !(e <= tol*scale) {
			t.Errorf("%s: element %d is %v, want %v: error %.2g of %.3g", what, i, got[i], w, e, scale)
			return
		}
	}
}
