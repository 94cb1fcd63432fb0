package optimizers

import (
	"context"
	"math"
)

// STORM is stochastic gradient descent with recursive momentum. With the gradient g(x) of the minibatch, y the point of
// the step before, d = g(x) in the first step, and G the sum of all |g(x)|² with that of this step
//
//	r = LR/(W + G)^(1/3),   a = min(1, C·r²)
//	d = g(x) + (1 - a)·(d - g(y))
//	x = x - r·d
//
// where a is of the r of the step before (Cutkosky & Orabona 2019, Algorithm 1, whose k is LR; the bound 1 is from their
// code). The correction by g(y), of the same minibatch, takes the bias out of the momentum: the variance of d falls
// without a gradient of the whole set. They set LR = W = 0.1 and tuned C; 100 is the value in their code.
//
// With Elementwise it is what they released, which differs: every parameter has an r of its own from its own sum of
// squares, which begins at Largest³, a and r are of the same step, and d is cut to [-m, m], m the largest norm of the
// tensor's gradients so far, at least Largest. Their defaults are then LR 1, W 10, C 100, Largest 0.01.
//
// For non-convex losses where two gradients a step are affordable. Not where dropout or batch normalisation make the
// same minibatch another function at another time: the masks are the same for both points, but statistics are not.
type STORM struct {
	LR          float64 `set:"lr" default:"0.1, or 1 with elementwise" range:"[0,inf)" help:"learning rate, before it is divided"`
	W           float64 `set:"w" default:"0.1, or 10 with elementwise" range:"(0,inf)" help:"added to the sum of squares that divides the rate"`
	C           float64 `set:"c" default:"100" range:"[0,inf)" help:"how much of each gradient is new: c times the squared rate"`
	Elementwise bool    `set:"elementwise" default:"false" help:"a rate for each parameter, as in the authors' code"`
	Largest     float64 `set:"largest" default:"0.01" range:"(0,inf)" help:"with elementwise: least bound of the estimate, and the root of the first sum of squares"`
}

var _ Method = (*STORM)(nil)

// Name is storm.
func (*STORM) Name() string { return "storm" }

func (*STORM) info() Info {
	return Info{Name: "storm", Memory: 4, DefaultLR: 0.1,
		Use: "momentum without bias by a second gradient of each minibatch, and a rate that adapts"}
}

func (s *STORM) defaults() {
	if s.LR == 0 {
		s.LR = 0.1
		if s.Elementwise {
			s.LR = 1
		}
	}
	if s.W == 0 {
		s.W = 0.1
		if s.Elementwise {
			s.W = 10
		}
	}
}

func (s *STORM) start32(l Layout) (Optimizer[float32], error) { return startSTORM[float32](s, l) }
func (s *STORM) start64(l Layout) (Optimizer[float64], error) { return startSTORM[float64](s, l) }

func startSTORM[T Float](m *STORM, l Layout) (Optimizer[T], error) {
	s, err := resolve("storm", m)
	if err != nil {
		return nil, err
	}
	o := &storm[T]{rate: newRate(s.LR), set: s, old: make([]T, l.Size())}
	o.core = newCore[T]("storm", NeedGrad, l)
	o.turns(&o.lr)
	o.pass = o.block
	o.last, o.d = o.keep("last_point"), o.keep("estimate")
	if !s.Elementwise {
		o.remember("sum_of_squares", &o.sum)
		o.remember("last_rate", &o.lastRate)
		return o, nil
	}
	o.squares, o.bounds = o.keep("sums_of_squares"), o.keepSome("largest_norms", len(l))
	for i := range o.squares {
		o.squares[i] = T(s.Largest * s.Largest * s.Largest)
	}
	for i := range o.bounds {
		o.bounds[i] = T(s.Largest)
	}
	return o, nil
}

type storm[T Float] struct {
	kept[T]
	rate
	set      STORM
	last     []T     // the point of the step before
	d        []T     // the estimate
	sum      float64 // of |g|²
	lastRate float64 // r of the step before
	squares  []T     // of each parameter, with Elementwise
	bounds   []T     // of each tensor
	old      []T     // gradient of the minibatch at last

	// Of the step that is being taken.
	x             []T
	step, keepOld float64
	pass          func(worker, i int)
}

func (*storm[T]) reducesVariance() {}
func (*storm[T]) severalPoints()   {}

func (o *storm[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	if o.steps == 0 {
		copy(o.old, o.grad)
	} else if err := o.gradAt(o.old, batch, o.last, "gradient at the last point", &r); err != nil {
		return Report{}, err
	}
	o.x = x
	if o.set.Elementwise {
		for k, t := range o.layout {
			o.bounds[k] = max(o.bounds[k], T(norm(o.grad[t.Offset:t.Offset+t.Size()])))
		}
		o.step = o.lr.now
	} else {
		o.sum += r.GradNorm * r.GradNorm
		o.step = o.lr.now / math.Cbrt(o.set.W+o.sum)
		o.keepOld = 1 - min(1, o.set.C*o.lastRate*o.lastRate)
		if o.steps == 0 {
			o.keepOld = 0
		}
		o.lastRate = o.step
	}
	inBlocks(o.size, o.pass)
	o.x = nil
	o.steps++
	r.LR = o.step
	return r, nil
}

// block makes the estimate of a block and moves it.
func (o *storm[T]) block(_, i int) {
	x, g := block(o.x, i), block(o.grad, i)
	d, old, last := block(o.d, i), block(o.old, i), block(o.last, i)
	if o.set.Elementwise {
		o.blockOfEach(x, g, i)
		return
	}
	keep, step := T(o.keepOld), T(o.step)
	for j, v := range x {
		d[j] = g[j] + T(keep*(d[j]-old[j]))
		last[j] = v
		x[j] -= T(step * d[j])
	}
}

// blockOfEach is block with a rate for each parameter.
func (o *storm[T]) blockOfEach(x, g []T, i int) {
	d, old, last, squares := block(o.d, i), block(o.old, i), block(o.last, i), block(o.squares, i)
	tensor, end, bound := -1, 0, T(0)
	for j, v := range x {
		for at := i*blockSize + j; at >= end; { // the tensor that it belongs to
			tensor++
			end, bound = o.layout[tensor].Offset+o.layout[tensor].Size(), o.bounds[tensor]
		}
		squares[j] += T(g[j] * g[j])
		rate := o.step / math.Cbrt(o.set.W+float64(squares[j]))
		keep := T(1 - min(1, o.set.C*rate*rate))
		d[j] = min(max(g[j]+T(keep*(d[j]-old[j])), -bound), bound)
		last[j] = v
		x[j] -= T(T(rate) * d[j])
	}
}
