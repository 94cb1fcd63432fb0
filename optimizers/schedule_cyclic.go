package optimizers

import "math"

// Cyclic lets the learning rate go up and down between BaseLR and MaxLR along straight lines, while the momentum goes
// the other way (Smith 2017). With the height h of a step, from 0 at the foot of a cycle to 1 at its peak,
//
//	lr       = BaseLR + (MaxLR - BaseLR)·h·scale
//	momentum = MaxMomentum - (MaxMomentum - BaseMomentum)·h·scale
//
// where scale is 1 (triangular), halves with every cycle (triangular2), or is Gamma^step (exp_range). This is
// torch.optim.lr_scheduler.CyclicLR with its defaults, except that a method without momentum is given none, and that the
// rates may be left out: the peak is then the method's own rate and the foot a quarter of the peak, as Smith advises.
//
// For trying what rates a net stands, and where nobody knows when training will end.
type Cyclic struct {
	BaseLR        float64 `set:"base_lr" default:"max_lr / 4" range:"[0,inf)" help:"learning rate at the foot of a cycle"`
	MaxLR         float64 `set:"max_lr" default:"0" range:"[0,inf)" help:"learning rate at its peak; 0: the method's own"`
	StepSizeUp    int     `set:"step_size_up" default:"2000" range:"[1,inf)" help:"steps up"`
	StepSizeDown  int     `set:"step_size_down" default:"0" range:"[0,inf)" help:"steps down; 0: as many as up"`
	Mode          string  `set:"mode" default:"triangular" oneof:"triangular|triangular2|exp_range" help:"how the cycles shrink: not, by half each, by gamma each step"`
	Gamma         float64 `set:"gamma" default:"1" range:"[0,inf)" help:"of exp_range"`
	CycleMomentum Toggle  `set:"cycle_momentum" default:"true" help:"cycle the momentum too"`
	BaseMomentum  float64 `set:"base_momentum" default:"0.8" range:"[0,1)" help:"momentum at the peak"`
	MaxMomentum   float64 `set:"max_momentum" default:"0.9" range:"[0,1)" help:"momentum at the foot"`
}

var _ Schedule = (*Cyclic)(nil)

// Name is cyclic.
func (*Cyclic) Name() string { return "cyclic" }

func (*Cyclic) info() Info {
	return Info{Name: "cyclic", Use: "up and down along lines: runs without a planned end, and to try rates"}
}

// Start gives the course of one run.
func (s *Cyclic) Start(_ int, base float64) (Course, error) {
	set, err := resolve("cyclic", s)
	if err != nil {
		return nil, err
	}
	if set.MaxLR == 0 {
		set.MaxLR = base
	}
	if s.BaseLR == 0 {
		set.BaseLR = set.MaxLR / 4
	}
	up, down := set.StepSizeUp, set.StepSizeDown
	if down == 0 {
		down = up
	}
	return course(func(step int) Rates {
		cycle, at := step/(up+down), step%(up+down)
		height := float64(at) / float64(up)
		if at > up {
			height = float64(up+down-at) / float64(down)
		}
		switch set.Mode {
		case "triangular2":
			height = math.Ldexp(height, -cycle)
		case "exp_range":
			height *= math.Pow(set.Gamma, float64(step))
		}
		return Rates{
			LR:       set.BaseLR + (set.MaxLR-set.BaseLR)*height,
			Momentum: set.MaxMomentum - (set.MaxMomentum-set.BaseMomentum)*height,
			Cycles:   set.CycleMomentum == On,
		}
	}), nil
}
