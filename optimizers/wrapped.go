package optimizers

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// startInner starts the method inside a wrapper.
func startInner[T Float](wrapper string, m Method, l Layout) (Optimizer[T], error) {
	if isNil(m) {
		return nil, fmt.Errorf("optimizers: %s: no method given to work around", wrapper)
	}
	return New[T](m, l)
}

// wrapperName is the name of a wrapper around m.
func wrapperName(wrapper string, m Method) string {
	if isNil(m) {
		return wrapper
	}
	return m.Name() + "+" + wrapper
}

// clash is the error for a wrapper that cannot stand around what it is given.
func clash(wrapper, inner, why string) error {
	return fmt.Errorf("optimizers: %s cannot stand around %s: %s", wrapper, inner, why)
}

// averages says whether o has weights for evaluation that are no longer right once somebody else moves x: those of an
// average or of a schedule-free method, but not Lookahead's slow weights, which follow x.
func averages[T Float](o Optimizer[T]) bool {
	a, ok := As[Averaging[T]](o)
	if !ok {
		return false
	}
	if s, ok := a.(interface{ averaging() bool }); ok && !s.averaging() {
		return false
	}
	_, slow := a.(*lookahead[T])
	return !slow
}

// accumulates says whether o needs x to stay as it is from one minibatch to the next.
func accumulates[T Float](o Optimizer[T]) bool {
	_, ok := As[*accumulate[T]](o)
	return ok
}

// withOwn adds what a wrapper remembers to the state of the method inside.
func withOwn[T Float](s State[T], scalars Scalars, vectors map[string][]T) State[T] {
	if s.Scalars == nil {
		s.Scalars = Scalars{}
	}
	if s.Vectors == nil {
		s.Vectors = map[string][]T{}
	}
	maps.Copy(s.Scalars, scalars)
	for name, v := range vectors {
		s.Vectors[name] = slices.Clone(v)
	}
	return s
}

// ownNames are the names of what a wrapper remembers.
type ownNames struct {
	wrapper string
	counts  []string // whole numbers from 0
	numbers []string
	vectors []string
	size    int // of each vector
}

// takeOwn parts what a wrapper remembers from the state of the method inside. It copies no vector; s stays as it is.
func takeOwn[T Float](s State[T], names ownNames) (inner, own State[T], err error) {
	inner = s
	inner.Scalars, inner.Vectors = maps.Clone(s.Scalars), maps.Clone(s.Vectors)
	own = State[T]{Scalars: Scalars{}, Vectors: map[string][]T{}}
	for i, name := range slices.Concat(names.counts, names.numbers) {
		v, ok := s.Scalars[name]
		switch {
		case !ok:
			return inner, own, fmt.Errorf("optimizers: state of %s: no scalar %q, which a run with %s has", s.Method, name, names.wrapper)
		case i < len(names.counts) && !(v >= 0 && v <= 1<<53 && v == math.Trunc(v)):
			return inner, own, fmt.Errorf("optimizers: state of %s: %s is %v; allowed are whole numbers from 0", s.Method, name, v)
		}
		own.Scalars[name] = v
		delete(inner.Scalars, name)
	}
	for _, name := range names.vectors {
		v, ok := s.Vectors[name]
		switch {
		case !ok:
			return inner, own, fmt.Errorf("optimizers: state of %s: no vector %q, which a run with %s has", s.Method, name, names.wrapper)
		case len(v) != names.size:
			return inner, own, fmt.Errorf("optimizers: state of %s: vector %q has %d elements; this optimizer's has %d", s.Method, name, len(v), names.size)
		}
		own.Vectors[name] = v
		delete(inner.Vectors, name)
	}
	return inner, own, nil
}
