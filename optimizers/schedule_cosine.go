package optimizers

import (
	"errors"
	"math"
)

// Cosine lowers the learning rate to EtaMin along half a cosine of TMax steps (Loshchilov & Hutter 2017, equation 5,
// without restarts):
//
//	lr = EtaMin + (base - EtaMin)·(1 + cos(π·step/TMax))/2
//
// Past TMax the rate climbs again, as torch.optim.lr_scheduler.CosineAnnealingLR has it. With its default settings it
// ends at 0 with the run. Final gives EtaMin as a share of the base rate. A good default for any method with a rate
// where the length of the run is known.
type Cosine struct {
	TMax   int     `set:"t_max" default:"0" range:"[0,inf)" help:"steps down to the lowest rate; 0: the whole run"`
	EtaMin float64 `set:"eta_min" default:"0" range:"[0,inf)" help:"lowest learning rate"`
	Final  float64 `set:"final" default:"0" range:"[0,inf)" help:"lowest learning rate over the highest, in place of eta_min"`
}

var _ Schedule = (*Cosine)(nil)

// Name is cosine.
func (*Cosine) Name() string { return "cosine" }

func (*Cosine) info() Info {
	return Info{Name: "cosine", Use: "down to (near) 0 over the run, slowly at both ends: the usual choice"}
}

func (s *Cosine) check() error { return oneLowest("cosine", s.EtaMin, s.Final) }

// oneLowest refuses a lowest rate that is given twice.
func oneLowest(schedule string, etaMin, final float64) error {
	if etaMin != 0 && final != 0 {
		return errors.New("optimizers: " + schedule + ": eta_min and final both say what the lowest rate is; give one of them")
	}
	return nil
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
	return &cosine{base, set.EtaMin + set.Final*base, length}, nil
}

type cosine struct {
	base, low float64
	length    int
}

func (c *cosine) At(step int) Rates {
	return Rates{LR: c.low + (c.base-c.low)*halfCosine(c.turn(step))}
}

// turn is the angle of a step over π. The whole turns are taken off first: the cosine of a large angle would be less
// exact.
func (c *cosine) turn(step int) float64 {
	return float64(step%(2*c.length)) / float64(c.length)
}

// after moves the rate it finds by what the cosine has done since the last step: its distance from the lowest rate
// shrinks in the same proportion. Out of the lowest point, where there is no proportion, the cosine's own rise is added.
func (c *cosine) after(step int, last Rates) Rates {
	switch {
	case step == 0:
	case (step-1)%(2*c.length) == c.length:
		last.LR += (c.base - c.low) * (1 - math.Cos(math.Pi/float64(c.length))) / 2
	default:
		last.LR = c.low + (last.LR-c.low)*halfCosine(c.turn(step))/halfCosine(c.turn(step-1))
	}
	return last
}
