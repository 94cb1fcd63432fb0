package optimizers

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPrecision is wrapped by the error of New when a method works only on the other precision.
var ErrPrecision = errors.New("wrong precision")

// ErrAtWork is wrapped by the error of New when a method stands for a single optimizer that has been started.
var ErrAtWork = errors.New("already at work")

// NonFiniteError is the error of a Step that met an infinite or undefined loss or gradient. The parameters and the
// optimizer's state are as before the step.
type NonFiniteError struct {
	Method string  // the method that met it
	What   string  // "loss" or "gradient"
	Tensor string  // of a gradient: the first tensor with such an element
	Index  int     // of a gradient: the element's index in that tensor
	Value  float64 // NaN or an infinity
}

func (e *NonFiniteError) Error() string {
	if e.What == "gradient" {
		return fmt.Sprintf("optimizers: %s: gradient of %s is %v at index %d; the parameters are as before the step", e.Method, e.Tensor, e.Value, e.Index)
	}
	return fmt.Sprintf("optimizers: %s: %s is %v; the parameters are as before the step", e.Method, e.What, e.Value)
}

// unknown is the error for a name that is none of the allowed ones; it ends with the nearest of them, if one is near.
func unknown(what, name string, allowed []string) error {
	text := fmt.Sprintf("optimizers: unknown %s %q; allowed are %s", what, name, strings.Join(allowed, ", "))
	if len(allowed) == 0 {
		text = fmt.Sprintf("optimizers: unknown %s %q; there are none", what, name)
	}
	if near := nearest(name, allowed); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return errors.New(text)
}

// nearest is the allowed name with the fewest edits from name, or "" where none is near.
func nearest(name string, allowed []string) string {
	// At least one letter has to stay.
	best, least := "", min(max(2, len(name)/3), len(name)-1)+1
	for _, a := range allowed {
		if d := edits(strings.ToLower(name), a); d < least {
			best, least = a, d
		}
	}
	return best
}

// edits counts the insertions, deletions and replacements of bytes that turn a into b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0]++
		for j := range len(b) {
			replace := corner
			if a[i] != b[j] {
				replace++
			}
			corner = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
