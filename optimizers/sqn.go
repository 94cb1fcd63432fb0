package optimizers

import (
	"context"
	"fmt"
	"math"
)

// SQN is the stochastic quasi-Newton method of Byrd, Hansen, Nocedal & Singer (2016): L-BFGS whose curvature does not
// come from differences of noisy gradients but from products with the Hessian on a sample of its own. With the minibatch
// gradient g,
//
//	x = x - LR·H g
//
// where H is the inverse that the last History pairs make. Every Interval steps the mean x̄ of the points since the last
// time makes a pair s = x̄ - x̄_before, y = ∇²f_S(x̄) s on Curvature fresh examples, kept if s'y > 1e-8·|s||y|. Before there
// is one, from 2·Interval steps on, H is min(1, 1/|g|₁) I. With GaussNewton, y is the Gauss-Newton
// product, so that s'y is never negative: for losses that are not convex.
//
// A rate that falls, as in the paper's β/k, is a schedule's affair. Step lengths are those of a Newton method: a rate
// that suits gradient descent is too small, one above 1 too large, one of 1 takes all of the minibatch's noise along. MaxStep bounds |LR·H g|, because a pair may say that a
// direction is flat that only looked so.
type SQN struct {
	LR          float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate"`
	Interval    int     `set:"interval" default:"10" range:"[1,100000]" help:"steps from one pair to the next"`
	History     int     `set:"history" default:"10" range:"[1,10000]" help:"pairs that are kept"`
	Curvature   float64 `set:"curvature" default:"500" range:"(0,inf)" help:"examples of the curvature sample; at most 1: a share of the training set"`
	GaussNewton bool    `set:"gauss_newton" default:"false" help:"the Gauss-Newton matrix in place of the Hessian"`
	MaxStep     float64 `set:"max_step" default:"1" range:"(0,inf)" help:"longest step"`
	WeightDecay float64 `set:"weight_decay" default:"0" range:"[0,inf)" help:"adds half of it times |x|² to the loss"`
}

var _ Method = (*SQN)(nil)

// Name is sqn.
func (*SQN) Name() string { return "sqn" }

func (*SQN) info() Info {
	return Info{Name: "sqn", Memory: 28, DefaultLR: 0.1,
		Use: "stochastic L-BFGS with pairs from Hessian products: minibatches of hundreds of examples"}
}

func (m *SQN) start32(l Layout) (Optimizer[float32], error) { return startSQN[float32](m, l) }
func (m *SQN) start64(l Layout) (Optimizer[float64], error) { return startSQN[float64](m, l) }

func startSQN[T Float](m *SQN, l Layout) (Optimizer[T], error) {
	s, err := resolve("sqn", m)
	if err != nil {
		return nil, err
	}
	o := &sqn[T]{rate: newRate(s.LR), set: s, scale: 1}
	o.init("sqn", l, newtonSettings{s.WeightDecay, s.GaussNewton, s.Curvature, "uniform", "batch"})
	o.pairs.init(o.size, s.History, 1)
	o.sum, o.mean, o.newMean = make([]T, o.size), make([]T, o.size), make([]T, o.size)
	return o, nil
}

type sqn[T Float] struct {
	newton[T]
	rate
	set     SQN
	pairs   pairs[T]
	scale   float64 // s'y/y'y of the last pair
	sum     []T     // of the points since the last pair
	mean    []T     // at the last pair
	newMean []T
}

func (o *sqn[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	r, err := o.begin(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	defer o.forget()
	copy(o.s, o.grad)
	rate := o.lr.now
	if o.pairs.count > 0 {
		o.pairs.multiply(o.s, o.scale)
	} else {
		rate *= min(1, 1/max(sumAbs(o.grad), math.SmallestNonzeroFloat64))
	}
	length := norm(o.s)
	if !finite(length) {
		return Report{}, fmt.Errorf("optimizers: sqn: the step is not finite, after %d pairs", o.pairs.count)
	}
	if rate*length > o.set.MaxStep {
		rate = o.set.MaxStep / length
	}
	addScaled(o.trial, x, T(-rate), o.s)
	last := (o.steps+1)%o.set.Interval == 0
	if last {
		if err := o.remember(&r); err != nil {
			return Report{}, err
		}
	}
	copy(x, o.trial)
	if last {
		o.mean, o.newMean = o.newMean, o.mean
		clear(o.sum)
	} else {
		axpy(o.sum, 1, x)
	}
	r.LR, r.StepNorm, r.Work, r.Rho = rate, rate*length, o.work, 0
	o.steps++
	return r, nil
}

// remember makes a pair at the mean of the points of this interval, of which o.trial is the last, in o.newMean. What it
// changes is complete or not at all.
func (o *sqn[T]) remember(r *Report) error {
	addScaled(o.newMean, o.sum, 1, o.trial)
	scale(o.newMean, T(1/float64(o.set.Interval)))
	if o.steps+1 < 2*o.set.Interval {
		return nil
	}
	at := o.x
	o.x = o.newMean
	err := o.drawCurvature()
	o.x = at
	if err != nil {
		return err
	}
	s, y := o.pairs.spare()
	addScaled(s, o.newMean, -1, o.mean)
	if err := o.multiply(y, s); err != nil {
		return err
	}
	if err := o.nonFinite("curvature product", y); err != nil {
		return err
	}
	sy, ss, yy := dot(s, y), dot(s, s), dot(y, y)
	if ss > 0 {
		r.MinCurvature = sy / ss
	}
	if !(sy > 1e-8*math.Sqrt(ss)*math.Sqrt(yy)) {
		return nil
	}
	o.pairs.push(1 / sy)
	o.scale = sy / yy
	return nil
}

func (o *sqn[T]) shape(count int) shape {
	s := shape{method: o.method, scalars: []string{"pairs", "scale"}, optional: []string{"lr"},
		vectors: map[string]int{"sum": o.size, "mean": o.size}}
	o.pairs.shape(s, count)
	return s
}

func (o *sqn[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{"pairs": float64(o.pairs.count), "scale": o.scale},
		Vectors: map[string][]T{"sum": append([]T{}, o.sum...), "mean": append([]T{}, o.mean...)}}
	o.lr.save(s.Scalars)
	o.pairs.save(s.Vectors)
	return s
}

func (o *sqn[T]) Restore(s State[T]) error {
	count, err := countOf(o.method, "pairs", s.Scalars["pairs"], o.set.History)
	if err != nil {
		return err
	}
	if err := s.check(o.shape(count)); err != nil {
		return err
	}
	if err := positive(o.method, "scale", s.Scalars["scale"]); err != nil {
		return err
	}
	o.steps, o.scale = s.Step, s.Scalars["scale"]
	o.lr.load(s.Scalars)
	copy(o.sum, s.Vectors["sum"])
	copy(o.mean, s.Vectors["mean"])
	o.pairs.load(s.Vectors, count)
	return nil
}
