package optimizers

// SWA is stochastic weight averaging: the mean of a method's iterates late in the run, one every Every steps from Start
// on. They are the weights to evaluate (see Averaging), with statistics of batch normalisation that are made anew for
// them unless BatchNorm is off (Izmailov et al. 2018, Algorithm 1 and section 3.2; Start is theirs, three quarters of
// the run). The authors take one iterate an epoch: set Every to the steps of one. The method's rate should not fall to
// 0 meanwhile, or the iterates will be much the same: a constant or cyclic one, such as swa+constant.
//
// For long training of image models. For a run of a few epochs EMA, or a schedule that ends at 0, does as well.
type SWA struct {
	Start     int    `set:"start" default:"0" range:"[0,inf)" help:"steps whose weights do not count; 0: three quarters of the run, or none where its length is not known"`
	Every     int    `set:"every" default:"1" range:"[1,inf)" help:"steps from one that counts to the next"`
	BatchNorm Toggle `set:"batch_norm" default:"true" help:"re-estimate statistics of batch normalisation, by a pass over the training set"`
	Steps     int    `set:"steps" default:"0" range:"[0,inf)" help:"steps of the whole run; 0: not known"`
	Of        Method // the method whose iterates are averaged
}

var _ Method = (*SWA)(nil)

// Name is that of the wrapped method, and +swa.
func (w *SWA) Name() string { return wrapperName("swa", w.Of) }

func (*SWA) info() Info {
	return Info{Name: "swa", Memory: 1, Use: "evaluate the mean of the weights of the last quarter of a long run, with statistics of its own"}
}

func (*SWA) word() string    { return "swa" }
func (w *SWA) inner() Method { return w.Of }

func (w *SWA) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

// forSteps tells the length of the run.
func (w *SWA) forSteps(n int) {
	if w.Steps == 0 {
		w.Steps = n
	}
}

func (w *SWA) start32(l Layout) (Optimizer[float32], error) { return startSWA[float32](w, l) }
func (w *SWA) start64(l Layout) (Optimizer[float64], error) { return startSWA[float64](w, l) }

func startSWA[T Float](w *SWA, l Layout) (Optimizer[T], error) {
	s, err := resolve("swa", w)
	if err != nil {
		return nil, err
	}
	a, err := startAverage[T]("swa", s.Of, l)
	if err != nil {
		return nil, err
	}
	if s.Start == 0 {
		s.Start = int(0.75 * float64(s.Steps))
	}
	a.restate, a.start, a.every = s.BatchNorm == On, s.Start, s.Every
	a.share = uniform
	return a, nil
}
