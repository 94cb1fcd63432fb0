package optimizers

import (
	"math"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// NAdam is Adam with Nesterov's momentum, which grows over the first steps. With the minibatch gradient at x,
// d = gradient + WeightDecay·x, and t = 1, 2, ...
//
//	μ_t = Beta1·(1 - 0.96^(t·MomentumDecay)/2),  P_t = μ_1·...·μ_t
//	m = Beta1·m + (1-Beta1)·d          v = Beta2·v + (1-Beta2)·d²
//	x = x - LR·((1-μ_t)/(1-P_t)·d + μ_{t+1}/(1-P_t·μ_{t+1})·m) / (sqrt(v/(1-Beta2^t)) + Eps)
//
// all element by element (Dozat 2016), as torch.optim.NAdam has it since 2.0, whose defaults these are. With Decoupled,
// x = (1 - LR·WeightDecay)·x comes first and d is the gradient alone.
//
// For where Adam is used and its momentum overshoots. A schedule that cycles Beta1 works against the method's own.
type NAdam struct {
	LR            float64 `set:"lr" default:"0.002" range:"[0,inf)" help:"learning rate"`
	Beta1         float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2         float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of its square"`
	Eps           float64 `set:"eps" default:"1e-08" range:"[0,inf)" help:"added to the denominator; with 0 a gradient that is 0 gives NaN"`
	MomentumDecay float64 `set:"momentum_decay" default:"0.004" range:"[0,inf)" help:"how soon the momentum has grown from beta1/2 to beta1"`
	WeightDecay   float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
	Decoupled     bool    `set:"decoupled" default:"false" help:"weight decay apart from the gradient, as in adamw"`
}

var _ Method = (*NAdam)(nil)

// Name is nadam.
func (*NAdam) Name() string { return "nadam" }

func (*NAdam) info() Info {
	return Info{Name: "nadam", Memory: 3, DefaultLR: 0.002, Use: "adam with nesterov momentum"}
}

func (m *NAdam) start32(l Layout) (Optimizer[float32], error) { return startNAdam[float32](m, l) }
func (m *NAdam) start64(l Layout) (Optimizer[float64], error) { return startNAdam[float64](m, l) }

func startNAdam[T Float](m *NAdam, l Layout) (Optimizer[T], error) {
	s, err := resolve("nadam", m)
	if err != nil {
		return nil, err
	}
	o := &nadam[T]{set: s, product: 1}
	o.init("nadam", l, o)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "beta1", s.Beta1, belowOne)
	o.remember("mu_product", &o.product)
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_avg_sq")
	return o, nil
}

type nadam[T Float] struct {
	elementwise[T]
	rate
	momentum     // beta1
	set          NAdam
	product      float64 // of the momenta so far
	mean, square []T
	c            kernel.NAdamCoefficients[T]
}

func (o *nadam[T]) prepare(t int, _ []T) {
	mu := func(t int) float64 {
		return o.Momentum() * (1 - 0.5*math.Pow(0.96, float64(t)*o.set.MomentumDecay))
	}
	now, next := mu(t), mu(t+1)
	o.product *= now
	c := math.Sqrt(unbiased(o.set.Beta2, t)) // both sides of the fraction times c, as in Adam
	o.c = kernel.NAdamCoefficients[T]{
		Fresh1: T(1 - o.Momentum()), Beta2: T(o.set.Beta2), Fresh2: T(1 - o.set.Beta2),
		OfGrad: T(o.Rate() * c * (1 - now) / (1 - o.product)), OfMean: T(o.Rate() * c * next / (1 - o.product*next)),
		Eps: T(o.set.Eps * c), Coupled: T(o.set.WeightDecay), Keep: 1,
	}
	if o.set.Decoupled {
		o.c.Coupled, o.c.Keep = 0, T(1-o.Rate()*o.set.WeightDecay)
	}
}

func (o *nadam[T]) update(x, g []T, i int) {
	kernel.NAdamUpdate(x, g, block(o.mean, i), block(o.square, i), o.c)
}
