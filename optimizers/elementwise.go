package optimizers

import (
	"context"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// elementwise is an optimizer whose rule treats every parameter alike: each step asks for one gradient and then moves the
// parameters block by block, on all cores. A method embeds it, calls init and gives it what it keeps.
type elementwise[T Float] struct {
	kept[T]
	prepare func(t int, x []T) // before pass, in step t, which is 1 first: computes its coefficients
	// look, where it is set, asks the problem for more than the gradient of the minibatch, before anything changes. It
	// tells the work and the lowest curvature seen, or 0.
	look func(ctx context.Context, x []T, p Problem[T], batch Sample[T]) (work int64, lowest float64, err error)
	lr   *knob // nil for a method without a learning rate

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
