package optimizers

import "fmt"

// ScheduleFunc is a function as a Schedule: the learning rate of a step in a run of n around the base rate. It is what
// torch.optim.lr_scheduler.LambdaLR is, with the base rate in the function's hands.
type ScheduleFunc func(step, n int, base float64) float64

// Name is func.
func (ScheduleFunc) Name() string { return "func" }

// Start gives the course of f.
func (f ScheduleFunc) Start(n int, base float64) (Course, error) {
	if f == nil {
		return nil, fmt.Errorf("optimizers: no schedule given (the function is nil)")
	}
	return course(func(step int) Rates { return Rates{LR: f(step, n, base)} }), nil
}

// MultiplicativeFunc is a function as a Schedule: what each step from 1 on multiplies the learning rate of the one before
// it by, as torch.optim.lr_scheduler.MultiplicativeLR has it.
type MultiplicativeFunc func(step int) float64

// Name is multiplicative.
func (MultiplicativeFunc) Name() string { return "multiplicative" }

// Start gives the course of f.
func (f MultiplicativeFunc) Start(_ int, base float64) (Course, error) {
	if f == nil {
		return nil, fmt.Errorf("optimizers: multiplicative: no schedule given (the function is nil)")
	}
	return newRecursion(base, func(step int, last Rates) Rates {
		if step > 0 {
			last.LR *= f(step)
		}
		return last
	}), nil
}
