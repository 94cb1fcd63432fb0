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
	o := &adaHessian[T]{core: newCore[T]("adahessian", NeedGrad|NeedHessian, l), rate: newRate(s.LR), set: s}
	o.beta1 = newKnob("beta1", s.Beta1, math.Nextafter(1, 0))
	o.mean, o.square, o.diagonal = make([]T, o.size), make([]T, o.size), make([]T, o.size)
	o.estimate = newHutchinson(&o.core, s.Seed, s.Probes, false)
	o.pass = o.block
	return o, nil
}

type adaHessian[T Float] struct {
	core[T]
	rate
	beta1        knob
	set          AdaHessian
	mean, square []T
	diagonal     []T // D of the step, where it looks
	estimate     *hutchinson[T]

	// Of the step that is being taken.
	x    []T
	look bool
	c    adaHessianCoefficients
	pass func(worker, i int) // block, made once
}

type adaHessianCoefficients struct{ beta1, rate, unbias, decay float64 }

// Momentum is the beta1 of the next step.
func (o *adaHessian[T]) Momentum() float64 { return o.beta1.now }

// SetMomentum changes beta1, unless the settings have none.
func (o *adaHessian[T]) SetMomentum(beta1 float64) {
	if o.set.Beta1 != 0 {
		o.beta1.now = beta1
	}
}

func (o *adaHessian[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	if err := o.beta1.check(o.method); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	o.look = o.steps%o.set.Every == 0
	if o.look {
		sample, err := curvatureSample(o.method, o.set.Curvature, batch, p)
		if err != nil {
			return Report{}, err
		}
		work, err := o.estimate.diagonal(ctx, o.diagonal, sample, x, o.steps)
		if err != nil {
			return Report{}, err
		}
		r.Work += work
		r.MinCurvature = o.estimate.lowest
		if o.set.AverageKernels == On {
			o.average()
		}
	}
	o.steps++
	looks := (o.steps + o.set.Every - 1) / o.set.Every
	o.c = adaHessianCoefficients{
		beta1: o.beta1.now, rate: o.lr.now / (1 - math.Pow(o.beta1.now, float64(o.steps))),
		unbias: 1 / math.Sqrt(1-math.Pow(o.set.Beta2, float64(looks))), decay: 1 - o.lr.now*o.set.WeightDecay,
	}
	o.x = x
	inBlocks(o.size, o.pass)
	o.x = nil
	r.LR = o.lr.now
	return r, nil
}

// block takes the step in one block of the parameters.
func (o *adaHessian[T]) block(_, i int) {
	x, g, m, s, d := block(o.x, i), block(o.grad, i), block(o.mean, i), block(o.square, i), block(o.diagonal, i)
	beta1, beta2, eps, power := T(o.c.beta1), T(o.set.Beta2), T(o.set.Eps), o.set.Power
	rate, unbias, decay := T(o.c.rate), T(o.c.unbias), T(o.c.decay)
	for k := range x {
		m[k] = beta1*m[k] + (1-beta1)*g[k]
		if o.look {
			s[k] = beta2*s[k] + (1-beta2)*d[k]*d[k]
		}
		root := T(math.Sqrt(float64(s[k]))) * unbias
		if power != 1 {
			root = T(math.Pow(float64(root), power))
		}
		x[k] = decay*x[k] - rate*m[k]/(root+eps)
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

func (o *adaHessian[T]) shape() shape {
	return shape{method: o.method, optional: []string{"lr", "beta1"}, vectors: map[string]int{"exp_avg": o.size, "exp_hessian_diag_sq": o.size}}
}

func (o *adaHessian[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{
		"exp_avg": append([]T{}, o.mean...), "exp_hessian_diag_sq": append([]T{}, o.square...),
	}}
	o.lr.save(s.Scalars)
	o.beta1.save(s.Scalars)
	return s
}

func (o *adaHessian[T]) Restore(s State[T]) error {
	if err := s.check(o.shape()); err != nil {
		return err
	}
	o.steps = s.Step
	o.lr.load(s.Scalars)
	o.beta1.load(s.Scalars)
	copy(o.mean, s.Vectors["exp_avg"])
	copy(o.square, s.Vectors["exp_hessian_diag_sq"])
	return nil
}
