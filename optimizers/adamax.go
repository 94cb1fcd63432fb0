package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// AdaMax is Adam with the largest magnitude of the gradient, which decays, in the place of its root mean square. With the
// minibatch gradient at x, d = gradient + WeightDecay·x, and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·d          u = max(Beta2·u, |d| + Eps)
//	x = x - LR/(1-Beta1^t)·m/u
//
// all element by element (Kingma & Ba 2015, Algorithm 2), as torch.optim.Adamax has it, whose defaults these are.
//
// For embeddings and other gradients that come in bursts: a large gradient bounds the steps at once. Elsewhere it
// has little over Adam.
type AdaMax struct {
	LR          float64 `set:"lr" default:"0.002" range:"[0,inf)" help:"learning rate"`
	Beta1       float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2       float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the largest magnitude"`
	Eps         float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to each magnitude; with 0 a gradient that is 0 gives NaN"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*AdaMax)(nil)

// Name is adamax.
func (*AdaMax) Name() string { return "adamax" }

func (*AdaMax) info() Info {
	return Info{Name: "adamax", Memory: 3, DefaultLR: 0.002, Use: "adam for gradients that come in bursts, such as embeddings"}
}

func (m *AdaMax) start32(l Layout) (Optimizer[float32], error) { return startAdaMax[float32](m, l) }
func (m *AdaMax) start64(l Layout) (Optimizer[float64], error) { return startAdaMax[float64](m, l) }

func startAdaMax[T Float](m *AdaMax, l Layout) (Optimizer[T], error) {
	s, err := resolve("adamax", m)
	if err != nil {
		return nil, err
	}
	o := &adamax[T]{set: s}
	o.init("adamax", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.mean, o.largest = o.keep("exp_avg"), o.keep("exp_inf")
	return o, nil
}

type adamax[T Float] struct {
	elementwise[T]
	rate
	momentum      // beta1
	set           AdaMax
	mean, largest []T
	c             kernel.AdaMaxCoefficients[T]
}

func (o *adamax[T]) prepare(t int, _ []T) {
	o.c = kernel.AdaMaxCoefficients[T]{
		Fresh1: T(1 - o.Momentum()), Beta2: T(o.set.Beta2), Rate: T(o.Rate() / unbiased(o.Momentum(), t)),
		Eps: T(o.set.Eps), Coupled: T(o.set.WeightDecay),
	}
}

func (o *adamax[T]) update(x, g []T, i int) {
	kernel.AdaMaxUpdate(x, g, block(o.mean, i), block(o.largest, i), o.c)
}
