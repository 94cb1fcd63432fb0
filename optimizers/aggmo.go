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

// update takes the velocities together, up to four. Where there are more, a part of the block stays in cache for all.
func (o *aggmo[T]) update(x, g []T, i int) {
	decay := T(o.set.WeightDecay)
	if len(o.velocities) <= atOnce {
		o.along(x, g, i, 0, 0, decay)
		return
	}
	var decayed [stripSize]T
	for lo := 0; lo < len(x); lo += stripSize {
		hi := min(len(x), lo+stripSize)
		x, d := x[lo:hi], decayed[:hi-lo]
		kernel.Axpby(d, 1, g[lo:hi], decay, x)
		for first := 0; first < len(o.velocities); first += atOnce {
			o.along(x, d, i, lo, first, 0)
		}
	}
}

// atOnce is how many velocities a kernel takes.
const atOnce = 4

// along steps along the velocities from the first, atOnce of them or as many as there are. x begins at lo in block i.
func (o *aggmo[T]) along(x, g []T, i, lo, first int, decay T) {
	var u [atOnce][]T
	var beta [atOnce]T
	n := min(atOnce, len(o.velocities)-first)
	for k := range n {
		u[k] = block(o.velocities[first+k], i)[lo:][:len(x)]
		beta[k] = o.beta(first + k)
	}
	c := kernel.AggMo4Coefficients[T]{Beta1: beta[0], Beta2: beta[1], Beta3: beta[2], Beta4: beta[3], Rate: o.step, Decay: decay}
	switch n {
	case 4:
		kernel.AggMo4Update(x, g, u[0], u[1], u[2], u[3], c)
	case 3:
		kernel.AggMo3Update(x, g, u[0], u[1], u[2], c)
	case 2:
		kernel.AggMo2Update(x, g, u[0], u[1], c)
	default:
		kernel.MomentumUpdate(x, g, u[0], kernel.MomentumCoefficients[T]{Mu: beta[0], Fresh: 1, Decay: decay, OfBuffer: o.step})
	}
}
