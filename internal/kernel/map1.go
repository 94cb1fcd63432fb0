package kernel

import "math"

// Map1 sets dst[i] = f(x[i]) for a function of one operand, with settings p
// and q for the functions that have them. dst and x have one length and may be
// the same slice.
func Map1[T Float](f Fn, dst, x []T, p, q float64) {
	x = x[:len(dst)]
	if mapAsm(f, dst, x, nil, nil, p, q) {
		return
	}
	switch f {
	case Copy:
		copy(dst, x)
	case Neg:
		for i, v := range x {
			dst[i] = -v
		}
	case Abs:
		for i, v := range x {
			dst[i] = T(math.Abs(float64(v)))
		}
	case Square:
		for i, v := range x {
			dst[i] = v * v
		}
	case Sqrt:
		for i, v := range x {
			dst[i] = T(math.Sqrt(float64(v)))
		}
	case Rsqrt:
		for i, v := range x {
			dst[i] = T(1 / math.Sqrt(float64(v)))
		}
	case Recip:
		for i, v := range x {
			dst[i] = 1 / v
		}
	case Relu:
		for i, v := range x {
			if v < 0 {
				v = 0
			}
			dst[i] = v
		}
	case LeakyRelu:
		s := T(p)
		for i, v := range x {
			if v < 0 {
				v *= s
			}
			dst[i] = v
		}
	case Clamp:
		lo, hi := T(p), T(q)
		for i, v := range x {
			if v < lo {
				v = lo
			}
			if v > hi {
				v = hi
			}
			dst[i] = v
		}
	case Elu:
		for i, v := range x {
			if v <= 0 {
				v = T(p * math.Expm1(float64(v)))
			}
			dst[i] = v
		}
	default:
		g := scalar1(f)
		for i, v := range x {
			dst[i] = T(g(float64(v)))
		}
	}
}

// scalar1 is f as a function of one float64: float32 results are computed in
// float64 and rounded once.
func scalar1(f Fn) func(float64) float64 {
	switch f {
	case Sign:
		return func(x float64) float64 {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return x // 0, -0 or NaN
		}
	case Exp:
		return exp
	case Expm1:
		return math.Expm1
	case Log:
		return log
	case Log1p:
		return math.Log1p
	case Sin:
		return math.Sin
	case Cos:
		return math.Cos
	case Tanh:
		return math.Tanh
	case Sigmoid:
		return sigmoid
	case Softplus:
		return softplus
	case Erf:
		return math.Erf
	case Gelu:
		return gelu
	case GeluTanh:
		return geluTanh
	case Silu:
		return func(x float64) float64 { return gate(x, x, 0) }
	case Ceil:
		return math.Ceil
	case Floor:
		return math.Floor
	}
	panic("kernel: " + f.String() + " is not a function of one operand")
}
