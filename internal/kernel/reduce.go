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
	case MaxRed:
		return T(extreme(maxRed, x))
	case MinRed:
		return T(extreme(minRed, x))
	}
	return LogSumExp(x)
}

// Sums are taken in float64, whatever the type of the numbers, in an order that
// their count alone decides: a block of up to sumBlock numbers in 32 lanes, number
// i in lane i mod 32, the lanes then in halves; more than a block as two parts,
// the first of them whole blocks. So the error grows with the logarithm of the
// count, and float32 does not overflow. All processors give the same bits.
const (
	sumBlock = 2048
	sumLanes = 32
	expLanes = 8 // of sums of exponentials
)

// Sum is the sum of x.
func Sum[T Float](x []T) T { return T(Sum64(x)) }

// Sum64 is the sum of x, not rounded to T.
func Sum64[T Float](x []T) float64 {
	if len(x) <= sumBlock {
		return sumOfBlock(x)
	}
	half := HalfBlocks(len(x))
	return Sum64(x[:half]) + Sum64(x[half:])
}

// HalfBlocks is the first part of n numbers, more than a block, whose sums are added:
// about half of them, in whole blocks.
func HalfBlocks(n int) int { return (n/2 + sumBlock - 1) / sumBlock * sumBlock }

func sumOfBlock[T Float](x []T) float64 {
	var sum [1]float64
	if !reduceAsm(sumRed, sum[:], x, nil, nil, 1, len(x)) {
		sumRowsGo(sumRed, sum[:], x, nil, nil, 1, len(x))
	}
	return sum[0]
}

// Dot is the sum of x[i] y[i].
func Dot[T Float](x, y []T) T { return T(Dot64(x, y)) }

// Dot64 is the sum of x[i] y[i], not rounded to T. Products of float32 are exact;
// those of float64 are rounded before they are added.
func Dot64[T Float](x, y []T) float64 {
	y = y[:len(x)]
	if len(x) > sumBlock {
		half := HalfBlocks(len(x))
		return Dot64(x[:half], y[:half]) + Dot64(x[half:], y[half:])
	}
	var sum [1]float64
	if len(x) > 0 && &x[0] == &y[0] && reduceAsm(squareRed, sum[:], x, nil, nil, 1, len(x)) {
		return sum[0]
	}
	if !reduceAsm(dotRed, sum[:], x, y, nil, 1, len(x)) {
		sumRowsGo(dotRed, sum[:], x, y, nil, 1, len(x))
	}
	return sum[0]
}

// Norm is the Euclidean norm of x, also where squares of its elements are too
// large or too small for float64.
func Norm[T Float](x []T) float64 {
	s := Dot64(x, x)
	if sizeof[T]() == 4 || s > 0x1p-960 && !math.IsInf(s, 1) || s != s {
		return math.Sqrt(s)
	}
	top := max(float64(Reduce(MaxRed, x)), -float64(Reduce(MinRed, x)))
	if top == 0 || math.IsInf(top, 0) || len(x) == 0 {
		return max(top, 0)
	}
	// A power of two near the largest element, so that scaling is exact.
	_, e := math.Frexp(top)
	var y [sumBlock]float64
	s = 0
	for len(x) > 0 {
		n := min(len(x), len(y))
		for i, v := range x[:n] {
			y[i] = math.Ldexp(float64(v), -e)
		}
		s += Dot64(y[:n], y[:n])
		x = x[n:]
	}
	return math.Ldexp(math.Sqrt(s), e)
}

// extreme is the maximum or minimum of x.
func extreme[T Float](kind reduceKind, x []T) float64 {
	m := math.Inf(-1)
	if kind == minRed {
		m = math.Inf(1)
	}
	for len(x) > 0 {
		n := min(len(x), sumBlock)
		var part [1]float64
		if !reduceAsm(kind, part[:], x[:n], nil, nil, 1, n) {
			extremeRowsGo(kind, part[:], x[:n], 1, n)
		}
		if kind == minRed {
			m = min(m, part[0])
		} else {
			m = max(m, part[0])
		}
		x = x[n:]
	}
	return m
}

// LogSumExp is log(sum e^x[i]), stable for any finite x; of nothing, -Inf. The sum
// is taken like [Sum], but in 8 lanes.
func LogSumExp[T Float](x []T) T {
	m := extreme(maxRed, x)
	if m != m || math.IsInf(m, 0) {
		return T(m)
	}
	s := [1]float64{expSum(x, nil, m)}
	Map1(Log, s[:], s[:], 0, 0)
	return T(m + s[0])
}

// expSum is the sum of e^(x[i]-m), whose terms go to e if it is not nil.
func expSum[T Float](x, e []T, m float64) float64 {
	if n := len(x); n > sumBlock {
		half := HalfBlocks(n)
		if e == nil {
			return expSum(x[:half], nil, m) + expSum(x[half:], nil, m)
		}
		return expSum(x[:half], e[:half], m) + expSum(x[half:], e[half:], m)
	}
	var sum [1]float64
	expSumRows(sum[:], x, e, []float64{m}, 1, len(x))
	return sum[0]
}

// ArgMax is the index of the first largest element of x, or of the first NaN.
// It is -1 for an empty x.
func ArgMax[T Float](x []T) int {
	best := -1
	for lo := 0; lo < len(x); lo += sumBlock {
		part := x[lo:min(len(x), lo+sumBlock)]
		var at [1]int
		argMaxRows(at[:], part, 1, len(part))
		k := lo + at[0]
		if x[k] != x[k] {
			return k
		}
		if best < 0 || x[k] > x[best] {
			best = k
		}
	}
	return best
}
