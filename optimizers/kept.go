package optimizers

import "github.com/saddle-ml/saddle/internal/pages"

// kept is an optimizer's core with a list of what its State holds. A method embeds it and says what it keeps.
type kept[T Float] struct {
	core[T]
	knobs   []*knob
	vectors []vector[T]
	scalars []scalar
}

// vector is a part of the state.
type vector[T Float] struct {
	name string
	v    []T
}

// scalar is a number of the state.
type scalar struct {
	name string
	v    *float64
}

// turns keeps a knob that may be turned from outside.
func (o *kept[T]) turns(k *knob) { o.knobs = append(o.knobs, k) }

// keep makes a vector of the state with an element for each parameter.
func (o *kept[T]) keep(name string) []T { return o.keepSome(name, o.size) }

// keepSome makes one of n elements.
func (o *kept[T]) keepSome(name string, n int) []T {
	v := make([]T, n)
	pages.Huge(v)
	o.vectors = append(o.vectors, vector[T]{name, v})
	return v
}

// remember makes a number part of the state.
func (o *kept[T]) remember(name string, v *float64) {
	o.scalars = append(o.scalars, scalar{name, v})
}

func (o *kept[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{}}
	for _, k := range o.knobs {
		k.save(s.Scalars)
	}
	for _, n := range o.scalars {
		s.Scalars[n.name] = *n.v
	}
	for _, v := range o.vectors {
		s.Vectors[v.name] = append([]T{}, v.v...)
	}
	return s
}

func (o *kept[T]) Restore(s State[T]) error {
	want := shape{method: o.method, vectors: map[string]int{}}
	for _, k := range o.knobs {
		want.optional = append(want.optional, k.name)
	}
	for _, n := range o.scalars {
		want.scalars = append(want.scalars, n.name)
	}
	for _, v := range o.vectors {
		want.vectors[v.name] = len(v.v)
	}
	if err := s.check(want); err != nil {
		return err
	}
	o.steps = s.Step
	for _, k := range o.knobs {
		k.load(s.Scalars)
	}
	for _, n := range o.scalars {
		*n.v = s.Scalars[n.name]
	}
	for _, v := range o.vectors {
		copy(v.v, s.Vectors[v.name])
	}
	return nil
}
