package optimizers

import (
	"context"

	"github.com/saddle-ml/saddle/internal/pages"
	"github.com/saddle-ml/saddle/internal/parallel"
)

// elementwise is an optimizer whose rule treats every parameter alike: each step asks for one gradient and then moves the
// parameters block by block, on all cores. A method embeds it, calls init and gives it what it keeps.
type elementwise[T Float] struct {
	core[T]
	prepare func(t int, x []T) // before pass, in step t, which is 1 first: computes its coefficients
	// look, where it is set, asks the problem for more than the gradient of the minibatch, before anything changes. It
	// tells the work and the lowest curvature seen, or 0.
	look    func(ctx context.Context, x []T, p Problem[T], batch Sample[T]) (work int64, lowest float64, err error)
	lr      *knob // nil for a method without a learning rate
	knobs   []*knob
	vectors []vector[T]
	scalars []scalar

	x     []T     // of the step that is being taken
	used  float64 // the rate of the step, for the report; prepare may change it
	tasks int     // of pass
	pass  func(worker, i int)
}

// rule is what a method that goes block by block has of its own.
type rule[T Float] interface {
	// prepare comes before the blocks of step t.
	prepare(t int, x []T)
	// update moves block i of the parameters, x, along that of the gradient, g.
	update(x, g []T, i int)
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

// init starts the optimizer of a rule that goes block by block.
func (o *elementwise[T]) init(method string, l Layout, r rule[T]) {
	o.start(method, l, r.prepare)
	o.tasks = blocks(o.size)
	o.pass = func(_, i int) { r.update(block(o.x, i), block(o.grad, i), i) }
}

// start is init for a method that gives tasks and pass itself.
func (o *elementwise[T]) start(method string, l Layout, prepare func(t int, x []T)) {
	o.core = newCore[T](method, NeedGrad, l)
	o.prepare = prepare
}

// rated lets the learning rate be set from outside.
func (o *elementwise[T]) rated(r *rate, lr float64) {
	*r = newRate(lr)
	o.lr = &r.lr
	o.turns(&r.lr)
}

// turns keeps a knob that may be turned from outside.
func (o *elementwise[T]) turns(k *knob) { o.knobs = append(o.knobs, k) }

// keep makes a vector of the state with an element for each parameter.
func (o *elementwise[T]) keep(name string) []T { return o.keepSome(name, o.size) }

// keepSome makes one of n elements.
func (o *elementwise[T]) keepSome(name string, n int) []T {
	v := make([]T, n)
	pages.Huge(v)
	o.vectors = append(o.vectors, vector[T]{name, v})
	return v
}

// remember makes a number part of the state.
func (o *elementwise[T]) remember(name string, v *float64) {
	o.scalars = append(o.scalars, scalar{name, v})
}

// oneGradient says what its name does: see asksOneGradient.
func (o *elementwise[T]) oneGradient() bool { return o.look == nil }

func (o *elementwise[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	for _, k := range o.knobs {
		if err := k.check(o.method); err != nil {
			return Report{}, err
		}
	}
	batch, r, err := o.gradient(ctx, x, p)
	if err != nil {
		return Report{}, err
	}
	if o.look != nil {
		work, lowest, err := o.look(ctx, x, p, batch)
		if err != nil {
			return Report{}, err
		}
		r.Work += work
		r.MinCurvature = lowest
	}
	if o.lr != nil {
		o.used = o.lr.now
	}
	o.steps++
	o.x = x
	o.prepare(o.steps, x)
	parallel.Shared().Run(o.tasks, o.pass)
	o.x = nil
	r.LR = o.used
	return r, nil
}

func (o *elementwise[T]) State() State[T] {
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

func (o *elementwise[T]) Restore(s State[T]) error {
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

// momentum is the knob of a method's momentum, embedded.
type momentum struct {
	turn knob
	none bool // the settings have no momentum
}

// Momentum is the momentum of the next step.
func (m *momentum) Momentum() float64 { return m.turn.now }

// SetMomentum changes the momentum, unless the settings have none.
func (m *momentum) SetMomentum(v float64) {
	if !m.none {
		m.turn.now = v
	}
}

// withMomentum lets the momentum be set from outside. The knob goes up to most.
func (o *elementwise[T]) withMomentum(m *momentum, name string, v, most float64) {
	*m = momentum{turn: newKnob(name, v, most), none: v == 0}
	o.turns(&m.turn)
}
