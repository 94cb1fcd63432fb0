package train

import (
	"errors"
	"fmt"
)

// Linearize sets the point of the products.
func (s *sample[T]) Linearize(x []T) error {
	if err := s.check(nil, x); err != nil {
		return err
	}
	s.point, s.linear = append(s.point[:0], x...), true
	s.stamp++
	return nil
}

// HessianMul sets dst to the product of the Hessian of the mean loss and v.
func (s *sample[T]) HessianMul(dst, v []T) error {
	s.one[0], s.one[1] = dst, v
	return s.multiply(wantHessian, s.one[:1], s.one[1:])
}

// GaussNewtonMul sets dst to the product of the Gauss-Newton matrix and v.
func (s *sample[T]) GaussNewtonMul(dst, v []T) error {
	s.one[0], s.one[1] = dst, v
	return s.multiply(wantGaussNewton, s.one[:1], s.one[1:])
}

// StructuralMul sets dst to the product of the matrix of structural damping and v.
func (s *sample[T]) StructuralMul(dst, v []T) error {
	if !s.programs.model.HasHidden() {
		return errors.New("train: the network marks no hidden states for structural damping")
	}
	s.one[0], s.one[1] = dst, v
	return s.multiply(wantStructural, s.one[:1], s.one[1:])
}

// HessianMuls sets each dst to the product of the Hessian and the v beside it.
func (s *sample[T]) HessianMuls(dst, v [][]T) error { return s.multiply(wantHessian, dst, v) }

// GaussNewtonMuls sets each dst to the product of the Gauss-Newton matrix and the
// v beside it.
func (s *sample[T]) GaussNewtonMuls(dst, v [][]T) error { return s.multiply(wantGaussNewton, dst, v) }

// maxCopies is how many directions a program multiplies at once.
const maxCopies = 8

// maxHeld bounds the memory, in bytes, of the linearisations that are held for
// the parts of one sample. Those of further parts are computed for each product.
const maxHeld = 1 << 30

func (s *sample[T]) multiply(w want, dst, v [][]T) error {
	if !s.linear {
		return fmt.Errorf("train: a product before Linearize has set a point")
	}
	if len(dst) != len(v) {
		return fmt.Errorf("train: %d results for %d directions", len(dst), len(v))
	}
	for i := range v {
		if err := s.check(dst[i], v[i]); err != nil {
			return err
		}
	}
	for len(v) > maxCopies {
		if err := s.multiplySome(w, dst[:maxCopies], v[:maxCopies]); err != nil {
			return err
		}
		dst, v = dst[maxCopies:], v[maxCopies:]
	}
	if len(v) == 0 {
		return nil
	}
	return s.multiplySome(w, dst, v)
}

// multiplySome multiplies at most maxCopies directions.
func (s *sample[T]) multiplySome(w want, dst, v [][]T) error {
	if s.weights != nil {
		var err error
		if w, err = weighted(w); err != nil {
			return err
		}
	}
	r := request{want: w, copies: 1}
	if len(v) > 1 {
		r.copies = maxCopies
	}
	in, _ := sizes(s.programs.model)
	part, held := 0, 1
	return s.each(func(ex, ey []T, row int) error {
		r.size, r.part = len(ex)/in, part
		if part >= held {
			r.part = held - 1
		}
		c, err := s.programs.lookup(r)
		if err != nil {
			return err
		}
		if part == 0 {
			held = max(1, maxHeld/max(1, c.Bytes()))
		}
		// Examples may have moved, even where the linearisation stays.
		if err := c.on(ex, ey, s.point); err != nil {
			return err
		}
		if c.holder != s || c.stamp != s.stamp || c.row != row {
			c.Seed(s.seed, s.step, row)
			c.holder = nil
			if s.weights != nil {
				if err := c.Set(c.weights, s.weights[row:row+r.size]); err != nil {
					return err
				}
			}
			if err := c.Prepare(); err != nil {
				return err
			}
			c.holder, c.stamp, c.row = s, s.stamp, row
		}
		for i := range v {
			to := dst[i]
			if r.size != s.n {
				if s.scratch[i] == nil {
					s.scratch[i] = make([]T, len(to))
				}
				to = s.scratch[i]
			}
			if err := errors.Join(c.along(i, v[i]), c.into(i, to)); err != nil {
				return err
			}
		}
		if err := c.RunCopies(len(v)); err != nil {
			return err
		}
		if r.size != s.n {
			for i := range v {
				accumulate(dst[i], s.scratch[i], T(float64(r.size)/float64(s.n)), part == 0)
			}
		}
		part++
		return nil
	})
}
