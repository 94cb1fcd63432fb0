package kernel

import (
	"math"
	"math/big"
)

// Functions to 200 bits and more, as oracles. They are written for being right,
// from series that anyone can check, and take any finite argument that the
// function has a finite value for.

const exactBits = 200

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(exactBits).SetFloat64(x) }

func bigNew() *big.Float { return new(big.Float).SetPrec(exactBits) }

var (
	bigOne = bigOf(1)
	bigLn2 = func() *big.Float { // sum of 1/(k 2^k)
		sum, p := bigNew(), bigOf(1)
		for k := 1; k < exactBits+10; k++ {
			p = bigNew().Quo(p, bigOf(2))
			sum.Add(sum, bigNew().Quo(p, bigOf(float64(k))))
		}
		return sum
	}()
	bigPi = func() *big.Float { // Machin's formula
		atan := func(n float64) *big.Float {
			sum, p := bigNew(), bigNew().Quo(bigOne, bigOf(n))
			for k := 0; k < exactBits; k++ {
				term := bigNew().Quo(p, bigOf(float64(2*k+1)))
				if k%2 == 1 {
					term.Neg(term)
				}
				sum.Add(sum, term)
				p = bigNew().Quo(p, bigOf(n*n))
			}
			return sum
		}
		x := bigNew().Mul(bigOf(16), atan(5))
		return x.Sub(x, bigNew().Mul(bigOf(4), atan(239)))
	}()
)

// bigExpm1 is e^x - 1, by the series at x/2^n and n times y (y+2).
func bigExpm1(x *big.Float) *big.Float {
	if x.Sign() == 0 {
		return bigNew()
	}
	f, _ := x.Float64()
	if f < -200 {
		return bigOf(-1)
	}
	const n = 24
	r := bigNew().SetMantExp(x, -n)
	shift := 0
	if math.Abs(f) > 1 {
		shift = int(math.Log2(math.Abs(f))) + 1
		r.SetMantExp(r, -shift)
	}
	sum, term := bigNew(), bigOf(1)
	for k := 1; k < 12; k++ {
		term.Mul(term, r)
		term.Quo(term, bigOf(float64(k)))
		sum.Add(sum, term)
	}
	for range n + shift {
		sum.Mul(sum, bigNew().Add(sum, bigOf(2)))
	}
	return sum
}

// bigExp is e^x, by the same series and squaring, at more bits.
func bigExp(x *big.Float) *big.Float {
	if f, _ := x.Float64(); f < -1 {
		return bigNew().Quo(bigOne, bigExp(bigNew().Neg(x)))
	}
	return bigNew().Add(bigExpm1(x), bigOne)
}

// bigLog is log x: 2 artanh(s) of the number between 3/4 and 3/2, and a multiple
// of log 2.
func bigLog(x *big.Float) *big.Float {
	m := bigNew()
	k := x.MantExp(m)
	if m.Cmp(bigOf(0.75)) < 0 {
		m.SetMantExp(m, 1)
		k--
	}
	s := bigNew().Quo(bigNew().Sub(m, bigOne), bigNew().Add(m, bigOne))
	y := bigArtanh2(s)
	return y.Add(y, bigNew().Mul(bigLn2, bigOf(float64(k))))
}

// bigArtanh2 is log((1+s)/(1-s)) for |s| <= 1/5.
func bigArtanh2(s *big.Float) *big.Float {
	z := bigNew().Mul(s, s)
	sum, p := bigNew(), bigNew().Set(s)
	for k := range 45 {
		sum.Add(sum, bigNew().Quo(p, bigOf(float64(2*k+1))))
		p.Mul(p, z)
	}
	return sum.Mul(sum, bigOf(2))
}

func bigLog1p(x *big.Float) *big.Float {
	f, _ := x.Float64()
	if math.Abs(f) > 0.25 {
		return bigLog(bigNew().Add(bigOne, x))
	}
	return bigArtanh2(bigNew().Quo(x, bigNew().Add(x, bigOf(2))))
}

// bigErf is erf x by its series in e^(-x^2), whose terms are all positive:
// 2/sqrt(pi) e^(-x^2) sum 2^k x^(2k+1) / (1 3 5 ... (2k+1)).
func bigErf(x *big.Float) *big.Float {
	if f, _ := x.Float64(); math.Abs(f) > 5 {
		y := bigNew().Sub(bigOne, bigErfc(bigNew().Abs(x)))
		if f < 0 {
			y.Neg(y)
		}
		return y
	}
	z := bigNew().Mul(x, x)
	sum, term := bigNew(), bigNew().Set(x)
	z2 := bigNew().Mul(z, bigOf(2))
	for k := 1; k < 2000; k++ {
		sum.Add(sum, term)
		if term.Sign() == 0 || term.MantExp(nil) < sum.MantExp(nil)-exactBits {
			break
		}
		term.Mul(term, z2)
		term.Quo(term, bigOf(float64(2*k+1)))
	}
	sum.Mul(sum, bigExp(bigNew().Neg(z)))
	sum.Mul(sum, bigOf(2))
	return sum.Quo(sum, bigNew().Sqrt(bigPi))
}

// bigErfc is erfc x for x >= 0: 1 - erf x up to 4, beyond it Laplace's continued
// fraction e^(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))).
func bigErfc(x *big.Float) *big.Float {
	f, _ := x.Float64()
	if f < 4 {
		return bigNew().Sub(bigOne, bigErf(x))
	}
	c := bigNew()
	for k := 400; k > 0; k-- {
		c.Quo(bigOf(float64(k)/2), bigNew().Add(x, c))
	}
	y := bigNew().Quo(bigExp(bigNew().Neg(bigNew().Mul(x, x))), bigNew().Add(x, c))
	return y.Quo(y, bigNew().Sqrt(bigPi))
}

func bigSigmoid(x *big.Float) *big.Float {
	return bigNew().Quo(bigOne, bigNew().Add(bigOne, bigExp(bigNew().Neg(x))))
}

func bigSoftplus(x *big.Float) *big.Float {
	if x.Sign() > 0 {
		return bigNew().Add(x, bigLog1p(bigExp(bigNew().Neg(x))))
	}
	return bigLog1p(bigExp(x))
}

// bigFn is f at x, with the setting p or second operand y of the smooth functions.
func bigFn(f Fn, x *big.Float, p, y float64) *big.Float {
	switch f {
	case Exp:
		return bigExp(x)
	case Expm1:
		return bigExpm1(x)
	case Log:
		return bigLog(x)
	case Log1p:
		return bigLog1p(x)
	case Tanh:
		e := bigExpm1(bigNew().Mul(x, bigOf(2)))
		return bigNew().Quo(e, bigNew().Add(e, bigOf(2)))
	case Sigmoid:
		return bigSigmoid(x)
	case Softplus:
		return bigSoftplus(x)
	case Erf:
		return bigErf(x)
	case Elu:
		if x.Sign() > 0 {
			return x
		}
		e := bigExpm1(x)
		return e.Mul(e, bigOf(p))
	case Gelu:
		u := bigNew().Quo(bigNew().Abs(x), bigNew().Sqrt(bigOf(2)))
		c := bigErfc(u)
		if x.Sign() > 0 {
			c.Sub(bigOf(2), c)
		}
		return c.Mul(c, bigNew().Quo(x, bigOf(2)))
	case GeluTanh:
		c, _ := bigNew().SetString("0.044715")
		w := bigNew().Mul(bigNew().Mul(x, x), c)
		w.Mul(w.Add(w, bigOne), x)
		w.Mul(w, bigNew().Sqrt(bigNew().Quo(bigOf(8), bigPi)))
		return w.Mul(x, bigSigmoid(w))
	case Silu:
		return bigNew().Mul(x, bigSigmoid(x))
	case Logistic:
		l := bigSoftplus(x)
		return l.Sub(l, bigNew().Mul(x, bigOf(y)))
	case Rsqrt:
		return bigNew().Quo(bigOne, bigNew().Sqrt(x))
	}
	return nil
}

// ulps64 is the distance of y from want in units of want's last place in float64.
func ulps64(y float64, want *big.Float) float64 {
	if math.IsNaN(y) {
		return math.Inf(1)
	}
	got := bigNew()
	if math.IsInf(y, 0) {
		got.SetMantExp(bigOf(math.Copysign(1, y)), 1024)
	} else {
		got.SetFloat64(y)
	}
	e := want.MantExp(nil)
	d, _ := got.SetMantExp(got.Sub(got, want), 53-max(e, -1021)).Float64()
	return math.Abs(d)
}
