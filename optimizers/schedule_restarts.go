package optimizers

// CosineRestarts lowers the learning rate along half a cosine again and again, each time TMult times as long (SGDR,
// Loshchilov & Hutter 2017, equation 5). In the i-th cycle of T_i = T0·TMult^i steps,
//
//	lr = EtaMin + (base - EtaMin)·(1 + cos(π·(steps since the restart)/T_i))/2
//
// as torch.optim.lr_scheduler.CosineAnnealingWarmRestarts has it. Its lowest rate comes one step after the end of a
// cycle and is never reached.
//
// For runs that may be stopped at the end of any cycle, and for snapshots to average. One Cosine is at least as good
// where the length of the run is known.
type CosineRestarts struct {
	T0     int     `set:"t_0" default:"0" range:"[0,inf)" help:"steps of the first cycle; 0: a quarter of the run"`
	TMult  int     `set:"t_mult" default:"1" range:"[1,inf)" help:"each cycle over the one before"`
	EtaMin float64 `set:"eta_min" default:"0" range:"[0,inf)" help:"lowest learning rate"`
	Final  float64 `set:"final" default:"0" range:"[0,inf)" help:"lowest learning rate over the highest, in place of eta_min"`
}

var _ Schedule = (*CosineRestarts)(nil)

// Name is cosine_restarts.
func (*CosineRestarts) Name() string { return "cosine_restarts" }

func (*CosineRestarts) info() Info {
	return Info{Name: "cosine_restarts", Use: "cosines one after the other: a run that may end at each of them"}
}

func (s *CosineRestarts) check() error { return oneLowest("cosine_restarts", s.EtaMin, s.Final) }

// Start gives the course of one run.
func (s *CosineRestarts) Start(n int, base float64) (Course, error) {
	set, err := resolve("cosine_restarts", s)
	if err != nil {
		return nil, err
	}
	first, err := runLength("cosine_restarts", "t_0", set.T0, (n+3)/4)
	if err != nil {
		return nil, err
	}
	low := set.EtaMin + set.Final*base
	return course(func(step int) Rates {
		length := first
		if set.TMult == 1 {
			step %= length
		}
		for step >= length {
			step -= length
			length *= set.TMult
		}
		return Rates{LR: low + (base-low)*halfCosine(float64(step)/float64(length))}
	}), nil
}
