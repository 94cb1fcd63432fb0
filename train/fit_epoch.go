package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
)

// epoch takes the steps of the current epoch that are not done and measures.
func (r *run[T]) epoch(ctx context.Context) error {
	r.clock()
	// Also what the run was interrupted before.
	if err := r.snapshot(ctx); err != nil {
		return err
	}
	if r.due() {
		if err := r.point(ctx); err != nil {
			return err
		}
	}
	if r.at.Ending {
		return r.endEpoch(ctx)
	}
	for b, err := range r.loader.Epoch(ctx, r.at.Epoch, r.at.Batch) {
		if err != nil {
			return err
		}
		if err := r.watchBefore(); err != nil {
			return r.giveUp(err)
		}
		r.followBefore()
		if err := r.step(ctx, b); err != nil {
			return err
		}
		if err := r.followAfter(); err != nil {
			return r.giveUp(err)
		}
		if err := r.tell(&r.stepped); err != nil {
			return r.giveUp(err)
		}
		if err := r.watchAfter(context.WithoutCancel(ctx)); err != nil {
			return r.giveUp(err)
		}
		if err := r.snapshot(ctx); err != nil {
			return err
		}
		if r.due() {
			if err := r.point(ctx); err != nil {
				return err
			}
		}
		if r.stop {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return r.endEpoch(ctx)
}

// endEpoch measures, saves and tells of it.
func (r *run[T]) endEpoch(ctx context.Context) error {
	if err := r.show(ctx); err != nil {
		return err
	}
	defer r.hide()
	row, err := r.measure(ctx)
	if err != nil {
		return err
	}
	r.history.Rows = append(r.history.Rows, *row)
	r.feed(row)
	better := row.Val != nil && (r.at.Best == nil || row.Val.Loss < *r.at.Best)
	if better {
		r.at.Best = &row.Val.Loss
	}
	r.at.Epoch++
	r.at.Batch, r.at.EpochSeconds = 0, 0
	r.at.Curvature.reset()
	r.at.Watched = nil
	r.sums.reset()
	if err := r.tell(&EpochDone{*row}); err != nil {
		return r.giveUp(err)
	}
	r.at.Done = r.stop || r.at.Epoch == r.config.Epochs
	if better && r.config.Dir != "" {
		notes := map[string]string{"step": fmt.Sprint(r.at.Step)}
		if err := saveWeights(filepath.Join(r.config.Dir, bestFile), r.model, notes); err != nil {
			return err
		}
	}
	return r.save()
}

// step takes one step on a minibatch.
func (r *run[T]) step(ctx context.Context, b data.Batch[T]) error {
	r.problem.begin(context.WithoutCancel(ctx), b, r.at.Step)
	// The step ends even if ctx does: what it would leave behind is saved.
	r.trial.Begin()
	report, err := r.optimizer.Step(context.WithoutCancel(ctx), r.model.Params, r.problem)
	r.trial.End()
	var bad *optimizers.NonFiniteError
	if errors.As(err, &bad) || (err == nil && !finite(report.Loss)) {
		return r.explain(err)
	}
	if err != nil {
		return &StepError{r.at.Step + 1, false, fmt.Errorf("train: step %d: %w", r.at.Step+1, err)}
	}
	r.problem.commit()
	r.at.Batch++
	r.at.Step++
	r.at.LR = report.LR
	r.at.Work += report.Work
	r.at.Curvature.add(&report)
	if s := r.problem.batch; s.seen {
		r.sums.add(b.N, s.loss, s.scores)
	}
	elapsed := r.clock()
	r.at.TrainSeconds += elapsed
	r.at.EpochSeconds += elapsed
	e := &r.stepped
	e.Epoch, e.Batch, e.Step, e.Examples, e.Report = r.at.Epoch+1, r.at.Batch, r.at.Step, b.N, report
	e.Rate, e.Seconds = r.rate(), r.at.TrainSeconds
	r.sums.mean(&e.Scores)
	return nil
}

// rate is the examples a second of this epoch.
func (r *run[T]) rate() float64 {
	done := min(r.at.Batch*r.config.Batch, r.about.Examples)
	return float64(done) / max(r.at.EpochSeconds, 1e-9)
}

// clock adds the time since it was last asked to the run's and returns it.
func (r *run[T]) clock() float64 {
	now := time.Now()
	elapsed := now.Sub(r.mark).Seconds()
	r.mark = now
	r.at.Seconds += elapsed
	return elapsed
}

// measure makes the row of the epoch.
func (r *run[T]) measure(ctx context.Context) (*Row, error) {
	row := &Row{Epoch: r.at.Epoch + 1, Step: r.at.Step, LR: r.at.LR, Train: &Scores{}, Seconds: r.at.EpochSeconds,
		Rate: r.rate(), Work: r.at.Work, Curvature: r.at.Curvature.row(), Watched: r.at.Watched}
	r.sums.mean(row.Train)
	if r.config.Every > 0 {
		if !r.pointed() {
			if err := r.point(ctx); err != nil {
				return nil, err
			}
		}
		p := r.history.Points[len(r.history.Points)-1]
		row.Probe, row.Val, row.Test = p.Probe, p.Val, p.Test
		return row, nil
	}
	var err error
	if row.Probe, row.Val, row.Test, err = r.scores(ctx); err != nil {
		return nil, err
	}
	r.clock()
	return row, nil
}

// feed tells a schedule that follows a metric how the epoch went: the loss on the
// validation set, or without one that of training.
func (r *run[T]) feed(row *Row) {
	if s, ok := optimizers.As[optimizers.Feeder](r.optimizer); ok {
		loss := row.Train.Loss
		if row.Val != nil {
			loss = row.Val.Loss
		}
		s.Feed(loss)
	}
}

// tell tells the log and all observers.
func (r *run[T]) tell(e Event) error {
	if r.log != nil {
		if err := r.log.Observe(e); err != nil {
			return err
		}
	}
	return r.tellOthers(e)
}

func (r *run[T]) tellOthers(e Event) error {
	for _, o := range r.observers {
		switch err := o.Observe(e); {
		case errors.Is(err, ErrStop):
			r.stop = true
		case err != nil:
			return err
		}
	}
	return nil
}

// giveUp saves the run because of an observer's error.
func (r *run[T]) giveUp(err error) error { return errors.Join(err, r.save()) }
