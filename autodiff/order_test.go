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

// TestGradientPenaltyThroughAConvolution differentiates a loss that holds the
// norm of a gradient: derivatives of the second and, in Check, third and fourth
// order of a convolution with a stride, padding and pooling.
func TestGradientPenaltyThroughAConvolution(t *testing.T) {
	penalty := func(b *ops.Builder, x []*node) *node {
		h := b.Tanh(b.Conv2D(x[0], x[1], ops.Conv{Stride: [2]int{1, 2}, Pad: [4]int{1, 0, 1, 1}}))
		h = b.AvgPool2D(h, ops.Pool{Kernel: [2]int{2, 2}, Stride: [2]int{1, 1}})
		loss := b.Mean(b.LogSumExp(b.Reshape(h, 2, -1), 1))
		if b.Err() != nil {
			return nil
		}
		g, err := autodiff.Grad(loss, x[0]) // of the images
		if err != nil {
			b.Fail(err)
			return nil
		}
		return b.Add(loss, b.Sum(b.Square(g[0])))
	}
	for seed := range uint64(3) {
		err := autodiff.Check(penalty, [][]int{{2, 2, 4, 5}, {3, 2, 2, 3}}, autodiff.CheckOptions{Seed: seed, Lo: -1, Hi: 1})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestThirdDerivative compares the third derivatives of a function of three
// numbers with what calculus says, in all ways of taking them.
func TestThirdDerivative(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 3)
	b := ops.NewBuilder(g, tensor.Float64)
	// f = sin(x0 x1) + x0^2 x1 x2^3
	at := func(i int) *node { return b.Reshape(b.Slice(x, ops.Range{Start: i, Stop: i + 1})) }
	x0, x1, x2 := at(0), at(1), at(2)
	f := b.Add(b.Sin(b.Mul(x0, x1)), b.Mul(b.Mul(b.Square(x0), x1), b.Pow(x2, b.Const(3))))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	h, err := autodiff.Hessian(f, x)
	if err != nil {
		t.Fatal(err)
	}
	rev, err := autodiff.Jacobian(h, x)
	if err != nil {
		t.Fatal(err)
	}
	p := []float64{0.7, -1.3, 0.4}
	s, c := math.Sincos(p[0] * p[1])
	// d3f/dx0 dx1 dx2 and its kin; the derivative of H[i,j] by x[k] is symmetric.
	want := map[[3]int]float64{
		{0, 0, 0}: -p[1] * p[1] * p[1] * c,
		{0, 0, 1}: -2*p[1]*s - p[0]*p[1]*p[1]*c + 2*p[2]*p[2]*p[2],
		{0, 0, 2}: 6 * p[1] * p[2] * p[2],
		{0, 1, 1}: -2*p[0]*s - p[0]*p[0]*p[1]*c,
		{0, 1, 2}: 6 * p[0] * p[2] * p[2],
		{0, 2, 2}: 12 * p[0] * p[1] * p[2],
		{1, 1, 1}: -p[0] * p[0] * p[0] * c,
		{1, 1, 2}: 0,
		{1, 2, 2}: 6 * p[0] * p[0] * p[2],
		{2, 2, 2}: 6 * p[0] * p[0] * p[1],
	}
	// third gives the contraction with three directions, by forward mode (JVP)
	// where said and reverse mode (Grad) elsewhere.
	third := func(e [3]*node, forward [3]bool) *node {
		y := f
		for i, d := range e {
			var g []*node
			if forward[i] {
				g, err = autodiff.JVP([]*node{y}, []*node{x}, []*node{d})
			} else if g, err = autodiff.Grad(y, x); err == nil {
				g = []*node{b.Sum(b.Mul(g[0], d))}
			}
			if err != nil {
				t.Fatal(err)
			}
			y = g[0]
		}
		return y
	}
	var unit [3]*node
	for i := range unit {
		e := make([]float64, 3)
		e[i] = 1
		unit[i] = b.Tensor(e, 3)
	}
	var nodes []*node
	for way := range 8 {
		for i := range 27 {
			nodes = append(nodes, third([3]*node{unit[i/9], unit[i/3%3], unit[i%3]}, [3]bool{way&1 > 0, way&2 > 0, way&4 > 0}))
		}
	}
	got := onMachine{in: map[*node][]float64{x: p}}.values(t, append([]*node{rev}, nodes...)...)
	for i := range 27 {
		key := [3]int{i / 9, i / 3 % 3, i % 3}
		name := fmt.Sprintf("d3f/dx%d dx%d dx%d", key[0], key[1], key[2])
		sort3(&key)
		w := want[key]
		check := func(way string, g float64) {
			if math.Abs(g-w) > 1e-13*math.Max(1, math.Abs(w)) {
				t.Errorf("%s %s is %v, want %v", name, way, g, w)
			}
		}
		check("by dense matrices", got[0][i])
		for way := range 8 {
			check(fmt.Sprintf("in way %03b (forward 1, reverse 0)", way), got[1+way*27+i][0])
		}
	}
}

func sort3(k *[3]int) {
	for i := range 2 {
		for j := range 2 - i {
			if k[j] > k[j+1] {
				k[j], k[j+1] = k[j+1], k[j]
			}
		}
	}
}

// TestStableAtLargeLogits tests losses and their derivatives at logits of 1e4.
func TestStableAtLargeLogits(t *testing.T) {
	t.Run("softmax cross-entropy", func(t *testing.T) {
		g := gorgonia.NewGraph()
		z := autodiff.NewInput(g, tensor.Float32, "z", 3, 3)
		y := autodiff.NewInput(g, tensor.Float32, "y", 3)
		b := ops.NewBuilder(g, tensor.Float32)
		losses := b.SoftmaxCrossEntropy(z, y)
		grad, err := autodiff.Grad(b.Sum(losses), z)
		if err != nil {
			t.Fatal(err)
		}
		h, err := autodiff.HVP(b.Sum(losses), []*node{z}, []*node{b.Fill(1, 3, 3)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := autodiff.Compile[float32]([]*node{losses, grad[0], h[0]}, exec.Inputs{z, y}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.Set(z, []float32{1e4, 1e4 - 1, -1e4, -1e4, 0, 1e4, 1e4, 1e4, 1e4})
		p.Set(y, []float32{0, 0, 2})
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		for i, want := range []float64{math.Log(1 + math.Exp(-1)), 2e4, math.Log(3)} {
			if got := float64(p.Output(0)[i]); math.Abs(got-want) > 2e-7*math.Abs(want) {
				t.Errorf("loss %d is %v, want %v", i, got, want)
			}
		}
		e := math.Exp(-1)
		for i, want := range []float64{1/(1+e) - 1, e / (1 + e), 0, -1, 0, 1, 1. / 3, 1. / 3, 1./3 - 1} {
			if got := float64(p.Output(1)[i]); math.Abs(got-want) > 2e-7 {
				t.Errorf("gradient %d is %v, want %v", i, got, want)
			}
		}
		for i, got := range p.Output(2) { // H 1 = 0
			if math.Abs(float64(got)) > 1e-7 {
				t.Errorf("Hessian times ones: element %d is %v", i, got)
			}
		}
	})
	t.Run("sigmoid cross-entropy", func(t *testing.T) {
		g := gorgonia.NewGraph()
		z := autodiff.NewInput(g, tensor.Float64, "z", 6)
		y := autodiff.NewInput(g, tensor.Float64, "y", 6)
		b := ops.NewBuilder(g, tensor.Float64)
		losses := b.SigmoidCrossEntropy(z, y)
		grad, err := autodiff.Grad(b.Sum(losses), z)
		if err != nil {
			t.Fatal(err)
		}
		in := map[*node][]float64{z: {1e4, 1e4, -1e4, -1e4, 40, 0}, y: {0, 1, 0, 1, 1, 0.25}}
		got := evaluate(t, losses, in)
		for i, want := range []float64{1e4, 0, 0, 1e4, math.Log1p(math.Exp(-40)), math.Ln2} {
			if math.Abs(got[i]-want) > 1e-15*want {
				t.Errorf("loss %d is %v, want %v", i, got[i], want)
			}
		}
		got = evaluate(t, grad[0], in)
		for i, want := range []float64{1, 0, 0, -1, 0, 0.25} {
			if math.Abs(got[i]-want) > 1e-15 {
				t.Errorf("gradient %d is %v, want %v", i, got[i], want)
			}
		}
	})
}

// TestKinks pins down what is not determined by differences.
func TestKinks(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 3)
	b := ops.NewBuilder(g, tensor.Float64)
	for name, c := range map[string]struct {
		y    *node
		want []float64
	}{
		"relu":       {b.Relu(x), []float64{0, 0, 1}},
		"leaky_relu": {b.LeakyRelu(x, 0.1), []float64{0.1, 0.1, 1}},
		"abs":        {b.Abs(x), []float64{-1, 0, 1}},
		"clamp":      {b.Clamp(x, -1, 0), []float64{1, 1, 0}},
		"maximum":    {b.Maximum(x, b.Const(0)), []float64{0, 0.5, 1}},
		"max":        {b.Max(b.Mul(x, b.Const(0))), []float64{0, 0, 0}},
	} {
		d, err := autodiff.Grad(b.Sum(c.y), x)
		if err != nil {
			t.Fatal(err)
		}
		same(t, name, evaluate(t, d[0], map[*node][]float64{x: {-1, 0, 2}}), c.want)
	}
	d, err := autodiff.Grad(b.Max(x), x)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "max with equal elements", evaluate(t, d[0], map[*node][]float64{x: {2, 1, 2}}), []float64{0.5, 0, 0.5})
}

// TestStopGradient: the derivative of x times a constant x^2 is that constant,
// and the next one is zero.
func TestStopGradient(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x")
	b := ops.NewBuilder(g, tensor.Float64)
	y := b.Mul(x, b.StopGradient(b.Square(x)))
	for i, want := range []float64{27, 9, 0} {
		if got := evaluate(t, y, map[*node][]float64{x: {3}}); got[0] != want {
			t.Errorf("derivative %d is %v, want %v", i, got[0], want)
		}
		d, err := autodiff.Grad(y, x)
		if err != nil {
			t.Fatal(err)
		}
		y = d[0]
	}
}

// TestGorgoniaMachinesRunOperations runs Saddle's operations, and the gradients
// that Gorgonia takes from their SymDiff, on the TapeMachine.
func TestGorgoniaMachinesRunOperations(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 3, 4)
	w := autodiff.NewInput(g, tensor.Float64, "w", 4, 2)
	b := ops.NewBuilder(g, tensor.Float64)
	loss := b.Mean(b.Square(b.Softmax(b.Gelu(b.MatMul(x, w)), 1)))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	xv, wv := make([]float64, 12), make([]float64, 8)
	for i := range xv {
		xv[i] = math.Sin(float64(i))
	}
	for i := range wv {
		wv[i] = math.Cos(float64(i))
	}
	grads, err := autodiff.Grad(loss, w, x)
	if err != nil {
		t.Fatal(err)
	}
	in := map[*node][]float64{x: xv, w: wv}
	wantLoss := append([]float64(nil), evaluate(t, loss, in)...)
	wantW, wantX := evaluate(t, grads[0], in), evaluate(t, grads[1], in)

	if dot := g.ToDot(); !strings.Contains(dot, "matmul") || !strings.Contains(dot, "gelu") {
		t.Error("the printed graph does not name its operations")
	}
	sym, err := gorgonia.Grad(loss, w, x)
	if err != nil {
		t.Fatal(err)
	}
	gorgonia.Let(x, tensor.New(tensor.WithShape(3, 4), tensor.WithBacking(xv)))
	gorgonia.Let(w, tensor.New(tensor.WithShape(4, 2), tensor.WithBacking(wv)))
	vm := gorgonia.NewTapeMachine(g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	same(t, "loss", floats(loss.Value()), wantLoss)
	same(t, "gradient of w", floats(sym[0].Value()), wantW)
	same(t, "gradient of x", floats(sym[1].Value()), wantX)
}
