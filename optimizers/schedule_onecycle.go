package optimizers

import "math"

// OneCycle raises the learning rate to its peak and lowers it far below where it began, while the momentum goes the
// other way (Smith & Topin 2018). With peak = MaxLR, low = peak/DivFactor, end = low/FinalDivFactor and p = PctStart·n:
//
//	steps 0 to p-1        low to peak      MaxMomentum to BaseMomentum
//	steps p-1 to n-1      peak to end      BaseMomentum to MaxMomentum
//
// With ThreePhase the second leg ends at low, after as many steps as the first took, and a third goes on to end with
// MaxMomentum. A leg runs along half a cosine or a line. After step n-1 the last rate stays. This is
// torch.optim.lr_scheduler.OneCycleLR with its defaults, except that a method without momentum is given none.
//
// The peak is the method's own learning rate unless MaxLR is set, and may be several times what a constant rate could
// be. For short training; not where the length of the run is open.
type OneCycle struct {
	MaxLR          float64 `set:"max_lr" default:"0" range:"[0,inf)" help:"peak learning rate; 0: the method's own"`
	TotalSteps     int     `set:"total_steps" default:"0" range:"[0,inf)" help:"steps of the cycle; 0: the whole run"`
	PctStart       float64 `set:"pct_start" default:"0.3" range:"[0,1]" help:"share of the steps that raise the rate"`
	Anneal         string  `set:"anneal" default:"cos" oneof:"cos|linear" help:"form of each leg"`
	CycleMomentum  Toggle  `set:"cycle_momentum" default:"true" help:"cycle the momentum too"`
	BaseMomentum   float64 `set:"base_momentum" default:"0.85" range:"[0,1)" help:"momentum at the peak"`
	MaxMomentum    float64 `set:"max_momentum" default:"0.95" range:"[0,1)" help:"momentum at both ends"`
	DivFactor      float64 `set:"div_factor" default:"25" range:"(0,inf)" help:"peak rate over first rate"`
	FinalDivFactor float64 `set:"final_div_factor" default:"10000" range:"(0,inf)" help:"first rate over last rate"`
	ThreePhase     bool    `set:"three_phase" default:"false" help:"down to the first rate, then in a third leg to the last"`
}

var _ Schedule = (*OneCycle)(nil)

// Name is onecycle.
func (*OneCycle) Name() string { return "onecycle" }

func (*OneCycle) info() Info {
	return Info{Name: "onecycle", Use: "up to a high peak and down: short training that ends on time"}
}

// Start gives the course of one run.
func (s *OneCycle) Start(n int, base float64) (Course, error) {
	set, err := resolve("onecycle", s)
	if err != nil {
		return nil, err
	}
	length, err := runLength("onecycle", "total_steps", set.TotalSteps, n)
	if err != nil {
		return nil, err
	}
	peak := set.MaxLR
	if peak == 0 {
		peak = base
	}
	low := peak / set.DivFactor
	up, last := set.PctStart*float64(length)-1, float64(length-1)
	legs := []leg{
		{up, low, peak, set.MaxMomentum, set.BaseMomentum},
		{last, peak, low / set.FinalDivFactor, set.BaseMomentum, set.MaxMomentum},
	}
	if set.ThreePhase {
		legs = []leg{
			legs[0],
			{2 * up, peak, low, set.BaseMomentum, set.MaxMomentum},
			{last, low, low / set.FinalDivFactor, set.MaxMomentum, set.MaxMomentum},
		}
	}
	return &oneCycle{legs, set.Anneal == "linear", set.CycleMomentum == On}, nil
}

// leg is one stretch of the cycle: its last step, and what it goes from and to.
type leg struct{ end, fromLR, toLR, fromMomentum, toMomentum float64 }

type oneCycle struct {
	legs   []leg
	linear bool
	cycles bool
}

func (c *oneCycle) At(step int) Rates {
	at, begin := float64(step), 0.0
	for i, l := range c.legs {
		if at > l.end && i < len(c.legs)-1 {
			begin = l.end
			continue
		}
		done := 1.0 // also of a leg of no length
		if at < l.end {
			done = (at - begin) / (l.end - begin)
		}
		return Rates{c.between(l.fromLR, l.toLR, done), c.between(l.fromMomentum, l.toMomentum, done), c.cycles}
	}
	return Rates{}
}

// between is where a leg is when that share of it is done.
func (c *oneCycle) between(from, to, done float64) float64 {
	if c.linear {
		return from + (to-from)*done
	}
	return to + (from-to)*(1+math.Cos(math.Pi*done))/2
}
