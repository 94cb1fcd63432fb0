package main

// lanes are numbers that an update computes with: vectors of assembly (body) or
// one number of plain Go (goLanes). Each operation rounds once, so that a rule
// written with them gives the same bits as either.
type lanes interface {
	k(float64) val // a constant
	add(x, y val) val
	sub(x, y val) val
	mul(x, y val) val
	div(x, y val) val
	sqrt(x val) val
	abs(x val) val
	neg(x val) val
	largest(x, y val) val   // NaN if either is
	above(x, y val) val     // x > y, for choose
	choose(m, x, y val) val // m ? x : y
}

// largest is the larger of x and y, NaN if either is.
func (b *body) largest(x, y val) val {
	return b.orMask(b.cmp(unordered, x, y), b.and(b.max(x, y), b.max(y, x)))
}

// above is the mask of x > y.
func (b *body) above(x, y val) val { return b.cmp(greater, x, y) }

// choose is m ? x : y.
func (b *body) choose(m, x, y val) val { return b.blend(m, x, y) }

// signOf is 1, -1, or x if that is a zero or NaN.
func signOf(l lanes, x val) val {
	zero := l.k(0)
	return l.choose(l.above(x, zero), l.k(1), l.choose(l.above(zero, x), l.k(-1), x))
}
