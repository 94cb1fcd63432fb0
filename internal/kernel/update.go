package kernel

import "math"

// Updates are combinations of vectors, each in one pass over memory: those that
// move parameters, and simpler ones. The rules stand in gen/rules.go, from which the
// assembly and the plain Go in update_rules.go are written. They round after each
// operation, in the order of their formula, on every processor; so a vector may be
// cut anywhere and the parts given to any number of cores. Slices have the length
// of the first, and are the same slice or apart; those that a formula gives no new
// elements stay.
//
// Square roots and divisions are exact, rounded once. In rules with either and
// running means, float32 below 2^-126, which have lost precision, count as 0: means
// of gradients that vanish would stay there for ever, and divisions and roots of
// them take many times as long.

// Scale sets dst to a x.
func Scale[T Float](dst []T, a T, x []T) {
	number := [1]T{a}
	Map2(Mul, dst, x[:len(dst)], number[:])
}

// normal is v, or 0 with its sign if v is a float32 of less than full precision.
func normal[T Float](v T) T {
	if sizeof[T]() == 4 && v > -0x1p-126 && v < 0x1p-126 {
		return T(math.Copysign(0, float64(v)))
	}
	return v
}

// either is m ? x : y.
func either[T Float](m bool, x, y T) T {
	if m {
		return x
	}
	return y
}
