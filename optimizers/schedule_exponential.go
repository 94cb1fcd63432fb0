package optimizers

import "math"

// Exponential multiplies the learning rate by Gamma after every step:
//
//	lr = base·Gamma^step
//
// as torch.optim.lr_scheduler.ExponentialLR has it. Without Gamma the rate falls to a hundredth over the run.
type Exponential struct {
	Gamma float64 `set:"gamma" default:"0.01^(1/steps of the run)" range:"[0,inf)" help:"times the learning rate after each step"`
}

var _ Schedule = (*Exponential)(nil)

// Name is exponential.
func (*Exponential) Name() string { return "exponential" }

func (*Exponential) info() Info {
	return Info{Name: "exponential", Use: "down by the same factor at every step or epoch"}
}

// Start gives the course of one run.
func (s *Exponential) Start(n int, base float64) (Course, error) {
	set, err := resolve("exponential", s)
	if err != nil {
		return nil, err
	}
	if s.Gamma == 0 {
		length, err := runLength("exponential", "gamma", 0, n)
		if err != nil {
			return nil, err
		}
		set.Gamma = math.Pow(0.01, 1/float64(length))
	}
	return &scaling{base, func(step int) float64 { return math.Pow(set.Gamma, float64(step)) }}, nil
}
