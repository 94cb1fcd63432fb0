package kernel

import "math"

// Combinations of vectors, each in one pass over memory. They round after each
// operation, in the order of their formula, on every processor; so a vector may be
// cut anywhere and the parts given to any number of cores. Slices have the length
// of the first, and are the same slice or apart.

// updateKind is an update in assembly, in the order of the generator.
type updateKind int

const (
	axpyUpdate updateKind = iota
	axpbyUpdate
	lerpUpdate
	sgdUpdate
	momentumUpdate
	adamUpdate
	adamMaxUpdate
)

// Axpy adds a x to y.
func Axpy[T Float](y []T, a T, x []T) {
	if updateAsm(axpyUpdate, len(y), [7]T{a}, [5][]T{y, x}) {
		return
	}
	x = x[:len(y)]
	for i, v := range x {
		y[i] += T(a * v)
	}
}

// Axpby sets dst to a x + b y.
func Axpby[T Float](dst []T, a T, x []T, b T, y []T) {
	if updateAsm(axpbyUpdate, len(dst), [7]T{a, b}, [5][]T{dst, x, y}) {
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i, v := range x {
		dst[i] = T(a*v) + T(b*y[i])
	}
}

// Scale sets dst to a x.
func Scale[T Float](dst []T, a T, x []T) {
	number := [1]T{a}
	Map2(Mul, dst, x[:len(dst)], number[:])
}

// Lerp moves y by the share w of its way to x: y = y + w (x - y).
func Lerp[T Float](y []T, w T, x []T) {
	if updateAsm(lerpUpdate, len(y), [7]T{w}, [5][]T{y, x}) {
		return
	}
	x = x[:len(y)]
	for i, v := range x {
		y[i] += T(w * (v - y[i]))
	}
}

// SGDUpdate is a step of gradient descent with weight decay:
//
//	x = x - rate (g + decay x)
func SGDUpdate[T Float](x, g []T, rate, decay T) {
	if updateAsm(sgdUpdate, len(x), [7]T{rate, decay}, [5][]T{x, g}) {
		return
	}
	g = g[:len(x)]
	for i, v := range x {
		d := g[i] + T(decay*v)
		x[i] = v - T(rate*d)
	}
}

// MomentumCoefficients are the numbers of [MomentumUpdate].
type MomentumCoefficients[T Float] struct {
	Mu       T // what stays of the buffer
	Fresh    T // what comes from the gradient: 1 - dampening
	Decay    T // weight decay
	OfGrad   T // the step along the gradient: the learning rate for Nesterov, else 0
	OfBuffer T // the step along the buffer: the learning rate, times Mu for Nesterov
}

// MomentumUpdate is a step of gradient descent with heavy-ball or Nesterov
// momentum, whose buffer is m:
//
//	d = g + Decay x
//	m = Mu m + Fresh d
//	x = x - (OfGrad d + OfBuffer m)
func MomentumUpdate[T Float](x, g, m []T, c MomentumCoefficients[T]) {
	if updateAsm(momentumUpdate, len(x), [7]T{c.Mu, c.Fresh, c.Decay, c.OfGrad, c.OfBuffer}, [5][]T{x, g, m}) {
		return
	}
	g, m = g[:len(x)], m[:len(x)]
	for i, v := range x {
		d := g[i] + T(c.Decay*v)
		b := T(c.Mu*m[i]) + T(c.Fresh*d)
		m[i] = b
		x[i] = v - (T(c.OfGrad*d) + T(c.OfBuffer*b))
	}
}

// AdamCoefficients are the numbers of [AdamUpdate]. With the learning rate lr, the
// decay rates b1 and b2, the number t of the step and c = sqrt(1-b2^t) the usual
// step has Rate = lr c/(1-b1^t) and Eps = eps c, which is
// lr m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps) with one division less.
type AdamCoefficients[T Float] struct {
	Fresh1  T // 1 - b1
	Beta2   T // b2
	Fresh2  T // 1 - b2
	Rate    T
	Eps     T
	Coupled T // weight decay added to the gradient, as in Adam
	Keep    T // what decoupled weight decay leaves of x, as in AdamW: 1 - lr decay
}

// AdamUpdate is a step of Adam or AdamW, with the running means m of the gradient
// and v of its square:
//
//	g = g + Coupled x
//	m = m + Fresh1 (g - m)
//	v = Beta2 v + Fresh2 g g
//	x = Keep x - Rate m / (sqrt(v) + Eps)
//
// g itself stays. The square root and the division are exact, rounded once. In
// float32, numbers below 2^-126, which have lost precision, count as 0 throughout:
// means of gradients that vanish would stay there for ever, and divisions and
// roots of them take many times as long.
func AdamUpdate[T Float](x, g, m, v []T, c AdamCoefficients[T]) {
	if updateAsm(adamUpdate, len(x), c.numbers(), [5][]T{x, g, m, v}) {
		return
	}
	g, m, v = g[:len(x)], m[:len(x)], v[:len(x)]
	for i, w := range x {
		mean, square := c.moments(w, g[i], m[i], v[i])
		m[i], v[i] = mean, square
		x[i] = c.step(w, mean, square)
	}
}

// AdamMaxUpdate is [AdamUpdate] with the largest v so far, most, in the place of v
// in the step (AMSGrad).
func AdamMaxUpdate[T Float](x, g, m, v, most []T, c AdamCoefficients[T]) {
	if updateAsm(adamMaxUpdate, len(x), c.numbers(), [5][]T{x, g, m, v, most}) {
		return
	}
	g, m, v, most = g[:len(x)], m[:len(x)], v[:len(x)], most[:len(x)]
	for i, w := range x {
		mean, square := c.moments(w, g[i], m[i], v[i])
		m[i], v[i], most[i] = mean, square, max(normal(most[i]), square)
		x[i] = c.step(w, mean, most[i])
	}
}

func (c *AdamCoefficients[T]) numbers() [7]T {
	return [7]T{c.Fresh1, c.Beta2, c.Fresh2, c.Rate, c.Eps, c.Coupled, c.Keep}
}

func (c *AdamCoefficients[T]) moments(w, g, m, v T) (T, T) {
	w, g, m, v = normal(w), normal(g), normal(m), normal(v)
	g = normal(g + normal(T(c.Coupled*w)))
	m = normal(m + normal(T(c.Fresh1*normal(g-m))))
	return m, normal(normal(T(c.Beta2*v)) + normal(T(normal(T(c.Fresh2*g))*g)))
}

func (c *AdamCoefficients[T]) step(w, m, v T) T {
	step := normal(normal(T(c.Rate*m)) / normal(normal(T(math.Sqrt(float64(v))))+c.Eps))
	return normal(normal(T(c.Keep*normal(w))) - step)
}

// normal is v, or 0 with its sign if v is a float32 of less than full precision.
func normal[T Float](v T) T {
	if sizeof[T]() == 4 && v > -0x1p-126 && v < 0x1p-126 {
		return T(math.Copysign(0, float64(v)))
	}
	return v
}
