package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// Fit trains the model on the examples of d: the optimizer of c takes a step on
// each minibatch, and after every epoch the other sets are measured, the run is
// saved and the observers are told.
//
// If ctx ends, the step that is under way ends too, all is saved and the error
// wraps that of ctx; if it cannot be saved, the error says why. The History is what was measured until then, with any error.
// A loss, gradient or weight that is not finite is an error that names the step
// and the first tensor; the last checkpoint stays as it was.
//
// A run that is stopped anywhere, also by the death of the process, and resumed
// ends with the same bits as one that was not.
//
// Where the optimizer's iterates are not the weights to use (optimizers.Averaging:
// averages, lookahead, schedule-free methods), the weights for evaluation are
// measured and saved, and the model has them when Fit returns (after an error
// other than that of ctx it has the iterates) and while observers are told of
// anything but a step; the iterates are kept with the optimizer's state.
func Fit[T Float](ctx context.Context, m *nn.Model[T], d data.Dataset, c Config) (*History, error) {
	r, err := newRun(m, d, c)
	if err != nil {
		return nil, err
	}
	err = r.start()
	if err == nil {
		err = r.train(ctx)
	}
	if r.log != nil {
		if closed := r.log.close(); err == nil { // what fails here as well has failed already
			err = closed
		}
	}
	if err != nil {
		_ = r.tellOthers(&Stopped{err}) // it is over, whatever they say
	}
	return &r.history, err
}

// Check says why Fit could not begin: wrong settings, a method that asks for what
// the model cannot answer. It trains nothing and touches no file.
func Check[T Float](m *nn.Model[T], d data.Dataset, c Config) error {
	c.Dir, c.Resume = "", false
	_, err := newRun(m, d, c)
	return err
}

// run is a Fit under way.
type run[T Float] struct {
	config    Config
	about     RunConfig
	model     *nn.Model[T]
	loader    *data.Loader[T]
	optimizer optimizers.Optimizer[T]
	problem   *problem[T]
	averaged  averaged[T]
	metrics   []string
	at        progress
	sums      tally // over this epoch's examples so far
	history   History
	log       *logger
	observers []Observer
	stop      bool // an observer wants the end
	began     time.Time
	mark      time.Time // until which time is counted
	stepped   Stepped   // the event, used again
}

func newRun[T Float](m *nn.Model[T], d data.Dataset, c Config) (*run[T], error) {
	if m == nil {
		return nil, errors.New("train: the model is nil")
	}
	if err := fits(m, d, "training"); err != nil {
		return nil, err
	}
	for _, other := range []struct {
		d    data.Dataset
		role string
	}{{c.Val, "validation"}, {c.Test, "test"}, {c.Probe, "probe"}} {
		if other.d == nil {
			continue
		}
		if err := fits(m, other.d, other.role); err != nil {
			return nil, err
		}
	}
	c, err := c.complete(d.Len(), m.Joint())
	if err != nil {
		return nil, err
	}
	if m.Joint() && c.Batch < d.Len() {
		return nil, fmt.Errorf("train: %s is a function of all examples together; the minibatch must be all %d, not %d", m.Loss(), d.Len(), c.Batch)
	}
	metrics, err := metricNames(m)
	if err != nil {
		return nil, err
	}
	r := &run[T]{config: c, model: m, metrics: metrics, observers: c.Observers,
		loader: &data.Loader[T]{Data: d, Batch: c.Batch, Shuffle: true, DropLast: c.DropLast, Seed: c.Seed}}
	if r.loader.Steps() < 1 {
		return nil, fmt.Errorf("train: minibatches of %d and the last dropped leave none of the %d examples", c.Batch, d.Len())
	}
	if steps := r.loader.Steps(); c.Epochs > math.MaxInt/steps {
		return nil, fmt.Errorf("train: %d epochs of %d steps; allowed are %d steps", c.Epochs, steps, math.MaxInt)
	}
	method := optimizers.ForEpochs(c.Optimizer, c.Epochs, r.loader.Steps())
	if r.optimizer, err = optimizers.New[T](method, Layout(m)); err != nil {
		return nil, err
	}
	r.averaged = averagedOf(r.optimizer, len(m.Params), len(m.Buffers))
	r.problem = newProblem(m, r.loader, c.Seed, len(metrics))
	r.problem.programs.measure = c.Profile
	if err := optimizers.Check(r.optimizer, optimizers.Problem[T](r.problem)); err != nil {
		return nil, err
	}
	r.sums = newTally(metrics, d.Target().Size())
	if r.about, err = describe(m, d, c); err != nil {
		return nil, err
	}
	return r, nil
}

// start prepares the directory, or goes back to its checkpoint, and tells the
// observers.
func (r *run[T]) start() error {
	dir := r.config.Dir
	resume := r.config.Resume
	if dir != "" {
		var err error
		if r.log, err = openDir(dir, r.about, resume); err != nil {
			return err
		}
	}
	if resume {
		if err := r.restore(); err != nil {
			return err
		}
	}
	r.mark = time.Now()
	r.began = r.mark
	c := &r.config
	if err := r.tell(&Started{Examples: r.about.Examples, Parameters: len(r.model.Params), Optimizer: r.about.Optimizer,
		Batch: c.Batch, Epochs: c.Epochs, StepsEpoch: r.loader.Steps(), Metrics: r.metrics, Resumed: resume, Step: r.at.Step, Dir: dir}); err != nil {
		return err
	}
	if r.at.Step == 0 {
		return r.save() // so that a run that dies in its first epoch can go on
	}
	return nil
}

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
	r.at, r.history.Rows, r.history.Points = *at, at.Rows, at.Points
	r.problem.gradients = at.Gradients
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

func (r *run[T]) train(ctx context.Context) error {
	for r.at.Epoch < r.config.Epochs && !r.at.Done && !r.stop {
		err := r.epoch(ctx)
		if err == nil {
			continue
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			saved := r.save()
			if saved == nil {
				saved = r.show(context.WithoutCancel(ctx)) // it stays so
			}
			if saved != nil {
				return fmt.Errorf("train: interrupted after step %d of %d, but not saved: %w", r.at.Step, r.config.Epochs*r.loader.Steps(), saved)
			}
			return fmt.Errorf("train: interrupted after step %d of %d: %w", r.at.Step, r.config.Epochs*r.loader.Steps(), ctx.Err())
		}
		return err
	}
	return r.finish()
}

// epoch takes the steps of the current epoch that are not done and measures.
func (r *run[T]) epoch(ctx context.Context) error {
	r.clock()
	if r.due() {
		if err := r.point(ctx); err != nil {
			return err
		}
	}
	for b, err := range r.loader.Epoch(ctx, r.at.Epoch, r.at.Batch) {
		if err != nil {
			return err
		}
		if err := r.watchBefore(); err != nil {
			return r.giveUp(err)
		}
		if err := r.step(ctx, b); err != nil {
			return err
		}
		if err := r.tell(&r.stepped); err != nil {
			return r.giveUp(err)
		}
		if err := r.watchAfter(context.WithoutCancel(ctx)); err != nil {
			return r.giveUp(err)
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
	report, err := r.optimizer.Step(context.WithoutCancel(ctx), r.model.Params, r.problem)
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

// save makes a checkpoint, unless what would be saved is not finite.
func (r *run[T]) save() error {
	state := r.optimizer.State()
	if name := r.notFinite(state); name != "" {
		return &StepError{r.at.Step, true, fmt.Errorf("train: after step %d: %s is not finite%s", r.at.Step, name, r.kept())}
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
	// The checkpoint counts the log's bytes, so its own line is there first.
	if err := r.log.Observe(saved); err != nil {
		return err
	}
	if err := r.log.sync(); err != nil {
		return err
	}
	r.clock()
	r.at.LogBytes, r.at.Rows, r.at.Points, r.at.Gradients = r.log.written, r.history.Rows, r.history.Points, r.problem.gradients
	r.at.Examples, r.at.Loss, r.at.Metrics = r.sums.examples, r.sums.loss, r.sums.sums
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

// notFinite names the first tensor of the weights, the buffers or the
// optimizer's state that is not finite: a second moment may overflow behind
// weights that then stand still.
func (r *run[T]) notFinite(s optimizers.State[T]) string {
	in := func(list []nn.Param, x []T) string {
		for _, p := range list {
			if !allFinite(x[p.Offset : p.Offset+p.Size()]) {
				return p.Name
			}
		}
		return ""
	}
	m := r.model
	params, buffers := r.trained()
	if name := in(m.Parameters(), params); name != "" {
		return name
	}
	if name := in(m.BufferList(), buffers); name != "" {
		return name
	}
	for _, name := range sortedNames(s.Vectors) {
		x := s.Vectors[name]
		if allFinite(x) {
			continue
		}
		if len(x) == len(m.Params) {
			return fmt.Sprintf("the optimizer's %s of %s", name, in(m.Parameters(), x))
		}
		return "the optimizer's " + name
	}
	return ""
}

func allFinite[T Float](x []T) bool {
	for _, v := range x {
		if !finite(float64(v)) {
			return false
		}
	}
	return true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// explain is the error for a step that met a number that is not finite.
func (r *run[T]) explain(cause error) error {
	where, err := r.problem.batch.nonFinite(r.model.Params)
	switch {
	case err != nil:
		where = err.Error()
	case where == "":
		where = "the network and its gradient are finite on the minibatch"
	}
	if cause == nil {
		cause = errors.New("the loss is not finite")
	}
	return &StepError{r.at.Step + 1, true,
		fmt.Errorf("train: step %d (epoch %d, batch %d): %s: %w%s", r.at.Step+1, r.at.Epoch+1, r.at.Batch+1, where, cause, r.kept())}
}

// kept says where the last good weights are.
func (r *run[T]) kept() string {
	if r.config.Dir == "" {
		return ""
	}
	return "; the last finite checkpoint is " + filepath.Join(r.config.Dir, lastFile)
}

// finish writes the result and tells the observers.
func (r *run[T]) finish() error {
	if err := r.show(context.Background()); err != nil { // it stays so
		return err
	}
	r.clock()
	c := &r.config
	res := Result{Data: c.Data, Model: c.Model, Optimizer: r.about.Optimizer, Parameters: len(r.model.Params), Seed: c.Seed,
		Epochs: r.at.Epoch, Steps: r.at.Step, Work: r.at.Work, Gradients: r.problem.gradients, TrainSeconds: r.at.TrainSeconds, Seconds: r.at.Seconds}
	if n := len(r.history.Rows); n > 0 {
		last := r.history.Rows[n-1]
		res.Train, res.Probe, res.Val, res.Test = last.Train, last.Probe, last.Val, last.Test
	}
	r.history.Result = res
	if c.Profile {
		r.history.Profile = &Profile{r.problem.programs.profile(), time.Since(r.began).Seconds()}
		if c.Dir != "" {
			if err := r.history.Profile.save(c.Dir, r.began); err != nil {
				return err
			}
		}
	}
	if c.Dir != "" {
		text, err := indented(res)
		if err != nil {
			return err
		}
		if err := writeBytes(filepath.Join(c.Dir, resultFile), text); err != nil {
			return err
		}
	}
	return r.tell(&Finished{res})
}
