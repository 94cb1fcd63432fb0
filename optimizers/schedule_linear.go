package optimizers

// Linear takes the learning rate from one factor to another along a line of TotalIters steps, and leaves it there:
//
//	lr = base·(StartFactor + (EndFactor - StartFactor)·min(step/TotalIters, 1))
//
// as torch.optim.lr_scheduler.LinearLR has it, whose defaults these are. As a warm-up it comes before another schedule
// in a Sequential, or is spelled shorter by the warmup of Scheduled. Down to 0 over the run it is
// linear:start_factor=1,end_factor=0,total_iters=0.
type Linear struct {
	StartFactor float64 `set:"start_factor" default:"0.3333333333333333" range:"(0,1]" help:"times the learning rate at first"`
	EndFactor   float64 `set:"end_factor" default:"1" range:"[0,1]" help:"times the learning rate in the end"`
	TotalIters  int     `set:"total_iters" default:"5" range:"[0,inf)" help:"steps from one to the other; 0: the whole run"`
}

var _ Schedule = (*Linear)(nil)

// Name is linear.
func (*Linear) Name() string { return "linear" }

func (*Linear) info() Info {
	return Info{Name: "linear", Use: "along a line from one factor to another: a warm-up, or down to 0"}
}

// Start gives the course of one run.
func (s *Linear) Start(n int, base float64) (Course, error) {
	set, err := resolve("linear", s)
	if err != nil {
		return nil, err
	}
	length, err := runLength("linear", "total_iters", set.TotalIters, n)
	if err != nil {
		return nil, err
	}
	return &scaling{base, func(step int) float64 {
		return set.StartFactor + (set.EndFactor-set.StartFactor)*(float64(min(step, length))/float64(length))
	}}, nil
}
