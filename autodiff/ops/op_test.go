package ops_test

import (
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// TestDoRefusesWrongValues: Gorgonia's machines run it in a goroutine of their
// own, where a panic would end the process.
func TestDoRefusesWrongValues(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 2, 3)
	b := ops.NewBuilder(g, tensor.Float64)
	op := b.Add(x, b.Const(1)).Op()
	good, one := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 2, 3, 4, 5, 6})), gorgonia.NewF64(1)
	wide := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking([]float64{1, 1, 1, 1, 1, 1}))
	for name, c := range map[string]struct {
		values []gorgonia.Value
		want   string
	}{
		"too few":         {[]gorgonia.Value{good}, "1 operands, want 2"},
		"nil":             {[]gorgonia.Value{good, nil}, "operand 1 has no value"},
		"another shape":   {[]gorgonia.Value{good, one}, "operand 1: a value of shape ()"},
		"another dtype":   {[]gorgonia.Value{good, tensor.New(tensor.WithShape(2, 3), tensor.Of(tensor.Float32))}, "[]float32"},
		"what it expects": {[]gorgonia.Value{good, wide}, ""},
	} {
		v, err := op.Do(c.values...)
		switch {
		case c.want == "" && (err != nil || v.Data().([]float64)[5] != 7):
			t.Errorf("%s: value %v, error %v", name, v, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: error %v; want one with %q", name, err, c.want)
		}
	}
	// A transposed tensor is read as it is seen, not as it lies.
	turned := tensor.New(tensor.WithShape(3, 2), tensor.WithBacking([]float64{1, 4, 2, 5, 3, 6}))
	if err := turned.T(); err != nil {
		t.Fatal(err)
	}
	v, err := op.Do(turned, wide)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range v.Data().([]float64) {
		if want := float64(i + 2); got != want {
			t.Errorf("element %d of a transposed tensor plus 1 is %v, want %v", i, got, want)
		}
	}
}

// TestEqualOperationsAreOneNode: a builder finds what is already there, and
// tells apart what differs in a setting.
func TestEqualOperationsAreOneNode(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 2, 300)
	b := ops.NewBuilder(g, tensor.Float64)
	expressions := []func() *ops.Node{
		func() *ops.Node { return b.LeakyRelu(x, 0.1) }, func() *ops.Node { return b.LeakyRelu(x, 0.1+1e-16) },
		func() *ops.Node { return b.Slice(x, ops.Range{}, ops.Range{Stop: 128}) },
		func() *ops.Node { return b.Slice(x, ops.Range{}, ops.Range{Start: 128, Stop: 256}) },
		func() *ops.Node { return b.Sum(x, 0) }, func() *ops.Node { return b.Sum(x, 1) }, func() *ops.Node { return b.Mean(x, 0) },
		func() *ops.Node { return b.Softmax(x, 1) }, func() *ops.Node { return b.LogSoftmax(x, 1) },
		func() *ops.Node { return b.Dropout(x, 0.1, b.Key(), 1) }, func() *ops.Node { return b.Dropout(x, 0.2, b.Key(), 1) },
		func() *ops.Node { return b.Dropout(x, 0.1, b.Key(), 2) }, func() *ops.Node { return b.Const(0) },
		func() *ops.Node { return b.Fill(0, 2) }, func() *ops.Node { return b.Sub(x, b.Const(1)) }, func() *ops.Node { return b.Sub(b.Const(1), x) },
		func() *ops.Node { return b.Iota(40) }, func() *ops.Node { return b.Add(b.Iota(40), b.Const(0)) },
		func() *ops.Node { return b.Tensor(append(make([]float64, 20), 1), 21) }, func() *ops.Node { return b.Tensor(append(make([]float64, 20), 2), 21) },
		func() *ops.Node { return b.Tensor(append(make([]float64, 20), 2), 3, 7) },
		func() *ops.Node {
			return b.AvgPool2D(b.Reshape(x, 1, 1, 20, 30), ops.Pool{Kernel: [2]int{3, 3}, Pad: [4]int{1, 1, 1, 1}, ExcludePad: true})
		},
		func() *ops.Node { return b.MatMulT(x, x, true, false) }, func() *ops.Node { return b.MatMulT(x, x, false, true) },
	}
	seen := map[*ops.Node]int{}
	for i, f := range expressions {
		n := f()
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		if j, ok := seen[n]; ok {
			t.Errorf("expressions %d and %d became one node, %v", j, i, n)
		}
		seen[n] = i
	}
	nodes := len(g.AllNodes())
	for i, f := range expressions {
		if j, ok := seen[f()]; !ok || j != i {
			t.Errorf("expression %d became another node when written again", i)
		}
	}
	if n := len(g.AllNodes()); n != nodes {
		t.Errorf("%d nodes became %d", nodes, n)
	}
}
