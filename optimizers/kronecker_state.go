package optimizers

import "fmt"

// A Kronecker's part of a State: the factors with the diagonals, and what Invert has left. Bases of eigenvectors have
// the curvature along them beside them.

// shape adds what a state has to hold.
func (k *Kronecker[T]) shape(s *shape) {
	s.scalars = append(s.scalars, "inverse_damping", "eigenvectors")
	s.vectors["factors"], s.vectors["inverses"] = len(k.factors[0]), len(k.inverses[0])
	if k.eigen != nil {
		s.vectors["eigenvalues"] = len(k.eigen.scales[0])
	}
}

// save adds it to a state.
func (k *Kronecker[T]) save(s *State[T]) {
	s.Scalars["inverse_damping"], s.Scalars["eigenvectors"] = k.damping[k.inverseNow], 0
	if k.inEigen[k.inverseNow] {
		s.Scalars["eigenvectors"] = 1
	}
	s.Vectors["factors"] = append([]T{}, k.factors[k.now]...)
	s.Vectors["inverses"] = append([]T{}, k.inverses[k.inverseNow]...)
	if k.eigen != nil {
		s.Vectors["eigenvalues"] = append([]T{}, k.eigen.scales[k.eigen.now]...)
	}
}

// load goes back to a state that has the shape.
func (k *Kronecker[T]) load(s State[T]) error {
	d, e := s.Scalars["inverse_damping"], s.Scalars["eigenvectors"]
	if !(d >= 0) || !finite(d) || e != 0 && (e != 1 || k.eigen == nil) {
		return fmt.Errorf("optimizers: state of %s: inverses with damping %v, eigenvectors %v; allowed are numbers from 0, and 0 or, where there are any, 1", s.Method, d, e)
	}
	copy(k.factors[k.now], s.Vectors["factors"])
	copy(k.inverses[k.inverseNow], s.Vectors["inverses"])
	k.damping[k.inverseNow], k.inEigen[k.inverseNow] = d, e == 1
	if k.eigen != nil {
		copy(k.eigen.scales[k.eigen.now], s.Vectors["eigenvalues"])
	}
	return nil
}

// kroneckerMark is where a step began, to go back to after an error: at most one Update and one Invert later.
type kroneckerMark struct{ now, inverseNow, eigenNow int }

func (k *Kronecker[T]) mark() kroneckerMark {
	m := kroneckerMark{now: k.now, inverseNow: k.inverseNow}
	if k.eigen != nil {
		m.eigenNow = k.eigen.now
	}
	return m
}

func (k *Kronecker[T]) back(m kroneckerMark) {
	k.now, k.inverseNow = m.now, m.inverseNow
	if k.eigen != nil {
		k.eigen.now = m.eigenNow
	}
}
