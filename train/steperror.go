package train

import (
	"errors"
	"fmt"

	"github.com/saddle-ml/saddle/optimizers"
)

// StepError is the error of Fit where the method has failed and not the machine
// or its files: training cannot go on, but other methods may do well in the same
// place.
type StepError struct {
	Step     int  // that failed, or after which the loss was no number
	Diverged bool // a loss, gradient, weight or other vector is not finite
	err      error
}

func (e *StepError) Error() string { return e.err.Error() }

// Unwrap is the cause.
func (e *StepError) Unwrap() error { return e.err }

// errNotFinite is in the errors for losses and weights that are not finite.
var errNotFinite = errors.New("not finite")

// notFiniteError is an error for a number that is not finite, in its own words.
type notFiniteError struct{ error }

func (notFiniteError) Is(target error) bool { return target == errNotFinite }

func notFinitef(format string, args ...any) error {
	return notFiniteError{fmt.Errorf(format, args...)}
}

// stepError makes an error of these words; it is a StepError if the cause is a
// number that is not finite.
func (r *run[T]) stepError(step int, cause error, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	var bad *optimizers.NonFiniteError
	if errors.Is(cause, errNotFinite) || errors.As(cause, &bad) {
		return &StepError{step, true, err}
	}
	return err
}
