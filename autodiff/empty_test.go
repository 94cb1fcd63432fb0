package autodiff_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// TestEmptyTensors: an axis without elements is allowed wherever what is asked
// for exists, and derivatives have the shapes of their variables.
func TestEmptyTensors(t *testing.T) {
	for name, c := range map[string]struct {
		shapes [][]int
		f      function
		shape  []int
		value  []float64 // of all elements; nothing for an empty result
		err    string
	}{
		"add":        {[][]int{{0, 3}, {3}}, func(b *ops.Builder, x []*node) *node { return b.Add(x[0], x[1]) }, []int{0, 3}, nil, ""},
		"repeated":   {[][]int{{0, 1}, {1, 3}}, func(b *ops.Builder, x []*node) *node { return b.Mul(x[0], x[1]) }, []int{0, 3}, nil, ""},
		"sum":        {[][]int{{0, 2}}, func(b *ops.Builder, x []*node) *node { return b.Sum(x[0], 0) }, []int{2}, []float64{0, 0}, ""},
		"mean":       {[][]int{{0, 2}}, func(b *ops.Builder, x []*node) *node { return b.Mean(x[0], 0) }, []int{2}, []float64{math.NaN(), math.NaN()}, ""},
		"max":        {[][]int{{0, 2}}, func(b *ops.Builder, x []*node) *node { return b.Max(x[0], 0) }, nil, nil, "no elements"},
		"max beside": {[][]int{{0, 2}}, func(b *ops.Builder, x []*node) *node { return b.Max(x[0], 1) }, []int{0}, nil, ""},
		"log sum":    {[][]int{{2, 0}}, func(b *ops.Builder, x []*node) *node { return b.LogSumExp(x[0], -1) }, nil, nil, "no elements"},
		"argmax":     {[][]int{{2, 0}}, func(b *ops.Builder, x []*node) *node { return b.ArgMax(x[0], 1) }, nil, nil, "0 elements"},
		"softmax":    {[][]int{{0, 4}}, func(b *ops.Builder, x []*node) *node { return b.Softmax(x[0], 1) }, []int{0, 4}, nil, ""},
		"matmul":     {[][]int{{2, 0}, {0, 1}}, func(b *ops.Builder, x []*node) *node { return b.MatMul(x[0], x[1]) }, []int{2, 1}, []float64{0, 0}, ""},
		"no rows":    {[][]int{{0, 3}, {3, 2}}, func(b *ops.Builder, x []*node) *node { return b.MatMul(x[0], x[1]) }, []int{0, 2}, nil, ""},
		"reshape":    {[][]int{{0, 4}}, func(b *ops.Builder, x []*node) *node { return b.Reshape(x[0], 2, 0) }, []int{2, 0}, nil, ""},
		"unclear":    {[][]int{{0, 4}}, func(b *ops.Builder, x []*node) *node { return b.Reshape(x[0], -1, 0) }, nil, nil, "do not divide"},
		"slice":      {[][]int{{3}}, func(b *ops.Builder, x []*node) *node { return b.Slice(x[0], ops.Range{Start: 2, Stop: 2}) }, []int{0}, nil, ""},
		"pad":        {[][]int{{0}}, func(b *ops.Builder, x []*node) *node { return b.Pad(x[0], []int{1}, []int{1}) }, []int{2}, []float64{0, 0}, ""},
		"concat":     {[][]int{{2, 0}, {2, 1}}, func(b *ops.Builder, x []*node) *node { return b.Concat(1, x[0], b.Exp(b.Mul(x[1], b.Const(0)))) }, []int{2, 1}, []float64{1, 1}, ""},
		"gather":     {[][]int{{3, 2}, {0}}, func(b *ops.Builder, x []*node) *node { return b.Gather(x[0], x[1], 0) }, []int{0, 2}, nil, ""},
		"scatter":    {[][]int{{0}, {0}}, func(b *ops.Builder, x []*node) *node { return b.ScatterAdd(x[0], x[1], 0, 2) }, []int{2}, []float64{0, 0}, ""},
		"one_hot":    {[][]int{{0}}, func(b *ops.Builder, x []*node) *node { return b.OneHot(x[0], 3) }, []int{0, 3}, nil, ""},
		"conv":       {[][]int{{0, 2, 4, 4}, {3, 2, 2, 2}}, func(b *ops.Builder, x []*node) *node { return b.Conv2D(x[0], x[1], ops.Conv{}) }, []int{0, 3, 3, 3}, nil, ""},
		"no channel": {[][]int{{1, 0, 2, 2}, {1, 0, 2, 2}}, func(b *ops.Builder, x []*node) *node { return b.Conv2D(x[0], x[1], ops.Conv{}) }, []int{1, 1, 1, 1}, []float64{0}, ""},
		"pool":       {[][]int{{0, 2, 4, 4}}, func(b *ops.Builder, x []*node) *node { return b.MaxPool2D(x[0], ops.Pool{Kernel: [2]int{2, 2}}) }, []int{0, 2, 2, 2}, nil, ""},
		"dropout":    {[][]int{{0, 2}}, func(b *ops.Builder, x []*node) *node { return b.Dropout(x[0], 0.5, b.Key(), 1) }, []int{0, 2}, nil, ""},
		"loss":       {[][]int{{0, 2}, {0}}, func(b *ops.Builder, x []*node) *node { return b.Sum(b.SoftmaxCrossEntropy(x[0], x[1])) }, []int{}, []float64{0}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := gorgonia.NewGraph()
			b := ops.NewBuilder(g, tensor.Float64)
			in := map[*node][]float64{}
			var xs []*node
			for i, s := range c.shapes {
				n := autodiff.NewInput(g, tensor.Float64, string(rune('a'+i)), s...)
				xs, in[n] = append(xs, n), make([]float64, size(s))
			}
			y := c.f(b, xs)
			if c.err != "" {
				if b.Err() == nil || !strings.Contains(b.Err().Error(), c.err) {
					t.Errorf("error %v; want one with %q", b.Err(), c.err)
				}
				return
			}
			if b.Err() != nil {
				t.Fatal(b.Err())
			}
			if !slices.Equal(y.Shape(), c.shape) {
				t.Fatalf("shape %v, want %v", y.Shape(), c.shape)
			}
			grads, err := autodiff.Grad(b.Sum(b.Square(y)), xs...)
			if err != nil {
				t.Fatal(err)
			}
			hv, err := autodiff.HVP(b.Sum(b.Square(y)), xs, xs)
			if err != nil {
				t.Fatal(err)
			}
			m := onMachine{in: in}
			out := m.values(t, slices.Concat([]*node{y}, grads, hv)...)
			if len(out[0]) != len(c.value) {
				t.Fatalf("%d numbers, want %v", len(out[0]), c.value)
			}
			for i, v := range c.value {
				if out[0][i] != v && !(math.IsNaN(v) && math.IsNaN(out[0][i])) {
					t.Errorf("value %v, want %v", out[0], c.value)
				}
			}
			for i, d := range out[1:] {
				if want := size(c.shapes[i%len(xs)]); len(d) != want {
					t.Errorf("derivative %d has %d numbers, want %d", i, len(d), want)
				}
			}
		})
	}
}
