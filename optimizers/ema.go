package optimizers

// EMA keeps an exponential average of a method's iterates, which are the weights to evaluate (see Averaging); the
// method goes on at its own. After each step
//
//	average = Decay·average + (1-Decay)·x            the first is x itself
//
// as torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn has it, whose Decay is the default. With Warmup
// Decay is at most (1+t)/(10+t) in step t (tf.train.ExponentialMovingAverage), so that early weights do not last: the
// average is over some 1/(1-Decay) steps, 1000 by default, which is much of a short run. With BatchNorm statistics of
// batch normalisation are made anew for the averaged weights: see SWA.
//
// For any training that ends at a rate that is not small. Under a schedule that ends at 0 it adds little.
type EMA struct {
	Decay     float64 `set:"decay" default:"0.999" range:"[0,1)" help:"share of the average that stays"`
	Warmup    bool    `set:"warmup" default:"false" help:"a smaller share in early steps"`
	BatchNorm bool    `set:"batch_norm" default:"false" help:"re-estimate statistics of batch normalisation, by a pass over the training set"`
	Of        Method  // the method whose iterates are averaged
}

var _ Method = (*EMA)(nil)

// Name is that of the wrapped method, and +ema.
func (w *EMA) Name() string { return wrapperName("ema", w.Of) }

func (*EMA) info() Info {
	return Info{Name: "ema", Memory: 1, Use: "evaluate an exponential average of the weights: steadier, at a constant rate above all"}
}

func (*EMA) word() string    { return "ema" }
func (w *EMA) inner() Method { return w.Of }

func (w *EMA) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *EMA) start32(l Layout) (Optimizer[float32], error) { return startEMA[float32](w, l) }
func (w *EMA) start64(l Layout) (Optimizer[float64], error) { return startEMA[float64](w, l) }

func startEMA[T Float](w *EMA, l Layout) (Optimizer[T], error) {
	s, err := resolve("ema", w)
	if err != nil {
		return nil, err
	}
	a, err := startAverage[T]("ema", s.Of, l)
	if err != nil {
		return nil, err
	}
	a.restate = s.BatchNorm
	a.share = func(n int) float64 {
		if s.Warmup {
			return 1 - min(s.Decay, float64(1+n)/float64(10+n))
		}
		return 1 - s.Decay
	}
	return a, nil
}
