package landscape

import (
	"math"

	"github.com/saddle-ml/saddle/train"
)

// The law of the effective rate (Tanaka & Kunin 2021, arXiv 2105.02716, section 5).
// A loss that does not see the length of the weights θ before a normalisation moves
// their direction as SGD on the unit sphere, with the rate lr/|θ|², or with momentum
// β lr/((1-β)|θ|²). The length is what the symmetry would conserve; its modified flow,
// with the gradient |θ|g on the sphere as the force, is linear in |θ|⁴:
//
//	|θ|⁴ = |θ_0|⁴ e^(-4λt) + 2 lr² Σ e^(-4λ(t-t_k)) |θ_k|²|g_k|²,   t = lr·steps
//
// so that the rate is lr over the root of an exponential mean of squared gradients:
// the rule of RMSProp, with the memory 1/(4 lr λ) in steps. With momentum the flow's
// inertia is left out, which lasts for 1/(1-β) steps: t is lr·steps/(1-β), and 2 lr²|g|²
// is 2 lr²|b|²(1+β)/(1-β) with the buffer b.

// fourth moves |θ|⁴ on by a step from θ of the squared length square, with the force
// |g|², or |b|² with momentum.
func (c *Conservation) fourth(was, square, force, lr, beta float64) float64 {
	return was*math.Exp(-4*c.decay*lr*(1-c.dampening)/(1-beta)) + 2*lr*lr*(1+beta)/(1-beta)*force*square
}

// effective is the rate on the unit sphere of weights of the squared length square, in
// the last step.
func (c *Conservation) effective(square float64) float64 {
	return c.lr * (1 - c.dampening) / ((1 - c.beta) * square)
}

// Turning is the angle by which a step of SGD without momentum has turned the weights of
// a scale symmetry, over that which the effective rate and the gradient g of the step
// give: 1 but for the third powers of the angle. It is NaN where the gradient is 0.
func Turning[T train.Float](s *Symmetry, g, before, after []T, lr float64) float64 {
	gg, _ := quantity(s, g, g)
	was, _ := quantity(s, before, before)
	now, _ := quantity(s, after, after)
	both, _ := quantity(s, before, after)
	if gg == 0 {
		return math.NaN()
	}
	return math.Acos(min(1, both/math.Sqrt(was*now))) / (lr / was * math.Sqrt(gg*was))
}
