package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/nn"
)

// gain multiplies by one parameter: a network of its own around layers that
// have none.
var gain = nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
	return s.Mul(x, s.Param("gain", nn.Constant(1), 1))
})

func build(t testing.TB, net nn.Layer, loss nn.Loss, input ...int) *nn.Model[float64] {
	t.Helper()
	m, err := nn.Build[float64](net, loss, input, 3)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// values are the numbers of input nodes.
type values map[*nn.Node][]float64

// run computes the outputs of a model's graph with the given inputs, as example
// row and those after it of a batch.
func run(t testing.TB, m *nn.Model[float64], g *nn.Graph, in values, row int, outputs ...*nn.Node) [][]float64 {
	t.Helper()
	inputs := exec.Inputs(append([]*nn.Node(nil), g.Buffers...))
	for n := range in {
		inputs = append(inputs, n)
	}
	p, err := autodiff.Compile[float64](outputs, inputs, exec.Params(g.Params))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Bind(g, p, m.Params); err != nil {
		t.Fatal(err)
	}
	for n, x := range in {
		if err := p.Set(n, x); err != nil {
			t.Fatal(err)
		}
	}
	p.Seed(11, 5, row)
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	out := make([][]float64, len(outputs))
	for i := range out {
		out[i] = append([]float64(nil), p.Output(i)...)
	}
	return out
}

// problem is a model at a random point with a batch of examples and targets.
type problem struct {
	m    *nn.Model[float64]
	x, y []float64
	n    int // examples
	row  int // place of the first in a larger batch
}

// newProblem builds the network and draws parameters, which no longer have
// zeros or ones, n examples and their targets.
func newProblem(t testing.TB, seed uint64, net nn.Layer, loss nn.Loss, n int, input ...int) problem {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 8))
	m := build(t, net, loss, input...)
	for _, p := range m.Parameters() {
		for i := range p.Size() {
			v := 0.6 * r.NormFloat64()
			if p.Kind == nn.Norm {
				v = 0.7 + 0.6*r.Float64()
			}
			m.Params[p.Offset+i] = v
		}
	}
	p := problem{m: m, n: n, x: uniform(r, n*volume(input), -1.5, 1.5)}
	target, classes := m.Target()
	if classes > 0 {
		p.y = labels(r, n*volume(target), classes)
	} else {
		p.y = uniform(r, n*volume(target), 0, 1)
	}
	return p
}

// part is the problem with the examples from up to to.
func (p problem) part(from, to int) problem {
	in, out := len(p.x)/p.n, len(p.y)/p.n
	p.x, p.y, p.n, p.row = p.x[from*in:to*in], p.y[from*out:to*out], to-from, p.row+from
	return p
}

func (p problem) graph(t testing.TB) *nn.Graph {
	t.Helper()
	return must[*nn.Graph](t)(p.m.Graph(p.n, true))
}

func (p problem) at(g *nn.Graph) values { return values{g.X: p.x, g.Y: p.y} }

// flat computes nodes, one for each parameter, as one vector.
func (p problem) flat(t testing.TB, g *nn.Graph, nodes []*nn.Node) []float64 {
	t.Helper()
	var all []float64
	for _, x := range run(t, p.m, g, p.at(g), p.row, nodes...) {
		all = append(all, x...)
	}
	return all
}

func (p problem) grad(t testing.TB) []float64 {
	t.Helper()
	g := p.graph(t)
	return p.flat(t, g, must[[]*nn.Node](t)(autodiff.Grad(g.Loss, g.Params...)))
}

// multiply is a product of a curvature matrix with a direction.
type multiply func(g *nn.Graph, v []*nn.Node) ([]*nn.Node, error)

func hvp(g *nn.Graph, v []*nn.Node) ([]*nn.Node, error) { return autodiff.HVP(g.Loss, g.Params, v) }

func ggn(g *nn.Graph, v []*nn.Node) ([]*nn.Node, error) {
	return autodiff.GGN(g.Loss, g.Output, g.Params, v)
}

func ownGGN(g *nn.Graph, v []*nn.Node) ([]*nn.Node, error) {
	h := func(_, u *nn.Node) (*nn.Node, error) { return g.OutputHessian(u) }
	return autodiff.GGNWith(h, g.Output, g.Params, v)
}

// product compiles a product once and gives it as a function of the direction.
func (p problem) product(t testing.TB, f multiply) func(v []float64) []float64 {
	t.Helper()
	g := p.graph(t)
	vs, d := p.direction(g, "v")
	prog, err := autodiff.Compile[float64](must[[]*nn.Node](t)(f(g, vs)),
		append(append(exec.Inputs{g.X, g.Y}, g.Buffers...), vs...), exec.Params(g.Params))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.m.Bind(g, prog, p.m.Params); err != nil {
		t.Fatal(err)
	}
	prog.Seed(11, 5, p.row)
	for n, x := range p.at(g) {
		if err := prog.Set(n, x); err != nil {
			t.Fatal(err)
		}
	}
	for i, q := range p.m.Parameters() {
		if err := prog.Set(vs[i], d[q.Offset:q.Offset+q.Size()]); err != nil {
			t.Fatal(err)
		}
	}
	return func(v []float64) []float64 {
		copy(d, v)
		if err := prog.Run(); err != nil {
			t.Fatal(err)
		}
		var all []float64
		for i := range vs {
			all = append(all, prog.Output(i)...)
		}
		return all
	}
}

// direction makes an input for each parameter, and the vector they are parts
// of.
func (p problem) direction(g *nn.Graph, name string) ([]*nn.Node, []float64) {
	var vs []*nn.Node
	for i, q := range p.m.Parameters() {
		vs = append(vs, autodiff.NewInput(g.X.Graph(), g.X.Dtype(), fmt.Sprint(name, i), q.Shape...))
	}
	return vs, make([]float64, len(p.m.Params))
}

// columns is the matrix of a product, by its columns.
func columns(n int, mul func(v []float64) []float64) *mat.Dense {
	a := mat.NewDense(n, n, nil)
	v := make([]float64, n)
	for j := range n {
		v[j] = 1
		a.SetCol(j, mul(v))
		v[j] = 0
	}
	return a
}

// times is a v.
func times(a mat.Matrix, v []float64) []float64 {
	rows, _ := a.Dims()
	out := mat.NewVecDense(rows, nil)
	out.MulVec(a, mat.NewVecDense(len(v), v))
	return out.RawVector().Data
}

func volume(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func uniform(r *rand.Rand, n int, lo, hi float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = lo + (hi-lo)*r.Float64()
	}
	return x
}

func labels(r *rand.Rand, n, classes int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(classes))
	}
	return x
}

// apart draws numbers on [lo, hi) that differ by more than a finite difference
// moves them, so that none overtakes another, and of which none is at 0 or in
// the middle.
func apart(r *rand.Rand, n int, lo, hi float64) []float64 {
	x := make([]float64, n)
	for i, p := range r.Perm(n) {
		x[i] = lo + (hi-lo)*(float64(p)+0.37)/float64(n)
	}
	return x
}

// maxAbs is the size of the largest element.
func maxAbs(x ...float64) float64 {
	m := 0.0
	for _, v := range x {
		m = math.Max(m, math.Abs(v))
	}
	return m
}

func inner(x, y []float64) (sum, sizes float64) {
	for i := range x {
		sum += x[i] * y[i]
		sizes += math.Abs(x[i] * y[i])
	}
	return sum, sizes
}

// zoo is nets that together use every layer, small enough for dense matrices.
var zoo = []struct {
	name    string
	net     nn.Layer
	loss    nn.Loss
	input   []int
	coupled bool // batch norm: examples depend on each other
}{
	{"smooth activations", nn.Sequential{nn.Dense{Units: 3}, nn.Tanh{}, nn.Sigmoid{}, nn.Sin{}, nn.Dense{Units: 3, NoBias: true},
		nn.Softplus{}, nn.GELU{}, nn.GELUTanh{}, nn.Dense{Units: 2}, nn.SiLU{}, nn.Erf{}, nn.Cos{}, nn.Identity{}, nn.Dense{Units: 3}},
		nn.SoftmaxCrossEntropy{}, []int{2}, false},
	{"activations with kinks", nn.Sequential{nn.Dense{Units: 4}, nn.LeakyReLU{Slope: 0.2}, nn.ELU{Alpha: 1.3}, nn.Dense{Units: 3},
		nn.Abs{}, nn.Dense{Units: 3}, nn.Clamp{Lo: -2, Hi: 2}, nn.ReLU{}, nn.Dense{Units: 2}}, nn.Huber{Delta: 0.6}, []int{3}, false},
	{"positive activations", nn.Sequential{nn.Dense{Units: 3}, nn.Exp{}, nn.Sqrt{}, nn.Dense{Units: 3}, nn.Square{}, nn.Softplus{},
		nn.Log{}, nn.Softmax{}, nn.Dense{Units: 3}, nn.LogSoftmax{}}, nn.MeanSquaredError{}, []int{2}, false},
	{"convolution", nn.Sequential{nn.Reshape{To: []int{2, 5, 4}},
		nn.Named{Name: "first", Layer: nn.Conv2D{Filters: 4, Kernel: 3, Padding: nn.Same, Groups: 2, StrideHW: [2]int{1, 2}}}, nn.Tanh{},
		nn.MaxPool2D{Size: 2, Stride: 1}, nn.Conv2D{Filters: 2, KernelHW: [2]int{2, 1}, DilationHW: [2]int{2, 1}, Padding: nn.Pad(1)}, nn.SiLU{},
		nn.AvgPool2D{Size: 2, Padding: nn.Pad(1), ExcludePadding: true}, nn.Flatten{}, nn.Dense{Units: 2}},
		nn.SigmoidCrossEntropy{}, []int{40}, false},
	{"shared and residual", nn.Sequential{nn.Shared{Name: "tied", Layer: nn.Dense{Units: 3}}, nn.Tanh{}, nn.Shared{Name: "tied", Layer: nn.Dense{Units: 3}},
		nn.Residual{nn.Dense{Units: 4}, nn.Sigmoid{}, nn.Dense{Units: 3}}, gain, nn.Dropout{Rate: 0.4}, nn.Shared{Name: "tied", Layer: nn.Dense{Units: 3}}},
		nn.SoftmaxCrossEntropy{Probs: true, Smoothing: 0.1}, []int{3}, false},
	{"layer norm", nn.Sequential{nn.Conv2D{Filters: 2, Kernel: 2}, nn.LayerNorm{Axes: 3}, nn.Sin{}, nn.GlobalAvgPool{}, nn.Dense{Units: 3}, nn.LayerNorm{}, nn.Dense{Units: 3}},
		nn.SoftmaxCrossEntropy{Smoothing: 0.2}, []int{1, 4, 3}, false},
	{"batch norm", nn.Sequential{nn.Conv2D{Filters: 2, Kernel: 2, NoBias: true}, nn.BatchNorm{}, nn.Tanh{}, nn.Flatten{}, nn.Dense{Units: 3}, nn.BatchNorm{}, nn.Softplus{}, nn.Dense{Units: 2}},
		nn.SoftmaxCrossEntropy{}, []int{2, 3, 3}, true},
}
