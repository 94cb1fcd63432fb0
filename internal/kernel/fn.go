package kernel

// Fn names an elementwise function of one, two or three operands.
type Fn uint8

// The elementwise functions. Comparisons give 1 or 0. P and Q are the two
// settings that some functions carry (see [Map1]).
const (
	Copy Fn = iota
	Neg
	Abs
	Sign // -1, 0 or 1; zeros and NaN stay
	Square
	Sqrt
	Rsqrt
	Recip
	Exp
	Expm1
	Log
	Log1p
	Sin
	Cos
	Tanh
	Sigmoid
	Softplus // log(1+e^x)
	Erf
	Relu      // x < 0: 0, else x
	LeakyRelu // x < 0: P x, else x
	Elu       // x <= 0: P (e^x - 1), else x
	Gelu      // x Phi(x), Phi the normal distribution function
	GeluTanh  // x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))
	Silu      // x sigmoid(x)
	Clamp     // min(max(x, P), Q)
	Ceil
	Floor

	Add
	Sub
	Mul
	Div
	Pow
	Max // NaN if either is
	Min
	Gt
	Ge
	Lt
	Le
	Eq
	Ne
	Logistic // max(z,0) - z y + log(1+e^-|z|): cross-entropy of sigmoid(z) and y

	// Derivatives by the function's value y, times g. They and the products below
	// round after each operation, as the same steps one by one do.
	ReluGrad    // y > 0: g, else 0, also where y is NaN or g is not finite
	SigmoidGrad // g (y (1-y))
	TanhGrad    // g (1 - y^2)

	Where  // a != 0 ? b : c
	MulAdd // a b + c
	MulSub // a b - c
	SubMul // c - a b

	NumFn
)

var fnNames = [NumFn]string{
	"copy", "neg", "abs", "sign", "square", "sqrt", "rsqrt", "reciprocal", "exp", "expm1", "log", "log1p",
	"sin", "cos", "tanh", "sigmoid", "softplus", "erf", "relu", "leaky_relu", "elu", "gelu", "gelu_tanh",
	"silu", "clamp", "ceil", "floor",
	"add", "sub", "mul", "div", "pow", "max", "min", "gt", "ge", "lt", "le", "eq", "ne", "logistic",
	"relu_grad", "sigmoid_grad", "tanh_grad",
	"where", "mul_add", "mul_sub", "sub_mul",
}

func (f Fn) String() string {
	if f < NumFn {
		return fnNames[f]
	}
	return "unknown"
}

// Arity is the number of operands of f: 1, 2 or 3.
func (f Fn) Arity() int {
	switch {
	case f < Add:
		return 1
	case f < Where:
		return 2
	}
	return 3
}

// Accuracy bounds how far f may be from the exact value at any argument, on any
// processor, in units in the last place of the result. An exact function has 0.5:
// it is rounded once, or after each operation of its formula.
//
// float32 results are computed in float64 and rounded once more. Sin, Cos and Pow
// are those of package math on every processor. Logistic counts units of its
// largest term. Denormal numbers are numbers like others; NaN gives NaN unless
// the function says otherwise; the gates GeluTanh, Gelu and Silu of -Inf are -0,
// their limit.
func (f Fn) Accuracy() (float32s, float64s float64) {
	switch f {
	case Log, Sin, Cos, Pow:
		return 0.6, 1
	case Log1p, Rsqrt:
		float64s = 1.5
	case Exp, Expm1, Softplus, Erf, Logistic:
		float64s = 2
	case Sigmoid, Elu:
		float64s = 2.5
	case Tanh:
		float64s = 3
	case GeluTanh, Silu:
		float64s = 4
	case Gelu:
		float64s = 5
	default:
		return 0.5, 0.5
	}
	return 0.6, float64s
}
