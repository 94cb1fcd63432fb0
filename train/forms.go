package train

import (
	"fmt"

	"github.com/saddle-ml/saddle/autodiff"
	"github.com/saddle-ml/saddle/nn"
)

// formNodes lists what a program of forms computes for a direction v: J v and
// C J v.
func (c *program[T]) formNodes() ([]*autodiff.Node, error) {
	g := c.graph
	jv, err := autodiff.JVP([]*autodiff.Node{g.Output}, g.Params, c.v)
	if err != nil {
		return nil, err
	}
	h, err := g.OutputHessian(jv[0])
	if err != nil {
		return nil, err
	}
	return []*autodiff.Node{jv[0], h}, nil
}

// GaussNewtonForms sets dst[i·k+j] to v[i]' G v[j] for the k directions, G the
// Gauss-Newton matrix at the point of the last Linearize. It goes forward only:
// with J v the tangents of the outputs, v'G w is (J v)'C(J w), for half of the
// work of products, but of a model with a penalty.
func (s *sample[T]) GaussNewtonForms(dst []float64, v [][]T) error {
	k := len(v)
	if len(dst) != k*k {
		return fmt.Errorf("train: %d numbers for the forms of %d directions", len(dst), k)
	}
	if !s.linear {
		return fmt.Errorf("train: a product before Linearize has set a point")
	}
	for _, v := range v {
		if err := s.check(v, s.point); err != nil {
			return err
		}
	}
	if _, ok := s.programs.model.Loss().(nn.Penalised); ok || s.weights != nil {
		return s.formsByProducts(dst, v) // the penalty's part is not seen at the outputs, nor are weights
	}
	clear(dst)
	in, _ := sizes(s.programs.model)
	return s.each(func(ex, ey []T, row int) error {
		n := len(ex) / in
		c, err := s.programs.lookup(request{want: wantForms, size: n, copies: max(2, k)})
		if err != nil {
			return err
		}
		if err := c.on(ex, ey, s.point); err != nil {
			return err
		}
		c.Seed(s.seed, s.step, row)
		if err := c.Prepare(); err != nil {
			return err
		}
		for i := range v {
			if err := c.along(i, v[i]); err != nil {
				return err
			}
		}
		if err := c.RunCopies(k); err != nil {
			return err
		}
		share := float64(n) / float64(s.n)
		for i := range v {
			for j := range v {
				dst[i*k+j] += share * inner(c.OutputCopy(0, i), c.OutputCopy(1, j))
			}
		}
		return nil
	})
}

// formsByProducts multiplies each direction by the matrix.
func (s *sample[T]) formsByProducts(dst []float64, v [][]T) error {
	if len(s.form) != len(s.point) {
		s.form = make([]T, len(s.point))
	}
	for j := range v {
		if err := s.GaussNewtonMul(s.form, v[j]); err != nil {
			return err
		}
		for i := range v {
			dst[i*len(v)+j] = inner(v[i], s.form)
		}
	}
	return nil
}

// inner is the sum of products, in float64.
func inner[T Float](a, b []T) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}
