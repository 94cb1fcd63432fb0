package optimizers

import (
	"context"
	"fmt"
	"math"
)

// AdaHessian is Adam with the diagonal of the Hessian in the place of the gradient's squares (Yao et al. 2021,
// Algorithm 1). With the minibatch gradient g at x, a fresh v of random signs, and t = 1, 2, ...
//
//	m = Beta1·m + (1-Beta1)·g
//	D = |v∘Hv|                              every Every-th step, from the first, the k-th time:
//	s = Beta2·s + (1-Beta2)·D²
//	x = x - LR·( m/(1-Beta1^t) / ((sqrt(s)/sqrt(1-Beta2^k))^Power + Eps) + WeightDecay·x )
//
// element by element; in the kernel of a convolution (a weight of four axes) D is averaged over the window, as in the
// authors' code, whose constants these are. With Probes above 1, v∘Hv is the mean over as many v before its absolute
// value is taken. H is that of the minibatch, or of Curvature fresh examples. The random signs depend on Seed, the step
// and the place alone.
//
// The Report's MinCurvature is the lowest v'Hv/v'v of the probes.
//
// The default rate is the authors', where it falls later on: as a constant one a fifth of it does better.
//
// For nets whose layers differ much in scale; a step costs three gradients, so that Every = 5 is often the better
// bargain. Not for losses that are piecewise linear in places, where the Hessian is 0 and Eps alone bounds the step.
type AdaHessian struct {
	LR             float64 `set:"lr" default:"0.15" range:"[0,inf)" help:"learning rate"`
	Beta1          float64 `set:"beta1" default:"0.9" range:"[0,1)" help:"decay of the mean of the gradient"`
	Beta2          float64 `set:"beta2" default:"0.999" range:"[0,1)" help:"decay of the mean of the Hessian's squared diagonal"`
	Eps            float64 `set:"eps" default:"0.0001" range:"[0,inf)" help:"added to the denominator; with 0 a curvature that is 0 gives NaN"`
	Power          float64 `set:"hessian_power" default:"1" range:"[0,1]" help:"power of the curvature: 0 is momentum alone"`
	WeightDecay    float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"times the learning rate: the share of x that each step takes away"`
	Every          int     `set:"every" default:"1" range:"[1,inf)" help:"steps from one look at the curvature to the next"`
	Probes         int     `set:"probes" default:"1" range:"[1,inf)" help:"random vectors a look"`
	Curvature      int     `set:"curvature" default:"0" range:"[0,inf)" help:"examples of the curvature sample; 0: the minibatch"`
	AverageKernels Toggle  `set:"average_kernels" default:"true" help:"average over the window of a convolution's kernel"`
	Seed           int     `set:"seed" default:"0" range:"[0,inf)" help:"of the random vectors"`
}

var _ Method = (*AdaHessian)(nil)

// Name is adahessian.
func (*AdaHessian) Name() string { return "adahessian" }

func (*AdaHessian) info() Info {
	return Info{Name: "adahessian", Memory: 6, DefaultLR: 0.15, Peak: 1,
		Use: "adam with the Hessian's diagonal: layers of very different scale; three times the cost of a step"}
}

func (m *AdaHessian) start32(l Layout) (Optimizer[float32], error) {
	return startAdaHessian[float32](m, l)
}
func (m *AdaHessian) start64(l Layout) (Optimizer[float64], error) {
	return startAdaHessian[float64](m, l)
}

func startAdaHessian[T Float](m *AdaHessian, l Layout) (Optimizer[T], error) {
	s, err := resolve("adahessian", m)
	if err != nil {
		return nil, err
	}
	o := &adaHessian[T]{set: s, momentum: momentum{none: true}}
	o.init("adahessian", l, o)
	o.needs |= NeedHessian
	o.look = o.curvature
	o.rated(&o.rate, s.LR)
	if s.Beta1 != 0 {
		o.withMomentum(&o.momentum, "beta1", s.Beta1, math.Nextafter(1, 0))
	}
	o.mean, o.square = o.keep("exp_avg"), o.keep("exp_hessian_diag_sq")
	o.diagonal = make([]T, o.size)
	o.estimate = newHutchinson(&o.core, s.Seed, s.Probes, false)
	return o, nil
}

type adaHessian[T Float] struct {
	elementwise[T]
	rate
	momentum
	set          AdaHessian
	mean, square []T
	diagonal     []T // D of the step, where it looks
	estimate     *hutchinson[T]

	// Of the step that is being taken.
	fresh bool // the diagonal is
	c     adaHessianCoefficients
}

type adaHessianCoefficients struct{ beta1, rate, unbias, keep float64 }

// curvature looks at the curvature, in the steps that do.
func (o *adaHessian[T]) curvature(ctx context.Context, x []T, p Problem[T], batch Sample[T]) (work int64, lowest float64, err error) {
	if o.fresh = o.steps%o.set.Every == 0; !o.fresh {
		return 0, 0, nil
	}
	sample, err := curvatureSample(o.method, o.set.Curvature, batch, p)
	if err != nil {
		return 0, 0, err
	}
	if work, lowest, err = o.estimate.diagonal(ctx, o.diagonal, sample, x, o.steps); err != nil {
		return 0, 0, err
	}
	if o.set.AverageKernels == On {
		o.average()
	}
	return work, lowest, nil
}

func (o *adaHessian[T]) prepare(t int, _ []T) {
	looks := (t + o.set.Every - 1) / o.set.Every
	beta1 := o.Momentum()
	o.c = adaHessianCoefficients{beta1: beta1, rate: o.Rate() / (1 - math.Pow(beta1, float64(t))),
		unbias: 1 / math.Sqrt(1-math.Pow(o.set.Beta2, float64(looks))), keep: 1 - o.Rate()*o.set.WeightDecay}
}

func (o *adaHessian[T]) update(x, g []T, i int) {
	m, s, d := block(o.mean, i), block(o.square, i), block(o.diagonal, i)
	beta1, beta2, eps, power := T(o.c.beta1), T(o.set.Beta2), T(o.set.Eps), o.set.Power
	rate, unbias, keep := T(o.c.rate), T(o.c.unbias), T(o.c.keep)
	for k := range x {
		m[k] = beta1*m[k] + (1-beta1)*g[k]
		if o.fresh {
			s[k] = beta2*s[k] + (1-beta2)*d[k]*d[k]
		}
		root := T(math.Sqrt(float64(s[k]))) * unbias
		if power != 1 {
			root = T(math.Pow(float64(root), power))
		}
		x[k] = keep*x[k] - rate*m[k]/(root+eps)
	}
}

// average makes D of the kernels of convolutions the mean of |D| over the window.
func (o *adaHessian[T]) average() {
	for _, t := range o.layout {
		if len(t.Shape) != 4 || t.Kind != Weight {
			continue
		}
		d, window := o.diagonal[t.Offset:t.Offset+t.Size()], t.Shape[2]*t.Shape[3]
		for ; len(d) > 0; d = d[window:] {
			sum := 0.0
			for _, v := range d[:window] {
				sum += math.Abs(float64(v))
			}
			for i := range window {
				d[i] = T(sum / float64(window))
			}
		}
	}
}

// curvatureSample is a fresh sample of n examples, fewer where there are not so many, or the minibatch where n is 0 or
// the minibatch is everything and no larger than that.
func curvatureSample[T Float](method string, n int, batch Sample[T], p Problem[T]) (Sample[T], error) {
	full := p.Full()
	if n == 0 || full != nil && n >= batch.Len() && batch.Len() >= full.Len() {
		return batch, nil
	}
	if full != nil {
		n = min(n, full.Len()-1)
	}
	s, err := p.Draw(n)
	if err == nil && s == nil {
		err = fmt.Errorf("the problem drew none")
	}
	if err != nil {
		return nil, fmt.Errorf("optimizers: %s: curvature sample: %w", method, err)
	}
	return s, nil
}
