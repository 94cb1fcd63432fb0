package optimizers

import "math"

// secularCubic minimises, for eigenvalues d in ascending order,
//
//	m(y) = c'y + Σ d_i y_i²/2 + σ|y|³/3
//
// over all y, to rounding. The minimiser has (d_i + λ) y_i = -c_i with λ = σ|y| and d_0 + λ ≥ 0 (Cartis, Gould & Toint
// 2011, theorem 3.1), so λ is the root of one increasing function,
//
//	1/|y(λ)| - σ/λ        λ > max(0, -d_0)
//
// found by Newton's method inside a bracket. Where it has no root, c has no part along the eigenvector of d_0 < 0 (the
// hard case): λ is -d_0 then, and y_0 fills up the length λ/σ.
//
// It leaves y, and gives λ and m(y).
func secularCubic(d, c []float64, sigma float64, y []float64) (lambda, value float64) {
	if len(d) == 0 {
		return 0, 0
	}
	total := 0.0
	for _, v := range c {
		total = math.Hypot(total, v)
	}
	// λ is low + δ. In δ, roots that are next to low are as exact as any other.
	low := max(0, -d[0])
	root := math.Sqrt(d[0]*d[0] + 4*sigma*total)
	rootHigh := (root - d[0]) / 2 // (d_0 + λ) λ = σ|c|
	if d[0] > 0 {
		rootHigh = 2 * sigma * total / (root + d[0])
	}
	lo, hi := 0.0, max(0, rootHigh-low)
	if -d[0] >= 0 && rootHigh > 0 {
		lo = math.Abs(c[0]) * sigma / rootHigh // |y_0| = |c_0|/δ is at most |y| ≤ rootHigh/σ
	}
	if hi <= lo {
		hi = 2*lo + math.SmallestNonzeroFloat64
	}
	// size is |y(low+δ)| and Σ y_i²/(d_i+λ).
	size := func(delta float64) (length, slope float64) {
		for i, v := range c {
			if v == 0 {
				continue
			}
			s := d[i] + low + delta
			q := v / s
			length += q * q
			slope += q * q / s
		}
		return math.Sqrt(length), slope
	}
	delta := hi
	for range 300 {
		length, slope := size(delta)
		if length == 0 {
			break
		}
		at := low + delta
		psi := 1/length - sigma/at
		if psi < 0 {
			lo = delta
		} else {
			hi = delta
		}
		next := delta - psi/(slope/(length*length*length)+sigma/(at*at))
		if !(next > lo && next < hi) {
			next = math.Sqrt(lo) * math.Sqrt(hi)
			if lo == 0 {
				next = hi / 1024
			}
		}
		if math.Abs(next-delta) <= 1e-15*delta || hi <= lo || next == 0 {
			break
		}
		delta = next
	}
	lambda = low + delta
	length := 0.0
	for i, v := range c {
		y[i] = 0
		if v != 0 {
			y[i] = -v / (d[i] + low + delta)
		}
		length = math.Hypot(length, y[i])
	}
	if want := lambda / sigma; d[0] < 0 && length < want*(1-1e-9) { // the hard case
		rest := 0.0
		for _, v := range y[1:] {
			rest = math.Hypot(rest, v)
		}
		y[0] = math.Copysign(math.Sqrt(max(0, (want-rest)*(want+rest))), -c[0])
		if c[0] == 0 {
			y[0] = math.Abs(y[0])
		}
		length = want
	}
	for i, v := range y {
		value += v * (c[i] + d[i]*v/2)
	}
	return lambda, value + sigma*length*length*length/3
}
