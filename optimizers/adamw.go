package optimizers

// AdamW is Adam with weight decay apart from the gradient, so that it is not divided by its root mean square
// (Loshchilov & Hutter 2019, Algorithm 2):
//
//	x = (1 - LR·WeightDecay)·x       then Adam's step with the gradient alone
//
// as torch.optim.AdamW has it, whose defaults these are.
//
// The usual choice for transformers and for long training with regularisation. For a short fit where weight decay
// does not matter it is Adam.
type AdamW struct {
	LR          float64 `set:"lr" default:"0.001" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0.01" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	AMSGrad     bool    `set:"amsgrad" default:"false" help:"divide by the largest mean square so far"`
}

var _ Method = (*AdamW)(nil)

// Name is adamw.
func (*AdamW) Name() string { return "adamw" }

func (*AdamW) info() Info {
	return Info{Name: "adamw", Memory: 3, DefaultLR: 0.001, Use: "adam with weight decay that works: transformers, long training"}
}

func (m *AdamW) start32(l Layout) (Optimizer[float32], error) { return startAdamW[float32](m, l) }
func (m *AdamW) start64(l Layout) (Optimizer[float64], error) { return startAdamW[float64](m, l) }

func startAdamW[T Float](m *AdamW, l Layout) (Optimizer[T], error) {
	s, err := resolve("adamw", m)
	if err != nil {
		return nil, err
	}
	plain := Adam{LR: s.LR, Beta1: s.Beta1, Beta2: s.Beta2, Eps: s.Eps, AMSGrad: s.AMSGrad}
	return newAdam[T]("adamw", l, plain, s.WeightDecay), nil
}
