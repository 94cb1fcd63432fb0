package optimizers

import "math"

// Step multiplies the learning rate by Gamma after every StepSize steps:
//
//	lr = base·Gamma^floor(step/StepSize)
//
// as torch.optim.lr_scheduler.StepLR has it, whose Gamma is the default. With unit=epoch it is the schedule of the early
// convolutional nets.
type Step struct {
	StepSize int     `set:"step_size" default:"0" range:"[0,inf)" help:"steps between cuts; 0: a third of the run"`
	Gamma    float64 `set:"gamma" default:"0.1" range:"[0,inf)" help:"times the learning rate at each cut"`
}

var _ Schedule = (*Step)(nil)

// Name is step.
func (*Step) Name() string { return "step" }

func (*Step) info() Info {
	return Info{Name: "step", Use: "a cut after every so many steps or epochs"}
}

// Start gives the course of one run.
func (s *Step) Start(n int, base float64) (Course, error) {
	set, err := resolve("step", s)
	if err != nil {
		return nil, err
	}
	size, err := runLength("step", "step_size", set.StepSize, (n+2)/3)
	if err != nil {
		return nil, err
	}
	return &scaling{base, func(step int) float64 { return math.Pow(set.Gamma, float64(step/size)) }}, nil
}
