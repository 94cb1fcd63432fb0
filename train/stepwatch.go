package train

import (
	"encoding/json"
	"fmt"

	"github.com/saddle-ml/saddle/optimizers"
)

// StepWatcher is a Watcher that is told of every step: what it measures depends on
// all of them.
type StepWatcher[T Float] interface {
	Watcher
	// Step is called after every step and before Measure. What s holds is valid until
	// it returns.
	Step(s *Step[T]) error
	// State is what a checkpoint keeps of it, as encoding/json writes it; Restore goes
	// back to that.
	State() (json.RawMessage, error)
	Restore(state json.RawMessage) error
}

// Step is a step that has been taken.
type Step[T Float] struct {
	Number        int // from 1
	Before, After []T // the parameters
	Grad          []T // of the minibatch's mean loss at Before, as the optimizer saw it first
	LR            float64
	Momentum      float64 // of an optimizer that has one, 0 of others
}

// stepWatch keeps what step watchers are told.
type stepWatch[T Float] struct {
	list     []StepWatcher[T]
	step     Step[T]
	momentum optimizers.WithMomentum // nil where there is none
}

// watchSteps finds the watchers that follow every step.
func (r *run[T]) watchSteps() {
	for _, w := range r.config.Watch {
		if s, ok := w.(StepWatcher[T]); ok {
			r.follow.list = append(r.follow.list, s)
		}
	}
	if len(r.follow.list) == 0 {
		return
	}
	n := len(r.model.Params)
	r.follow.step.Before = make([]T, n)
	r.problem.batch.grad = make([]T, n)
	r.follow.momentum, _ = optimizers.As[optimizers.WithMomentum](r.optimizer)
}

// followBefore notes where a step begins.
func (r *run[T]) followBefore() {
	if len(r.follow.list) > 0 {
		copy(r.follow.step.Before, r.model.Params)
		r.problem.batch.graded = false
	}
}

// followAfter tells of the step.
func (r *run[T]) followAfter() error {
	if len(r.follow.list) == 0 {
		return nil
	}
	s := &r.follow.step
	if !r.problem.batch.graded {
		return fmt.Errorf("train: step %d: a watcher wants the gradient of the minibatch, which %s does not compute", r.at.Step, r.about.Optimizer)
	}
	s.Number, s.After, s.Grad, s.LR = r.at.Step, r.model.Params, r.problem.batch.grad, r.at.LR
	if r.follow.momentum != nil {
		s.Momentum = r.follow.momentum.Momentum()
	}
	for _, w := range r.follow.list {
		if err := w.Step(s); err != nil {
			return fmt.Errorf("train: step %d: watching: %w", r.at.Step, err)
		}
	}
	r.clock()
	return nil
}

// watchState is the states of the step watchers, in their order.
func (r *run[T]) watchState() (list []json.RawMessage, err error) {
	for _, w := range r.follow.list {
		s, err := w.State()
		if err != nil {
			return nil, fmt.Errorf("train: step %d: watching: %w", r.at.Step, err)
		}
		list = append(list, s)
	}
	return list, nil
}

// restoreWatch goes back to them.
func (r *run[T]) restoreWatch(list []json.RawMessage) error {
	if len(list) != len(r.follow.list) {
		return fmt.Errorf("train: the run to resume was watched step by step by %d, now it is by %d", len(list), len(r.follow.list))
	}
	for i, w := range r.follow.list {
		if err := w.Restore(list[i]); err != nil {
			return err
		}
	}
	return nil
}
