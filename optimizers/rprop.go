package optimizers

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Rprop goes by the signs of the gradient alone: each parameter has a step of its own, which grows while the sign stays and
// shrinks when it changes. With the gradient g at x and p the one before
//
//	s = clamp(s·Etas_1, StepSizes), p = 0       where p·g < 0
//	s = clamp(s·Etas_2, StepSizes), p = g       where p·g > 0
//	p = g                                        where p·g = 0
//	x = x - s·sign(p)
//
// all element by element, s LR at first (Riedmiller & Braun 1993, in the form without going back of Igel & Hüsken 2000,
// iRprop-), as torch.optim.Rprop has it, whose defaults these are. As LR is the size of the first steps only, no schedule
// can set it.
//
// For full batches and functions whose scale differs from parameter to parameter. Not for minibatches: their signs change by
// chance, and the steps shrink.
type Rprop struct {
	LR        float64   `set:"lr" default:"0.01" range:"(0,inf)" help:"size of the first steps"`
	Etas      []float64 `set:"etas" default:"0.5/1.2" range:"(0,inf)" help:"factors of a step that turned, below 1, and of one that did not, above 1"`
	StepSizes []float64 `set:"step_sizes" default:"1e-06/50" range:"[0,inf)" help:"the smallest and the largest step"`
}

var _ Method = (*Rprop)(nil)

// Name is rprop.
func (*Rprop) Name() string { return "rprop" }

func (*Rprop) info() Info {
	return Info{Name: "rprop", Memory: 3, DefaultLR: 0.01, Use: "full batches: goes by signs alone, whatever the scale"}
}

func (m *Rprop) check() error {
	if e := m.Etas; len(e) != 2 || e[0] >= 1 || e[1] <= 1 {
		return fmt.Errorf("optimizers: rprop: etas are %v; allowed are two numbers, one below 1 and one above", e)
	}
	if s := m.StepSizes; len(s) != 2 || s[0] > s[1] {
		return fmt.Errorf("optimizers: rprop: step_sizes are %v; allowed are two numbers, the smaller one first", s)
	}
	return nil
}

func (m *Rprop) start32(l Layout) (Optimizer[float32], error) { return startRprop[float32](m, l) }
func (m *Rprop) start64(l Layout) (Optimizer[float64], error) { return startRprop[float64](m, l) }

func startRprop[T Float](m *Rprop, l Layout) (Optimizer[T], error) {
	s, err := resolve("rprop", m)
	if err != nil {
		return nil, err
	}
	o := &rprop[T]{}
	o.c = kernel.RpropCoefficients[T]{Down: T(s.Etas[0]), Up: T(s.Etas[1]), Bottom: T(s.StepSizes[0]), Top: T(s.StepSizes[1])}
	o.init("rprop", l, o)
	o.before, o.sizes = o.keep("prev"), o.keep("step_size")
	for i := range o.sizes {
		o.sizes[i] = T(s.LR)
	}
	return o, nil
}

type rprop[T Float] struct {
	elementwise[T]
	before, sizes []T // the gradient of the step before, 0 where it turned, and the sizes of the steps
	c             kernel.RpropCoefficients[T]
}

func (o *rprop[T]) prepare(int, []T) {}

func (o *rprop[T]) update(x, g []T, i int) {
	kernel.RpropUpdate(x, g, block(o.before, i), block(o.sizes, i), o.c)
}
