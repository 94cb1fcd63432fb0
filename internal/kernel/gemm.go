package kernel

// A Mat is a matrix in a slice: element (i, j) is X[i*Row+j*Col]. A transpose
// swaps Row and Col.
type Mat[T Float] struct {
	X        []T
	Row, Col int
}

// At is the part of m that starts at row i and column j.
func (m Mat[T]) At(i, j int) Mat[T] {
	o := i*m.Row + j*m.Col
	if o > len(m.X) {
		o = len(m.X)
	}
	return Mat[T]{m.X[o:], m.Row, m.Col}
}

// Gemm sets C = A B, or C += A B if add, for an m x k matrix A, a k x n matrix B
// and an m x n matrix C in row-major order (c.Col is 1). C shares no memory
// with A or B. Each element of C adds its k products in the order of k.
func Gemm[T Float](m, n, k int, a, b, c Mat[T], add bool) {
	if m == 0 || n == 0 {
		return
	}
	for i := 0; i < m; i += 4 {
		for j := 0; j < n; j += 4 {
			if m-i >= 4 && n-j >= 4 {
				gemm4x4(k, a.At(i, 0), b.At(0, j), c.At(i, j), add)
			} else {
				gemmEdge(min(4, m-i), min(4, n-j), k, a.At(i, 0), b.At(0, j), c.At(i, j), add)
			}
		}
	}
}

func gemm4x4[T Float](k int, a, b, c Mat[T], add bool) {
	var s [4][4]T
	ar, ac, br, bc := a.Row, a.Col, b.Row, b.Col
	for p := 0; p < k; p++ {
		ap, bp := p*ac, p*br
		b0, b1, b2, b3 := b.X[bp], b.X[bp+bc], b.X[bp+2*bc], b.X[bp+3*bc]
		v := a.X[ap]
		s[0][0] += v * b0
		s[0][1] += v * b1
		s[0][2] += v * b2
		s[0][3] += v * b3
		v = a.X[ap+ar]
		s[1][0] += v * b0
		s[1][1] += v * b1
		s[1][2] += v * b2
		s[1][3] += v * b3
		v = a.X[ap+2*ar]
		s[2][0] += v * b0
		s[2][1] += v * b1
		s[2][2] += v * b2
		s[2][3] += v * b3
		v = a.X[ap+3*ar]
		s[3][0] += v * b0
		s[3][1] += v * b1
		s[3][2] += v * b2
		s[3][3] += v * b3
	}
	for i := range s {
		row := c.X[i*c.Row : i*c.Row+4]
		for j := range row {
			if add {
				row[j] += s[i][j]
			} else {
				row[j] = s[i][j]
			}
		}
	}
}

func gemmEdge[T Float](m, n, k int, a, b, c Mat[T], add bool) {
	for i := range m {
		for j := range n {
			var s T
			for p := range k {
				s += a.X[i*a.Row+p*a.Col] * b.X[p*b.Row+j*b.Col]
			}
			if add {
				c.X[i*c.Row+j] += s
			} else {
				c.X[i*c.Row+j] = s
			}
		}
	}
}
