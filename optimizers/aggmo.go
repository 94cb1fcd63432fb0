package optimizers

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// AggMo steps along the mean of several velocities, each with a momentum of its own: the fast ones damp the oscillations
// of the slow ones. With the minibatch gradient at x and d = gradient + WeightDecay·x
//
//	v_k = Betas_k·v_k + d                   for each of the K Betas
//	x = x - LR/K·(v_1 + ... + v_K)
//
// as the authors' code has it (Lucas, Sun, Zemel & Grosse 2019, Algorithm 1). The default Betas are the paper's, 1 - 0.1^k
// for k = 0, 1, 2; a fourth would be 0.999. The default rate is that of the authors' configurations, whose code has none.
// Equal Betas are velocities of their own here; that code has one for them but still divides by K.
//
// For where momentum must be near 1 and oscillates, such as deep autoencoders: it needs no tuning of the momentum.
// Not where memory is short: each velocity is a number for every parameter.
type AggMo struct {
	LR          float64   `set:"lr" default:"0.01" range:"[0,inf)" help:"learning rate"`
	Betas       []float64 `set:"betas" default:"0/0.9/0.99" range:"[0,1]" help:"the momentum of each velocity"`
	WeightDecay float64   `set:"weight_decay" default:"0" range:"[0,inf)" help:"times x, added to the gradient (L2 penalty)"`
}

var _ Method = (*AggMo)(nil)

// Name is aggmo.
func (*AggMo) Name() string { return "aggmo" }

func (*AggMo) info() Info {
	return Info{Name: "aggmo", Memory: 4, DefaultLR: 0.01, Use: "several momenta at once: deep autoencoders, without tuning the momentum"}
}

func (m *AggMo) start32(l Layout) (Optimizer[float32], error) { return startAggMo[float32](m, l) }
func (m *AggMo) start64(l Layout) (Optimizer[float64], error) { return startAggMo[float64](m, l) }

func startAggMo[T Float](m *AggMo, l Layout) (Optimizer[T], error) {
	s, err := resolve("aggmo", m)
	if err != nil {
		return nil, err
	}
	o := &aggmo[T]{set: s}
	o.init("aggmo", l, o)
	o.rated(&o.rate, s.LR)
	o.largest = slices.Max(s.Betas)
	o.withMomentum(&o.turn, "momentum", o.largest, 1)
	for i := range s.Betas {
		o.velocities = append(o.velocities, o.keep(fmt.Sprintf("momentum_buffer_%d", i)))
	}
	return o, nil
}

type aggmo[T Float] struct {
	elementwise[T]
	rate
	set        AggMo
	velocities [][]T
	largest    float64  // of the betas
	turn       momentum // what stands for it in the next step
	step       T
}

// largestMomentum is what a schedule of the momentum may set. The other momenta keep their proportion to it. One that
// cycles the momentum beside the rate does not: it is not meant for momenta near 1.
func (o *aggmo[T]) largestMomentum() WithMomentum { return &o.turn }

func (o *aggmo[T]) prepare(int, []T) {
	o.step = T(o.Rate() / float64(len(o.velocities)))
}

// beta is the momentum of velocity k.
func (o *aggmo[T]) beta(k int) T {
	if o.turn.turn.now == o.largest {
		return T(o.set.Betas[k])
	}
	return T(o.set.Betas[k] / o.largest * o.turn.turn.now)
}

// update goes through the velocities while a part of the block is in cache.
func (o *aggmo[T]) update(x, g []T, i int) {
	c := kernel.MomentumCoefficients[T]{Fresh: 1, OfBuffer: o.step}
	var decayed [stripSize]T
	for lo := 0; lo < len(x); lo += stripSize {
		hi := min(len(x), lo+stripSize)
		x, g := x[lo:hi], g[lo:hi]
		if decay := o.set.WeightDecay; decay != 0 {
			d := decayed[:hi-lo]
			kernel.Axpby(d, 1, g, T(decay), x)
			g = d
		}
		for k, v := range o.velocities {
			c.Mu = o.beta(k)
			kernel.MomentumUpdate(x, g, block(v, i)[lo:hi], c)
		}
	}
}
