package optimizers

import "context"

// Restated is an Averaging whose weights want statistics of their own: whoever evaluates them makes new running
// statistics of batch normalisation, by a pass over training data with them, as those of the iterates are of other
// activations.
type Restated interface {
	// Restate says whether they do, at this point of the run.
	Restate() bool
}

// average is a method at work, with an average of its iterates beside it.
type average[T Float] struct {
	Optimizer[T]
	word    string // ema, polyak or swa
	restate bool
	start   int                 // steps before the first iterate that counts
	every   int                 // steps from one that counts to the next
	share   func(n int) float64 // how far the average moves to the n-th that counts, n = 1, 2, ...; to the first it goes all the way
	mean    []T
	steps   int
	count   int // iterates in the average
}

// startAverage starts the method inside, checked, with an average around it.
func startAverage[T Float](word string, m Method, l Layout) (*average[T], error) {
	o, err := startInner[T](word, m, l)
	if err != nil {
		return nil, err
	}
	if averages(o) {
		return nil, clash(word, m.Name(), "its weights are averaged already")
	}
	return &average[T]{Optimizer: o, word: word, every: 1, mean: make([]T, l.Size())}, nil
}

// Unwrap is the wrapped method's optimizer.
func (a *average[T]) Unwrap() Optimizer[T] { return a.Optimizer }

// EvalWeights gives the average, or x before it has begun.
func (a *average[T]) EvalWeights(dst, x []T) {
	if a.count == 0 {
		copy(dst, x)
		return
	}
	copy(dst, a.mean)
}

// Restate says whether the settings ask for statistics, and there is an average.
func (a *average[T]) Restate() bool { return a.restate && a.count > 0 }

func (a *average[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	r, err := a.Optimizer.Step(ctx, x, p)
	if err != nil {
		return r, err
	}
	a.steps++
	if past := a.steps - a.start; past > 0 && (past-1)%a.every == 0 {
		a.count++
		if a.count == 1 {
			copy(a.mean, x)
		} else {
			lerp(a.mean, T(a.share(a.count)), x)
		}
	}
	return r, nil
}

// names are those of what an average adds to a State.
func (a *average[T]) names() (steps, count, mean string) {
	return a.word + "_step", a.word + "_count", a.word + "_weights"
}

func (a *average[T]) State() State[T] {
	steps, count, mean := a.names()
	return withOwn(a.Optimizer.State(), Scalars{steps: float64(a.steps), count: float64(a.count)}, map[string][]T{mean: a.mean})
}

func (a *average[T]) Restore(s State[T]) error {
	steps, count, mean := a.names()
	inner, own, err := takeOwn(s, ownNames{wrapper: a.word, counts: []string{steps, count}, vectors: []string{mean}, size: len(a.mean)})
	if err != nil {
		return err
	}
	if err := a.Optimizer.Restore(inner); err != nil {
		return err
	}
	a.steps, a.count = int(own.Scalars[steps]), int(own.Scalars[count])
	copy(a.mean, own.Vectors[mean])
	return nil
}
