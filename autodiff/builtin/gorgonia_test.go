package builtin

import (
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// TestGorgoniaIsAsExpected reads what its API does not give: the translation
// rests on it.
func TestGorgoniaIsAsExpected(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 2), gorgonia.WithName("x"))
	y := gorgonia.Must(gorgonia.HadamardProd(x, x))
	if got := children(y); !slices.Equal(got, gorgonia.Nodes{x, x}) {
		t.Errorf("the operands of x*x are %v", got)
	}
	if kind(y) != "elemBinOp" {
		t.Errorf("x*x is by %q", kind(y))
	}
	if unnamed := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(3, 2)); !named(x) || named(unnamed) {
		t.Error("an input with a name has none, or one without has one")
	}
	if changed(y) {
		t.Error("x*x has changed since it was built")
	}
}

// TestUnexpectedFieldsAreAnError is what another version of Gorgonia would
// bring.
func TestUnexpectedFieldsAreAnError(t *testing.T) {
	g := gorgonia.NewGraph()
	x := gorgonia.NewMatrix(g, tensor.Float64, gorgonia.WithShape(2, 2), gorgonia.WithName("x"))
	y := gorgonia.Must(gorgonia.Sum(x, 0))
	f := fieldsOf(y.Op())
	if got := f.ints("along"); !slices.Equal(got, []int{0}) || f.err != nil {
		t.Errorf("axes %v, error %v", got, f.err)
	}
	f.int("along") // a list, not a number
	f.bool("missing")
	if f.err == nil || !strings.Contains(f.err.Error(), "sumOp has no field along") {
		t.Errorf("error %v; want the first one", f.err)
	}
}
