package optimizers

import (
	"fmt"
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// moment adds c times the sum of a a' over n rows to a factor of the estimate; the rows' columns begin at first, and with
// one there is a 1 behind them.
func (k *Kronecker[T]) moment(f *kroneckerFactor, rows []T, first, n int, c float64, one bool) {
	width, root := len(rows)/n, T(math.Sqrt(c))
	if len(k.rows) < n*f.n {
		k.rows = make([]T, n*f.n)
	}
	columns := f.n
	if one {
		columns--
	}
	for i := range n {
		to := k.rows[i*f.n : (i+1)*f.n]
		kernel.Scale(to[:columns], root, rows[i*width+first:][:columns])
		if one {
			to[columns] = root
		}
	}
	k.products.gram(k.factors[1-k.now][f.at:][:f.n*f.n], k.rows, f.n, n, f.n, k.seen[f.id])
	k.seen[f.id] = true
}

// Mul sets dst to the product with v.
func (k *Kronecker[T]) Mul(dst, v []T) error {
	if err := k.fits(dst, v); err != nil {
		return err
	}
	for _, p := range k.parts {
		k.sandwich(p, dst, v, k.values(&p.left), k.values(&p.right))
	}
	for _, d := range k.diags {
		at := v[d.offset:]
		for i, c := range k.factors[k.now][d.at:][:d.size] {
			dst[d.offset+i] = c * at[i]
		}
	}
	return nil
}

func (k *Kronecker[T]) fits(dst, v []T) error {
	if len(dst) != k.size || len(v) != k.size {
		return fmt.Errorf("optimizers: kronecker: vectors of %d and %d numbers; the layout has %d parameters", len(dst), len(v), k.size)
	}
	return nil
}

// sandwich sets the part's piece of dst to L M R, where M is its piece of v. L is 1 where it is nil.
func (k *Kronecker[T]) sandwich(p *kroneckerPart, dst, v, l, r []T) {
	m := k.read(p, v)
	if l != nil {
		to := k.gathered[1][:p.rows*p.cols]
		k.products.mul(to, l, m, p.rows, p.cols, p.rows)
		m = to
	}
	if p.bias < 0 {
		k.products.mul(dst[p.offset:][:p.rows*p.cols], m, r, p.rows, p.cols, p.cols)
		return
	}
	to := k.gathered[0][:p.rows*p.cols] // where M was, which is used up: such a part has an L
	k.products.mul(to, m, r, p.rows, p.cols, p.cols)
	write(p, dst, to)
}

// read is the part's matrix M in v.
func (k *Kronecker[T]) read(p *kroneckerPart, v []T) []T {
	if p.bias < 0 {
		return v[p.offset:][:p.rows*p.cols]
	}
	m, w := k.gathered[0][:p.rows*p.cols], p.cols-1
	for i := range p.rows {
		copy(m[i*p.cols:][:w], v[p.offset+i*w:])
		m[i*p.cols+w] = v[p.bias+i]
	}
	return m
}

// write puts a matrix whose last column lies apart in the part's place.
func write[T Float](p *kroneckerPart, dst, m []T) {
	w := p.cols - 1
	for i := range p.rows {
		copy(dst[p.offset+i*w:][:w], m[i*p.cols:])
		dst[p.bias+i] = m[i*p.cols+w]
	}
}
