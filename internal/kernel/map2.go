package kernel

import "math"

// Map2 sets dst[i] = f(a[i], b[i]). An operand of length 1 stands for that
// number at every i; otherwise its length is that of dst. dst may be a or b.
func Map2[T Float](f Fn, dst, a, b []T) {
	n := len(dst)
	if n == 0 || mapAsm(f, dst, a, b, nil, 0, 0) {
		return
	}
	if len(a) == 1 && n > 1 && (f == Add || f == Mul) {
		a, b = b, a // so that the number stands on the right
	}
	if len(a) == n && f <= Div && f >= Add {
		if len(b) == 1 && n > 1 {
			arithmeticScalar(f, dst, a, b[0])
		} else {
			arithmetic(f, dst, a, b[:n])
		}
		return
	}
	stepped(f, dst, a, b, step(a, dst), step(b, dst))
}

func arithmetic[T Float](f Fn, dst, a, b []T) {
	b = b[:len(a)]
	dst = dst[:len(a)]
	switch f {
	case Add:
		for i, v := range a {
			dst[i] = v + b[i]
		}
	case Sub:
		for i, v := range a {
			dst[i] = v - b[i]
		}
	case Mul:
		for i, v := range a {
			dst[i] = v * b[i]
		}
	case Div:
		for i, v := range a {
			dst[i] = v / b[i]
		}
	}
}

func arithmeticScalar[T Float](f Fn, dst, a []T, s T) {
	dst = dst[:len(a)]
	switch f {
	case Add:
		for i, v := range a {
			dst[i] = v + s
		}
	case Sub:
		for i, v := range a {
			dst[i] = v - s
		}
	case Mul:
		for i, v := range a {
			dst[i] = v * s
		}
	case Div:
		for i, v := range a {
			dst[i] = v / s
		}
	}
}

// stepped is Map2 for any function and operands that advance by 0 or 1.
func stepped[T Float](f Fn, dst, a, b []T, as, bs int) {
	switch f {
	case Sub:
		for i := range dst {
			dst[i] = a[i*as] - b[i*bs]
		}
	case Div:
		for i := range dst {
			dst[i] = a[i*as] / b[i*bs]
		}
	case Add:
		for i := range dst {
			dst[i] = a[i*as] + b[i*bs]
		}
	case Mul:
		for i := range dst {
			dst[i] = a[i*as] * b[i*bs]
		}
	case Pow:
		for i := range dst {
			dst[i] = T(math.Pow(float64(a[i*as]), float64(b[i*bs])))
		}
	case Max:
		for i := range dst {
			dst[i] = max(a[i*as], b[i*bs])
		}
	case Min:
		for i := range dst {
			dst[i] = min(a[i*as], b[i*bs])
		}
	case Gt:
		for i := range dst {
			dst[i] = bit[T](a[i*as] > b[i*bs])
		}
	case Ge:
		for i := range dst {
			dst[i] = bit[T](a[i*as] >= b[i*bs])
		}
	case Lt:
		for i := range dst {
			dst[i] = bit[T](a[i*as] < b[i*bs])
		}
	case Le:
		for i := range dst {
			dst[i] = bit[T](a[i*as] <= b[i*bs])
		}
	case Eq:
		for i := range dst {
			dst[i] = bit[T](a[i*as] == b[i*bs])
		}
	case Ne:
		for i := range dst {
			dst[i] = bit[T](a[i*as] != b[i*bs])
		}
	case Logistic:
		for i := range dst {
			z := float64(a[i*as])
			dst[i] = T(max(z, 0) - float64(z*float64(b[i*bs])) + math.Log1p(exp(-math.Abs(z))))
		}
	case ReluGrad:
		for i := range dst {
			g := a[i*as]
			if !(b[i*bs] > 0) {
				g = 0
			}
			dst[i] = g
		}
	case SigmoidGrad:
		for i := range dst {
			y := b[i*bs]
			dst[i] = a[i*as] * (y * (1 - y))
		}
	case TanhGrad:
		for i := range dst {
			y := b[i*bs]
			dst[i] = a[i*as] * (1 - T(y*y))
		}
	default:
		panic("kernel: " + f.String() + " is not a function of two operands")
	}
}

func bit[T Float](ok bool) T {
	if ok {
		return 1
	}
	return 0
}

// Map3 sets dst[i] = f(a[i], b[i], c[i]). An operand of length 1 stands for that
// number at every i. dst may be any operand.
func Map3[T Float](f Fn, dst, a, b, c []T) {
	if len(dst) == 0 || mapAsm(f, dst, a, b, c, 0, 0) {
		return
	}
	as, bs, cs := step(a, dst), step(b, dst), step(c, dst)
	switch f {
	case Where:
		for i := range dst {
			if a[i*as] != 0 {
				dst[i] = b[i*bs]
			} else {
				dst[i] = c[i*cs]
			}
		}
	case MulAdd:
		for i := range dst {
			dst[i] = T(a[i*as]*b[i*bs]) + c[i*cs]
		}
	case MulSub:
		for i := range dst {
			dst[i] = T(a[i*as]*b[i*bs]) - c[i*cs]
		}
	case SubMul:
		for i := range dst {
			dst[i] = c[i*cs] - T(a[i*as]*b[i*bs])
		}
	default:
		panic("kernel: " + f.String() + " is not a function of three operands")
	}
}

func step[T Float](x, dst []T) int {
	if len(x) == 1 && len(dst) != 1 {
		return 0
	}
	return 1
}
