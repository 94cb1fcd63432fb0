package optimizers

import (
	"fmt"
	"slices"
	"sort"
)

// Sequential runs one schedule after the other. Each begins at its milestone as if the run began there, around the same
// base rate: the rate jumps to where the schedule starts, as torch.optim.lr_scheduler.SequentialLR has it. In words:
//
//	sequential:schedules=(linear:total_iters=500)/cosine,milestones=500
//
// A schedule that follows a metric, such as Plateau, cannot be a part: it would not know which metrics are its own. The
// warmup of Scheduled comes before any schedule.
type Sequential struct {
	Schedules  []Schedule `set:"schedules" default:"none" help:"the parts, in their order"`
	Milestones []int      `set:"milestones" default:"equal parts of the run" range:"[0,inf)" help:"first steps of the second, third, ... part"`
}

var _ Schedule = (*Sequential)(nil)

// Name is sequential.
func (*Sequential) Name() string { return "sequential" }

func (*Sequential) info() Info {
	return Info{Name: "sequential", Use: "schedules one after the other, as (linear:total_iters=500)/cosine"}
}

func (s *Sequential) check() error {
	if s.Milestones == nil {
		return nil
	}
	if len(s.Milestones) != len(s.Schedules)-1 {
		return fmt.Errorf("optimizers: sequential: %d milestones for %d schedules; each schedule after the first has one", len(s.Milestones), len(s.Schedules))
	}
	if !slices.IsSorted(s.Milestones) {
		return fmt.Errorf("optimizers: sequential: milestones are %v; each must come at or after the one before", s.Milestones)
	}
	return nil
}

// Start gives the course of one run.
func (s *Sequential) Start(n int, base float64) (Course, error) {
	set, err := resolve("sequential", s)
	if err != nil {
		return nil, err
	}
	c := &sequential{starts: []int{0}}
	parts := len(set.Schedules)
	for i := 1; i < parts; i++ {
		switch {
		case set.Milestones != nil:
			c.starts = append(c.starts, set.Milestones[i-1])
		case n > 0:
			c.starts = append(c.starts, i*n/parts)
		default:
			return nil, fmt.Errorf("optimizers: sequential: the length of the run is not known; set milestones, or the steps of Scheduled")
		}
	}
	// A part's own run goes from its milestone to the next one.
	c.parts, err = startParts("sequential", set.Schedules, base, func(i int) int {
		switch {
		case i+1 < parts:
			return c.starts[i+1] - c.starts[i]
		case n > 0:
			return max(0, n-c.starts[i])
		}
		return 0
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// startParts starts the schedules that another one is made of.
func startParts(owner string, list []Schedule, base float64, length func(i int) int) ([]Course, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("optimizers: %s: no schedules given; give them as schedules=(linear:total_iters=500)/cosine", owner)
	}
	var parts []Course
	for i, s := range list {
		if isNil(s) {
			return nil, fmt.Errorf("optimizers: %s: schedule %d of %d is nil", owner, i+1, len(list))
		}
		c, err := s.Start(length(i), base)
		if err != nil {
			return nil, err
		}
		if _, follows := c.(Follower); follows {
			return nil, fmt.Errorf("optimizers: %s: %s follows a metric and cannot be a part of another schedule; a warm-up before it is the setting warmup", owner, s.Name())
		}
		parts = append(parts, c)
	}
	return parts, nil
}

type sequential struct {
	parts  []Course
	starts []int
}

// part is the course that a step belongs to, and its first step: of several that begin at once, the last.
func (c *sequential) part(step int) (Course, int) {
	i := sort.SearchInts(c.starts, step+1) - 1
	return c.parts[i], c.starts[i]
}

func (c *sequential) At(step int) Rates {
	part, first := c.part(step)
	return part.At(step - first)
}

func (c *sequential) after(step int, last Rates) Rates {
	part, first := c.part(step)
	if step == first && step > 0 {
		r := part.At(0)
		if !r.Cycles {
			r.Momentum, r.Cycles = last.Momentum, last.Cycles
		}
		return r
	}
	return after(part, step-first, last)
}
