package optimizers

// LARS is SGD with momentum whose learning rate is, for each tensor, a share of how long the tensor is over how long its
// gradient is, so that no layer moves by more than that share of itself. For a tensor x with the minibatch gradient g at
// x
//
//	λ = Trust·|x|/(|g| + WeightDecay·|x| + Eps)       1 where |x| or |g| is 0
//	b = Momentum·b + LR·λ·(g + WeightDecay·x)
//	x = x - b                                          or, Nesterov:  x = x - (LR·λ·(g + WeightDecay·x) + Momentum·b)
//
// (You, Gitman & Ginsburg 2017, Algorithm 1; Trust and Momentum are theirs.) Biases and norms have plain momentum, λ = 1
// and no decay, unless All is on, as in their ResNet runs.
//
// For very large minibatches of convolutional nets, with a warm-up. Its steps do not get shorter as the gradient does: it
// needs a schedule that falls.
type LARS struct {
	LR          float64 `set:"lr" default:"1" range:"[0,inf)" help:"learning rate"`
	Momentum    float64 `set:"momentum" default:"0.9" range:"[0,1]" help:"share of the last update that goes on"`
	Nesterov    bool    `set:"nesterov" default:"false" help:"Nesterov momentum"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
	Trust       float64 `set:"trust" default:"0.001" range:"(0,inf)" help:"share of its length that a tensor moves at the rate 1"`
	Eps         float64 `set:"eps" default:"0" range:"[0,inf)" help:"added to the denominator"`
	All         bool    `set:"all" default:"false" help:"biases and norms too"`
}

var _ Method = (*LARS)(nil)

// Name is lars.
func (*LARS) Name() string { return "lars" }

func (*LARS) info() Info {
	return Info{Name: "lars", Memory: 2, DefaultLR: 1,
		Use: "very large minibatches of convolutional nets: each layer moves by a share of its length; under a schedule"}
}

func (m *LARS) start32(l Layout) (Optimizer[float32], error) { return startLARS[float32](m, l) }
func (m *LARS) start64(l Layout) (Optimizer[float64], error) { return startLARS[float64](m, l) }

func startLARS[T Float](m *LARS, l Layout) (Optimizer[T], error) {
	s, err := resolve("lars", m)
	if err != nil {
		return nil, err
	}
	o := &lars[T]{set: s, layers: layersOf(l, s.All)}
	o.start("lars", l, o.take)
	o.rated(&o.rate, s.LR)
	o.withMomentum(&o.momentum, "momentum", s.Momentum, 1)
	o.buffer = o.keep("momentum_buffer")
	return o, nil
}

type lars[T Float] struct {
	elementwise[T]
	rate
	momentum
	set    LARS
	layers []layer
	buffer []T
}

// take is a step.
func (o *lars[T]) take(_ int, x []T) {
	mu := T(o.Momentum())
	for _, l := range o.layers {
		x, g, b := x[l.from:l.to], o.grad[l.from:l.to], o.buffer[l.from:l.to]
		rate, decay := o.Rate(), 0.0
		if l.adapted {
			decay = o.set.WeightDecay
			size, slope := norm(x), norm(g)
			if size > 0 && slope > 0 {
				rate *= o.set.Trust * size / (slope + decay*size + o.set.Eps)
			}
		}
		if decay != 0 {
			axpy(g, T(decay), x) // the gradient is this step's alone
		}
		scale(b, mu)
		axpy(b, T(rate), g)
		if o.set.Nesterov {
			axpy(x, T(-rate), g)
			axpy(x, -mu, b)
		} else {
			axpy(x, -1, b)
		}
	}
}
