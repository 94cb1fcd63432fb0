package autodiff_test

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/autodiff/exec"
	"github.com/saddle-ml/saddle/autodiff/ops"
)

// TestCotangentsAreTheWholeDerivatives compares the cotangents of nodes that
// depend on each other with the gradient by each of them alone, which takes it
// as the only variable.
func TestCotangentsAreTheWholeDerivatives(t *testing.T) {
	g := gorgonia.NewGraph()
	x := autodiff.NewInput(g, tensor.Float64, "x", 3)
	w := autodiff.NewInput(g, tensor.Float64, "w", 3)
	b := ops.On(x)
	first := b.Tanh(b.Mul(w, x))
	second := b.Add(b.Sin(first), b.Mul(w, first)) // depends on first twice, and on w again
	third := b.Mul(second, first)
	aside := b.Exp(first) // the loss does not depend on it
	loss := b.Sum(b.Square(third))
	nodes := []*node{third, first, w, second, aside, x}
	cts, err := autodiff.Cotangents([]*node{loss}, nodes, []*node{b.Const(1)})
	if err != nil {
		t.Fatal(err)
	}
	outputs := cts
	for _, n := range nodes {
		one, err := autodiff.Grad(loss, n)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, one[0])
	}
	p, err := autodiff.Compile[float64](outputs, exec.Inputs{x}, exec.Params{w})
	if err != nil {
		t.Fatal(err)
	}
	for n, v := range map[*node][]float64{x: {0.3, -1.2, 0.8}, w: {1.5, 0.7, -0.4}} {
		if err := p.Set(n, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		got, want := p.Output(i), p.Output(len(nodes)+i)
		for j, v := range want {
			if !(math.Abs(got[j]-v) <= 1e-14*(1+math.Abs(v))) {
				t.Errorf("cotangent of %v: element %d is %v, want %v", n, j, got[j], v)
			}
		}
	}
	if _, err := autodiff.Cotangents([]*node{loss}, nodes, []*node{x}); err == nil {
		t.Error("a cotangent of the wrong shape was accepted")
	}
}
