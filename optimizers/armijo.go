package optimizers

import (
	"context"
	"math"
)

// ArmijoStep sets a method's learning rate by a backtracking line search on each minibatch (Vaswani, Mishkin, Laradji,
// Schmidt, Gidel & Lacoste-Julien 2019, Algorithm 1 with reset option 2). With the minibatch loss f and its gradient g
// at x, the rate is the first of limit, Shrink·limit, Shrink²·limit, ... with
//
//	f(x - rate·g) ≤ f(x) - C·rate·|g|²
//	limit = Max in the first step, then Growth^(b/n) times the last rate up to Max, with minibatches of b of the n examples
//
// as in the authors' code, whose constants these are; there the first step begins at 1. If none of 100 rates will do,
// the step is rejected: the parameters stay, and the next search begins where this one ended.
//
// Meant for gradient descent, sgd+armijo, where a net can fit its data (interpolation); the search costs about one loss
// a step more. With momentum 1-momentum of the rate is used, as each gradient counts 1/(1-momentum) times. Of a method
// that scales the gradient, as Adam does, the line that is searched is not the line along which it moves.
type ArmijoStep struct {
	C      float64 `set:"c" default:"0.1" range:"(0,1)" help:"share of the slope's decrease that is enough"`
	Max    float64 `set:"max" default:"10" range:"(0,inf)" help:"highest rate"`
	Shrink float64 `set:"shrink" default:"0.9" range:"(0,1)" help:"factor from one rate of a search to the next"`
	Growth float64 `set:"growth" default:"2" range:"[1,inf)" help:"by which factor the rate may grow in a pass over the data"`
	Of     Method  // the method whose rate is set
}

var _ Method = (*ArmijoStep)(nil)

// Name is that of the wrapped method, and +armijo.
func (w *ArmijoStep) Name() string { return wrapperName("armijo", w.Of) }

func (*ArmijoStep) info() Info {
	return Info{Name: "armijo", Memory: 2, SetsRate: true, Use: "a line search on each minibatch for sgd: no rate to choose where a net can fit its data"}
}

func (*ArmijoStep) word() string    { return "armijo" }
func (w *ArmijoStep) inner() Method { return w.Of }

func (w *ArmijoStep) around(m Method) Method {
	c := *w
	c.Of = m
	return &c
}

func (w *ArmijoStep) start32(l Layout) (Optimizer[float32], error) {
	return startArmijoStep[float32](w, l)
}
func (w *ArmijoStep) start64(l Layout) (Optimizer[float64], error) {
	return startArmijoStep[float64](w, l)
}

func startArmijoStep[T Float](w *ArmijoStep, l Layout) (Optimizer[T], error) {
	s, err := resolve("armijo", w)
	if err != nil {
		return nil, err
	}
	r, err := newStepRule[T]("armijo", s.Of, l)
	if err != nil {
		return nil, err
	}
	a := &armijoStep[T]{stepRule: r, set: s, trial: make([]T, l.Size())}
	a.along = a.lossAlong
	return a, nil
}

// armijoTrials is how many rates a search tries.
const armijoTrials = 100

type armijoStep[T Float] struct {
	*stepRule[T]
	set   ArmijoStep
	trial []T
	along func(share float64) (float64, error) // lossAlong, made once

	// Of the search that is under way.
	at    []T
	batch Sample[T]
	limit float64
}

func (w *armijoStep[T]) lossAlong(share float64) (float64, error) {
	addScaled(w.trial, w.at, -T(w.limit*share), w.grad)
	return w.batch.Loss(w.trial)
}

func (w *armijoStep[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	batch, length, err := w.look(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	w.limit = w.set.Max
	if w.last > 0 {
		w.limit = min(w.limit, math.Pow(w.set.Growth, growth(p, batch))*w.last)
	}
	rate, trials := w.limit, 0
	if length > 0 && finite(length) && finite(w.loss) {
		w.at, w.batch = x, batch
		search := Armijo{C: w.set.C, Shrink: w.set.Shrink, Max: armijoTrials, Slack: slack[T](w.loss)}
		found, err := search.Search(w.along, w.loss, -w.limit*length*length, math.NaN())
		w.at, w.batch = nil, nil
		if err != nil {
			return Report{}, err
		}
		rate, trials = w.limit*found.Rate, found.Trials
	}
	work := WorkLoss * int64(trials*batch.Len())
	if rate == 0 {
		w.last = max(w.limit*math.Pow(w.set.Shrink, armijoTrials), math.SmallestNonzeroFloat64)
		return Report{Loss: w.loss, GradNorm: length, Work: WorkGrad*int64(batch.Len()) + work, Rejected: true, Trials: trials}, nil
	}
	r, err := w.step(ctx, x, p, rate)
	if err != nil {
		return r, err
	}
	r.Work += work
	r.Trials += trials
	return r, nil
}
