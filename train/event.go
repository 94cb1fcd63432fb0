package train

import (
	"github.com/saddle-ml/saddle/optimizers"
)

// Observer is told what happens in a run. An error stops it after saving; ErrStop
// stops it as if all epochs were done.
type Observer interface {
	Observe(Event) error
}

// ObserverFunc is a function as an Observer.
type ObserverFunc func(Event) error

// Observe calls f.
func (f ObserverFunc) Observe(e Event) error { return f(e) }

// Event is one of *Started, *Stepped, *Watched, *EpochDone, *Saved, *Finished and *Stopped.
// It is valid until Observe returns.
type Event interface{ event() string }

// Started comes first.
type Started struct {
	Examples   int      `json:"examples"` // of the training set
	Parameters int      `json:"parameters"`
	Optimizer  string   `json:"optimizer"`
	Batch      int      `json:"batch"`
	Epochs     int      `json:"epochs"`
	StepsEpoch int      `json:"steps_per_epoch"`
	Metrics    []string `json:"metrics"`
	Resumed    bool     `json:"resumed"`
	Step       int      `json:"step"` // steps done before, in a run that is resumed
	Dir        string   `json:"-"`
}

// Stepped comes after every step.
type Stepped struct {
	Epoch    int // from 1
	Batch    int // within the epoch, from 1
	Step     int // in the run, from 1
	Examples int // of the minibatch
	Report   optimizers.Report
	Scores   Scores  // mean over the epoch's minibatches so far, each before its step
	Rate     float64 // examples a second in this epoch
	Seconds  float64 // of training since the beginning of the run, without measuring
}

// EpochDone comes after every epoch, when the other data sets have been measured.
type EpochDone struct{ Row }

// Saved comes after a checkpoint.
type Saved struct {
	Path string `json:"path"`
	Step int    `json:"step"`
}

// Finished comes last, in a run that came to its end.
type Finished struct{ Result }

// Stopped comes last, in a run that did not: it was interrupted or has failed.
// The log does not have it.
type Stopped struct{ Err error }

func (*Started) event() string   { return "start" }
func (*Stepped) event() string   { return "step" }
func (*EpochDone) event() string { return "epoch" }
func (*Saved) event() string     { return "saved" }
func (*Finished) event() string  { return "end" }
func (*Stopped) event() string   { return "stop" }
