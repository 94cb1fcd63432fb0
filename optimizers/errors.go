package optimizers

import (
	"errors"
	"fmt"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
)

// ErrPrecision is wrapped by the error of New when a method works only on the other precision.
var ErrPrecision = errors.New("wrong precision")

// ErrAtWork is wrapped by the error of New when a method stands for a single optimizer that has been started.
var ErrAtWork = errors.New("already at work")

// NonFiniteError is the error of a Step that met an infinite or undefined loss, gradient or other vector that it needs.
// The parameters and the optimizer's state are as before the step.
type NonFiniteError struct {
	Method string  // the method that met it
	What   string  // "loss", "gradient", or what the method calls it, as "curvature product"
	Tensor string  // of a vector: the first tensor with such an element
	Index  int     // of a vector: the element's index in that tensor
	Value  float64 // NaN or an infinity
}

func (e *NonFiniteError) Error() string {
	if e.Tensor != "" {
		return fmt.Sprintf("optimizers: %s: %s of %s is %v at index %d; the parameters are as before the step", e.Method, e.What, e.Tensor, e.Value, e.Index)
	}
	return fmt.Sprintf("optimizers: %s: %s is %v; the parameters are as before the step", e.Method, e.What, e.Value)
}

// unknown is the error for a name that is none of the allowed ones; it ends with the nearest of them, if one is near.
func unknown(what, name string, allowed []string) error {
	text := fmt.Sprintf("optimizers: unknown %s %q; allowed are %s", what, name, strings.Join(allowed, ", "))
	if len(allowed) == 0 {
		text = fmt.Sprintf("optimizers: unknown %s %q; there are none", what, name)
	}
	return errors.New(text + spell.Hint(name, allowed))
}

// DampingError is the error of a Step that found no lower loss although its curvature was damped as much as it may be:
// there is no way down, be it that gradient and loss do not belong together or that the loss is all noise. The
// parameters and the optimizer's state are as before the step.
type DampingError struct {
	Method  string
	Damping float64
}

func (e *DampingError) Error() string {
	return fmt.Sprintf("optimizers: %s: the loss rises along every step, with a damping of up to %g; the parameters are as before the step", e.Method, e.Damping)
}
