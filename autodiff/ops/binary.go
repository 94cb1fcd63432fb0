package ops

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// binary is an elementwise function of two operands of one shape.
type binary struct{ fn exec.Fn }

func (r binary) String() string { return r.fn.String() }

func (r binary) Shape(in [][]int) ([]int, error) {
	if !equal(in[0], in[1]) {
		return nil, fmt.Errorf("shapes %v and %v differ", in[0], in[1])
	}
	return in[0], nil
}

func (r binary) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Map2(r.fn, in[0], in[1])
}

func (r binary) JVP(b *Builder, out *Node, in, t []*Node) *Node {
	x, y, c := in[0], in[1], b.Const
	var dx, dy func(t *Node) *Node
	times := func(d func() *Node) func(*Node) *Node {
		return func(t *Node) *Node { return b.Mul(t, d()) }
	}
	switch r.fn {
	case exec.Add:
		dx = func(t *Node) *Node { return t }
		dy = dx
	case exec.Sub:
		dx = func(t *Node) *Node { return t }
		dy = b.Neg
	case exec.Mul:
		dx = times(func() *Node { return y })
		dy = times(func() *Node { return x })
	case exec.Div:
		dx = func(t *Node) *Node { return b.Div(t, y) }
		dy = times(func() *Node { return b.Neg(b.Div(out, y)) })
	case exec.Pow:
		// At y = 0 the slope in x is 0, also for x = 0; at x = 0 the slope in y is
		// its limit 0 rather than 0 times log 0.
		dx = times(func() *Node {
			e := b.Where(b.Equal(y, c(0)), c(1), b.Sub(y, c(1)))
			return b.Mul(y, b.Pow(x, e))
		})
		dy = times(func() *Node {
			zero := b.Equal(x, c(0))
			return b.Where(zero, c(0), b.Mul(out, b.Log(b.Where(zero, c(1), x))))
		})
	case exec.Max, exec.Min:
		// Where both are equal each has half of the slope.
		first := func() *Node {
			p, q := x, y
			if r.fn == exec.Min {
				p, q = y, x
			}
			return b.Mul(c(0.5), b.Add(b.Greater(p, q), b.GreaterEqual(p, q)))
		}
		dx = times(first)
		dy = times(func() *Node { return b.Sub(c(1), first()) })
	case exec.Logistic:
		dx = times(func() *Node { return b.Sub(b.Sigmoid(x), y) })
		dy = times(func() *Node { return b.Neg(x) })
	default:
		return nil // comparisons
	}
	switch {
	case t[1] == nil:
		return dx(t[0])
	case t[0] == nil:
		return dy(t[1])
	}
	if r.fn == exec.Sub {
		return b.Sub(t[0], t[1])
	}
	return b.Add(dx(t[0]), dy(t[1]))
}

func (r binary) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	switch {
	case r.fn == exec.Add, r.fn == exec.Sub && i == 0:
		return ct
	case r.fn == exec.Sub:
		return b.Neg(ct)
	case r.fn == exec.Mul:
		return b.Mul(ct, in[1-i])
	case r.fn == exec.Div && i == 0:
		return b.Div(ct, in[1])
	}
	return b.failf("%s is not linear in operand %d", r, i)
}

// binary applies fn to x and y repeated to a common shape.
func (b *Builder) binary(fn exec.Fn, x, y *Node) *Node {
	if !b.ok(fn.String(), x, y) {
		return nil
	}
	x, y = b.together(fn.String(), x, y)
	return b.Apply(binary{fn}, x, y)
}

// together repeats x and y to a common shape by NumPy's rule.
func (b *Builder) together(name string, x, y *Node) (*Node, *Node) {
	xs, ys := shapeOf(x), shapeOf(y)
	if equal(xs, ys) {
		return x, y
	}
	shape, err := Broadcast(xs, ys)
	if err != nil {
		b.failf("%s: %w", name, err)
		return nil, nil
	}
	return b.Broadcast(x, shape...), b.Broadcast(y, shape...)
}

// Add is x + y.
func (b *Builder) Add(x, y *Node) *Node { return b.binary(exec.Add, x, y) }

// Sub is x - y.
func (b *Builder) Sub(x, y *Node) *Node { return b.binary(exec.Sub, x, y) }

// Mul is x y, element by element.
func (b *Builder) Mul(x, y *Node) *Node { return b.binary(exec.Mul, x, y) }

// Div is x / y, element by element.
func (b *Builder) Div(x, y *Node) *Node { return b.binary(exec.Div, x, y) }

// Pow is x^y, element by element.
func (b *Builder) Pow(x, y *Node) *Node { return b.binary(exec.Pow, x, y) }

// Maximum is the larger of x and y, element by element; where they are equal
// each has half of the slope.
func (b *Builder) Maximum(x, y *Node) *Node { return b.binary(exec.Max, x, y) }

// Minimum is the smaller of x and y, like [Builder.Maximum].
func (b *Builder) Minimum(x, y *Node) *Node { return b.binary(exec.Min, x, y) }

// Greater is 1 where x > y, else 0.
func (b *Builder) Greater(x, y *Node) *Node { return b.binary(exec.Gt, x, y) }

// GreaterEqual is 1 where x >= y, else 0.
func (b *Builder) GreaterEqual(x, y *Node) *Node { return b.binary(exec.Ge, x, y) }

// Less is 1 where x < y, else 0.
func (b *Builder) Less(x, y *Node) *Node { return b.binary(exec.Lt, x, y) }

// LessEqual is 1 where x <= y, else 0.
func (b *Builder) LessEqual(x, y *Node) *Node { return b.binary(exec.Le, x, y) }

// Equal is 1 where x = y, else 0.
func (b *Builder) Equal(x, y *Node) *Node { return b.binary(exec.Eq, x, y) }

// NotEqual is 1 where x != y, else 0.
func (b *Builder) NotEqual(x, y *Node) *Node { return b.binary(exec.Ne, x, y) }

// LogisticLoss is the cross-entropy of the probability sigmoid(z) and the
// target y in [0, 1], element by element: max(z,0) - z y + log(1+e^-|z|). It is
// exact for logits z of any size.
func (b *Builder) LogisticLoss(z, y *Node) *Node { return b.binary(exec.Logistic, z, y) }

// where chooses between two operands by a third.
type where struct{}

func (where) String() string { return "where" }

func (where) Shape(in [][]int) ([]int, error) {
	if !equal(in[0], in[1]) || !equal(in[0], in[2]) {
		return nil, fmt.Errorf("shapes %v, %v and %v differ", in[0], in[1], in[2])
	}
	return in[0], nil
}

func (where) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Map3(exec.Where, in[0], in[1], in[2])
}

func (where) JVP(b *Builder, _ *Node, in, t []*Node) *Node {
	if t[1] == nil && t[2] == nil {
		return nil
	}
	zero := b.Const(0)
	x, y := t[1], t[2]
	if x == nil {
		x = zero
	}
	if y == nil {
		y = zero
	}
	return b.Where(in[0], x, y)
}

func (where) Transpose(b *Builder, i int, ct *Node, in []*Node) *Node {
	switch i {
	case 1:
		return b.Where(in[0], ct, b.Const(0))
	case 2:
		return b.Where(in[0], b.Const(0), ct)
	}
	return b.failf("where is not linear in its condition")
}

// Where is x where cond is not 0, else y.
func (b *Builder) Where(cond, x, y *Node) *Node {
	if !b.ok("where", cond, x, y) {
		return nil
	}
	x, y = b.together("where", x, y)
	if b.err != nil {
		return nil
	}
	cond, x = b.together("where", cond, x)
	if b.err != nil {
		return nil
	}
	return b.Apply(where{}, cond, x, b.Broadcast(y, shapeOf(x)...))
}
