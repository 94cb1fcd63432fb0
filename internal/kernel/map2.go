package kernel

import "math"

// Map2 sets dst[i] = f(a[i], b[i]). An operand of length 1 stands for that
// number at every i; otherwise its length is that of dst. dst may be a or b.
func Map2[T Float](f Fn, dst, a, b []T) {
	n := len(dst)
	if n == 0 {
		return
	}
	switch {
	case n == 1:
		map2(f, dst, a[:1], b[:1])
	case len(a) == 1 && len(b) == 1:
		map2(f, dst[:1], a, b)
		v := dst[0]
		for i := range dst {
			dst[i] = v
		}
	case len(a) == 1:
		map2s(f, dst, b[:n], a[0], true)
	case len(b) == 1:
		map2s(f, dst, a[:n], b[0], false)
	default:
		map2(f, dst, a[:n], b[:n])
	}
}

func map2[T Float](f Fn, dst, a, b []T) {
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
	case Gt:
		for i, v := range a {
			dst[i] = bit[T](v > b[i])
		}
	case Ge:
		for i, v := range a {
			dst[i] = bit[T](v >= b[i])
		}
	case Eq:
		for i, v := range a {
			dst[i] = bit[T](v == b[i])
		}
	default:
		g := scalar2[T](f)
		for i, v := range a {
			dst[i] = g(v, b[i])
		}
	}
}

// map2s is map2 with one operand a number: f(s, a) if left, else f(a, s).
func map2s[T Float](f Fn, dst, a []T, s T, left bool) {
	dst = dst[:len(a)]
	switch {
	case f == Add:
		for i, v := range a {
			dst[i] = v + s
		}
	case f == Mul:
		for i, v := range a {
			dst[i] = v * s
		}
	case f == Sub && left:
		for i, v := range a {
			dst[i] = s - v
		}
	case f == Sub:
		for i, v := range a {
			dst[i] = v - s
		}
	case f == Div && !left:
		for i, v := range a {
			dst[i] = v / s
		}
	case f == Gt && !left:
		for i, v := range a {
			dst[i] = bit[T](v > s)
		}
	case left:
		g := scalar2[T](f)
		for i, v := range a {
			dst[i] = g(s, v)
		}
	default:
		g := scalar2[T](f)
		for i, v := range a {
			dst[i] = g(v, s)
		}
	}
}

func scalar2[T Float](f Fn) func(a, b T) T {
	switch f {
	case Div:
		return func(a, b T) T { return a / b }
	case Pow:
		return func(a, b T) T { return T(math.Pow(float64(a), float64(b))) }
	case Max:
		return func(a, b T) T { return max(a, b) }
	case Min:
		return func(a, b T) T { return min(a, b) }
	case Gt:
		return func(a, b T) T { return bit[T](a > b) }
	case Ge:
		return func(a, b T) T { return bit[T](a >= b) }
	case Lt:
		return func(a, b T) T { return bit[T](a < b) }
	case Le:
		return func(a, b T) T { return bit[T](a <= b) }
	case Eq:
		return func(a, b T) T { return bit[T](a == b) }
	case Ne:
		return func(a, b T) T { return bit[T](a != b) }
	case Logistic:
		return func(z, y T) T {
			x := float64(z)
			return T(max(x, 0) - x*float64(y) + math.Log1p(math.Exp(-math.Abs(x))))
		}
	case Add:
		return func(a, b T) T { return a + b }
	case Sub:
		return func(a, b T) T { return a - b }
	case Mul:
		return func(a, b T) T { return a * b }
	}
	panic("kernel: " + f.String() + " is not a function of two operands")
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
