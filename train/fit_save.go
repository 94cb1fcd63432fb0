package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// restore goes back to the checkpoint. A run that died before its first one
// begins again.
func (r *run[T]) restore() error {
	state, at, err := loadCheckpoint(r.config.Dir, r.model)
	if errors.Is(err, errNoCheckpoint) {
		return r.log.cut(0)
	}
	if err != nil {
		return err
	}
	if err := r.possible(at); err != nil {
		return fmt.Errorf("train: %s: the state of the run is damaged: %w", r.config.Dir, err)
	}
	if err := r.takeIterate(state); err != nil {
		return err
	}
	if err := r.optimizer.Restore(state); err != nil {
		return err
	}
	if err := r.restoreWatch(at.Watch); err != nil {
		return err
	}
	r.at, r.history.Rows, r.history.Points = *at, at.Rows, at.Points
	r.problem.gradients = at.Gradients
	r.stop = at.Ending
	r.sums.examples, r.sums.loss = at.Examples, at.Loss
	copy(r.sums.sums, at.Metrics)
	return r.log.cut(at.LogBytes)
}

// possible says why this run cannot have got to a place.
func (r *run[T]) possible(at *progress) error {
	steps := r.loader.Steps()
	switch {
	case at.Epoch < 0 || at.Epoch > r.config.Epochs || at.Batch < 0 || at.Batch > steps || (at.Epoch == r.config.Epochs && at.Batch > 0):
		return fmt.Errorf("batch %d of epoch %d; there are %d epochs of %d batches", at.Batch, at.Epoch+1, r.config.Epochs, steps)
	case !at.Done && at.Step != at.Epoch*steps+at.Batch:
		return fmt.Errorf("%d steps done at batch %d of epoch %d; an epoch has %d", at.Step, at.Batch, at.Epoch+1, steps)
	case at.Step < 0 || at.Examples < 0 || at.LogBytes < 0:
		return fmt.Errorf("%d steps, %d examples, %d bytes of the log; none can be negative", at.Step, at.Examples, at.LogBytes)
	case at.Metrics != nil && len(at.Metrics) != len(r.metrics):
		return fmt.Errorf("sums of %d metrics; the model has %d", len(at.Metrics), len(r.metrics))
	case len(at.Rows) != at.Epoch:
		return fmt.Errorf("%d rows of the table after %d epochs", len(at.Rows), at.Epoch)
	}
	for i, row := range at.Rows {
		if row.Epoch != i+1 || row.Train == nil || (row.Val == nil) != (r.config.Val == nil) || (row.Test == nil) != (r.config.Test == nil) || (row.Probe == nil) != (r.config.Probe == nil) {
			return fmt.Errorf("row %d of the table is of other data sets", i+1)
		}
	}
	return r.impossible(at.Points, at.Step)
}

// save makes a checkpoint, unless what would be saved is not finite.
func (r *run[T]) save() error {
	state := r.optimizer.State()
	if name := r.notFinite(state); name != "" {
		return r.spoilt(name)
	}
	if r.config.Dir == "" {
		return nil
	}
	if err := r.show(context.Background()); err != nil {
		return err
	}
	defer r.hide()
	r.keepIterate(&state) // which are safe while others are shown
	dir := r.config.Dir
	saved := &Saved{filepath.Join(dir, lastFile), r.at.Step}
	watch, err := r.watchState()
	if err != nil {
		return err
	}
	// The checkpoint counts the log's bytes, so its own line is there first.
	if err := r.log.Observe(saved); err != nil {
		return err
	}
	if err := r.log.sync(); err != nil {
		return err
	}
	r.clock()
	r.at.LogBytes, r.at.Rows, r.at.Points, r.at.Gradients = r.log.written, r.history.Rows, r.history.Points, r.problem.gradients
	r.at.Examples, r.at.Loss, r.at.Metrics, r.at.Watch = r.sums.examples, r.sums.loss, r.sums.sums, watch
	r.at.Ending = r.stop && r.at.Batch > 0
	if len(r.history.Rows) > 0 {
		if err := writeBytes(filepath.Join(dir, metricsFile), r.history.CSV()); err != nil {
			return err
		}
	}
	if err := saveCheckpoint(dir, r.model, state, &r.at); err != nil {
		return err
	}
	return r.tellOthers(saved)
}
