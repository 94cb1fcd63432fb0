package kernel

// Fn names an elementwise function of one, two or three operands.
type Fn uint8

// The elementwise functions. Comparisons give 1 or 0. P and Q are the two
// settings that some functions carry (see [Map1]).
const (
	Copy Fn = iota
	Neg
	Abs
	Sign // -1, 0 or 1; NaN stays NaN
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
	Relu
	LeakyRelu // x > 0: x, else P x
	Elu       // x > 0: x, else P (e^x - 1)
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

	Where // a != 0 ? b : c

	NumFn
)

var fnNames = [NumFn]string{
	"copy", "neg", "abs", "sign", "square", "sqrt", "rsqrt", "reciprocal", "exp", "expm1", "log", "log1p",
	"sin", "cos", "tanh", "sigmoid", "softplus", "erf", "relu", "leaky_relu", "elu", "gelu", "gelu_tanh",
	"silu", "clamp", "ceil", "floor",
	"add", "sub", "mul", "div", "pow", "max", "min", "gt", "ge", "lt", "le", "eq", "ne", "logistic",
	"where",
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
