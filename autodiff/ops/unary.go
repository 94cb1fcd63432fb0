package ops

import (
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// unary is an elementwise function of one operand.
type unary struct {
	fn   exec.Fn
	p, q float64 // settings of leaky_relu, elu and clamp
}

func (r unary) String() string {
	switch r.fn {
	case exec.LeakyRelu, exec.Elu:
		return fmt.Sprintf("%s(%v)", r.fn, r.p)
	case exec.Clamp:
		return fmt.Sprintf("%s(%v, %v)", r.fn, r.p, r.q)
	}
	return r.fn.String()
}

func (r unary) Shape(in [][]int) ([]int, error) { return in[0], nil }

func (r unary) Lower(b *exec.Builder, in []exec.Value) exec.Value {
	return b.Map1(r.fn, in[0], r.p, r.q)
}

func (r unary) JVP(b *Builder, y *Node, in, t []*Node) *Node {
	if r.fn == exec.Neg {
		return b.Neg(t[0])
	}
	if d := r.slope(b, in[0], y); d != nil {
		return b.Mul(t[0], d)
	}
	return nil
}

// slope is f'(x), written with y = f(x) where that is cheaper; nil where it is
// zero everywhere but at jumps.
func (r unary) slope(b *Builder, x, y *Node) *Node {
	c := b.Const
	switch r.fn {
	case exec.Abs:
		return b.Sign(x)
	case exec.Square:
		return b.Mul(c(2), x)
	case exec.Sqrt:
		return b.Div(c(0.5), y)
	case exec.Rsqrt:
		return b.Mul(c(-0.5), b.Mul(y, b.Square(y)))
	case exec.Recip:
		return b.Neg(b.Square(y))
	case exec.Exp:
		return y
	case exec.Expm1:
		return b.Add(y, c(1))
	case exec.Log:
		return b.Reciprocal(x)
	case exec.Log1p:
		return b.Reciprocal(b.Add(x, c(1)))
	case exec.Sin:
		return b.Cos(x)
	case exec.Cos:
		return b.Neg(b.Sin(x))
	case exec.Tanh:
		return b.Sub(c(1), b.Square(y))
	case exec.Sigmoid:
		return b.Mul(y, b.Sub(c(1), y))
	case exec.Softplus:
		return b.Sigmoid(x)
	case exec.Erf:
		return b.Mul(c(2/math.Sqrt(math.Pi)), b.Exp(b.Neg(b.Square(x))))
	case exec.Relu:
		return b.Greater(x, c(0))
	case exec.LeakyRelu:
		return b.Where(b.Greater(x, c(0)), c(1), c(r.p))
	case exec.Elu:
		return b.Where(b.Greater(x, c(0)), c(1), b.Add(y, c(r.p)))
	case exec.Gelu:
		phi := b.Mul(c(1/math.Sqrt(2*math.Pi)), b.Exp(b.Mul(c(-0.5), b.Square(x))))
		cdf := b.Mul(c(0.5), b.Add(c(1), b.Erf(b.Mul(c(math.Sqrt2/2), x))))
		return b.Add(cdf, b.Mul(x, phi))
	case exec.GeluTanh:
		const k = 0.044715
		a := 2 * math.Sqrt(2/math.Pi)
		x2 := b.Square(x)
		s := b.Sigmoid(b.Mul(b.Mul(c(a), x), b.Add(c(1), b.Mul(c(k), x2))))
		du := b.Mul(c(a), b.Add(c(1), b.Mul(c(3*k), x2)))
		return b.Mul(s, b.Add(c(1), b.Mul(b.Mul(x, du), b.Sub(c(1), s))))
	case exec.Silu:
		s := b.Sigmoid(x)
		return b.Mul(s, b.Add(c(1), b.Mul(x, b.Sub(c(1), s))))
	case exec.Clamp:
		return b.Mul(b.GreaterEqual(x, c(r.p)), b.LessEqual(x, c(r.q)))
	}
	return nil // sign, ceil, floor
}

// Transpose serves the one function here that is linear, negation.
func (r unary) Transpose(b *Builder, _ int, ct *Node, _ []*Node) *Node {
	if r.fn != exec.Neg {
		return b.failf("%s is not linear", r)
	}
	return b.Neg(ct)
}

func (b *Builder) unary(fn exec.Fn, x *Node) *Node { return b.Apply(unary{fn: fn}, x) }

// Neg is -x.
func (b *Builder) Neg(x *Node) *Node { return b.unary(exec.Neg, x) }

// Abs is |x|; its slope at 0 is 0.
func (b *Builder) Abs(x *Node) *Node { return b.unary(exec.Abs, x) }

// Sign is -1, 0 or 1; its slope is 0.
func (b *Builder) Sign(x *Node) *Node { return b.unary(exec.Sign, x) }

// Ceil is the least whole number that is not below x; its slope is 0.
func (b *Builder) Ceil(x *Node) *Node { return b.unary(exec.Ceil, x) }

// Floor is the greatest whole number that is not above x; its slope is 0.
func (b *Builder) Floor(x *Node) *Node { return b.unary(exec.Floor, x) }

// Square is x^2.
func (b *Builder) Square(x *Node) *Node { return b.unary(exec.Square, x) }

// Sqrt is the square root of x.
func (b *Builder) Sqrt(x *Node) *Node { return b.unary(exec.Sqrt, x) }

// Rsqrt is 1/sqrt(x).
func (b *Builder) Rsqrt(x *Node) *Node { return b.unary(exec.Rsqrt, x) }

// Reciprocal is 1/x.
func (b *Builder) Reciprocal(x *Node) *Node { return b.unary(exec.Recip, x) }

// Exp is e^x.
func (b *Builder) Exp(x *Node) *Node { return b.unary(exec.Exp, x) }

// Expm1 is e^x - 1, exact for small x.
func (b *Builder) Expm1(x *Node) *Node { return b.unary(exec.Expm1, x) }

// Log is the natural logarithm of x.
func (b *Builder) Log(x *Node) *Node { return b.unary(exec.Log, x) }

// Log1p is log(1+x), exact for small x.
func (b *Builder) Log1p(x *Node) *Node { return b.unary(exec.Log1p, x) }

// Sin is the sine of x.
func (b *Builder) Sin(x *Node) *Node { return b.unary(exec.Sin, x) }

// Cos is the cosine of x.
func (b *Builder) Cos(x *Node) *Node { return b.unary(exec.Cos, x) }

// Tanh is the hyperbolic tangent of x.
func (b *Builder) Tanh(x *Node) *Node { return b.unary(exec.Tanh, x) }

// Sigmoid is 1/(1+e^-x).
func (b *Builder) Sigmoid(x *Node) *Node { return b.unary(exec.Sigmoid, x) }

// Softplus is log(1+e^x), for any x.
func (b *Builder) Softplus(x *Node) *Node { return b.unary(exec.Softplus, x) }

// Erf is the error function of x.
func (b *Builder) Erf(x *Node) *Node { return b.unary(exec.Erf, x) }

// Relu is max(x, 0).
func (b *Builder) Relu(x *Node) *Node { return b.unary(exec.Relu, x) }

// LeakyRelu is x where x > 0, else slope times x.
func (b *Builder) LeakyRelu(x *Node, slope float64) *Node {
	return b.Apply(unary{fn: exec.LeakyRelu, p: slope}, x)
}

// Elu is x where x > 0, else alpha (e^x - 1).
func (b *Builder) Elu(x *Node, alpha float64) *Node {
	return b.Apply(unary{fn: exec.Elu, p: alpha}, x)
}

// Gelu is x Phi(x), with the distribution function Phi of a standard normal
// number (Hendrycks and Gimpel, arXiv 1606.08415).
func (b *Builder) Gelu(x *Node) *Node { return b.unary(exec.Gelu, x) }

// GeluTanh is the approximation of Gelu by a hyperbolic tangent:
// x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
func (b *Builder) GeluTanh(x *Node) *Node { return b.unary(exec.GeluTanh, x) }

// Silu is x sigmoid(x), also called swish.
func (b *Builder) Silu(x *Node) *Node { return b.unary(exec.Silu, x) }

// Clamp is x limited to [lo, hi]; its slope at the limits is 1.
func (b *Builder) Clamp(x *Node, lo, hi float64) *Node {
	if !(lo <= hi) {
		return b.failf("clamp: limits %v and %v", lo, hi)
	}
	return b.Apply(unary{exec.Clamp, lo, hi}, x)
}
