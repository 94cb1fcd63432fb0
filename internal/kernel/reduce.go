package kernel

import "math"

// Red names a reduction of many numbers to one.
type Red uint8

// The reductions. SumRed of nothing is 0, MaxRed -Inf, MinRed +Inf. MaxRed and
// MinRed of anything with a NaN are NaN.
const (
	SumRed Red = iota
	MaxRed
	MinRed
	LogSumExpRed
)

func (r Red) String() string {
	return [...]string{"sum", "max", "min", "logsumexp"}[r]
}

// Fn is the function of two operands that combines two partial results.
// LogSumExpRed has none.
func (r Red) Fn() Fn {
	return [...]Fn{Add, Max, Min, Copy}[r]
}

// Start is the result of reducing nothing.
func (r Red) Start() float64 {
	return [...]float64{0, math.Inf(-1), math.Inf(1), math.Inf(-1)}[r]
}

// Reduce reduces x to one number.
func Reduce[T Float](r Red, x []T) T {
	switch r {
	case SumRed:
		return Sum(x)
	case LogSumExpRed:
		return LogSumExp(x)
	}
	m := T(r.Start())
	if r == MaxRed {
		for _, v := range x {
			m = max(m, v)
		}
		return m
	}
	for _, v := range x {
		m = min(m, v)
	}
	return m
}

const sumBlock = 256

// Sum adds x in blocks of 256 and the blocks in pairs, so the error grows with
// the logarithm of len(x).
func Sum[T Float](x []T) T {
	if len(x) <= sumBlock {
		return sumLanes(x)
	}
	half := (len(x)/2 + sumBlock - 1) / sumBlock * sumBlock
	return Sum(x[:half]) + Sum(x[half:])
}

func sumLanes[T Float](x []T) T {
	var a, b, c, d, e, f, g, h T
	for len(x) >= 8 {
		y := x[:8:8]
		a += y[0]
		b += y[1]
		c += y[2]
		d += y[3]
		e += y[4]
		f += y[5]
		g += y[6]
		h += y[7]
		x = x[8:]
	}
	for _, v := range x {
		a += v
	}
	return ((a + b) + (c + d)) + ((e + f) + (g + h))
}

// Dot is the sum of x[i] y[i], added like [Sum].
func Dot[T Float](x, y []T) T {
	if len(x) > sumBlock {
		half := (len(x)/2 + sumBlock - 1) / sumBlock * sumBlock
		return Dot(x[:half], y[:half]) + Dot(x[half:], y[half:])
	}
	y = y[:len(x)]
	var a, b, c, d T
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return (a + b) + (c + d)
}

// LogSumExp is log(sum e^x[i]), stable for any finite x; of nothing, -Inf.
func LogSumExp[T Float](x []T) T {
	m := Reduce(MaxRed, x)
	if math.IsInf(float64(m), 0) {
		return m
	}
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v - m))
	}
	return T(float64(m) + math.Log(s))
}

// ArgMax is the index of the first largest element of x, or of the first NaN.
// It is -1 for an empty x.
func ArgMax[T Float](x []T) int {
	at := -1
	var m T
	for i, v := range x {
		if v != v {
			return i
		}
		if at < 0 || v > m {
			at, m = i, v
		}
	}
	return at
}
