package optimizers

import "context"

// SARAH is the stochastic recursive gradient algorithm, for a mean over a finite training set. With the gradient g(x) of
// the minibatch and G(x) of the whole set, and y the point of the step before
//
//	v = G(x)                        now and then
//	v = g(x) - g(y) + v             in the steps between
//	x = x - LR·v
//
// (Nguyen, Liu, Scheinberg & Takáč 2017, with minibatches.) Where SVRG corrects by a fixed snapshot, SARAH corrects by the
// last point, which is near: v is biased, but its variance falls within one inner loop. The convergence is linear on a
// strongly convex loss, from restart to restart; in the end of a long inner loop v is small and little moves.
//
// It restarts in the first step and in each that begins when Passes times as many examples as the training set has have
// been seen since: with 1, the default, at the beginning of every epoch. With Gamma, as in their SARAH+, also after a
// step where |v|² has fallen to Gamma times what it was at the restart; they have 1/8. The next inner loop begins at the
// last iterate, as in their experiments.
//
// For convex losses and high precision, as SVRG; a rate near 1/(2L) is safe. Not for deep nets with dropout or batch
// normalisation.
type SARAH struct {
	LR     float64 `set:"lr" default:"0.1" range:"[0,inf)" help:"learning rate"`
	Passes float64 `set:"passes" default:"1" range:"(0,inf)" help:"restarts are at most so many passes over the training set apart"`
	Gamma  float64 `set:"gamma" default:"0" range:"[0,1)" help:"restart when |v|² has fallen to this share; 0: not for that"`
}

var _ Method = (*SARAH)(nil)

// Name is sarah.
func (*SARAH) Name() string { return "sarah" }

func (*SARAH) info() Info {
	return Info{Name: "sarah", Memory: 4, DefaultLR: 0.1,
		Use: "recursive corrections of minibatch gradients: linear convergence on convex losses"}
}

func (s *SARAH) start32(l Layout) (Optimizer[float32], error) { return startSARAH[float32](s, l) }
func (s *SARAH) start64(l Layout) (Optimizer[float64], error) { return startSARAH[float64](s, l) }

func startSARAH[T Float](m *SARAH, l Layout) (Optimizer[T], error) {
	s, err := resolve("sarah", m)
	if err != nil {
		return nil, err
	}
	o := &sarah[T]{rate: newRate(s.LR), restart: restart{passes: s.Passes, seen: -1}, set: s, old: make([]T, l.Size())}
	o.core = newCore[T]("sarah", NeedGrad, l)
	o.turns(&o.lr)
	o.pass = o.block
	o.last, o.v = o.keep("last_point"), o.keep("estimate")
	o.remember(restartSeen, &o.seen)
	o.remember("estimate_at_restart", &o.first)
	return o, nil
}

type sarah[T Float] struct {
	kept[T]
	rate
	restart
	set   SARAH
	last  []T     // the point where v was made
	v     []T     // the estimate
	first float64 // |v|² at the restart
	old   []T     // gradient of the minibatch at last

	x     []T // of the step that is being taken
	step  T
	pass  func(worker, i int)
	fresh bool // this step restarts
}

func (*sarah[T]) reducesVariance() {}
func (*sarah[T]) severalPoints()   {}

func (o *sarah[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
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
		err = o.gradAt(o.old, batch, o.last, "gradient at the last point", &r)
	}
	if err != nil {
		return Report{}, err
	}
	if o.fresh {
		o.seen = 0
	}
	o.x, o.step = x, T(o.lr.now)
	inBlocks(o.size, o.pass)
	o.x = nil
	o.seen += float64(batch.Len())
	if length := dot(o.v, o.v); o.fresh {
		o.first = length
	} else if length <= o.set.Gamma*o.first && o.set.Gamma > 0 {
		o.seen = -1
	}
	o.steps++
	r.LR = o.lr.now
	return r, nil
}

// block makes the estimate of a block and moves it.
func (o *sarah[T]) block(_, i int) {
	x, g := block(o.x, i), block(o.grad, i)
	v, old, last := block(o.v, i), block(o.old, i), block(o.last, i)
	for j, x0 := range x {
		if o.fresh {
			v[j] = old[j]
		} else {
			v[j] += g[j] - old[j]
		}
		last[j] = x0
		x[j] -= T(o.step * v[j])
	}
}

// Restore goes back to a State.
func (o *sarah[T]) Restore(s State[T]) error {
	if err := o.sensible(s.Method, s.Scalars); err != nil {
		return err
	}
	return o.kept.Restore(s)
}
