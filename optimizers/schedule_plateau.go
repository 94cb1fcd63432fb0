package optimizers

import "math"

// Plateau multiplies the learning rate by Factor when a metric has not improved for more than Patience times in a row.
// The metric is what Feed is told: train.Fit tells the loss on the validation set, or without one that of training,
// after every epoch. An improvement is a metric below (mode min) or above (max)
//
//	best·(1 - Threshold)     or best·(1 + Threshold)      rel
//	best - Threshold         or best + Threshold          abs
//
// After a cut the next Cooldown metrics count as no failure. A cut that would change the rate by Eps or less is not made,
// nor one below MinLR. This is torch.optim.lr_scheduler.ReduceLROnPlateau with its defaults.
//
// For long training with a validation set where no schedule is known to fit.
type Plateau struct {
	Mode          string  `set:"mode" default:"min" oneof:"min|max" help:"whether a lower or a higher metric is better"`
	Factor        float64 `set:"factor" default:"0.1" range:"[0,1)" help:"times the learning rate at a cut"`
	Patience      int     `set:"patience" default:"10" range:"[0,inf)" help:"failures in a row that are borne"`
	Threshold     float64 `set:"threshold" default:"0.0001" range:"[0,inf)" help:"smallest change that is an improvement"`
	ThresholdMode string  `set:"threshold_mode" default:"rel" oneof:"rel|abs" help:"whether threshold is a share of the best metric"`
	Cooldown      int     `set:"cooldown" default:"0" range:"[0,inf)" help:"metrics after a cut that count as no failure"`
	MinLR         float64 `set:"min_lr" default:"0" range:"[0,inf)" help:"lowest learning rate"`
	Eps           float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"smallest change of the rate that is made"`
}

var _ Schedule = (*Plateau)(nil)

// Name is plateau.
func (*Plateau) Name() string { return "plateau" }

func (*Plateau) info() Info {
	return Info{Name: "plateau", Use: "a cut whenever the validation loss has stopped falling"}
}

// Start gives the course of one run.
func (s *Plateau) Start(_ int, base float64) (Course, error) {
	set, err := resolve("plateau", s)
	if err != nil {
		return nil, err
	}
	worst := math.Inf(1)
	if set.Mode == "max" {
		worst = math.Inf(-1)
	}
	return &plateau{set, []float64{base, worst, 0, 0}}, nil
}

type plateau struct {
	set    Plateau
	memory []float64 // the rate, the best metric, failures in a row, metrics of the cooldown that are left
}

func (c *plateau) At(int) Rates      { return Rates{LR: c.memory[0]} }
func (c *plateau) Memory() []float64 { return c.memory }

// Feed counts the metric. One that is not a number is no improvement.
func (c *plateau) Feed(metric float64) {
	rate, best, failures, cooldown := &c.memory[0], &c.memory[1], &c.memory[2], &c.memory[3]
	if c.improves(metric, *best) {
		*best, *failures = metric, 0
	} else {
		*failures++
	}
	if *cooldown > 0 {
		*cooldown--
		*failures = 0
	}
	if *failures > float64(c.set.Patience) {
		if lower := max(*rate*c.set.Factor, c.set.MinLR); *rate-lower > c.set.Eps {
			*rate = lower
		}
		*cooldown, *failures = float64(c.set.Cooldown), 0
	}
}

func (c *plateau) improves(metric, best float64) bool {
	sign := 1.0
	if c.set.Mode == "min" {
		sign = -1
	}
	bar := best * (1 + sign*c.set.Threshold)
	if c.set.ThresholdMode == "abs" {
		bar = best + sign*c.set.Threshold
	}
	return sign*metric > sign*bar
}
