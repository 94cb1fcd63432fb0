package optimizers

import "context"

// SVRG is stochastic variance-reduced gradient descent, for a mean over a finite training set. With the gradient g(x) of
// the minibatch and G(x) of the whole set, at a snapshot s
//
//	s = x,  x = x - LR·G(s)                            now and then
//	x = x - LR·(g(x) - g(s) + G(s))                    in the steps between
//
// (Johnson & Zhang 2013, with minibatches.) The direction has the mean of g, and a variance that vanishes as x and s come
// near the minimum: the rate stays constant, and on a strongly convex loss the convergence is linear, where that of SGD
// with a constant rate stalls at the level of its noise.
//
// A snapshot is taken in the first step and in each that begins when Passes times as many examples as the training set
// has have been seen since: with 1, the default, at the beginning of every epoch, which then costs three gradients of
// each example; Johnson & Zhang have 2 for convex losses and 5 for others. The snapshot is the last iterate (their option
// I). The step that takes it looks at the minibatch too, for the Report. A rate near 1/(3L), L the largest curvature of
// a single example's loss, is safe with minibatches of 1; with larger ones it may come near 1/L of the mean loss.
//
// For convex losses and high precision: regularised regression. Not for deep nets, where dropout, augmentation and
// batch normalisation change what is differenced, and where it does not help even without (Defazio & Bottou 2019): use
// SGD with momentum.
type SVRG struct {
	LR     float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate"`
	Passes float64 `set:"passes" default:"1" range:"(0,inf)" help:"snapshots are so many passes over the training set apart"`
}

var _ Method = (*SVRG)(nil)

// Name is svrg.
func (*SVRG) Name() string { return "svrg" }

func (*SVRG) info() Info {
	return Info{Name: "svrg", Memory: 4, DefaultLR: 0.1,
		Use: "minibatch gradients corrected by the whole set's at a snapshot: linear convergence on convex losses"}
}

func (s *SVRG) start32(l Layout) (Optimizer[float32], error) { return startSVRG[float32](s, l) }
func (s *SVRG) start64(l Layout) (Optimizer[float64], error) { return startSVRG[float64](s, l) }

func startSVRG[T Float](m *SVRG, l Layout) (Optimizer[T], error) {
	s, err := resolve("svrg", m)
	if err != nil {
		return nil, err
	}
	o := &svrg[T]{rate: newRate(s.LR), restart: restart{passes: s.Passes, seen: -1}, old: make([]T, l.Size())}
	o.core = newCore[T]("svrg", NeedGrad, l)
	o.turns(&o.lr)
	o.pass = o.block
	o.snapshot, o.mean = o.keep("snapshot"), o.keep("full_grad")
	o.remember(restartSeen, &o.seen)
	return o, nil
}

type svrg[T Float] struct {
	kept[T]
	rate
	restart
	snapshot []T
	mean     []T // gradient of the whole set there
	old      []T // of the minibatch there

	x     []T // of the step that is being taken
	step  T
	pass  func(worker, i int)
	fresh bool // this step is that of a snapshot
}

func (*svrg[T]) reducesVariance() {}
func (*svrg[T]) severalPoints()   {}

func (o *svrg[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := o.lr.check(o.method); err != nil {
		return Report{}, err
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	full, err := all(o.method, p)
	if err != nil {
		return Report{}, err
	}
	whole := batch.Len() >= full.Len()
	o.fresh = whole || o.due(full.Len())
	switch {
	case whole: // the minibatch is the training set
		copy(o.old, o.grad)
	case o.fresh:
		err = o.gradAt(o.old, full, x, "gradient of the whole set", &r)
	default:
		err = o.gradAt(o.old, batch, o.snapshot, "gradient at the snapshot", &r)
	}
	if err != nil {
		return Report{}, err
	}
	if o.fresh {
		copy(o.snapshot, x)
		copy(o.mean, o.old)
		o.seen = 0
	}
	o.x, o.step = x, T(o.lr.now)
	inBlocks(o.size, o.pass)
	o.x = nil
	o.seen += float64(batch.Len())
	o.steps++
	r.LR = o.lr.now
	return r, nil
}

// block moves a block.
func (o *svrg[T]) block(_, i int) {
	x, g, mean := block(o.x, i), block(o.grad, i), block(o.mean, i)
	if o.fresh {
		for j, m := range mean {
			x[j] -= T(o.step * m)
		}
		return
	}
	old := block(o.old, i)
	for j, m := range mean {
		x[j] -= T(o.step * (g[j] - old[j] + m))
	}
}

// Restore goes back to a State.
func (o *svrg[T]) Restore(s State[T]) error {
	if err := o.sensible(s.Method, s.Scalars); err != nil {
		return err
	}
	return o.kept.Restore(s)
}
