package train

import (
	"context"
	"fmt"

	"github.com/saddle-ml/saddle/data"
)

// Point is a measurement of a run with Config.Every: before the first step, after
// every so many steps and at the end of each epoch.
type Point struct {
	Epoch     float64 `json:"epoch"` // epochs done, with the part of the current one
	Step      int     `json:"step"`  // steps done
	Probe     *Scores `json:"probe,omitempty"`
	Val       *Scores `json:"val,omitempty"`
	Test      *Scores `json:"test,omitempty"`
	Work      int64   `json:"work"`      // forward-equivalents since the beginning
	Gradients int64   `json:"gradients"` // gradients of single examples since the beginning
	Seconds   float64 `json:"seconds"`   // of training since the beginning, without measuring
}

// Measured comes after every Point, after the event of its step and before that
// of its epoch.
type Measured struct{ Point }

func (*Measured) event() string { return "point" }

// due tells whether the present step is one to measure after.
func (r *run[T]) due() bool {
	return r.config.Every > 0 && r.at.Step%r.config.Every == 0 && !r.pointed()
}

// pointed tells whether the present step has been measured.
func (r *run[T]) pointed() bool {
	n := len(r.history.Points)
	return n > 0 && r.history.Points[n-1].Step == r.at.Step
}

// point measures the sets at the present weights and tells it. A run that was
// interrupted here measures when it is resumed.
func (r *run[T]) point(ctx context.Context) error {
	if err := r.show(ctx); err != nil {
		return err
	}
	defer r.hide()
	p := Point{Epoch: float64(r.at.Epoch) + float64(r.at.Batch)/float64(r.loader.Steps()), Step: r.at.Step,
		Work: r.at.Work, Gradients: r.problem.gradients, Seconds: r.at.TrainSeconds}
	var err error
	if p.Probe, p.Val, p.Test, err = r.scores(ctx); err != nil {
		return err
	}
	r.clock()
	r.history.Points = append(r.history.Points, p)
	return r.tell(&Measured{p})
}

// scores measures the sets that there are, with the weights for evaluation.
func (r *run[T]) scores(ctx context.Context) (probe, val, test *Scores, err error) {
	if err := r.show(ctx); err != nil {
		return nil, nil, nil, err
	}
	defer r.hide()
	for _, set := range []struct {
		d    data.Dataset
		name string
		dst  **Scores
	}{{r.config.Probe, "probe", &probe}, {r.config.Val, "validation", &val}, {r.config.Test, "test", &test}} {
		if set.d == nil {
			continue
		}
		if *set.dst, err = evaluate(ctx, r.problem.programs, set.d, r.metrics); err != nil {
			return nil, nil, nil, r.stepError(r.at.Step, err, "train: step %d (epoch %d), %s set: %w%s", r.at.Step, r.at.Epoch+1, set.name, err, r.kept())
		}
	}
	return probe, val, test, nil
}

// impossible says why a run cannot have got these points.
func (r *run[T]) impossible(points []Point, step int) error {
	if len(points) > 0 && r.config.Every == 0 {
		return fmt.Errorf("%d points of a run that is measured after epochs only", len(points))
	}
	last := -1
	for i, p := range points {
		if p.Step <= last || p.Step > step || (p.Probe == nil) != (r.config.Probe == nil) || (p.Val == nil) != (r.config.Val == nil) || (p.Test == nil) != (r.config.Test == nil) {
			return fmt.Errorf("point %d is of step %d, after one of step %d, of a run of %d steps; or of other data sets", i+1, p.Step, last, step)
		}
		last = p.Step
	}
	return nil
}
