package optimizers

// matrix is a weight, or a block of one, as the methods for matrices see it: rows of cols numbers from at, stride numbers
// from one to the next. A weight of two dimensions is that of a dense layer, [in, out]; one of more is a kernel, [out,
// in, ...], a matrix of out rows.
type matrix struct {
	at, rows, cols, stride int
	in, out                int
	bare                   bool // neither rows nor columns get a preconditioner
}

func (m matrix) size() int { return m.rows * m.cols }

// elements is a whole weight's part of a vector of parameters.
func elements[T Float](v []T, m matrix) []T { return v[m.at : m.at+m.size()] }

// isMatrix says whether a tensor is a matrix to them: a weight of two dimensions or more.
func isMatrix(t Tensor) bool { return t.Kind == Weight && len(t.Shape) > 1 }

func asMatrix(t Tensor) matrix {
	m := matrix{at: t.Offset, rows: 1, cols: 1}
	if len(t.Shape) > 0 {
		m.rows, m.cols = t.Shape[0], t.Size()/t.Shape[0]
	}
	m.stride = m.cols
	m.in, m.out = m.rows, m.cols
	if len(t.Shape) > 2 {
		m.out, m.in = m.rows, m.cols
	}
	return m
}

// cut is the matrix in blocks with sides of at most most, as equal as can be.
func (m matrix) cut(most int) (blocks []matrix) {
	down, across := (m.rows+most-1)/most, (m.cols+most-1)/most
	for i := range down {
		for j := range across {
			b := m
			r, c := m.rows*i/down, m.cols*j/across
			b.rows, b.cols = m.rows*(i+1)/down-r, m.cols*(j+1)/across-c
			b.at += r*m.stride + c
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// gather copies a block's part of a vector of parameters to dst.
func gather[T Float](dst, v []T, m matrix) {
	for i := range m.rows {
		copy(dst[i*m.cols:][:m.cols], v[m.at+i*m.stride:])
	}
}

// appendRun adds a tensor to stretches that end where it begins, or before.
func appendRun(runs []run, t Tensor) []run {
	end := t.Offset + t.Size()
	if n := len(runs); n > 0 && runs[n-1].to == t.Offset {
		runs[n-1].to = end
		return runs
	}
	return append(runs, run{t.Offset, end})
}

// sizeOf is the number of elements in stretches.
func sizeOf(runs []run) (n int) {
	for _, r := range runs {
		n += r.to - r.from
	}
	return n
}
