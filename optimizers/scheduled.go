package optimizers

import (
	"context"
	"fmt"
	"maps"
	"math"
)

// Feeder is an optimizer under a schedule that may follow a metric, such as the loss on other data: see Follower. The
// caller decides what the metric is, and whether it comes after each step or each epoch.
type Feeder interface{ Feed(metric float64) }

// Scheduled sets a method's learning rate, and its momentum if the schedule cycles it, before each step. The steps are
// counted from 0; a step that fails is not counted. A method without a learning rate, such as HF, is an error of New.
//
// The State is that of the wrapped method with the schedule's scalars beside it, so a run resumes only under a
// schedule if it was saved under one. What the schedule was is part of the settings.
type Scheduled struct {
	Of       Method   // the method whose rate is set
	Schedule Schedule // the rate around that of the method's settings
	Steps    int      `set:"steps" default:"0" range:"[0,inf)" help:"steps of the whole run; 0: not known"`
}

var _ Method = (*Scheduled)(nil)

// Name is that of the wrapped method, and + with the schedule's.
func (s *Scheduled) Name() string {
	if isNil(s.Of) || isNil(s.Schedule) {
		return "scheduled"
	}
	return s.Of.Name() + "+" + s.Schedule.Name()
}

func (s *Scheduled) inner() Method { return s.Of }

func (s *Scheduled) around(m Method) Method {
	c := *s
	c.Of = m
	return &c
}

func (s *Scheduled) word() string {
	if isNil(s.Schedule) {
		return ""
	}
	return s.Schedule.Name()
}

// ForSteps is m for a run of n steps: each Scheduled or SWA in it that does not know the length of the run is told. m
// stays as it is.
func ForSteps(m Method, n int) Method {
	w, ok := m.(wrapper)
	if !ok || isNil(m) {
		return m
	}
	inner := n
	if fewer, ok := w.(interface{ innerSteps(n int) int }); ok {
		inner = fewer.innerSteps(n)
	}
	c := w.around(ForSteps(w.inner(), inner))
	if told, ok := c.(interface{ forSteps(n int) }); ok {
		told.forSteps(n)
	}
	return c
}

// forSteps tells the length of the run.
func (s *Scheduled) forSteps(n int) {
	if s.Steps == 0 {
		s.Steps = n
	}
}

func (s *Scheduled) info() Info {
	if d, ok := s.Schedule.(described); ok {
		return d.info()
	}
	return Info{Name: s.word()}
}

func (s *Scheduled) start32(l Layout) (Optimizer[float32], error) {
	return startScheduled[float32](s, l)
}
func (s *Scheduled) start64(l Layout) (Optimizer[float64], error) {
	return startScheduled[float64](s, l)
}

func startScheduled[T Float](m *Scheduled, l Layout) (Optimizer[T], error) {
	s, err := resolve("scheduled", m)
	if err != nil {
		return nil, err
	}
	if isNil(s.Of) || isNil(s.Schedule) {
		return nil, fmt.Errorf("optimizers: scheduled: needs both a method and a schedule, got %T and %T", s.Of, s.Schedule)
	}
	o, err := New[T](s.Of, l)
	if err != nil {
		return nil, err
	}
	rated, ok := As[Rated](o)
	if !ok {
		return nil, fmt.Errorf("optimizers: scheduled: %s has no learning rate that %s could set", s.Of.Name(), s.Schedule.Name())
	}
	if _, twice := As[*scheduled[T]](o); twice {
		return nil, fmt.Errorf("optimizers: scheduled: %s is under a schedule already", s.Of.Name())
	}
	c, err := s.Schedule.Start(s.Steps, rated.Rate())
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, fmt.Errorf("optimizers: scheduled: the schedule %s gave no course", s.Schedule.Name())
	}
	momentum, _ := As[WithMomentum](o)
	follower, _ := c.(Follower)
	return &scheduled[T]{Optimizer: o, rated: rated, momentum: momentum, course: c, follower: follower}, nil
}

type scheduled[T Float] struct {
	Optimizer[T]
	rated    Rated
	momentum WithMomentum // nil where the method has none
	course   Course
	follower Follower // the same course, or nil
	steps    int
}

// Unwrap is the wrapped method's optimizer.
func (s *scheduled[T]) Unwrap() Optimizer[T] { return s.Optimizer }

// Feed tells a schedule that follows a metric its newest value; others do not need it.
func (s *scheduled[T]) Feed(metric float64) {
	if s.follower != nil {
		s.follower.Feed(metric)
	}
}

func (s *scheduled[T]) Step(ctx context.Context, x []T, p Problem[T]) (Report, error) {
	r := s.course.At(s.steps)
	before := s.rated.Rate()
	s.rated.SetRate(r.LR)
	cycles := r.Cycles && s.momentum != nil
	var momentum float64
	if cycles {
		momentum = s.momentum.Momentum()
		s.momentum.SetMomentum(r.Momentum)
	}
	report, err := s.Optimizer.Step(ctx, x, p)
	if err != nil {
		s.rated.SetRate(before)
		if cycles {
			s.momentum.SetMomentum(momentum)
		}
		return report, err
	}
	s.steps++
	return report, nil
}

// The names of what Scheduled adds to a State.
const scheduleStep, scheduleMemory = "schedule_step", "schedule_memory_"

func (s *scheduled[T]) State() State[T] {
	state := s.Optimizer.State()
	if state.Scalars == nil {
		state.Scalars = Scalars{}
	}
	state.Scalars[scheduleStep] = float64(s.steps)
	if s.follower != nil {
		for i, v := range s.follower.Memory() {
			state.Scalars[fmt.Sprint(scheduleMemory, i)] = v
		}
	}
	return state
}

func (s *scheduled[T]) Restore(state State[T]) error {
	rest := maps.Clone(state.Scalars)
	take := func(name string) (float64, error) {
		v, ok := rest[name]
		delete(rest, name)
		if !ok {
			return 0, fmt.Errorf("optimizers: state of %s: no scalar %q, which a run under a schedule has", state.Method, name)
		}
		return v, nil
	}
	step, err := take(scheduleStep)
	if err != nil {
		return err
	}
	if !(step >= 0 && step <= math.MaxInt32 && step == math.Trunc(step)) {
		return fmt.Errorf("optimizers: state of %s: %s is %v; allowed are whole numbers from 0 to %d", state.Method, scheduleStep, step, math.MaxInt32)
	}
	var memory []float64
	if s.follower != nil {
		for i := range s.follower.Memory() {
			v, err := take(fmt.Sprint(scheduleMemory, i))
			if err != nil {
				return err
			}
			memory = append(memory, v)
		}
	}
	state.Scalars = rest
	if err := s.Optimizer.Restore(state); err != nil {
		return err
	}
	s.steps = int(step)
	if s.follower != nil {
		copy(s.follower.Memory(), memory)
	}
	return nil
}
