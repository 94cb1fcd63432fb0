package nn_test

import (
	"fmt"
	"math"
	"testing"

	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/internal/golden"
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

// goldenLayer builds a layer from its settings, all of which must be known.
func goldenLayer(s golden.Settings) (nn.Layer, error) {
	var kind string
	if err := s.Take("type", &kind); err != nil {
		return nil, err
	}
	var l nn.Layer
	var err error
	take := func(name string, v any) {
		if e := s.Take(name, v); e != nil && err == nil {
			err = e
		}
	}
	window := func() (k, st [2]int, p nn.Padding) {
		var pad [2]int
		take("kernel", &k)
		take("stride", &st)
		take("padding", &pad)
		return k, st, nn.Padding{Top: pad[0], Bottom: pad[0], Left: pad[1], Right: pad[1]}
	}
	switch kind {
	case "dense":
		bias := true
		d := nn.Dense{}
		take("units", &d.Units)
		take("bias", &bias)
		d.NoBias = !bias
		l = d
	case "conv2d":
		bias := true
		c := nn.Conv2D{}
		c.KernelHW, c.StrideHW, c.Padding = window()
		take("filters", &c.Filters)
		take("dilation", &c.DilationHW)
		take("groups", &c.Groups)
		take("bias", &bias)
		c.NoBias = !bias
		l = c
	case "maxpool":
		p := nn.MaxPool2D{}
		p.SizeHW, p.StrideHW, p.Padding = window()
		l = p
	case "avgpool":
		count := true
		p := nn.AvgPool2D{}
		p.SizeHW, p.StrideHW, p.Padding = window()
		take("count_pad", &count)
		p.ExcludePadding = !count
		l = p
	case "batchnorm", "layernorm":
		var features int
		eps, momentum := 1e-5, 0.1
		take("features", &features)
		take("eps", &eps)
		eps = exactly(eps)
		if kind == "batchnorm" {
			take("momentum", &momentum)
			l = checked{features, 1, nn.BatchNorm{Eps: eps, Momentum: momentum}}
		} else {
			l = checked{features, -1, nn.LayerNorm{Eps: eps}}
		}
	case "residual":
		var inner []golden.Settings
		take("layers", &inner)
		var r nn.Residual
		for _, s := range inner {
			m, e := goldenLayer(s)
			if e != nil {
				return nil, e
			}
			r = append(r, m)
		}
		l = r
	case "elu":
		alpha := 1.0
		take("alpha", &alpha)
		l = nn.ELU{Alpha: exactly(alpha)}
	case "leaky_relu", "leakyrelu":
		slope := 0.01
		take("slope", &slope)
		take("negative_slope", &slope)
		l = nn.LeakyReLU{Slope: exactly(slope)}
	case "clamp":
		c := nn.Clamp{}
		take("lo", &c.Lo)
		take("hi", &c.Hi)
		l = c
	case "reshape":
		r := nn.Reshape{}
		take("shape", &r.To)
		l = r
	case "dropout":
		d := nn.Dropout{}
		take("rate", &d.Rate)
		l = d
	case "flatten":
		l = nn.Flatten{}
	case "globalavgpool":
		l = nn.GlobalAvgPool{}
	case "relu":
		l = nn.ReLU{}
	case "tanh":
		l = nn.Tanh{}
	case "sigmoid":
		l = nn.Sigmoid{}
	case "softplus":
		l = nn.Softplus{}
	case "silu":
		l = nn.SiLU{}
	case "gelu":
		l = nn.GELU{}
	case "gelu_tanh":
		l = nn.GELUTanh{}
	case "erf":
		l = nn.Erf{}
	case "sin":
		l = nn.Sin{}
	case "cos":
		l = nn.Cos{}
	case "abs":
		l = nn.Abs{}
	case "square":
		l = nn.Square{}
	case "sqrt":
		l = nn.Sqrt{}
	case "exp":
		l = nn.Exp{}
	case "log":
		l = nn.Log{}
	case "softmax":
		l = nn.Softmax{}
	case "log_softmax":
		l = nn.LogSoftmax{}
	case "identity", "linear":
		l = nn.Identity{}
	default:
		return nil, fmt.Errorf("unknown layer %q", kind)
	}
	if err == nil {
		err = s.Rest()
	}
	if err != nil {
		return nil, fmt.Errorf("layer %q: %w", kind, err)
	}
	return l, nil
}

// exactly is v for a setting that takes 0 for its default.
func exactly(v float64) float64 {
	if v == 0 {
		return math.SmallestNonzeroFloat64
	}
	return v
}

// checked is a normalisation with its number of features stated.
type checked struct {
	features, axis int
	layer          nn.Layer
}

func (c checked) Apply(s *nn.Scope, x *autodiff.Node) *autodiff.Node {
	shape := s.Shape(x)
	axis := c.axis
	if axis < 0 {
		axis += len(shape)
	}
	if s.Err() == nil && c.features != 0 && shape[axis] != c.features {
		return s.Failf("%d features, input has the shape %v", c.features, shape)
	}
	return c.layer.Apply(s, x)
}

func goldenLoss(s golden.Settings) (nn.Loss, error) {
	var kind string
	if err := s.Take("type", &kind); err != nil {
		return nil, err
	}
	var l nn.Loss
	var err error
	switch kind {
	case "softmax_cross_entropy":
		c := nn.SoftmaxCrossEntropy{}
		err = s.Take("smoothing", &c.Smoothing)
		l = c
	case "sigmoid_cross_entropy":
		l = nn.SigmoidCrossEntropy{}
	case "mse":
		l = nn.MeanSquaredError{}
	case "huber":
		h := nn.Huber{}
		err = s.Take("delta", &h.Delta)
		l = h
	default:
		return nil, fmt.Errorf("unknown loss %q", kind)
	}
	if err == nil {
		err = s.Rest()
	}
	if err != nil {
		return nil, fmt.Errorf("loss %q: %w", kind, err)
	}
	return l, nil
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
					l, err := goldenLayer(s)
					if err != nil {
						t.Fatal(err)
					}
					net = append(net, l)
				}
				loss, err := goldenLoss(c.LossFunction)
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
