package optimizers

import "github.com/saddle-ml/saddle/internal/kernel"

// AdaDelta gives each step the size of the steps before it: a running root mean square of them stands over that of the
// gradient, so that x keeps its units. With the minibatch gradient at x and d = gradient + WeightDecay·x
//
//	s = Rho·s + (1-Rho)·d²
//	e = sqrt(a + Eps) / sqrt(s + Eps) · d
//	a = Rho·a + (1-Rho)·e²
//	x = x - LR·e
//
// all element by element (Zeiler 2012, Algorithm 1, where LR is 1), as torch.optim.Adadelta has it, whose defaults these
// are.
//
// For problems without any idea of a rate. It begins with steps of about sqrt(Eps) and gets going slowly: where time
// matters, Adam.
type AdaDelta struct {
	LR          float64 `set:"lr" default:"1" range:"[0,inf)" help:"learning rate, a factor of the method's own steps"`
	Rho         float64 `set:"rho" default:"0.9" range:"[0,1)" help:"decay of the means of squared gradients and steps"`
	Eps         float64 `set:"eps" default:"1e-06" range:"(0,inf)" help:"added to both means; the root of it is the size of the first steps"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*AdaDelta)(nil)

// Name is adadelta.
func (*AdaDelta) Name() string { return "adadelta" }

func (*AdaDelta) info() Info {
	return Info{Name: "adadelta", Memory: 3, DefaultLR: 1, Use: "no rate to choose; slow to get going"}
}

func (m *AdaDelta) start32(l Layout) (Optimizer[float32], error) { return startAdaDelta[float32](m, l) }
func (m *AdaDelta) start64(l Layout) (Optimizer[float64], error) { return startAdaDelta[float64](m, l) }

func startAdaDelta[T Float](m *AdaDelta, l Layout) (Optimizer[T], error) {
	s, err := resolve("adadelta", m)
	if err != nil {
		return nil, err
	}
	o := &adadelta[T]{set: s}
	o.init("adadelta", l, o)
	o.rated(&o.rate, s.LR)
	o.square, o.moved = o.keep("square_avg"), o.keep("acc_delta")
	return o, nil
}

type adadelta[T Float] struct {
	elementwise[T]
	rate
	set           AdaDelta
	square, moved []T // mean squares of the gradient and of the steps
	c             kernel.AdaDeltaCoefficients[T]
}

func (o *adadelta[T]) prepare(int, []T) {
	o.c = kernel.AdaDeltaCoefficients[T]{
		Rho: T(o.set.Rho), Fresh: T(1 - o.set.Rho), Rate: T(o.Rate()), Eps: T(o.set.Eps), Decay: T(o.set.WeightDecay),
	}
}

func (o *adadelta[T]) update(x, g []T, i int) {
	kernel.AdaDeltaUpdate(x, g, block(o.square, i), block(o.moved, i), o.c)
}
