package optimizers

// matrix is a weight as the methods for matrices see it: rows times cols numbers from at, row by row. A weight of two
// dimensions is that of a dense layer, [in, out]; one of more is a kernel, [out, in, ...], a matrix of out rows.
type matrix struct {
	at, rows, cols int
	in, out        int
}

func (m matrix) size() int { return m.rows * m.cols }

// elements is the matrix's part of a vector of parameters.
func elements[T Float](v []T, m matrix) []T { return v[m.at : m.at+m.size()] }

// isMatrix says whether a tensor is a matrix to them: a weight of two dimensions or more.
func isMatrix(t Tensor) bool { return t.Kind == Weight && len(t.Shape) > 1 }

func asMatrix(t Tensor) matrix {
	m := matrix{at: t.Offset, rows: t.Shape[0], cols: t.Size() / t.Shape[0]}
	m.in, m.out = m.rows, m.cols
	if len(t.Shape) > 2 {
		m.out, m.in = m.rows, m.cols
	}
	return m
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
