package exec

import "github.com/saddle-ml/saddle/internal/kernel"

// Fn names an elementwise function of one, two or three operands.
type Fn = kernel.Fn

// The elementwise functions. Comparisons give 1 or 0.
const (
	Copy      = kernel.Copy
	Neg       = kernel.Neg
	Abs       = kernel.Abs
	Sign      = kernel.Sign
	Square    = kernel.Square
	Sqrt      = kernel.Sqrt
	Rsqrt     = kernel.Rsqrt
	Recip     = kernel.Recip
	Exp       = kernel.Exp
	Expm1     = kernel.Expm1
	Log       = kernel.Log
	Log1p     = kernel.Log1p
	Sin       = kernel.Sin
	Cos       = kernel.Cos
	Tanh      = kernel.Tanh
	Sigmoid   = kernel.Sigmoid
	Softplus  = kernel.Softplus // log(1+e^x)
	Erf       = kernel.Erf
	Relu      = kernel.Relu
	LeakyRelu = kernel.LeakyRelu // x > 0: x, else p x
	Elu       = kernel.Elu       // x > 0: x, else p (e^x - 1)
	Gelu      = kernel.Gelu      // x Phi(x), Phi the normal distribution function
	GeluTanh  = kernel.GeluTanh  // x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))
	Silu      = kernel.Silu      // x sigmoid(x)
	Clamp     = kernel.Clamp     // min(max(x, p), q)
	Ceil      = kernel.Ceil
	Floor     = kernel.Floor

	Add      = kernel.Add
	Sub      = kernel.Sub
	Mul      = kernel.Mul
	Div      = kernel.Div
	Pow      = kernel.Pow
	Max      = kernel.Max // NaN if either operand is
	Min      = kernel.Min
	Gt       = kernel.Gt
	Ge       = kernel.Ge
	Lt       = kernel.Lt
	Le       = kernel.Le
	Eq       = kernel.Eq
	Ne       = kernel.Ne
	Logistic = kernel.Logistic // max(z,0) - z y + log(1+e^-|z|)

	Where = kernel.Where // a != 0 ? b : c
)

// Red names a reduction of many numbers to one.
type Red = kernel.Red

// The reductions.
const (
	SumRed       = kernel.SumRed
	MaxRed       = kernel.MaxRed
	MinRed       = kernel.MinRed
	LogSumExpRed = kernel.LogSumExpRed
)
