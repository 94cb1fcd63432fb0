package optimizers

import (
	"fmt"
	"math"
)

// LargeStep keeps a large learning rate until a share of the run is done, and then finishes with small ones
// (Andriushchenko et al. 2023, "SGD with large step sizes learns sparse features"):
//
//	lr = base·rise(share)                  share < Until, where share = step/n
//	lr = base·rise(Until)·Factor           share < Second
//	lr = base·rise(Until)·Factor²          to the end
//
// as their piecewise schedules have it, with Until 0.1, 0.3 or 0.5. The rate of the first phase may rise, with w = WarmupExp:
//
//	rise(s) = 1 + (100·s)^w                w < 1
//	rise(s) = w^(100·s)                    w > 1
//
// and does not without it. The gradient noise of the large steps leads to sparser features, so the rate should be the
// largest with which the loss stays bounded, far above what lets it fall fastest.
type LargeStep struct {
	Until     float64 `set:"until" default:"0.5" range:"[0,1]" help:"share of the run at the large rate"`
	Second    float64 `set:"second" default:"0.9" range:"[0,1]" help:"share of the run after which the rate is cut again; 1: never"`
	Factor    float64 `set:"factor" default:"0.1" range:"(0,1]" help:"times the learning rate at each cut"`
	WarmupExp float64 `set:"warmup_exp" default:"1" range:"(0,2]" help:"rise of the large rate; 1: none"`
}

var _ Schedule = (*LargeStep)(nil)

// Name is large_step.
func (*LargeStep) Name() string { return "large_step" }

func (*LargeStep) info() Info {
	return Info{Name: "large_step", Use: "as large a rate as the run stands until p of it is done: sparse features"}
}

func (s *LargeStep) defaults() {
	if s.Second == 0 {
		s.Second = max(0.9, s.Until)
	}
}

func (s *LargeStep) check() error {
	if s.Second < s.Until {
		return fmt.Errorf("optimizers: large_step: second is %v; it must be at least until, %v", s.Second, s.Until)
	}
	return nil
}

// Start gives the course of one run.
func (s *LargeStep) Start(n int, base float64) (Course, error) {
	set, err := resolve("large_step", s)
	if err != nil {
		return nil, err
	}
	length, err := runLength("large_step", "steps", 0, n)
	if err != nil {
		return nil, err
	}
	return course(func(step int) Rates {
		share := float64(step) / float64(length)
		lr := base * set.rise(min(share, set.Until))
		if share >= set.Until {
			lr *= set.Factor
		}
		if share >= set.Second && set.Second < 1 {
			lr *= set.Factor
		}
		return Rates{LR: lr}
	}), nil
}

func (s *LargeStep) rise(share float64) float64 {
	switch w := s.WarmupExp; {
	case w < 1:
		return 1 + math.Pow(100*share, w)
	case w > 1:
		return math.Pow(w, 100*share)
	}
	return 1
}
