package optimizers

import "math"

// Float is the element type of the parameters.
type Float interface{ float32 | float64 }

// dot is a'b. It sums in float64 whatever T is, always in the same order.
func dot[T Float](a, b []T) float64 { return do(taskDot, len(a), nil, a, b[:len(a)], 0) }

// norm is the Euclidean norm of a. It is finite where every element is, unless the norm itself is too large.
func norm[T Float](a []T) float64 {
	// Within these bounds neither overflow nor underflow of the squares can have mattered.
	if s := dot(a, a); s > 1e-280 && s < 1e300 || s != s {
		return math.Sqrt(s)
	}
	var largest float64
	for _, v := range a {
		largest = max(largest, math.Abs(float64(v)))
	}
	if largest == 0 || math.IsInf(largest, 0) {
		return largest
	}
	var sum float64
	for _, v := range a {
		s := float64(v) / largest
		sum += s * s
	}
	return largest * math.Sqrt(sum)
}

// axpy adds c·a to dst.
func axpy[T Float](dst []T, c T, a []T) { do(taskAxpy, len(dst), dst, a[:len(dst)], nil, c) }

// addScaled sets dst to x + c·a.
func addScaled[T Float](dst, x []T, c T, a []T) {
	do(taskAddScaled, len(dst), dst, a[:len(dst)], x[:len(dst)], c)
}

// scale multiplies dst by c.
func scale[T Float](dst []T, c T) { do(taskScale, len(dst), dst, nil, nil, c) }

// lerp moves dst by the share w of its way to x: dst = dst + w·(x - dst).
func lerp[T Float](dst []T, w T, x []T) { do(taskLerp, len(dst), dst, x[:len(dst)], nil, w) }

// epsilon is the relative rounding error of T.
func epsilon[T Float]() float64 {
	var t T
	if _, ok := any(t).(float32); ok {
		return 0x1p-23
	}
	return 0x1p-52
}

// finite says whether v is neither infinite nor NaN.
func finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }
