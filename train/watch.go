package train

import (
	"context"
	"fmt"
	"time"
)

// Watcher measures the model while it trains. What it finds goes to log.jsonl, and
// the last of it in every epoch to metrics.csv.
type Watcher interface {
	// Names are the columns of metrics.csv.
	Names() []string
	// Every is the number of steps from one measurement to the next.
	Every() int
	// Before is called before a step after which it measures.
	Before() error
	// Measure is called after that step, with its learning rate; it gives a number for
	// every name. The model is as the step has left it and must stay so.
	Measure(ctx context.Context, lr float64) ([]float64, error)
}

// Watched comes after a measurement of a Watcher.
type Watched struct {
	Step    int
	Names   []string
	Values  []float64
	Seconds float64 // that it took
}

func (*Watched) event() string { return "watch" }

// MarshalJSON writes step, the values by their names, and seconds. A value that is
// not finite is null.
func (w *Watched) MarshalJSON() ([]byte, error) {
	list := []pair{{"step", w.Step}}
	for i, name := range w.Names {
		if v := w.Values[i]; finite(v) {
			list = append(list, pair{name, v})
		} else {
			list = append(list, pair{name, nil})
		}
	}
	return object(append(list, pair{"seconds", w.Seconds}))
}

// checkWatch says what is wrong with the watchers.
func (c Config) checkWatch() error {
	seen := map[string]bool{}
	for _, w := range c.Watch {
		if w.Every() < 1 {
			return fmt.Errorf("train: watching every %d steps; allowed are 1 and more", w.Every())
		}
		for _, name := range w.Names() {
			if seen[name] {
				return fmt.Errorf("train: two watchers measure %s", name)
			}
			seen[name] = true
		}
	}
	return nil
}

// due tells whether a watcher measures after a step.
func due(w Watcher, step int) bool { return step%w.Every() == 0 }

// watchBefore tells the watchers of a step that they will measure after.
func (r *run[T]) watchBefore() error {
	for _, w := range r.config.Watch {
		if due(w, r.at.Step+1) {
			if err := w.Before(); err != nil {
				return fmt.Errorf("train: step %d: watching: %w", r.at.Step+1, err)
			}
		}
	}
	return nil
}

// watchAfter lets them measure. The time it takes is not that of training.
func (r *run[T]) watchAfter(ctx context.Context) error {
	for _, w := range r.config.Watch {
		if !due(w, r.at.Step) {
			continue
		}
		began := time.Now()
		values, err := w.Measure(ctx, r.at.LR)
		r.clock()
		if err != nil {
			return fmt.Errorf("train: step %d: watching: %w", r.at.Step, err)
		}
		names := w.Names()
		if len(values) != len(names) {
			return fmt.Errorf("train: step %d: a watcher gives %d values for %d names", r.at.Step, len(values), len(names))
		}
		if r.at.Watched == nil {
			r.at.Watched = map[string]float64{}
		}
		for i, name := range names {
			if finite(values[i]) {
				r.at.Watched[name] = values[i]
			}
		}
		if err := r.tell(&Watched{r.at.Step, names, values, time.Since(began).Seconds()}); err != nil {
			return err
		}
	}
	return nil
}
