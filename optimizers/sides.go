package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// side is the rows or the columns of a matrix, as methods with a preconditioner for each see them. A side without a
// preconditioner, as it is too long, has n = 0.
type side[T Float] struct {
	n     int
	gram  []T // mean or sum of G G', or of G' G, n by n
	basis []T // what it is turned by: eigenvectors as columns, or a root
}

// sided is a matrix with preconditioners for its rows and columns.
type sided[T Float] struct {
	matrix
	left, right side[T]
}

// sidesOf gives the matrices their sides and keeps them in the state of o: those of at most most rows or columns.
func sidesOf[T Float](o *elementwise[T], list []matrix, most int) (out []sided[T], longest, largest int) {
	size := 0
	for _, m := range list {
		s := sided[T]{matrix: m}
		if !m.bare && m.rows <= most && (m.rows > 1 || m.cols == 1) {
			s.left.n = m.rows
		}
		if !m.bare && m.cols <= most && m.cols > 1 {
			s.right.n = m.cols
		}
		size += s.left.n*s.left.n + s.right.n*s.right.n
		longest, largest = max(longest, s.left.n, s.right.n), max(largest, m.size())
		out = append(out, s)
	}
	grams, bases, at := o.keepSome("gram", size), o.keepSome("basis", size), 0
	for i := range out {
		for _, s := range []*side[T]{&out[i].left, &out[i].right} {
			n := s.n * s.n
			s.gram, s.basis = grams[at:at+n], bases[at:at+n]
			at += n
		}
	}
	return out, longest, largest
}

// identity makes the basis 1.
func (s *side[T]) identity() {
	for i := range s.n {
		s.basis[i*s.n+i] = 1
	}
}

// turned sets dst to L' G R, or back to L G R', where L and R are the bases of the sides; one without is left out. g may
// be dst, but not room, which has the matrix's size.
func (m *sided[T]) turned(p *products[T], dst, g, room []T, back bool) {
	lie := func(n int, t bool) kernel.Mat {
		if t {
			return kernel.Mat{Row: 1, Col: n}
		}
		return kernel.Mat{Row: n, Col: 1}
	}
	r, c := m.rows, m.cols
	room = room[:m.size()]
	copy(room, g)
	if m.left.n > 0 {
		p.do(productShape{r, c, r, lie(r, !back), lie(c, false), c}, dst, m.left.basis, room, false)
		if m.right.n == 0 {
			return
		}
		copy(room, dst)
	}
	if m.right.n > 0 {
		p.do(productShape{r, c, c, lie(c, false), lie(c, back), c}, dst, room, m.right.basis, false)
		return
	}
	copy(dst, room)
}

// collect adds G G' and G' G to the Gram matrices: gram = keep·gram + fresh·G G'. room has the size of the larger.
func (m *sided[T]) collect(p *products[T], g, room []T, keep, fresh T) {
	if n := m.left.n; n > 0 {
		p.outer(room[:n*n], g, n, m.cols, m.cols, false)
		combine(m.left.gram, keep, fresh, room[:n*n])
	}
	if n := m.right.n; n > 0 {
		p.gram(room[:n*n], g, n, m.rows, m.cols, false)
		combine(m.right.gram, keep, fresh, room[:n*n])
	}
}
