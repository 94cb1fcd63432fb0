package optimizers

import (
	"context"
	"fmt"
)

// rateSetter is an optimizer that sets the learning rate of another before each step.
type rateSetter interface{ setsRate() }

func (*scheduled[T]) setsRate() {}

// stepRule is what the wrappers have in common that find a learning rate from the loss and gradient of each minibatch:
// they look at those first, set the rate, and let the method inside step, which gets the gradient again for nothing.
type stepRule[T Float] struct {
	Optimizer[T]
	word  string
	rated Rated
	sgd   *sgd[T] // where that is the method inside
	last  float64 // the rate of the last step, before it was shared out; 0 before the first
	seen  gradProblem[T]
	grad  []T
	loss  float64
	x     []T // where grad is, until it is used
}

// newStepRule starts the method inside and checks that its rate is free to be set.
func newStepRule[T Float](word string, m Method, l Layout) (*stepRule[T], error) {
	o, err := startInner[T](word, m, l)
	if err != nil {
		return nil, err
	}
	rated, ok := As[Rated](o)
	if !ok {
		return nil, clash(word, m.Name(), "it has no learning rate")
	}
	if _, twice := As[rateSetter](o); twice {
		return nil, clash(word, m.Name(), "its learning rate is set already")
	}
	r := &stepRule[T]{Optimizer: o, word: word, rated: rated, grad: make([]T, l.Size())}
	r.sgd, _ = As[*sgd[T]](o)
	r.seen.grad = r.again
	return r, nil
}

func (r *stepRule[T]) setsRate() {}

// Unwrap is the wrapped method's optimizer.
func (r *stepRule[T]) Unwrap() Optimizer[T] { return r.Optimizer }

// look fills in the minibatch's loss and gradient at x; what is not finite is for the method to refuse.
func (r *stepRule[T]) look(ctx context.Context, x []T, p Problem[T]) (batch Sample[T], length float64, err error) {
	if err := ready(ctx, r.word, len(r.grad), len(x), p); err != nil {
		return nil, 0, err
	}
	if batch = p.Batch(); batch == nil {
		return nil, 0, fmt.Errorf("optimizers: %s: the problem has no minibatch", r.word)
	}
	if r.loss, err = batch.Grad(r.grad, x); err != nil {
		return nil, 0, fmt.Errorf("optimizers: %s: gradient: %w", r.word, err)
	}
	return batch, norm(r.grad), nil
}

// step is that of the method inside, at the given rate. After an error the rate is as before.
//
// SGD with momentum goes along each gradient again and again, 1/(1-momentum) times the rate in the end: it gets that
// much less, as in MomSPS (Oikonomou & Loizou 2024).
func (r *stepRule[T]) step(ctx context.Context, x []T, p Problem[T], rate float64) (Report, error) {
	before := r.rated.Rate()
	share := 1.0
	if r.sgd != nil && r.sgd.buffer != nil {
		share = min(1, (1-r.sgd.Momentum())/(1-r.sgd.set.Dampening))
	}
	r.rated.SetRate(share * rate)
	r.x = x
	r.seen.begin(p)
	report, err := r.Optimizer.Step(ctx, x, &r.seen)
	r.seen.end(&report, err)
	r.x = nil
	if err != nil {
		r.rated.SetRate(before)
		return report, err
	}
	r.last = rate
	return report, nil
}

// again is the gradient that is known already, where it is asked for.
func (r *stepRule[T]) again(s *gradSample[T], dst, x []T) (float64, error) {
	if s == &r.seen.batch && len(x) == len(r.x) && (len(x) == 0 || &x[0] == &r.x[0]) {
		r.x = nil
		copy(dst, r.grad)
		s.before = norm(dst)
		return r.loss, nil
	}
	loss, _, err := s.asItWas(dst, x)
	return loss, err
}

// growth is how much a rate may grow from one step to the next where it may grow by the factor each in a pass over the
// data.
func growth[T Float](p Problem[T], batch Sample[T]) (share float64) {
	if full := p.Full(); full != nil && full.Len() > 0 {
		return min(1, float64(batch.Len())/float64(full.Len()))
	}
	return 1
}

func (r *stepRule[T]) State() State[T] {
	return withOwn(r.Optimizer.State(), Scalars{r.word + "_rate": r.last}, nil)
}

func (r *stepRule[T]) Restore(s State[T]) error {
	name := r.word + "_rate"
	inner, own, err := takeOwn(s, ownNames{wrapper: r.word, numbers: []string{name}})
	if err != nil {
		return err
	}
	last := own.Scalars[name]
	if !(last >= 0) || !finite(last) {
		return fmt.Errorf("optimizers: state of %s: %s is %v; allowed are numbers from 0", s.Method, name, last)
	}
	if err := r.Optimizer.Restore(inner); err != nil {
		return err
	}
	r.last = last
	return nil
}
