package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// ScheduleFreeSGD is SGD that needs no schedule: it averages its iterates and takes gradients near the average. With the
// minibatch gradient at y, where training stands, g = gradient + WeightDecay·y, and z = x = y at first
//
//	z = z - LR·g
//	x = (1-c)·x + c·z             c = w_t/(w_1 + ... + w_t),  w_t = t^R·(largest rate so far)^WeightLRPower
//	y = (1-Momentum)·z + Momentum·x
//
// (Defazio et al. 2024, equations 1 to 3), as the authors' code has it, whose defaults these are: 1 for all c would be
// plain SGD, 1/t is the mean. x, the weights to use, is what [Averaging] gives.
//
// For when the length of the run is not known, at rates of ten times SGD's with momentum. With batch normalisation every
// evaluation begins with a pass for the statistics at x: see [Restated].
type ScheduleFreeSGD struct {
	LR            float64 `set:"lr" default:"1" range:"[0,inf)" help:"learning rate"`
	Momentum      float64 `set:"momentum" default:"0.9" range:"(0,1)" help:"share of the average in the point where gradients are taken"`
	WeightDecay   float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times that point, added to the gradient (L2 penalty)"`
	WarmupSteps   int     `set:"warmup_steps" default:"0" range:"[0,inf)" help:"steps in which the rate grows from 0"`
	R             float64 `set:"r" default:"0" range:"[0,inf)" help:"the power of the step's number in the weights of the average"`
	WeightLRPower float64 `set:"weight_lr_power" default:"2" range:"[0,inf)" help:"the power of the largest rate so far in them"`
}

var _ Method = (*ScheduleFreeSGD)(nil)

// Name is schedule_free_sgd.
func (*ScheduleFreeSGD) Name() string { return "schedule_free_sgd" }

func (*ScheduleFreeSGD) info() Info {
	return Info{Name: "schedule_free_sgd", Memory: 2, DefaultLR: 1, Use: "sgd without a schedule: the length of the run need not be known"}
}

func (m *ScheduleFreeSGD) start32(l Layout) (Optimizer[float32], error) {
	return startScheduleFreeSGD[float32](m, l)
}
func (m *ScheduleFreeSGD) start64(l Layout) (Optimizer[float64], error) {
	return startScheduleFreeSGD[float64](m, l)
}

func startScheduleFreeSGD[T Float](m *ScheduleFreeSGD, l Layout) (Optimizer[T], error) {
	s, err := resolve("schedule_free_sgd", m)
	if err != nil {
		return nil, err
	}
	o := &freeSGD[T]{decay: s.WeightDecay}
	o.init("schedule_free_sgd", l, o)
	o.begin(s.LR, s.Momentum, s.WarmupSteps, s.R, s.WeightLRPower)
	return o, nil
}

type freeSGD[T Float] struct {
	free[T]
	decay float64
	c     kernel.AveragedCoefficients[T]
}

var _ Averaging[float32] = (*freeSGD[float32])(nil)

func (o *freeSGD[T]) prepare(t int, x []T) {
	rate, share := o.next(t, x)
	o.c = kernel.AveragedCoefficients[T]{
		Decay: T(o.decay), Share: T(share), Mixed: T(rate * (1 - o.beta*(1-share))), Rate: T(rate),
	}
}

func (o *freeSGD[T]) update(x, g []T, i int) { kernel.AveragedUpdate(x, g, block(o.z, i), o.c) }
