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

// written is an operation of a test's own: x^3 y, which is linear in y.
type written struct {
	name      string
	jvp       func(b *ops.Builder, x, y, tx, ty *node) *node
	transpose func(b *ops.Builder, i int, ct, x, y *node) *node
}

func (r written) String() string                   { return r.name }
func (written) Shape(in [][]int) ([]int, error)    { return in[0], nil }
func (written) cube(b *ops.Builder, x *node) *node { return b.Mul(x, b.Square(x)) }

func (written) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Map2(exec.Mul, b.Map2(exec.Mul, in[0], b.Map1(exec.Square, in[0], 0, 0)), in[1])
}

// slope is the derivative in x along tx.
func (written) slope(b *ops.Builder, x, y, tx *node) *node {
	return b.Mul(tx, b.Mul(b.Const(3), b.Mul(b.Square(x), y)))
}

// right is the right derivative.
func (r written) right(b *ops.Builder, x, y, tx, ty *node) *node {
	var sum *node
	add := func(t *node) {
		if sum == nil {
			sum = t
		} else {
			sum = b.Add(sum, t)
		}
	}
	if tx != nil {
		add(r.slope(b, x, y, tx))
	}
	if ty != nil {
		add(b.Apply(r, x, ty))
	}
	return sum
}

func (r written) JVP(b *ops.Builder, _ *node, in, t []*node) *node {
	if r.jvp != nil {
		return r.jvp(b, in[0], in[1], t[0], t[1])
	}
	return r.right(b, in[0], in[1], t[0], t[1])
}

func (r written) Transpose(b *ops.Builder, i int, ct *node, in []*node) *node {
	if r.transpose != nil {
		return r.transpose(b, i, ct, in[0], in[1])
	}
	return b.Mul(ct, r.cube(b, in[0]))
}

// TestCheckFindsWrongRules: each rule is wrong in one way, and an error says
// which comparison showed it.
func TestCheckFindsWrongRules(t *testing.T) {
	r := written{}
	for _, c := range []struct {
		rule written
		want string // in the error; nothing for a right rule
	}{
		{written{name: "right"}, ""},
		{written{name: "a slope off by a millionth", jvp: func(b *ops.Builder, x, y, tx, ty *node) *node {
			if tx != nil {
				tx = b.Mul(b.Const(1+1e-6), tx)
			}
			return r.right(b, x, y, tx, ty)
		}}, "derivative of f"},
		{written{name: "no derivative", jvp: func(*ops.Builder, *node, *node, *node, *node) *node { return nil }}, "derivative of f"},
		{written{name: "the second tangent forgotten", jvp: func(b *ops.Builder, x, y, tx, ty *node) *node {
			if tx == nil {
				return nil
			}
			return r.slope(b, x, y, tx)
		}}, "derivative of f"},
		{written{name: "not a number", jvp: func(b *ops.Builder, x, y, tx, ty *node) *node {
			return b.Mul(r.right(b, x, y, tx, ty), b.Const(math.NaN()))
		}}, "derivative of f"},
		{written{name: "a slope held constant", jvp: func(b *ops.Builder, x, y, tx, ty *node) *node {
			return r.right(b, b.StopGradient(x), y, tx, ty)
		}}, "derivative of J'u"},
		{written{name: "a tangent squared", jvp: func(b *ops.Builder, x, y, tx, ty *node) *node {
			return b.Square(r.right(b, x, y, tx, ty))
		}}, "not linear"},
		{written{name: "a tangent of another shape", jvp: func(b *ops.Builder, x, y, tx, ty *node) *node {
			return b.Sum(r.right(b, x, y, tx, ty))
		}}, "its derivative has the shape []"},
		{written{name: "a transpose off by 1e-9", transpose: func(b *ops.Builder, _ int, ct, x, y *node) *node {
			return b.Mul(b.Mul(ct, b.Const(1+1e-9)), r.cube(b, x))
		}}, "forward gives <u, A v>"},
		{written{name: "no transpose", transpose: func(*ops.Builder, int, *node, *node, *node) *node { return nil }}, "forward gives <u, A v>"},
		{written{name: "a transpose held constant", transpose: func(b *ops.Builder, _ int, ct, x, y *node) *node {
			return b.Mul(ct, b.StopGradient(r.cube(b, x)))
		}}, "derivative of J'u"},
		{written{name: "a transpose of another shape", transpose: func(b *ops.Builder, _ int, ct, x, y *node) *node {
			return b.Sum(ct)
		}}, "its transpose has the shape []"},
		{written{name: "a transpose with an error", transpose: func(b *ops.Builder, _ int, ct, x, y *node) *node {
			return b.Sum(ct, 9)
		}}, "axis 9"},
	} {
		f := func(b *ops.Builder, x []*node) *node { return b.Apply(c.rule, b.Sin(x[0]), x[1]) }
		err := autodiff.Check(f, [][]int{{2, 3}, {2, 3}}, autodiff.CheckOptions{Seed: 1})
		if c.want == "" && err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v; want one with %q", c.rule, err, c.want)
		}
	}
}

// TestCheckOfTheFirstOrderLeavesOutTheSecond.
func TestCheckOfTheFirstOrderLeavesOutTheSecond(t *testing.T) {
	r := written{name: "a slope held constant"}
	r.jvp = func(b *ops.Builder, x, y, tx, ty *node) *node {
		return written{}.right(b, b.StopGradient(x), y, tx, ty)
	}
	f := func(b *ops.Builder, x []*node) *node { return b.Apply(r, x[0], x[1]) }
	if err := autodiff.Check(f, [][]int{{4}, {4}}, autodiff.CheckOptions{Order: 1}); err != nil {
		t.Error(err)
	}
}

func TestCheckRefusesWhatItCannotCheck(t *testing.T) {
	square := func(b *ops.Builder, x []*node) *node { return b.Square(x[0]) }
	check := func(o autodiff.CheckOptions) error { return autodiff.Check(square, [][]int{{2}}, o) }
	single := func() error {
		g := gorgonia.NewGraph()
		x := autodiff.NewInput(g, tensor.Float32, "x", 2)
		return autodiff.CheckNode(ops.On(x).Square(x), []*node{x}, autodiff.CheckOptions{})
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"order":      {check(autodiff.CheckOptions{Order: 3}), "order 3"},
		"tolerance":  {check(autodiff.CheckOptions{Tol: math.NaN()}), "tolerance"},
		"range":      {check(autodiff.CheckOptions{Lo: 2, Hi: 1}), "from 2 to 1"},
		"operands":   {check(autodiff.CheckOptions{Fixed: make([]bool, 2)}), "1 operands"},
		"all fixed":  {check(autodiff.CheckOptions{Fixed: []bool{true}}), "no operand"},
		"values":     {check(autodiff.CheckOptions{Values: [][]float64{{1}}}), "1 values for operand 0 of shape (2)"},
		"precision":  {single(), "float64"},
		"expression": {autodiff.Check(func(b *ops.Builder, x []*node) *node { return b.MatMul(x[0], x[0]) }, [][]int{{}}, autodiff.CheckOptions{}), "scalar operand"},
		"nothing":    {autodiff.Check(func(b *ops.Builder, x []*node) *node { return nil }, [][]int{{2}}, autodiff.CheckOptions{}), "node 0 is nil"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v; want one with %q", name, c.err, c.want)
		}
	}
}
