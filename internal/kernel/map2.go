package kernel

import "math"

// Map2 sets dst[i] = f(a[i], b[i]). An operand of length 1 stands for that
// number at every i; otherwise its length is that of dst. dst may be a or b.
func Map2[T Float](f Fn, dst, a, b []T) {
	n := len(dst)
	if n == 0 {
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
			dst[i] = T(max(z, 0) - z*float64(b[i*bs]) + math.Log1p(math.Exp(-math.Abs(z))))
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

// Map3 sets dst[i] = c[i] != 0 ? a[i] : b[i]. An operand of length 1 stands for
// that number at every i. dst may be any operand.
func Map3[T Float](f Fn, dst, c, a, b []T) {
	if f != Where {
		panic("kernel: " + f.String() + " is not a function of three operands")
	}
	ci, ai, bi := step(c, dst), step(a, dst), step(b, dst)
	for i := range dst {
		if c[i*ci] != 0 {
			dst[i] = a[i*ai]
		} else {
			dst[i] = b[i*bi]
		}
	}
}

func step[T Float](x, dst []T) int {
	if len(x) == 1 && len(dst) != 1 {
		return 0
	}
	return 1
}
