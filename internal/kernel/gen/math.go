package main

import "math"

// The mathematical functions, in lanes of float64. Where results are rounded to
// float32 (body.single) the same steps have shorter polynomials, and need no care
// for numbers that only float64 has: no power of two leaves its range.

const (
	ln2Hi = 6.93147180369123816490e-01 // 20 bits and zeros
	ln2Lo = 1.90821492927058770002e-10
	magic = 0x1.8p52 // x + magic has the integer nearest to x in its last bits
)

// power is 2^k: k as the last bits of an integer and as a number.
type power struct{ bits, k val }

// reduce writes x = k ln2 + r with |r| <= ln(2)/2, for x = y + low.
func (b *body) reduce(y val, low ...val) (r val, p power) {
	p.bits = b.fma(y, b.k(math.Log2E), b.k(magic))
	p.k = b.sub(p.bits, b.k(magic))
	if b.single {
		r = b.fnma(p.k, b.k(math.Ln2), y)
	} else {
		r = b.fnma(p.k, b.k(ln2Hi), y)
		r = b.fnma(p.k, b.k(ln2Lo), r)
	}
	for _, l := range low {
		r = b.add(r, l)
	}
	return r, p
}

// expR is e^r for r as reduce gives it.
func (b *body) expR(r val) val {
	if b.single {
		q := b.poly(r, exp32)
		return b.fma(b.fma(q, r, b.k(1)), r, b.k(1))
	}
	q := b.poly(r, exp64)
	return b.add(b.fma(b.mul(r, r), q, r), b.k(1))
}

// expm1R is e^r - 1.
func (b *body) expm1R(r val) val {
	c := expm64
	if b.single {
		c = expm32
	}
	q := b.poly(r, c)
	return b.fma(b.mul(r, r), q, r)
}

// power2 is 2^k for k within the exponents of float64.
func (b *body) power2(p power) val { return b.addq(b.shl(p.bits, 52), b.k(1)) }

// scale is x 2^k, rounded once. On AVX2 that takes two steps where k may leave
// the exponents of float64, the first of them exact.
func (b *body) scale(x val, p power) val {
	switch {
	case b.bytes == 64:
		return b.op2("VSCALEFPD", x, p.k)
	case b.single:
		return b.mul(x, b.power2(p))
	}
	half := b.op1i("VPSRAD", 1, p.bits)
	x = b.mul(x, b.power2(power{bits: half}))
	return b.mul(x, b.power2(power{bits: b.op2("VPSUBD", p.bits, half)}))
}

// power0 is p in the lanes of m and 2^0 in others.
func (b *body) power0(m val, p power) power {
	if b.bytes == 64 {
		return power{k: b.keep(m, p.k)}
	}
	// m is a number, and its sign tells.
	return power{bits: b.blend(m, p.bits, b.k(0))}
}

// atLeast is max(x, low) and atMost min(x, high); NaN stays.
func (b *body) atLeast(x val, low float64) val { return b.max(b.pin(b.k(low)), x) }
func (b *body) atMost(x val, high float64) val { return b.min(b.pin(b.k(high)), x) }

// minusAbs is -|x|.
func (b *body) minusAbs(x val) val { return b.or(x, b.sign()) }

// expOf is e^x.
func (b *body) expOf(x val) val {
	if b.single {
		x = b.atMost(b.atLeast(x, -105), 89)
	} else {
		x = b.atMost(b.atLeast(x, -746), 710)
	}
	r, p := b.reduce(x)
	return b.scale(b.expR(r), p)
}

// expNeg is e^x for x <= 0.
func (b *body) expNeg(x val) val {
	if b.single {
		x = b.atLeast(x, -105)
	} else {
		x = b.atLeast(x, -746)
	}
	r, p := b.reduce(x)
	return b.scale(b.expR(r), p)
}

func (b *body) expm1Of(x val) val {
	y := b.atLeast(x, -40)
	if b.single {
		y = b.atMost(y, 89)
	} else {
		y = b.atMost(y, 710)
	}
	r, p := b.reduce(y)
	q := b.expm1R(r)
	// (q + (1 - 2^-k)) 2^k, where from some k on 2^-k does not matter.
	bits := p.bits
	if !b.single {
		bits = b.min(bits, b.k(magic+64))
	}
	inverse := b.subq(b.k(1), b.shl(bits, 52))
	q = b.add(q, b.sub(b.k(1), inverse))
	return b.withSign(b.scale(q, p), x)
}

// tanhOf is (e^2y - 1)/(e^2y + 1) for y = |x|, numerator and denominator without
// their factor 2^k.
func (b *body) tanhOf(x val) val {
	limit := 22.0
	if b.single {
		limit = 10
	}
	y := b.atMost(b.abs(x), limit)
	r, p := b.reduce(b.add(y, y))
	q := b.expm1R(r)
	inverse := b.subq(b.k(1), b.shl(p.bits, 52))
	n := b.add(q, b.sub(b.k(1), inverse))
	d := b.add(q, b.add(inverse, b.k(1)))
	return b.withSign(b.div(n, d), x)
}

func (b *body) sigmoidOf(x val) val {
	e := b.expNeg(b.minusAbs(x))
	n := b.blend(b.negative(x), e, b.k(1))
	return b.div(n, b.add(e, b.k(1)))
}

// gate is x sigmoid(s), where s has the sign of x and is its size s + low, from
// -|s| and -low. x is not below where the result is 0.
func (b *body) gate(x, s val, low ...val) val {
	r, p := b.reduce(s, low...)
	e := b.expR(r)
	below := b.negative(x)
	if b.single {
		e = b.scale(e, p)
		n := b.blend(below, b.mul(x, e), x)
		return b.div(n, b.add(e, b.k(1)))
	}
	// Below, e^s may be too small for float64 when x e^s is not.
	n := b.blend(below, b.mul(x, e), x)
	n = b.div(n, b.add(b.scale(e, p), b.k(1)))
	return b.scale(n, b.power0(below, p))
}

func (b *body) siluOf(x val) val {
	if b.single {
		x = b.atLeast(x, -120)
		return b.gate(x, b.atLeast(b.minusAbs(x), -120))
	}
	x = b.atLeast(x, -800)
	return b.gate(x, b.atLeast(b.minusAbs(x), -800))
}

// sqrt(8/pi) and 0.044715 times it, and what they lack.
const (
	gateLinear, gateLinearLow = 1.5957691216057308, -9.96930880911092e-17
	gateCubic, gateCubicLow   = 0.07135481627260025, -6.175149918155315e-19
)

func (b *body) geluTanhOf(x val) val {
	if b.single {
		x = b.atLeast(x, -12)
		a := b.atMost(b.abs(x), 12)
		w := b.fma(b.mul(a, a), b.k(gateCubic), b.k(gateLinear))
		return b.gate(x, b.neg(b.mul(a, w)))
	}
	// The argument of e has to be right to the last bit of its integer part, so it
	// takes twice the digits.
	x = b.atLeast(x, -22)
	a := b.neg(b.atMost(b.abs(x), 22))
	z := b.mul(a, a)
	zLow := b.fms(a, a, z)
	cubic := b.mul(z, b.k(gateCubic))
	low := b.fms(z, b.k(gateCubic), cubic)
	low = b.fma(zLow, b.k(gateCubic), low)
	low = b.fma(z, b.k(gateCubicLow), low)
	sum := b.add(cubic, b.k(gateLinear))
	back := b.sub(sum, cubic)
	low = b.add(low, b.add(b.sub(cubic, b.sub(sum, back)), b.sub(b.pin(b.k(gateLinear)), back)))
	low = b.add(low, b.k(gateLinearLow))
	s := b.mul(a, sum)
	sLow := b.fma(a, low, b.fms(a, sum, s))
	return b.gate(x, s, sLow)
}

// logParts are those of log x = k ln2 + log(1+f) for x > 0 and normal. inverse is
// 2^-k, and x becomes (1+f) 2^k.
func (b *body) logParts(x val, bias val) (f, k, inverse val) {
	const root = 0x3fe6a09e667f3bcd // sqrt(1/2)
	shifted := b.addq(x, b.bits(0x3ff0000000000000-root))
	m := b.addq(b.and(shifted, b.bits(1<<52-1)), b.bits(root))
	k = b.sub(b.or(b.shr(shifted, 52), b.bits(0x4330000000000000)), bias)
	inverse = b.subq(b.bits(0x7fe0000000000000), b.and(shifted, b.bits(0x7ff0000000000000)))
	return b.sub(m, b.k(1)), k, inverse
}

const logBias = 0x1p52 + 1023

// logSum is k ln2 + log(1+f).
func (b *body) logSum(f, k val) val {
	s := b.div(f, b.add(f, b.k(2)))
	z := b.mul(s, s)
	if b.single {
		w := b.fma(b.poly(z, log32), z, b.k(2))
		return b.fma(k, b.k(math.Ln2), b.mul(s, w))
	}
	// f - (f^2/2 - s (f^2/2 + z P(z))), as f - f^2/2 + ... is right in the last bit.
	half := b.mul(b.mul(f, f), b.k(0.5))
	u := b.mul(s, b.fma(b.poly(z, log64), z, half))
	u = b.fma(k, b.k(ln2Lo), u)
	return b.fms(k, b.k(ln2Hi), b.sub(b.sub(half, u), f))
}

// logSpecial puts right the logarithm y of x where x is 0, negative, infinite or
// NaN.
func (b *body) logSpecial(y, x val) val {
	if b.bytes == 64 {
		d := val{id: len(b.last)}
		b.last = append(b.last, -1)
		b.ops = append(b.ops, op{src: []val{y, x, b.bits(0x03530422)}, dst: d, tied: "VFIXUPIMMPD"})
		return d
	}
	y = b.blend(b.cmp(less, x, b.k(0)), b.bits(0xfff8000000000000), y)
	y = b.blend(b.cmp(equal, x, b.k(0)), b.k(math.Inf(-1)), y)
	return b.blend(b.cmp(notLess, x, b.k(math.Inf(1))), x, y)
}

func (b *body) logOf(x val) val {
	y, bias := x, b.k(logBias)
	if !b.single {
		small := b.cmp(less, x, b.k(0x1p-1022))
		y = b.blend(small, b.mul(x, b.k(0x1p54)), x)
		bias = b.blend(small, b.k(logBias+54), b.k(logBias))
	}
	f, k, _ := b.logParts(y, bias)
	return b.logSpecial(b.logSum(f, k), x)
}

func (b *body) log1pOf(x val) val {
	u := b.add(x, b.k(1))
	back := b.sub(u, b.k(1))
	lost := b.add(b.sub(b.pin(b.k(1)), b.sub(u, back)), b.sub(x, back))
	f, k, inverse := b.logParts(u, b.k(logBias))
	if !b.single {
		inverse = b.max(inverse, b.k(0)) // it is -Inf for the largest x
	}
	f = b.fma(lost, inverse, f)
	return b.withSign(b.logSpecial(b.logSum(f, k), u), x)
}

// log1pUnit is log1p(x) for 0 <= x <= 1, and NaN for NaN.
func (b *body) log1pUnit(x val) val {
	if b.single {
		s := b.div(x, b.add(x, b.k(2)))
		z := b.mul(s, s)
		return b.mul(s, b.fma(b.poly(z, unit32), z, b.k(2)))
	}
	u := b.add(x, b.k(1))
	lost := b.sub(x, b.sub(u, b.k(1)))
	f, k, inverse := b.logParts(u, b.k(logBias))
	return b.logSum(b.fma(lost, inverse, f), k)
}

func (b *body) softplusOf(x val) val {
	y := b.log1pUnit(b.expNeg(b.minusAbs(x)))
	return b.add(b.max(x, b.k(0)), y)
}

func (b *body) logisticOf(z, y val) val {
	l := b.log1pUnit(b.expNeg(b.minusAbs(z)))
	return b.add(b.sub(b.max(z, b.k(0)), b.mul(z, y)), l)
}

// tailOf is Phi(-x) 2^-k for x >= 0, given e^(-x^2/2) 2^-k.
func (b *body) tailOf(x, e val) val {
	one := b.pin(b.k(1))
	if b.single {
		w := b.div(one, b.add(x, b.k(3)))
		t := b.mul(b.sub(x, b.k(3)), w)
		return b.mul(b.mul(b.poly(t, mills32), w), e)
	}
	// w = 1/(x+4) lacks w times err, and t = (x-4)/(x+4) = 1 - 8/(x+4).
	s := b.add(x, b.k(4))
	back := b.sub(s, x)
	lost := b.add(b.sub(x, b.sub(s, back)), b.sub(b.pin(b.k(4)), back))
	w := b.div(one, s)
	err := b.fnma(lost, w, b.fnma(s, w, b.k(1)))
	w8 := b.mul(w, b.k(8))
	t := b.fnma(w8, err, b.sub(one, w8))
	c := b.mul(b.mul(b.poly(t, mills64), w), e)
	return b.fma(c, err, c)
}

func (b *body) geluOf(x val) val {
	limit := 40.0
	if b.single {
		limit = 15
	}
	x = b.atLeast(x, -limit)
	a := b.atMost(b.abs(x), limit)
	z := b.mul(a, a)
	below := b.negative(x)
	if b.single {
		r, p := b.reduce(b.mul(z, b.k(-0.5)))
		c := b.scale(b.tailOf(a, b.expR(r)), p)
		return b.mul(x, b.blend(below, c, b.sub(b.pin(b.k(1)), c)))
	}
	low := b.fms(a, a, z)
	r, p := b.reduce(b.mul(z, b.k(-0.5)), b.mul(low, b.k(-0.5)))
	c := b.tailOf(a, b.expR(r))
	n := b.blend(below, c, b.sub(b.pin(b.k(1)), b.scale(c, p)))
	return b.scale(b.mul(x, n), b.power0(below, p))
}

func (b *body) erfOf(x val) val {
	limit, small := 6.0, erf64
	if b.single {
		limit, small = 4, erf32
	}
	a := b.atMost(b.abs(x), limit)
	z := b.mul(a, a)
	near := b.mul(a, b.poly(z, small))
	var low []val
	if !b.single {
		low = append(low, b.neg(b.fms(a, a, z)))
	}
	r, p := b.reduce(b.neg(z), low...)
	c := b.tailOf(b.mul(a, b.k(math.Sqrt2)), b.mul(b.expR(r), b.power2(p)))
	far := b.fnma(c, b.k(2), b.pin(b.k(1)))
	return b.withSign(b.blend(b.cmp(less, a, b.k(1)), near, far), x)
}
