package autodiff

import "github.com/saddle-ml/saddle/autodiff/ops"

// Jacobian gives the matrix [size of y, total size of the variables] of the
// derivatives of the elements of y, for small tensors: it is put together from
// one product for each column or row, whichever are fewer.
func Jacobian(y *Node, wrt ...*Node) (*Node, error) {
	t, err := newTranslation("jacobian", []*Node{y}, wrt)
	if err != nil {
		return nil, err
	}
	return jacobian(t.b, t.of[y], t.all(wrt))
}

func jacobian(b *ops.Builder, y *Node, wrt []*Node) (*Node, error) {
	n := 0
	for _, x := range wrt {
		n += elements(x)
	}
	m := elements(y)
	if m == 0 || n == 0 {
		return b.Fill(0, m, n), b.Err()
	}
	if n <= m {
		var cols []*Node
		for i, x := range wrt {
			for k := range elements(x) {
				tangents := make([]*Node, len(wrt))
				tangents[i] = basis(b, x, k)
				col, err := pushforward(b, []*Node{y}, wrt, tangents)
				if err != nil {
					return nil, err
				}
				if col, err = zeros(b, col, []*Node{y}); err != nil {
					return nil, err
				}
				cols = append(cols, b.Reshape(col[0], m, 1))
			}
		}
		return b.Concat(1, cols...), b.Err()
	}
	var rows []*Node
	for k := range m {
		row, err := pullback(b, []*Node{y}, wrt, []*Node{basis(b, y, k)})
		if err != nil {
			return nil, err
		}
		if row, err = zeros(b, row, wrt); err != nil {
			return nil, err
		}
		rows = append(rows, b.Reshape(flat(b, row), 1, n))
	}
	return b.Concat(0, rows...), b.Err()
}

// Hessian gives the matrix of second derivatives of a scalar with respect to
// all elements of the variables, in order, for small nets.
func Hessian(loss *Node, wrt ...*Node) (*Node, error) {
	t, err := newTranslation("hessian", []*Node{loss}, wrt)
	if err != nil {
		return nil, err
	}
	vars := t.all(wrt)
	g, err := grad(t.b, t.of[loss], vars)
	if err != nil {
		return nil, err
	}
	if g, err = zeros(t.b, g, vars); err != nil {
		return nil, err
	}
	return jacobian(t.b, flat(t.b, g), vars)
}

// flat joins tensors to one vector.
func flat(b *ops.Builder, xs []*Node) *Node {
	vs := make([]*Node, len(xs))
	for i, x := range xs {
		vs[i] = b.Reshape(x, elements(x))
	}
	return b.Concat(0, vs...)
}

func elements(n *Node) int {
	size := 1
	for _, d := range n.Shape() {
		size *= d
	}
	return size
}

// basis is the tensor of the shape of n that is 1 at element k, else 0.
func basis(b *ops.Builder, n *Node, k int) *Node {
	data := make([]float64, elements(n))
	data[k] = 1
	return b.Tensor(data, n.Shape()...)
}
