package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// kroneckerDiagonal is the curvature of a tensor, or of a block of them, of which only the diagonal is kept.
type kroneckerDiagonal[T Float] struct {
	offset, size int
	at           int    // in the factors
	block        *Block // nil for a tensor
	in           []T    // squares of what went in last
}

// takeDiagonal adds what rows say of a diagonal to the estimate. A tensor's is the squared random vector. That of a block
// whose factors would be too large is the sum of squares of single rows: of convolutions, as if what comes back at
// different positions had nothing to do with each other.
func (k *Kronecker[T]) takeDiagonal(d *kroneckerDiagonal[T], r *FactorRows[T]) {
	values, share := k.factors[1-k.now][d.at:][:d.size], T(r.Share)
	if d.block == nil {
		for i, g := range r.Grad {
			values[i] += share * g * g
		}
		return
	}
	b, n := d.block, r.Examples*r.Positions
	if r.In != nil {
		if len(d.in) < len(r.In) {
			d.in = make([]T, len(r.In))
		}
		for i, a := range r.In {
			d.in[i] = a * a
		}
	}
	if len(k.rows) < len(r.Out) {
		k.rows = make([]T, len(r.Out))
	}
	out := k.rows[:len(r.Out)]
	for i, g := range r.Out {
		out[i] = share * g * g
	}
	groups := b.groups()
	in, back := groups*b.In, groups*b.Out // the width of rows
	for g := range groups {
		if b.In == 0 {
			break
		}
		if b.Transposed {
			s := productShape{b.Out, b.In, n, kernel.Mat{Row: 1, Col: back}, kernel.Mat{Row: in, Col: 1}, b.In}
			k.products.do(s, values[g*b.In*b.Out:], out[g*b.Out:], d.in[g*b.In:], true)
		} else {
			s := productShape{b.In, b.Out, n, kernel.Mat{Row: 1, Col: in}, kernel.Mat{Row: back, Col: 1}, b.Out}
			k.products.do(s, values, d.in, out, true)
		}
	}
	if b.In == 0 || b.Tensors == 2 {
		last := values[groups*b.In*b.Out:]
		for i := range n {
			for j, g := range out[i*back : (i+1)*back] {
				last[j] += g
			}
		}
	}
}
