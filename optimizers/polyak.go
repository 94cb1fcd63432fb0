package optimizers

// Polyak keeps the mean of a method's iterates from step Start on, which are the weights to evaluate (see Averaging);
// the method goes on at its own. After each step from then on, with n iterates before it,
//
//	average = average + (x - average)/(n + 1)
//
// (Ruppert 1988; Polyak & Juditsky 1992, equation 4). For stochastic gradient descent on a convex problem, with rates
// that fall more slowly than 1/t, the average is as good as any method can be to first order. With BatchNorm
// statistics of batch normalisation are made anew for the averaged weights: see SWA.
//
// For convex problems, from the time that the method is near: the mean of all iterates has the start in it for long.
// For nets EMA forgets, and SWA begins late.
type Polyak struct {
	Start     int    `set:"start" default:"0" range:"[0,inf)" help:"steps whose weights do not count"`
	BatchNorm bool   `set:"batch_norm" default:"false" help:"re-estimate statistics of batch normalisation, by a pass over the training set"`
	Of        Method // the method whose iterates are averaged
}

var _ Method = (*Polyak)(nil)

// Name is that of the wrapped method, and +polyak.
func (w *Polyak) Name() string { return wrapperName("polyak", w.Of) }

func (*Polyak) info() Info {
	return Info{Name: "polyak", Memory: 1, Use: "evaluate the mean of all weights from a step on (Polyak-Ruppert): convex problems"}
}

func (*Polyak) word() string    { return "polyak" }
func (w *Polyak) inner() Method { return w.Of }

func (w *Polyak) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *Polyak) start32(l Layout) (Optimizer[float32], error) { return startPolyak[float32](w, l) }
func (w *Polyak) start64(l Layout) (Optimizer[float64], error) { return startPolyak[float64](w, l) }

func startPolyak[T Float](w *Polyak, l Layout) (Optimizer[T], error) {
	s, err := resolve("polyak", w)
	if err != nil {
		return nil, err
	}
	a, err := startAverage[T]("polyak", s.Of, l)
	if err != nil {
		return nil, err
	}
	a.restate, a.start = s.BatchNorm, s.Start
	a.share = uniform
	return a, nil
}

// uniform is the share that makes a mean.
func uniform(n int) float64 { return 1 / float64(n) }
