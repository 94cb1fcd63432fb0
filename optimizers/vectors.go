package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// vectors is the method of the tensors that a method for matrices leaves: AdamW or plain SGD.
type vectors[T Float] struct {
	of     *elementwise[T]
	adam   bool
	runs   []run
	mean   []T // AdamW's, in the place of each tensor
	square []T // of one stretch after the other
}

// vectorSettings are those of AdamW; SGD has the decay alone.
type vectorSettings struct{ beta1, beta2, eps, decay float64 }

// newVectors prepares it for stretches of the parameters. mean has an element for each parameter of the layout.
func newVectors[T Float](of *elementwise[T], adam bool, runs []run, mean []T) *vectors[T] {
	v := &vectors[T]{of: of, adam: adam, runs: runs, mean: mean}
	if adam {
		v.square = of.keepSome("vector_exp_avg_sq", sizeOf(runs))
	}
	return v
}

// step is step t at a rate.
func (v *vectors[T]) step(t int, x []T, lr float64, s vectorSettings) {
	c := math.Sqrt(unbiased(s.beta2, t))
	a := kernel.AdamCoefficients[T]{
		Fresh1: T(1 - s.beta1), Beta2: T(s.beta2), Fresh2: T(1 - s.beta2),
		Rate: T(lr * c / unbiased(s.beta1, t)), Eps: T(s.eps * c), Keep: T(1 - lr*s.decay),
	}
	at := 0
	for _, r := range v.runs {
		x, g := x[r.from:r.to], v.of.grad[r.from:r.to]
		if !v.adam {
			if s.decay != 0 {
				scale(x, a.Keep)
			}
			axpy(x, T(-lr), g)
			continue
		}
		n := r.to - r.from
		kernel.AdamUpdate(x, g, v.mean[r.from:r.to], v.square[at:at+n], a)
		at += n
	}
}
