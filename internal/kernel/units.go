package kernel

// units are the parts that a product is cut into. Those of a strip of columns follow
// each other, so that what is packed of B serves them all; of two bands of rows, first
// those of the one and then those of the other.
type units struct {
	rows, cols   int // of a unit
	down, across int
	banded       bool
}

// bandBytes is the size of a B that every core has near it. Who begins with one half of
// the units and has a band of the rows then reads half of A, and what works on C next by
// rows finds it where it was written.
const bandBytes = 256 << 10

// cutBands makes bands if that spares more than it costs.
func (u *units) cutBands(m, n, k, size int) {
	u.banded = u.down > 1 && u.across > 1 && m >= 2*k && k*n*size <= bandBytes
}

// Units is the number of calls of Do that make a product.
func (u *units) Units() int { return u.down * u.across }

// Down is the number of units that share a strip of columns of B.
func (u *units) Down() int { return max(u.down, 1) }

// Row is the number of a unit among those of its strip, from the top.
func (u *units) Row(unit int) int {
	row, _ := u.place(unit)
	return row
}

// place gives the numbers of a unit's row and strip.
func (u *units) place(unit int) (row, strip int) {
	first, n := u.band(unit)
	unit -= first * u.across
	return first + unit%n, unit / n
}

// band is the first row, and the number of rows, of a unit's band.
func (u *units) band(unit int) (first, rows int) {
	half := (u.down + 1) / 2
	switch {
	case !u.banded:
		return 0, u.down
	case unit < half*u.across:
		return 0, half
	}
	return half, u.down - half
}

// block gives the rows [r0, r1) and columns [c0, c1) of C [m, n] that a unit computes.
func (u *units) block(unit, m, n int) (r0, r1, c0, c1 int) {
	row, strip := u.place(unit)
	r0, c0 = row*u.rows, strip*u.cols
	return r0, min(m, r0+u.rows), c0, min(n, c0+u.cols)
}
