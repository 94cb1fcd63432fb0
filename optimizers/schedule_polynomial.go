package optimizers

import "math"

// Polynomial lowers the learning rate to 0 over TotalIters steps, along a line or a power of one:
//
//	lr = base·(1 - min(step/TotalIters, 1))^Power
//
// torch.optim.lr_scheduler.PolynomialLR is the same rule, but its own default is 5 steps, after which the rate is 0.
type Polynomial struct {
	TotalIters int     `set:"total_iters" default:"0" range:"[0,inf)" help:"steps down to 0; 0: the whole run"`
	Power      float64 `set:"power" default:"1" range:"[0,inf)" help:"1: a line; above: faster at first"`
}

var _ Schedule = (*Polynomial)(nil)

// Name is polynomial.
func (*Polynomial) Name() string { return "polynomial" }

func (*Polynomial) info() Info {
	return Info{Name: "polynomial", Use: "to 0 over the run, along a line or faster at first: segmentation, BERT"}
}

// Start gives the course of one run.
func (s *Polynomial) Start(n int, base float64) (Course, error) {
	set, err := resolve("polynomial", s)
	if err != nil {
		return nil, err
	}
	length, err := runLength("polynomial", "total_iters", set.TotalIters, n)
	if err != nil {
		return nil, err
	}
	return &scaling{base, func(step int) float64 {
		return math.Pow(1-float64(min(step, length))/float64(length), set.Power)
	}}, nil
}
