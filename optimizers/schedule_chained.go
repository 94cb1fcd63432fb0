package optimizers

// Chained lets several schedules act on the same learning rate at every step, each on what the one before it has made
// of the rate of the last step, as torch.optim.lr_scheduler.ChainedScheduler has it. In words:
//
//	chained:schedules=(constant:factor=0.1,total_iters=20)/(exponential:gamma=0.9)
//
// Schedules that multiply (constant, linear, step, multistep, exponential, polynomial) multiply each other's factors,
// cosine draws the rate it finds towards its lowest one, and one of the momentum alone (sutskever, momentum_decay)
// leaves the rate as it is. Those that say what the rate is (cosine_restarts, cyclic, onecycle, large_step, a
// ScheduleFunc) forget what came before them, in the list and in earlier steps: put them first, and beside them only
// schedules of the momentum. A schedule that follows a metric, such as Plateau, cannot be a part.
type Chained struct {
	Schedules []Schedule `set:"schedules" default:"none" help:"what acts at every step, in this order"`
}

var _ Schedule = (*Chained)(nil)

// Name is chained.
func (*Chained) Name() string { return "chained" }

func (*Chained) info() Info {
	return Info{Name: "chained", Use: "schedules all at once, each on the other's rate, as cosine/sutskever"}
}

// Start gives the course of one run.
func (s *Chained) Start(n int, base float64) (Course, error) {
	set, err := resolve("chained", s)
	if err != nil {
		return nil, err
	}
	parts, err := startParts("chained", set.Schedules, base, func(int) int { return n })
	if err != nil {
		return nil, err
	}
	return newRecursion(base, func(step int, last Rates) Rates {
		for _, part := range parts {
			last = after(part, step, last)
		}
		return last
	}), nil
}
