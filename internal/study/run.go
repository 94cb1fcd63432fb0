package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// Runner runs jobs on data that is loaded once.
type Runner struct {
	// Observers are asked for those of each run, if it is not nil.
	Observers func(Job) []train.Observer

	spec task.Spec // of the task
	task *task.Task
}

// ProbeSize is how many training examples are measured at most: enough for a loss to
// three digits, and a fraction of an epoch's work.
const ProbeSize = 10000

// Load is task.Load; what was loaded last is kept.
func (r *Runner) Load(ctx context.Context, s task.Spec) (*task.Task, error) {
	s.Seed, s.Precision = 0, "" // the data does not depend on them
	if r.task != nil && r.spec == s {
		return r.task, nil
	}
	t, err := task.Load(ctx, s)
	if err != nil {
		return nil, err
	}
	r.spec, r.task = s, t
	return t, nil
}

// Run tells what the job in dir has come to: from what is kept there, or by
// training, from where an earlier call was interrupted. If ctx ends, all is saved
// and the error wraps that of ctx.
func (r *Runner) Run(ctx context.Context, dir string, j Job) (*Outcome, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	o, err := readOutcome(dir)
	if err != nil {
		return nil, err
	}
	if o != nil {
		if o.Job != j {
			return nil, fmt.Errorf("study: %s is of another run: it has %+v, not %+v", dir, o.Job, j)
		}
		return o, nil
	}
	t, err := r.Load(ctx, j.Spec)
	if err != nil {
		return nil, err
	}
	if j.Precision == "float64" {
		return fit[float64](ctx, r, t, dir, j)
	}
	return fit[float32](ctx, r, t, dir, j)
}

// Check says why a job cannot begin, before others have taken their time.
func (r *Runner) Check(ctx context.Context, j Job) error {
	if err := j.check(); err != nil {
		return err
	}
	t, err := r.Load(ctx, j.Spec)
	if err != nil {
		return err
	}
	if j.Target != "" {
		target, err := ParseTarget(j.Target)
		if err != nil {
			return err
		}
		if err := target.Measure.On(t); err != nil {
			return err
		}
	}
	if j.Precision == "float64" {
		return checkFit[float64](t, j)
	}
	return checkFit[float32](t, j)
}

// On says why a task does not have a measure.
func (m Measure) On(t *task.Task) error {
	if m.Set() == "val" && t.Val == nil {
		return fmt.Errorf("%s: there is no validation set; -val keeps a share of the training set for it", m)
	}
	if t.Train.Target().Classes == 0 && m.Metric() == "accuracy" || t.Train.Target().Classes > 0 && m.Metric() == "squared_error" {
		return fmt.Errorf("%s: the task's targets are %v, which have no %s", m, t.Train.Target(), strings.ReplaceAll(m.Metric(), "_", " "))
	}
	return nil
}

func checkFit[T train.Float](t *task.Task, j Job) error {
	m, err := task.Build[T](t, j.Spec)
	if err != nil {
		return err
	}
	c, err := config(t, "", j)
	if err != nil {
		return err
	}
	return train.Check(m, t.Train, *c)
}

func fit[T train.Float](ctx context.Context, r *Runner, t *task.Task, dir string, j Job) (*Outcome, error) {
	m, err := task.Build[T](t, j.Spec)
	if err != nil {
		return nil, err
	}
	c, err := config(t, dir, j)
	if err != nil {
		return nil, err
	}
	o := &Outcome{Job: j, Status: Done, Optimizer: j.Opt, Parameters: len(m.Params), Examples: t.Train.Len()}
	end := &ending{budget: j.Seconds}
	if j.Target != "" {
		if end.target, err = ParseTarget(j.Target); err != nil {
			return nil, err
		}
	}
	c.Observers = []train.Observer{end}
	if r.Observers != nil {
		c.Observers = append(c.Observers, r.Observers(j)...)
	}
	h, err := train.Fit(ctx, m, t.Train, *c)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil, err
	}
	var step *train.StepError
	switch {
	case errors.As(err, &step):
		o.Status, o.Step, o.Note = Failed, step.Step, note(err, dir)
		if step.Diverged {
			o.Status = Diverged
		}
	case err != nil:
		return nil, err
	default:
		o.Step = h.Result.Steps
		if s := end.why(h); s != "" {
			o.Status = s
		}
	}
	o.Points = h.Points
	if err := o.write(dir); err != nil {
		return nil, err
	}
	return o, dropStates(dir)
}

// note is an error without what the table around it says.
func note(err error, dir string) string {
	text, _, _ := strings.Cut(err.Error(), "; the last finite checkpoint")
	return strings.ReplaceAll(strings.TrimPrefix(text, "train: "), dir+string(filepath.Separator), "")
}

// config is how a job is trained.
func config(t *task.Task, dir string, j Job) (*train.Config, error) {
	method, err := optimizers.Parse(j.Opt)
	if err != nil {
		return nil, err
	}
	probe, err := probeOf(t.Train)
	if err != nil {
		return nil, err
	}
	n := t.Train.Len()
	batch := j.batch(method, n)
	steps := (n + batch - 1) / batch
	c := &train.Config{Optimizer: method, Epochs: j.Epochs, Batch: batch, Seed: j.Seed, Val: t.Val, Test: t.Test, Probe: probe,
		Every: max(1, steps/max(1, j.Points)), Dir: dir, Data: t.Name, Model: j.Model, Settings: j}
	if dir == "" {
		return c, nil
	}
	_, err = os.Stat(filepath.Join(dir, "config.json"))
	c.Resume = err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("study: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return nil, fmt.Errorf("study: %w", err)
	}
	return c, nil
}

// probeOf is the training set, or evenly spaced examples of a large one.
func probeOf(d data.Dataset) (data.Dataset, error) {
	n := d.Len()
	if n <= ProbeSize {
		return d, nil
	}
	index := make([]int, ProbeSize)
	for i := range index {
		index[i] = i * n / ProbeSize
	}
	return data.Subset(d, index)
}

// dropStates removes the optimizer's state, which is larger than the weights and
// of no use to a run that has ended.
func dropStates(dir string) error {
	states, err := filepath.Glob(filepath.Join(dir, "optimizer-*.safetensors"))
	for _, path := range states {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return fmt.Errorf("study: %w", err)
	}
	return nil
}

// ending stops a run at its target or at the end of its budget.
type ending struct {
	target *Target
	budget float64 // in seconds; 0 is none
}

// Observe ends the run where it is time.
func (e *ending) Observe(event train.Event) error {
	switch event := event.(type) {
	case *train.Measured:
		if e.target != nil && e.target.Met(event.Point) {
			return train.ErrStop
		}
	case *train.Stepped:
		if e.budget > 0 && event.Seconds >= e.budget {
			return train.ErrStop
		}
	}
	return nil
}

// why is the reason of a run's end, empty if it is that of its epochs.
func (e *ending) why(h *train.History) Status {
	n := len(h.Points)
	switch {
	case n == 0:
		return ""
	case e.target != nil && e.target.Met(h.Points[n-1]):
		return Reached
	case e.budget > 0 && h.Points[n-1].Seconds >= e.budget:
		return OutOfTime
	}
	return ""
}
