package optimizers

import "math"

// Cosine lowers the learning rate to EtaMin along half a cosine of TMax steps (Loshchilov & Hutter 2017, equation 5,
// without restarts):
//
//	lr = EtaMin + (base - EtaMin)·(1 + cos(π·step/TMax))/2
//
// Past TMax the rate climbs again, as torch.optim.lr_scheduler.CosineAnnealingLR has it. With its default settings it
// ends at 0 with the run. A good default for any method with a rate where the length of the run is known.
type Cosine struct {
	TMax   int     `set:"t_max" default:"0" range:"[0,inf)" help:"steps down to the lowest rate; 0: the whole run"`
	EtaMin float64 `set:"eta_min" default:"0" range:"[0,inf)" help:"lowest learning rate"`
}

var _ Schedule = (*Cosine)(nil)

// Name is cosine.
func (*Cosine) Name() string { return "cosine" }

func (*Cosine) info() Info {
	return Info{Name: "cosine", Use: "down to (near) 0 over the run, slowly at both ends: the usual choice"}
}

// Start gives the course of one run.
func (s *Cosine) Start(n int, base float64) (Course, error) {
	set, err := resolve("cosine", s)
	if err != nil {
		return nil, err
	}
	length, err := runLength("cosine", "t_max", set.TMax, n)
	if err != nil {
		return nil, err
	}
	return course(func(step int) Rates {
		// The whole turns are taken off first: the cosine of a large angle would be less exact.
		turn := float64(step%(2*length)) / float64(length)
		return Rates{LR: set.EtaMin + (base-set.EtaMin)*(1+math.Cos(math.Pi*turn))/2}
	}), nil
}
