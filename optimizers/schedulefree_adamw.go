package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// ScheduleFreeAdamW is AdamW that needs no schedule: it averages its iterates and takes gradients near the average. With
// the minibatch gradient g at y, where training stands, z = x = y at first, and t = 1, 2, ...
//
//	v = Beta2·v + (1-Beta2)·g²
//	z = z - LR·(g/(sqrt(v/(1-Beta2^t)) + Eps) + WeightDecay·y)
//	x = (1-c)·x + c·z             c = w_t/(w_1 + ... + w_t),  w_t = t^R·(largest rate so far)^WeightLRPower
//	y = (1-Beta1)·z + Beta1·x
//
// the first two element by element (Defazio et al. 2024, Algorithm 1), as the authors' code has it, whose defaults these
// are. x, the weights to use, is what [Averaging] gives.
//
// For when the length of the run is not known; WarmupSteps of a few per cent of it help. With batch normalisation every
// evaluation begins with a pass for the statistics at x: see [Restated].
type ScheduleFreeAdamW struct {
	LR            float64 `set:"lr" default:"0.0025" range:"[0,inf)" help:"learning rate"`
	Beta1         float64 `set:"beta1" default:"0.9" range:"(0,1)" help:"share of the average in the point where gradients are taken"`
	Beta2         float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of the squared gradient"`
	Eps           float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay   float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of that point that each step takes away"`
	WarmupSteps   int     `set:"warmup_steps" default:"0" range:"[0,inf)" help:"steps in which the rate grows from 0"`
	R             float64 `set:"r" default:"0" range:"[0,inf)" help:"the power of the step's number in the weights of the average"`
	WeightLRPower float64 `set:"weight_lr_power" default:"2" range:"[0,inf)" help:"the power of the largest rate so far in them"`
}

var _ Method = (*ScheduleFreeAdamW)(nil)

// Name is schedule_free_adamw.
func (*ScheduleFreeAdamW) Name() string { return "schedule_free_adamw" }

func (*ScheduleFreeAdamW) info() Info {
	return Info{Name: "schedule_free_adamw", Memory: 3, DefaultLR: 0.0025, Use: "adamw without a schedule: the length of the run need not be known"}
}

func (m *ScheduleFreeAdamW) start32(l Layout) (Optimizer[float32], error) {
	return startScheduleFreeAdamW[float32](m, l)
}
func (m *ScheduleFreeAdamW) start64(l Layout) (Optimizer[float64], error) {
	return startScheduleFreeAdamW[float64](m, l)
}

func startScheduleFreeAdamW[T Float](m *ScheduleFreeAdamW, l Layout) (Optimizer[T], error) {
	s, err := resolve("schedule_free_adamw", m)
	if err != nil {
		return nil, err
	}
	o := &freeAdamW[T]{set: s}
	o.init("schedule_free_adamw", l, o)
	o.begin(s.LR, s.Beta1, s.WarmupSteps, s.R, s.WeightLRPower)
	o.square = o.keep("exp_avg_sq")
	return o, nil
}

type freeAdamW[T Float] struct {
	free[T]
	set    ScheduleFreeAdamW
	square []T
	c      kernel.AveragedAdamCoefficients[T]
}

var _ Averaging[float32] = (*freeAdamW[float32])(nil)

func (o *freeAdamW[T]) prepare(t int, x []T) {
	rate, share := o.next(t, x)
	c := math.Sqrt(unbiased(o.set.Beta2, t)) // both sides of the fraction times c, as in Adam
	o.c = kernel.AveragedAdamCoefficients[T]{
		Beta2: T(o.set.Beta2), Fresh2: T(1 - o.set.Beta2), Scale: T(c), Eps: T(o.set.Eps * c), Decay: T(o.set.WeightDecay),
		Share: T(share), Mixed: T(rate * (1 - o.beta*(1-share))), Rate: T(rate),
	}
}

func (o *freeAdamW[T]) update(x, g []T, i int) {
	kernel.AveragedAdamUpdate(x, g, block(o.z, i), block(o.square, i), o.c)
}
