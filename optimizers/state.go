package optimizers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// State is everything an optimizer needs to go on to the same bits: beside it only the settings and the parameters.
// It shares no memory with the optimizer.
type State[T Float] struct {
	Method  string // the method's name
	Step    int    // steps done
	Scalars Scalars
	Vectors map[string][]T
}

// Scalars are the named numbers of a State. As JSON they come back exactly, also those that JSON has no number for:
// NaN, Inf and -Inf are written as strings.
type Scalars map[string]float64

// MarshalJSON writes an object in the order of the names.
func (s Scalars) MarshalJSON() ([]byte, error) {
	values := make(map[string]any, len(s))
	for name, v := range s {
		switch {
		case math.IsNaN(v):
			values[name] = "NaN"
		case math.IsInf(v, 1):
			values[name] = "Inf"
		case math.IsInf(v, -1):
			values[name] = "-Inf"
		default:
			values[name] = v
		}
	}
	return json.Marshal(values)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Scalars) UnmarshalJSON(data []byte) error {
	var values map[string]any
	if err := json.Unmarshal(data, &values); err != nil {
		return fmt.Errorf("optimizers: scalars of a state: %w", err)
	}
	read := make(Scalars, len(values))
	for name, v := range values {
		switch v {
		case "NaN":
			read[name] = math.NaN()
		case "Inf":
			read[name] = math.Inf(1)
		case "-Inf":
			read[name] = math.Inf(-1)
		default:
			number, ok := v.(float64)
			if !ok {
				return fmt.Errorf("optimizers: scalar %q of a state is %v; allowed are numbers, \"NaN\", \"Inf\" and \"-Inf\"", name, v)
			}
			read[name] = number
		}
	}
	*s = read
	return nil
}

// shape is what a method expects in its State.
type shape struct {
	method   string
	scalars  []string
	optional []string       // scalars that may be missing
	vectors  map[string]int // name to length
}

// check compares a state with the expected shape: the same method, all names and no others, the right lengths.
func (s State[T]) check(want shape) error {
	if s.Method != want.method {
		return fmt.Errorf("optimizers: the state is of method %q, the optimizer runs %q", s.Method, want.method)
	}
	if s.Step < 0 {
		return fmt.Errorf("optimizers: state of %s: %d steps done; allowed are 0 and more", s.Method, s.Step)
	}
	for _, name := range want.scalars {
		if _, ok := s.Scalars[name]; !ok {
			return fmt.Errorf("optimizers: state of %s: no scalar %q; it has %s", s.Method, name, names(s.Scalars))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Scalars)) {
		if !slices.Contains(want.scalars, name) && !slices.Contains(want.optional, name) {
			return fmt.Errorf("optimizers: state of %s: unknown scalar %q; allowed are %s", s.Method, name,
				listOr(slices.Concat(want.scalars, want.optional)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want.vectors)) {
		v, ok := s.Vectors[name]
		if !ok {
			return fmt.Errorf("optimizers: state of %s: no vector %q; it has %s", s.Method, name, names(s.Vectors))
		}
		if len(v) != want.vectors[name] {
			return fmt.Errorf("optimizers: state of %s: vector %q has %d elements; this optimizer's has %d", s.Method, name, len(v), want.vectors[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Vectors)) {
		if _, ok := want.vectors[name]; !ok {
			return fmt.Errorf("optimizers: state of %s: unknown vector %q; allowed are %s", s.Method, name, names(want.vectors))
		}
	}
	return nil
}

// names lists the keys of a map in order.
func names[V any](m map[string]V) string { return listOr(slices.Sorted(maps.Keys(m))) }

// listOr joins words, or says that there are none.
func listOr(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// positive refuses a scalar of a state that is not a number above 0.
func positive(method, name string, v float64) error {
	if !(v > 0) || !finite(v) {
		return fmt.Errorf("optimizers: state of %s: %s is %v; allowed are numbers above 0", method, name, v)
	}
	return nil
}
