package kernel

import "math"

// What package math lacks, in float64, with the bounds that Fn.Accuracy gives.

// exp is e^x. That of math overflows on amd64 half a unit early.
func exp(x float64) float64 {
	if x > 709 {
		return math.Exp(x-1) * math.E
	}
	return math.Exp(x)
}

// log is log x. That of math is wrong on amd64 below the smallest normal number.
func log(x float64) float64 {
	if 0 < x && x < 0x1p-1022 {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
}

func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + exp(-x))
	}
	e := exp(x)
	return e / (1 + e)
}

func softplus(x float64) float64 {
	if x > 0 {
		return x + math.Log1p(exp(-x))
	}
	return math.Log1p(exp(x))
}

// gate is x sigmoid(s+low) for a small low. Of -Inf it is the limit, -0.
func gate(x, s, low float64) float64 {
	switch {
	case s >= 0:
		return x / (1 + exp(-s))
	case s > -700:
		e := exp(s)
		return x * math.FMA(e, low, e) / (1 + e)
	case s < -1600:
		return math.Copysign(0, x)
	}
	// x e^s may be a normal number when e^s is not.
	h := exp(s / 2)
	return x * math.FMA(h, low, h) * h
}

// sqrt(8/pi) and 0.044715 times it, and what they lack.
const (
	gateLinear, gateLinearLow = 1.5957691216057308, -9.96930880911092e-17
	gateCubic, gateCubicLow   = 0.07135481627260025, -6.175149918155315e-19
)

// geluTanh takes the argument of sigmoid to twice the digits of float64: where it
// is large, its last digits are the first ones of e^.
func geluTanh(x float64) float64 {
	if math.Abs(x) > 40 {
		return gate(x, math.Inf(int(math.Copysign(1, x))), 0)
	}
	z := x * x
	zLow := math.FMA(x, x, -z)
	cubic := z * gateCubic
	low := math.FMA(z, gateCubic, -cubic)
	low = math.FMA(zLow, gateCubic, low)
	low = math.FMA(z, gateCubicLow, low)
	sum := cubic + gateLinear
	back := sum - cubic
	low += (cubic - (sum - back)) + (gateLinear - back) + gateLinearLow
	s := x * sum
	return gate(x, s, math.FMA(x, low, math.FMA(x, sum, -s)))
}

// gelu is x erfc(-x/sqrt(2))/2: erfc keeps the left tail, where 1+erf would
// cancel. Of -Inf it is the limit, -0.
func gelu(x float64) float64 {
	if x < -36 {
		return geluFar(x)
	}
	const scale, scaleLow = 0.7071067811865476, -4.833646656726457e-17
	u := -x * scale
	c := math.Erfc(u)
	if u > 1 {
		low := math.FMA(-x, scale, -u) - x*scaleLow
		c = math.FMA(low, -2/math.SqrtPi*math.Exp(-u*u), c)
	}
	return 0.5 * x * c
}

// geluFar is gelu of x < -36, where erfc may be too small for float64 when x erfc
// is not, by erfc's asymptotic series:
// -e^(-x^2/2)/sqrt(2 pi) (1 - 1/x^2 + 3/x^4 - 15/x^6 + ...).
func geluFar(x float64) float64 {
	if x < -40 {
		return math.Copysign(0, x)
	}
	z := x * x
	low := math.FMA(x, x, -z)
	h := math.Exp(-z / 4)
	i := 1 / z
	s := 1 - i*(1-3*i*(1-5*i*(1-7*i*(1-9*i*(1-11*i*(1-13*i))))))
	return -s * (0.5 * math.SqrtPi / math.Sqrt2 * math.FMA(h, -low/2, h) * (2 / math.Pi)) * h
}
