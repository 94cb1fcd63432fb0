package optimizers

// Constant multiplies the learning rate by Factor for the first TotalIters steps, and leaves it alone from then on:
//
//	lr = base·Factor     step < TotalIters, or TotalIters = 0
//	lr = base            otherwise
//
// With its default settings it leaves the rate alone throughout. torch.optim.lr_scheduler.ConstantLR is the same rule,
// but its own defaults are a third for 5 steps.
type Constant struct {
	Factor     float64 `set:"factor" default:"1" range:"[0,1]" help:"times the learning rate"`
	TotalIters int     `set:"total_iters" default:"0" range:"[0,inf)" help:"steps with the factor; 0: all"`
}

var _ Schedule = (*Constant)(nil)

// Name is constant.
func (*Constant) Name() string { return "constant" }

func (*Constant) info() Info {
	return Info{Name: "constant", Use: "the same learning rate throughout, or a smaller one at first"}
}

// Start gives the course of one run.
func (s *Constant) Start(_ int, base float64) (Course, error) {
	set, err := resolve("constant", s)
	if err != nil {
		return nil, err
	}
	return &scaling{base, func(step int) float64 {
		if set.TotalIters == 0 || step < set.TotalIters {
			return set.Factor
		}
		return 1
	}}, nil
}
