package optimizers

import (
	"errors"
	"fmt"
	"math"
)

// ExampleGrads is a Sample (see SampleAs) that tells its examples apart: it knows their numbers in the training set, from
// 0 to Full().Len()-1, and has the gradient of each.
type ExampleGrads[T Float] interface {
	// ExampleGrads calls f for each example of the sample, in its order, with its number and the loss and gradient at x
	// of it alone; g is f's until it returns. An error of f ends the calls and is returned. The mean of the gradients is
	// that of Grad, but for rounding.
	ExampleGrads(x []T, f func(example int, loss float64, g []T) error) error
}

// exampleGrads asks a sample for gradients of single examples.
func exampleGrads[T Float](method string, s Sample[T], x []T, f func(example int, loss float64, g []T) error) error {
	e, ok := SampleAs[ExampleGrads[T]](s)
	if !ok {
		return fmt.Errorf("optimizers: %s: the problem's samples give no %v", method, NeedExampleGrads)
	}
	if err := e.ExampleGrads(x, f); err != nil {
		return fmt.Errorf("optimizers: %s: gradients of single examples: %w", method, err)
	}
	return nil
}

// reducer is an optimizer that reduces the variance of minibatch gradients: it takes differences of gradients at several
// points, of which a change of each by itself makes nonsense.
type reducer interface{ reducesVariance() }

// refuseReducer is the error of a wrapper that changes each gradient by itself, or keeps the minibatches' gradients only,
// around a method that takes differences of them.
func refuseReducer[T Float](wrapper, inner string, o Optimizer[T]) error {
	if _, ok := As[reducer](o); !ok {
		return nil
	}
	return clash(wrapper, inner, "it takes differences of gradients at several points")
}

// severalPoints is an optimizer that asks for gradients at points of earlier steps, at which all parameters have to be.
type severalPoints interface{ severalPoints() }

// restart says when a method that takes the gradient of the whole training set from time to time does so again: at the
// beginning, and when it has seen enough examples since.
type restart struct {
	passes float64 // over the training set, between two of them
	seen   float64 // examples since the last; a whole number, or -1 where the next step is to restart
}

func (r *restart) due(n int) bool { return r.seen < 0 || r.seen >= r.passes*float64(n) }

// sensible says what is wrong with the number in a State; one that is missing is found elsewhere.
func (r *restart) sensible(method string, s Scalars) error {
	seen := s[restartSeen]
	if seen == -1 || seen >= 0 && seen <= 1<<53 && seen == math.Trunc(seen) {
		return nil
	}
	return fmt.Errorf("optimizers: state of %s: %s is %v; allowed are whole numbers from 0, and -1", method, restartSeen, seen)
}

const restartSeen = "examples_since_restart" // in a State

// all gives the whole training set of a problem.
func all[T Float](method string, p Problem[T]) (Sample[T], error) {
	if full := p.Full(); full != nil {
		return full, nil
	}
	return nil, fmt.Errorf("optimizers: %s: %w", method, errNoFull)
}

var errNoFull = errors.New("the problem has no whole training set")

// gradAt fills dst with a finite gradient of a sample at a point, for a step that is under way.
func (c *core[T]) gradAt(dst []T, s Sample[T], x []T, what string, r *Report) error {
	loss, err := s.Grad(dst, x)
	if err != nil {
		return fmt.Errorf("optimizers: %s: %s: %w", c.method, what, err)
	}
	r.Work += WorkGrad * int64(s.Len())
	if !finite(norm(dst)) {
		if err := c.nonFinite(what, dst); err != nil {
			return err
		}
	}
	if !finite(loss) {
		return &NonFiniteError{Method: c.method, What: "loss of the " + what, Value: loss}
	}
	return nil
}
