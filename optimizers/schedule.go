package optimizers

import "fmt"

// Schedule holds the settings of a rule for the learning rate, and perhaps the momentum, of every step. Scheduled puts
// a method under it. A plain function is one by ScheduleFunc.
type Schedule interface {
	// Name is the word for the schedule in ParseSchedule, flags and specifications.
	Name() string
	// Start gives the course of one run of n steps around the method's own learning rate; n is 0 where the length of
	// the run is not known. It checks the settings. What is a step, Scheduled says: it may be an epoch.
	Start(n int, base float64) (Course, error)
}

// Course gives what the steps 0, 1, 2, ... of one run are to use, in any order and for any number of steps. A course
// that also follows what happens in the run is a Follower.
type Course interface {
	At(step int) Rates
}

// Rates are what one step is to use.
type Rates struct {
	LR       float64
	Momentum float64 // momentum, or Adam's beta1
	Cycles   bool    // Momentum is to be set; otherwise the method keeps its own
}

// Follower is a Course that changes with a metric, as one that lowers the rate on a plateau does. Scheduled keeps its
// memory in the State and has the method Feed.
type Follower interface {
	Course
	// Feed tells the metric after a step, or after an epoch.
	Feed(metric float64)
	// Memory is where the course keeps what it remembers: always the same slice, saved and written to by Scheduled.
	Memory() []float64
}

// course is a function as a Course.
type course func(step int) Rates

func (c course) At(step int) Rates { return c(step) }

// schedules makes one of each schedule, in the order of Schedules.
func schedules() []Schedule {
	return []Schedule{&Constant{}, &Linear{}, &Step{}, &MultiStep{}, &Exponential{}, &Polynomial{}, &Cosine{}, &CosineRestarts{},
		&Cyclic{}, &OneCycle{}, &LargeStep{}, &Plateau{}, &Sutskever{}, &MomentumDecay{}, &Sequential{}, &Chained{}}
}

// Schedules describes every schedule that Parse and ParseSchedule know.
func Schedules() []Info {
	var list []Info
	for _, s := range schedules() {
		list = append(list, infoOf(s))
	}
	return list
}

// runLength is the number of steps a schedule spans: its own setting, or else the length of the run.
func runLength(schedule, setting string, own, n int) (int, error) {
	if own > 0 {
		return own, nil
	}
	if n > 0 {
		return n, nil
	}
	return 0, fmt.Errorf("optimizers: %s: the length of the run is not known; set %s, or the steps of Scheduled", schedule, setting)
}
