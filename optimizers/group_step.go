package optimizers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
)

// groups is a method at work, with an optimizer for every group.
type groups[T Float] struct {
	method string
	layout Layout
	size   int
	steps  int
	needs  Oracle
	parts  []*groupPart[T] // the first has the tensors that no rule names; what is frozen has none
	shared sharedProblem[T]

	plain    bool       // one gradient of the minibatch is all that the parts ask for
	before   []State[T] // of the parts that have stepped, where a later one may fail
	rate     float64    // the method's own, and so its momentum
	momentum float64
}

// groupPart is the optimizer of a group.
type groupPart[T Float] struct {
	Optimizer[T]
	rule    int
	runs    []run // where its tensors are
	x       []T   // they themselves, of the step that is being taken
	eval    []T   // those for evaluation, of a method that has them
	problem groupProblem[T]

	rated    Rated // nil where the method has no learning rate
	ratio    float64
	own      float64 // the rate of its settings
	momentum WithMomentum
	ownTurn  float64 // the momentum of its settings
}

// run is a stretch of the parameter vector: elements from to to.
type run struct{ from, to int }

func newGroups[T Float](name string, l Layout, first Optimizer[T]) *groups[T] {
	n := l.Size()
	o := &groups[T]{method: name, layout: l, size: n, needs: first.Needs()}
	o.shared.point = make([]T, n)
	if first.Needs()&^NeedGrad != 0 {
		o.shared.in, o.shared.out = make([]T, n), make([]T, n)
	}
	return o
}

// add makes an optimizer that of the tensors that belong to a rule.
func (o *groups[T]) add(l Layout, belongs []int, rule int, of Optimizer[T], ratio float64) {
	g := &groupPart[T]{Optimizer: of, rule: rule, ratio: ratio}
	size := 0
	for i, t := range l {
		if belongs[i] != rule {
			continue
		}
		size += t.Size()
		if k := len(g.runs); k > 0 && g.runs[k-1].to == t.Offset {
			g.runs[k-1].to += t.Size()
		} else {
			g.runs = append(g.runs, run{t.Offset, t.Offset + t.Size()})
		}
	}
	g.x = make([]T, size)
	g.problem = groupProblem[T]{part: g, shared: &o.shared}
	g.problem.batch.of, g.problem.full.of = &g.problem, &g.problem
	if r, ok := As[Rated](of); ok {
		g.rated, g.own = r, r.Rate()
	}
	if m, ok := As[WithMomentum](of); ok {
		g.momentum, g.ownTurn = m, m.Momentum()
	}
	o.parts = append(o.parts, g)
}

// moving is how many groups have parameters.
func (o *groups[T]) moving() (n int) {
	for _, g := range o.parts {
		if len(g.x) > 0 {
			n++
		}
	}
	return n
}

// complete is the optimizer with those of the further methods that its parts have.
func (o *groups[T]) complete() Optimizer[T] {
	first := o.parts[0]
	o.plain = true
	averaging := false
	for _, g := range o.parts {
		o.plain = o.plain && asksOneGradient(g.Optimizer)
		_, averages := As[Averaging[T]](g.Optimizer)
		if averages {
			averaging = true
			g.eval = make([]T, len(g.x))
		}
	}
	o.before = make([]State[T], len(o.parts))
	if first.rated != nil {
		o.rate = first.own
	}
	o.momentum = first.ownTurn
	switch {
	case first.rated != nil && averaging:
		return &struct {
			*groups[T]
			groupRates[T]
			groupAverages[T]
		}{o, groupRates[T]{o}, groupAverages[T]{o}}
	case first.rated != nil:
		return &struct {
			*groups[T]
			groupRates[T]
		}{o, groupRates[T]{o}}
	case averaging:
		return &struct {
			*groups[T]
			groupAverages[T]
		}{o, groupAverages[T]{o}}
	}
	return o
}

// asksOneGradient says whether a step asks for nothing but the gradient of the minibatch at x, so that nothing in it can
// fail once that is known.
func asksOneGradient[T Float](o Optimizer[T]) bool {
	for {
		switch w := o.(type) {
		case interface{ oneGradient() bool }:
			return w.oneGradient()
		case *clip[T]:
			o = w.Optimizer
		case *decay[T]:
			o = w.Optimizer
		case *lookahead[T]:
			o = w.Optimizer
		case *average[T]:
			o = w.Optimizer
		case *noise[T]:
			o = w.Optimizer
		default:
			return false
		}
	}
}

// Needs is what the problem must be able to answer.
func (o *groups[T]) Needs() Oracle { return o.needs }

func (o *groups[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	if err := ready(ctx, o.method, o.size, len(x), p); err != nil {
		return Report{}, err
	}
	if err := missing(o.method, o.needs, p.Has()&groupOracles); err != nil {
		return Report{}, err
	}
	s := &o.shared
	s.begin(p, x)
	defer s.end()
	var r Report
	if o.plain {
		// All that can go wrong goes wrong here, before the first group steps.
		if err := o.look(&r); err != nil {
			return Report{}, err
		}
		ctx = context.Background()
	}
	for i, g := range o.parts {
		if len(g.x) == 0 {
			continue
		}
		if !o.plain && i+1 < len(o.parts) {
			o.before[i] = g.State()
		}
		g.gather(g.x, x)
		g.problem.draws = 0
		report, err := g.Step(ctx, g.x, &g.problem)
		if err != nil {
			return Report{}, o.undo(i, err)
		}
		o.merge(&r, report, g)
	}
	for i, g := range o.parts {
		g.scatter(x, g.x)
		o.before[i] = State[T]{}
	}
	o.steps++
	r.Work = s.work
	if o.parts[0].rated != nil {
		r.LR = o.parts[0].rated.Rate()
	}
	if r.StepNorm > 0 {
		r.StepNorm = math.Sqrt(r.StepNorm)
	}
	return r, nil
}

// look computes the gradient of the minibatch, and refuses what the parts would.
func (o *groups[T]) look(r *Report) error {
	for _, g := range o.parts {
		if g.rated == nil {
			continue
		}
		if rate := g.rated.Rate(); !(rate >= 0 && finite(rate)) {
			return fmt.Errorf("optimizers: %s: lr has been set to %v; allowed are finite numbers from 0", o.method, rate)
		}
	}
	s := &o.shared
	batch := s.p.Batch()
	if batch == nil {
		return fmt.Errorf("optimizers: %s: the problem has no minibatch", o.method)
	}
	known, err := s.batch.at(s, batch)
	if err != nil {
		return fmt.Errorf("optimizers: %s: gradient: %w", o.method, err)
	}
	r.Loss, r.GradNorm = known.loss, norm(known.grad)
	c := core[T]{method: o.method, layout: o.layout}
	if !finite(r.GradNorm) {
		if err := c.nonFinite("gradient", known.grad); err != nil {
			return err
		}
	}
	if !finite(r.Loss) {
		return &NonFiniteError{Method: o.method, What: "loss", Value: r.Loss}
	}
	return nil
}

// undo takes back the steps of the parts before the one that failed.
func (o *groups[T]) undo(failed int, err error) error {
	var restored []error
	for i, g := range o.parts[:failed] {
		if len(g.x) > 0 && o.before[i].Method != "" {
			restored = append(restored, g.Restore(o.before[i]))
		}
		o.before[i] = State[T]{}
	}
	return errors.Join(append([]error{err}, restored...)...)
}

// merge adds what a part tells to the report: the first part that steps tells of the curvature.
func (o *groups[T]) merge(r *Report, of Report, g *groupPart[T]) {
	square := of.StepNorm * of.StepNorm
	if !o.shared.told {
		loss, length := r.Loss, r.GradNorm
		*r = of
		r.StepNorm = square
		if o.plain {
			r.Loss, r.GradNorm = loss, length
		} else {
			r.GradNorm = 0 // that of the part
		}
		o.shared.told = true
		return
	}
	r.Rejected = r.Rejected && of.Rejected
	if square == 0 || r.StepNorm == 0 {
		r.StepNorm = 0 // one of them does not measure it
		return
	}
	r.StepNorm += square
}

func (g *groupPart[T]) gather(dst, x []T) {
	at := 0
	for _, r := range g.runs {
		at += copy(dst[at:], x[r.from:r.to])
	}
}

func (g *groupPart[T]) scatter(dst, x []T) {
	at := 0
	for _, r := range g.runs {
		at += copy(dst[r.from:r.to], x[at:])
	}
}

// groupRates lets the learning rate be set.
type groupRates[T Float] struct{ of *groups[T] }

// Rate is the learning rate of the tensors that no rule names.
func (r groupRates[T]) Rate() float64 { return r.of.parts[0].rated.Rate() }

// SetRate changes the learning rates of all groups in proportion.
func (r groupRates[T]) SetRate(lr float64) {
	for _, g := range r.of.parts {
		switch {
		case g.rated == nil:
		case lr == r.of.rate:
			g.rated.SetRate(g.own)
		default:
			g.rated.SetRate(lr * g.ratio)
		}
	}
}

// Momentum is that of the tensors that no rule names.
func (o *groups[T]) Momentum() float64 {
	if m := o.parts[0].momentum; m != nil {
		return m.Momentum()
	}
	return 0
}

// SetMomentum changes the momentum of all groups; to that of the settings, to that of each group's.
func (o *groups[T]) SetMomentum(momentum float64) {
	for _, g := range o.parts {
		switch {
		case g.momentum == nil:
		case momentum == o.momentum:
			g.momentum.SetMomentum(g.ownTurn)
		default:
			g.momentum.SetMomentum(momentum)
		}
	}
}

// groupAverages gives the weights for evaluation.
type groupAverages[T Float] struct{ of *groups[T] }

// EvalWeights gives each group the weights of its method.
func (a groupAverages[T]) EvalWeights(dst, x []T) {
	copy(dst, x)
	for _, g := range a.of.parts {
		averaging, ok := As[Averaging[T]](g.Optimizer)
		if !ok {
			continue
		}
		g.gather(g.x, x)
		averaging.EvalWeights(g.eval, g.x)
		g.scatter(dst, g.eval)
	}
}

// Restate says whether a part's weights want statistics of their own.
func (a groupAverages[T]) Restate() bool {
	for _, g := range a.of.parts {
		if r, ok := As[Restated](g.Optimizer); ok && r.Restate() {
			return true
		}
	}
	return false
}

// groupName begins the names of what a part adds to the State.
func (g *groupPart[T]) groupName() string { return fmt.Sprintf("group%d.", g.rule+1) }

// groupSteps is the name of the number of a part's steps.
func (g *groupPart[T]) groupSteps() string { return fmt.Sprintf("group%d_steps", g.rule+1) }

func (o *groups[T]) State() State[T] {
	s := State[T]{Method: o.method, Step: o.steps, Scalars: Scalars{}, Vectors: map[string][]T{}}
	for _, g := range o.parts {
		part := g.State()
		s.Scalars[g.groupSteps()] = float64(part.Step)
		for name, v := range part.Scalars {
			s.Scalars[g.groupName()+name] = v
		}
		for name, v := range part.Vectors {
			s.Vectors[g.groupName()+name] = v
		}
	}
	return s
}

func (o *groups[T]) Restore(s State[T]) error {
	rest := shape{method: o.method}
	left := State[T]{Method: s.Method, Step: s.Step, Scalars: maps.Clone(s.Scalars), Vectors: maps.Clone(s.Vectors)}
	states := make([]State[T], len(o.parts))
	for i, g := range o.parts {
		part := State[T]{Method: g.State().Method, Scalars: Scalars{}, Vectors: map[string][]T{}}
		for name, v := range s.Scalars {
			if inside, ok := strings.CutPrefix(name, g.groupName()); ok {
				part.Scalars[inside] = v
				delete(left.Scalars, name)
			}
		}
		for name, v := range s.Vectors {
			if inside, ok := strings.CutPrefix(name, g.groupName()); ok {
				part.Vectors[inside] = v
				delete(left.Vectors, name)
			}
		}
		steps, ok := s.Scalars[g.groupSteps()]
		if !ok || !(steps >= 0 && steps <= math.MaxInt32 && steps == math.Trunc(steps)) {
			return fmt.Errorf("optimizers: state of %s: %s is %v; allowed are whole numbers from 0", s.Method, g.groupSteps(), steps)
		}
		delete(left.Scalars, g.groupSteps())
		part.Step = int(steps)
		states[i] = part
	}
	if err := left.check(rest); err != nil {
		return err
	}
	for i, g := range o.parts {
		o.before[i] = g.State()
		if err := g.Restore(states[i]); err != nil {
			return o.undo(i, fmt.Errorf("optimizers: group %d: %w", g.rule+1, trimmed(err)))
		}
	}
	clear(o.before)
	o.steps = s.Step
	return nil
}
