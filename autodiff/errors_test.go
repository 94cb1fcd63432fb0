package autodiff_test

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// TestErrorsSayWhatWasWrong tests misuse of the package.
func TestErrorsSayWhatWasWrong(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 3, 4)
	other := autodiff.NewInput(gorgonia.NewGraph(), tensor.Float64, "other", 3, 4)
	f32 := autodiff.NewInput(gorgonia.NewGraph(), tensor.Float32, "f32", 3)
	b := ops.NewBuilder(g, tensor.Float64)
	loss := b.Sum(x)
	for name, c := range map[string]struct {
		f    func() error
		want string
	}{
		"not a scalar":  {func() error { _, err := autodiff.Grad(x, x); return err }, "want a scalar"},
		"nil":           {func() error { _, err := autodiff.Grad(loss, nil); return err }, "nil"},
		"two graphs":    {func() error { _, err := autodiff.Grad(loss, other); return err }, "different graphs"},
		"tangent shape": {func() error { _, err := autodiff.JVP([]*node{loss}, []*node{x}, []*node{loss}); return err }, "shape"},
		"a column for a vector": {func() error {
			v := ops.On(x).Fill(0, 3)
			_, err := autodiff.JVP([]*node{v}, []*node{v}, []*node{ops.On(x).Fill(0, 3, 1)})
			return err
		}, "shape (3, 1) for node"},
		"nothing":            {func() error { _, err := autodiff.JVP(nil, nil, nil); return err }, "no node given"},
		"nothing to compile": {func() error { _, err := autodiff.Compile[float64](nil, nil, nil); return err }, "no node given"},
		"nil variable":       {func() error { _, err := autodiff.HVP(loss, []*node{nil}, []*node{x}); return err }, "node 0 is nil"},
		"nil output":         {func() error { _, err := autodiff.GGN(loss, nil, []*node{x}, []*node{x}); return err }, "node 1 is nil"},
		"constant": {func() error {
			_, err := autodiff.Grad(gorgonia.NewConstant(2.0), x)
			return err
		}, "belongs to no graph"},
		"another precision": {func() error {
			y := autodiff.NewInput(g, tensor.Float32, "single", 3, 4)
			_, err := autodiff.JVP([]*node{x}, []*node{x}, []*node{y})
			return err
		}, `"single" holds float32`},
		"whole numbers": {func() error {
			y := gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("whole"))
			_, err := autodiff.Grad(loss, y)
			return err
		}, "holds int"},
		"no graph":                 {func() error { return ops.NewBuilder(nil, tensor.Float64).Err() }, "no graph"},
		"builder precision":        {func() error { return ops.NewBuilder(g, tensor.Int).Err() }, "numbers of type int"},
		"builder on nil":           {func() error { return ops.On(nil).Err() }, "nil node"},
		"builder on a constant":    {func() error { return ops.On(gorgonia.NewConstant(1.0)).Err() }, "belongs to no graph"},
		"operand without a graph":  {func() error { c := ops.On(x); c.Add(x, gorgonia.NewConstant(1.0)); return c.Err() }, "Const"},
		"operand of another graph": {func() error { c := ops.On(x); c.Add(x, other); return c.Err() }, "another graph"},
		"operand of whole numbers": {func() error {
			c := ops.On(x)
			c.Gather(x, gorgonia.NewVector(g, tensor.Int, gorgonia.WithShape(3), gorgonia.WithName("index")), 0)
			return c.Err()
		}, "holds int, the graph float64"},
		"shape":       {func() error { c := ops.On(x); c.Fill(0, 3, -2); return c.Err() }, "shape [3 -2]"},
		"large shape": {func() error { c := ops.On(x); c.Fill(0, 1<<31-1, 1<<31-1); return c.Err() }, "too many"},
		"vector transposed": {func() error {
			c := ops.On(x)
			c.MatMulT(c.Fill(0, 3), x, true, false)
			return c.Err()
		}, "a vector cannot be transposed"},
		"output padding": {func() error {
			c := ops.On(x)
			c.Conv2DTranspose(c.Fill(0, 1, 2, 3, 3), c.Fill(0, 2, 1, 2, 2), ops.Conv{Stride: [2]int{2, 1}}, [2]int{0, 1})
			return c.Err()
		}, "below the stride [2 1]"},
		"groups": {func() error {
			c := ops.On(x)
			c.Conv2D(c.Fill(0, 1, 3, 8, 8), c.Fill(0, 4, 3, 3, 3), ops.Conv{Groups: 2})
			return c.Err()
		}, "2 groups do not divide"},
		"where": {func() error {
			c := ops.On(x)
			c.In("dense1")
			c.Add(x, c.Fill(0, 9))
			return c.Err()
		}, "dense1: add"},
		"too few": {func() error { _, err := autodiff.HVP(loss, []*node{x}, nil); return err }, "0 tensors for 1"},
		"around the output": {func() error {
			z := b.Sin(x)
			_, err := autodiff.GGN(b.Add(b.Sum(z), b.Sum(x)), z, []*node{x}, []*node{x})
			return err
		}, "beside the output"},
		"missing input": {func() error { _, err := autodiff.Compile[float64]([]*node{loss}, nil, nil); return err }, `"x"`},
		"wrong type": {func() error {
			_, err := autodiff.Compile[float64]([]*node{ops.On(f32).Sum(f32)}, exec.Inputs{f32}, nil)
			return err
		}, "float32"},
		"twice":     {func() error { _, err := autodiff.Compile[float64]([]*node{loss}, exec.Inputs{x, x}, nil); return err }, "twice"},
		"matmul":    {func() error { c := ops.On(x); c.MatMul(x, x); return c.Err() }, "inner sizes 4 and 3 differ"},
		"broadcast": {func() error { c := ops.On(x); c.Add(x, c.Fill(0, 5)); return c.Err() }, "do not broadcast"},
		"axis":      {func() error { c := ops.On(x); c.Sum(x, 2); return c.Err() }, "axis 2"},
		"reshape":   {func() error { c := ops.On(x); c.Reshape(x, 5, -1); return c.Err() }, "[3 4] to [5 -1]"},
		"conv": {func() error {
			c := ops.On(x)
			c.Conv2D(c.Fill(0, 1, 3, 8, 8), c.Fill(0, 4, 6, 3, 3), ops.Conv{})
			return c.Err()
		}, "input has 3 channels"},
		"dropout": {func() error { c := ops.On(x); c.Dropout(x, 1.5, c.Key(), 0); return c.Err() }, "rate 1.5"},
		"pool": {func() error {
			c := ops.On(x)
			c.MaxPool2D(c.Fill(0, 1, 3, 2, 2), ops.Pool{Kernel: [2]int{3, 3}})
			return c.Err()
		}, "does not fit"},
	} {
		if err := c.f(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v; want one with %q", name, err, c.want)
		}
	}
}

// TestIndicesOutOfRangeAreAnError does not panic.
func TestIndicesOutOfRangeAreAnError(t *testing.T) {
	g := gorgonia.NewGraph()
	z := autodiff.NewInput(g, tensor.Float64, "z", 2, 3)
	y := autodiff.NewInput(g, tensor.Float64, "y", 2)
	b := ops.NewBuilder(g, tensor.Float64)
	p, err := autodiff.Compile[float64]([]*node{b.SoftmaxCrossEntropy(z, y)}, exec.Inputs{z, y}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Set(z, make([]float64, 6))
	for _, bad := range []float64{3, -1, 0.5, math.NaN(), math.Inf(1)} {
		p.Set(y, []float64{0, bad})
		if err := p.Run(); err == nil || !strings.Contains(err.Error(), "want a whole number from 0 to 2") {
			t.Errorf("label %v: error %v", bad, err)
		}
	}
	p.Set(y, []float64{0, 2})
	if err := p.Run(); err != nil {
		t.Error(err)
	}
}
