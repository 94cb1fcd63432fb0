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
// With Warmup, the rate first goes up along a line, from WarmupStart times the schedule's first rate to that rate, which
// comes with step Warmup: there the schedule begins, and what is left of the run is its run:
//
//	lr = schedule(0)·(WarmupStart + (1 - WarmupStart)·step/Warmup)     step < Warmup
//	lr = schedule(step - Warmup)                                       otherwise
//
// With the unit epoch all of it counts epochs, the settings of the schedule too: the rate is the same for all steps of an
// epoch. The lengths of the run and of an epoch are what ForSteps or ForEpochs told, where they are not set.
//
// The State is that of the wrapped method with the schedule's scalars beside it, so a run resumes only under a
// schedule if it was saved under one. What the schedule was is part of the settings.
type Scheduled struct {
	Of       Method   // the method whose rate is set
	Schedule Schedule // the rate around that of the method's settings

	Unit        string  `set:"unit" default:"step" oneof:"step|epoch" help:"what the schedule counts: the rate changes after every step or every epoch"`
	Warmup      int     `set:"warmup" default:"0" range:"[0,inf)" help:"steps (or epochs) up to the schedule's first rate, before it begins"`
	WarmupStart float64 `set:"warmup_start" default:"0.1" range:"[0,1]" help:"first rate of the warm-up over the schedule's first"`
	Steps       int     `set:"steps" default:"0" range:"[0,inf)" help:"steps of the whole run; 0: as the caller says"`
	EpochSteps  int     `set:"epoch_steps" default:"0" range:"[0,inf)" help:"steps of an epoch; 0: as the caller says"`
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

func (s *Scheduled) info() Info {
	if d, ok := s.Schedule.(described); ok {
		return d.info()
	}
	return Info{Name: s.word()}
}

// ForSteps is m for a run of n steps: each Scheduled or SWA in it that does not know the length of the run is told. m
// stays as it is.
func ForSteps(m Method, n int) Method { return forRun(m, n, 0) }

// ForEpochs is m for a run of so many epochs of so many steps each, as ForSteps: it also tells the length of an epoch.
func ForEpochs(m Method, epochs, steps int) Method { return forRun(m, epochs*steps, steps) }

func forRun(m Method, n, epoch int) Method {
	w, ok := m.(wrapper)
	if !ok || isNil(m) {
		return m
	}
	innerN, innerEpoch := n, epoch
	if fewer, ok := w.(interface{ innerSteps(n int) int }); ok {
		innerN = fewer.innerSteps(n)
		if epoch > 0 {
			innerEpoch = fewer.innerSteps(epoch)
		}
	}
	c := w.around(forRun(w.inner(), innerN, innerEpoch))
	if told, ok := c.(interface{ forSteps(n int) }); ok {
		told.forSteps(n)
	}
	if s, ok := c.(*Scheduled); ok && s.EpochSteps == 0 {
		s.EpochSteps = epoch
	}
	return c
}

// forSteps tells the length of the run.
func (s *Scheduled) forSteps(n int) {
	if s.Steps == 0 {
		s.Steps = n
	}
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
	if _, sets := As[rateSetter](o); sets {
		if _, twice := As[*scheduled[T]](o); !twice {
			return nil, fmt.Errorf("optimizers: scheduled: %s sets the learning rate of each step already", s.Of.Name())
		}
		return nil, fmt.Errorf("optimizers: scheduled: %s is under a schedule already; several at once are chained, as chained:schedules=cosine/sutskever", s.Of.Name())
	}
	c, err := s.begin(rated.Rate())
	if err != nil {
		return nil, err
	}
	momentum, _ := As[WithMomentum](o)
	if several, ok := As[interface{ largestMomentum() WithMomentum }](o); ok && ofMomentum(s.Schedule) {
		momentum = several.largestMomentum()
	}
	if ofMomentum(s.Schedule) && (momentum == nil || momentum.Momentum() == 0) {
		return nil, fmt.Errorf("optimizers: scheduled: %s has no momentum that %s could set; give it one", Spec(s.Of), s.Schedule.Name())
	}
	follower, _ := c.Course.(Follower)
	return &scheduled[T]{Optimizer: o, rated: rated, momentum: momentum, course: c, follower: follower}, nil
}

// begin starts the schedule behind its warm-up, in its unit.
func (s *Scheduled) begin(base float64) (pace, error) {
	n, unit := s.Steps, 1
	if s.Unit == "epoch" {
		if s.EpochSteps == 0 {
			return pace{}, fmt.Errorf("optimizers: scheduled: the unit of %s is the epoch, and the steps of an epoch are not known; set epoch_steps", s.Schedule.Name())
		}
		unit = s.EpochSteps
		n = (n + unit - 1) / unit
	}
	if n > 0 {
		if s.Warmup >= n {
			return pace{}, fmt.Errorf("optimizers: scheduled: warmup is %d %ss, the whole run %d", s.Warmup, s.Unit, n)
		}
		n -= s.Warmup
	}
	c, err := s.Schedule.Start(n, base)
	if err != nil {
		return pace{}, err
	}
	if c == nil {
		return pace{}, fmt.Errorf("optimizers: scheduled: the schedule %s gave no course", s.Schedule.Name())
	}
	return pace{c, unit, s.Warmup, s.WarmupStart}, nil
}

// pace is a course with its unit and its warm-up.
type pace struct {
	Course
	unit   int // steps of one count
	warmup int
	start  float64
}

// At is what a step of the run is to use.
func (p *pace) At(step int) Rates {
	k := step / p.unit
	if k >= p.warmup {
		return p.Course.At(k - p.warmup)
	}
	r := p.Course.At(0)
	r.LR *= p.start + (1-p.start)*float64(k)/float64(p.warmup)
	return r
}

type scheduled[T Float] struct {
	Optimizer[T]
	rated    Rated
	momentum WithMomentum // nil where the method has none
	course   pace
	follower Follower // the schedule's course, or nil
	steps    int
}

// Unwrap is the wrapped method's optimizer.
func (s *scheduled[T]) Unwrap() Optimizer[T] { return s.Optimizer }

// Feed tells a schedule that follows a metric its newest value; others do not need it. During the warm-up the schedule
// has not begun and is told nothing.
func (s *scheduled[T]) Feed(metric float64) {
	if s.follower != nil && s.steps > s.course.warmup*s.course.unit {
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
