package kernel

// Rows is a matrix, or part of one, whose rows begin so many elements apart: 0 for
// one row again and again. Of length 1, X is one number for all elements.
type Rows[T Float] struct {
	X   []T
	Row int
}

// MapRows is [Map1], [Map2] or [Map3] for matrices of rows rows and cols columns: f
// has as many of the operands a, b and c as it takes. dst may be an operand.
func MapRows[T Float](f Fn, dst, a, b, c Rows[T], rows, cols int, p, q float64) {
	if rows == 0 || cols == 0 {
		return
	}
	together := dst.Row == cols
	for _, x := range [...]Rows[T]{a, b, c} {
		together = together && (len(x.X) <= 1 || x.Row == cols)
	}
	if together || rows == 1 {
		cols *= rows
		rows = 1
	}
	if mapRowsAsm(f, dst, a, b, c, rows, cols, p, q) {
		return
	}
	for r := range rows {
		row := func(x Rows[T]) []T {
			if len(x.X) <= 1 {
				return x.X
			}
			return x.X[r*x.Row:][:cols]
		}
		to := dst.X[r*dst.Row:][:cols]
		switch {
		case c.X != nil:
			Map3(f, to, row(a), row(b), row(c))
		case b.X != nil:
			Map2(f, to, row(a), row(b))
		case len(a.X) == 1 && cols > 1:
			Map1(f, to[:1], a.X, p, q)
			for i := range to {
				to[i] = to[0]
			}
		default:
			Map1(f, to, row(a), p, q)
		}
	}
}
