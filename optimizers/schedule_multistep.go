package optimizers

import (
	"errors"
	"math"
	"slices"
)

// MultiStep multiplies the learning rate by Gamma at each milestone:
//
//	lr = base·Gamma^(milestones at or before step)
//
// as torch.optim.lr_scheduler.MultiStepLR has it, whose Gamma is the default. The milestones may come in any order; one
// that is given twice cuts twice.
type MultiStep struct {
	Milestones []int   `set:"milestones" default:"at 1/2 and 3/4 of the run" range:"[0,inf)" help:"the steps of the cuts"`
	Gamma      float64 `set:"gamma" default:"0.1" range:"[0,inf)" help:"times the learning rate at each"`
}

var _ Schedule = (*MultiStep)(nil)

// Name is multistep.
func (*MultiStep) Name() string { return "multistep" }

func (*MultiStep) info() Info {
	return Info{Name: "multistep", Use: "cuts at chosen steps or epochs: the recipe of residual nets"}
}

// Start gives the course of one run.
func (s *MultiStep) Start(n int, base float64) (Course, error) {
	set, err := resolve("multistep", s)
	if err != nil {
		return nil, err
	}
	turns := set.Milestones
	if turns == nil {
		if n < 1 {
			return nil, errors.New("optimizers: multistep: the length of the run is not known; set milestones, or the steps of Scheduled")
		}
		turns = []int{(n + 1) / 2, (3*n + 3) / 4}
	}
	slices.Sort(turns)
	return &scaling{base, func(step int) float64 {
		cuts, _ := slices.BinarySearch(turns, step+1)
		return math.Pow(set.Gamma, float64(cuts))
	}}, nil
}
