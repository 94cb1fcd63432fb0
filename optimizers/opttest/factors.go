package opttest

import (
	"math"
	"math/rand/v2"

	"github.com/saddle-ml/saddle/optimizers"
)

// shown is what a sample has shown of its layer.
type shown[T optimizers.Float] struct {
	rows    optimizers.FactorRows[T]
	in, out []T
	grad    [parameters]T
}

// Passes is 1: there is one output.
func (s *sample[T]) Passes(optimizers.Targets) int { return 1 }

// Factors shows the inputs and the derivatives by w'a as those of a block, and what comes back to the other tensors.
func (s *sample[T]) Factors(x []T, t optimizers.Targets, _ bool, f func(*optimizers.FactorRows[T]) error) error {
	if err := s.call("Factors", int(optimizers.WorkFactors(s.Passes(t)))); err != nil {
		return err
	}
	var point, sum [parameters]float64
	widen(point[:], x)
	var random rand.PCG
	w, n := &s.shown, float64(len(s.rows))
	w.in, w.out = w.in[:0], w.out[:0]
	for _, row := range s.rows {
		p := s.of.output(row, &point)
		back := p * (1 - p) / math.Sqrt(n)
		if t == optimizers.TargetsEmpirical {
			back *= p - s.of.targets[row]
		}
		random.Seed(s.of.step, uint64(row))
		sign := float64(random.Uint64()>>63)*2 - 1
		s.of.add(&sum, row, sign*back)
		w.out = append(w.out, T(sign*back))
		for _, a := range s.of.inputs[row] {
			w.in = append(w.in, T(a))
		}
	}
	for i, v := range sum {
		w.grad[i] = T(v)
	}
	w.rows = optimizers.FactorRows[T]{Share: 1, Examples: len(s.rows), Positions: 1, In: w.in, Out: w.out}
	if err := f(&w.rows); err != nil {
		return err
	}
	ends := [...]int{features, biasAt, parameters}
	for i := range 2 {
		w.rows = optimizers.FactorRows[T]{Tensor: i + 1, Share: 1, Examples: len(s.rows), Positions: 1, Grad: w.grad[ends[i]:ends[i+1]]}
		if err := f(&w.rows); err != nil {
			return err
		}
	}
	return nil
}
