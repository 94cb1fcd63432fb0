package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// follows says whether second moments along eigenvectors are to be estimated.
func (k *Kronecker[T]) follows() bool { return k.options.EKFAC && k.inEigen[k.inverseNow] }

// next is the S of the estimate under way.
func (e *kroneckerEigen[T]) next() []T { return e.scales[(e.now+1)%len(e.scales)] }

func (k *Kronecker[T]) clearEigen() {
	if k.follows() {
		clear(k.eigen.next())
	}
}

// mixEigen makes the estimate S, times 1-keep and plus what S was times keep.
func (k *Kronecker[T]) mixEigen(keep float64) {
	if !k.follows() {
		return
	}
	e := k.eigen
	if keep > 0 {
		lerp(e.next(), T(keep), e.scales[e.now])
	}
	e.now = (e.now + 1) % len(e.scales)
}

// takeEigen adds the squares of gradients along the eigenvectors to the estimate of S.
func (k *Kronecker[T]) takeEigen(r *FactorRows[T]) {
	e, n := k.eigen, r.Examples*r.Positions
	bases := k.inverses[k.inverseNow]
	for _, i := range k.at[r.Tensor] {
		p := k.parts[i]
		in, out := bases[p.leftInv:], bases[p.rightInv:]
		if p.in == &p.right {
			in, out = out, in
		}
		if p.in.at >= 0 && r.In != nil {
			k.along(&e.in[i], p.in, in, r.In, p.first, n, p.one)
			if r.Positions == 1 {
				square(e.in[i][:n*p.in.n], 1)
			}
		}
		k.along(&e.out, p.out, out, r.Out, p.outAt, n, false)
		s := e.next()[e.at[i]:][:p.rows*p.cols]
		if p.in.at < 0 {
			e.addSquares(s, r, p.out.n)
			continue
		}
		left, right := e.in[i], e.out
		if p.in == &p.right {
			left, right = right, left
		}
		e.addProducts(k.products, s, left, right, p, r)
	}
}

// along sets dst to n rows, with a 1 behind them where there is one, times the basis [f.n, f.n].
func (k *Kronecker[T]) along(dst *[]T, f *kroneckerFactor, basis, rows []T, first, n int, one bool) {
	if len(*dst) < n*f.n {
		*dst = make([]T, n*f.n)
	}
	width, columns := len(rows)/n, f.n
	if one {
		columns--
	}
	s := productShape{n, f.n, columns, kernel.Mat{Row: width, Col: 1}, kernel.Mat{Row: f.n, Col: 1}, f.n}
	k.products.do(s, *dst, rows[first:], basis, false)
	if !one {
		return
	}
	last := basis[columns*f.n:][:f.n]
	for i := range n {
		kernel.Axpy((*dst)[i*f.n:][:f.n], 1, last)
	}
}

// square squares each element, times c.
func square[T Float](x []T, c T) {
	for i, v := range x {
		x[i] = c * v * v
	}
}

// addSquares adds the squares of examples' gradients that are sums of rows that come back alone.
func (e *kroneckerEigen[T]) addSquares(s []T, r *FactorRows[T], n int) {
	share := T(r.Share)
	for i := range r.Examples {
		for j := range n {
			sum := T(0)
			for p := range r.Positions {
				sum += e.out[(i*r.Positions+p)*n+j]
			}
			s[j] += share * sum * sum
		}
	}
}

// addProducts adds the squares of examples' gradients: sums over the positions of what is left times what is right.
func (e *kroneckerEigen[T]) addProducts(products *products[T], s, left, right []T, p *kroneckerPart, r *FactorRows[T]) {
	share := T(r.Share)
	if r.Positions == 1 { // the square of a product is the product of squares, of which what goes in is one already
		square(e.out[:r.Examples*p.out.n], share)
		shape := productShape{p.rows, p.cols, r.Examples, kernel.Mat{Row: 1, Col: p.rows}, kernel.Mat{Row: p.cols, Col: 1}, p.cols}
		products.do(shape, s, left, right, true)
		return
	}
	if len(e.one) < len(s) {
		e.one = make([]T, len(s))
	}
	one := e.one[:len(s)]
	shape := productShape{p.rows, p.cols, r.Positions, kernel.Mat{Row: 1, Col: p.rows}, kernel.Mat{Row: p.cols, Col: 1}, p.cols}
	for i := range r.Examples {
		at := i * r.Positions
		products.do(shape, one, left[at*p.rows:], right[at*p.cols:], false)
		for j, v := range one {
			s[j] += share * v * v
		}
	}
}
