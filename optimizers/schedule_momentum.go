package optimizers

import (
	"math"
	"slices"
)

// Sutskever lets the momentum rise while the learning rate stays (Sutskever, Martens, Dahl & Hinton 2013, equation 5):
//
//	momentum = min(1 - 2^(-1 - log2(floor(step/Period) + 1)), MaxMomentum)
//
// that is 1/2, 3/4, 5/6, 7/8, ... for Period steps each. The last FinalSteps have FinalMomentum, as the paper does for
// its last 1000 updates: a lower momentum at the end brings the loss down once more.
//
// For Nesterov momentum on deep nets that are hard to start, such as autoencoders. The learning rate may have a
// schedule beside it: chained:schedules=cosine/sutskever.
type Sutskever struct {
	MaxMomentum   float64 `set:"max_momentum" default:"0.99" range:"[0,1)" help:"highest momentum"`
	Period        int     `set:"period" default:"250" range:"[1,inf)" help:"steps with the same momentum"`
	FinalSteps    int     `set:"final_steps" default:"0" range:"[0,inf)" help:"steps at the end with final_momentum"`
	FinalMomentum float64 `set:"final_momentum" default:"0.9" range:"[0,1)" help:"momentum of those"`
}

var _ Schedule = (*Sutskever)(nil)

// Name is sutskever.
func (*Sutskever) Name() string { return "sutskever" }

func (*Sutskever) info() Info {
	return Info{Name: "sutskever", Use: "momentum from 0.5 up to 0.99: Nesterov on autoencoders and the like"}
}

// Start gives the course of one run.
func (s *Sutskever) Start(n int, base float64) (Course, error) {
	set, err := resolve("sutskever", s)
	if err != nil {
		return nil, err
	}
	last, err := lastSteps("sutskever", set.FinalSteps, n)
	if err != nil {
		return nil, err
	}
	return &turning{base, func(step int) float64 {
		if step >= last {
			return set.FinalMomentum
		}
		return min(1-0.5/float64(step/set.Period+1), set.MaxMomentum)
	}}, nil
}

// lastSteps is the first of so many steps at the end of the run.
func lastSteps(schedule string, steps, n int) (int, error) {
	if steps == 0 {
		return math.MaxInt, nil
	}
	length, err := runLength(schedule, "final_steps=0", 0, n)
	if err != nil {
		return 0, err
	}
	return max(0, length-steps), nil
}

// MomentumDecay lets the momentum fall while the learning rate stays:
//
//	momentum = Momentum·Gamma^step
//
// as the analyses for online convex losses want it (Kingma & Ba 2015, theorem 4.1, for Adam; Lucas et al. 2019 for every
// velocity of AggMo; Gamma is their λ). The last FinalSteps have FinalMomentum, as the last epochs of AggMo's code.
//
// It is the largest momentum of AggMo that is set; the others keep their proportion to it. The learning rate may have a schedule
// beside it: chained:schedules=cosine/momentum_decay.
type MomentumDecay struct {
	Momentum      float64 `set:"momentum" default:"0.99" range:"[0,1)" help:"momentum of the first step"`
	Gamma         float64 `set:"gamma" default:"0.9999" range:"[0,1]" help:"times the momentum after each step"`
	FinalSteps    int     `set:"final_steps" default:"0" range:"[0,inf)" help:"steps at the end with final_momentum"`
	FinalMomentum float64 `set:"final_momentum" default:"0.9" range:"[0,1)" help:"momentum of those"`
}

var _ Schedule = (*MomentumDecay)(nil)

// Name is momentum_decay.
func (*MomentumDecay) Name() string { return "momentum_decay" }

func (*MomentumDecay) info() Info {
	return Info{Name: "momentum_decay", Use: "a large momentum that falls, or ends at 0.9: AggMo, momentum close to 1"}
}

// Start gives the course of one run.
func (s *MomentumDecay) Start(n int, base float64) (Course, error) {
	set, err := resolve("momentum_decay", s)
	if err != nil {
		return nil, err
	}
	last, err := lastSteps("momentum_decay", set.FinalSteps, n)
	if err != nil {
		return nil, err
	}
	return &turning{base, func(step int) float64 {
		if step >= last {
			return set.FinalMomentum
		}
		return set.Momentum * math.Pow(set.Gamma, float64(step))
	}}, nil
}

// ofMomentum says whether a schedule is nothing without a momentum to set, as one that cycles it beside the rate is not.
func ofMomentum(s Schedule) bool {
	switch s := s.(type) {
	case *Sutskever, *MomentumDecay:
		return true
	case *Sequential:
		return slices.ContainsFunc(s.Schedules, ofMomentum)
	case *Chained:
		return slices.ContainsFunc(s.Schedules, ofMomentum)
	}
	return false
}
