package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/parallel"
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
	follow    stepWatch[T]
	logSteps  []int           // of Snapshots.Log
	snapped   int             // the step of the last snapshot, -1 for none
	trial     *parallel.Trial // of short steps, on one core or all
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
	r := &run[T]{config: c, model: m, metrics: metrics, observers: c.Observers, snapped: -1, trial: parallel.NewTrial(parallel.Shared()),
		loader: &data.Loader[T]{Data: d, Batch: c.Batch, Shuffle: true, DropLast: c.DropLast, Seed: c.Seed}}
	if r.loader.Steps() < 1 {
		return nil, fmt.Errorf("train: minibatches of %d and the last dropped leave none of the %d examples", c.Batch, d.Len())
	}
	if steps := r.loader.Steps(); c.Epochs > math.MaxInt/steps {
		return nil, fmt.Errorf("train: %d epochs of %d steps; allowed are %d steps", c.Epochs, steps, math.MaxInt)
	}
	if r.logSteps, err = c.Snapshots.logSteps(c.Epochs * r.loader.Steps()); err != nil {
		return nil, err
	}
	method := optimizers.ForEpochs(c.Optimizer, c.Epochs, r.loader.Steps())
	if r.optimizer, err = optimizers.New[T](method, Layout(m)); err != nil {
		return nil, err
	}
	r.averaged = averagedOf(r.optimizer, len(m.Params), len(m.Buffers))
	r.problem = newProblem(m, r.loader, c.Seed, len(metrics))
	r.problem.programs.measure = c.Profile
	r.watchSteps()
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
	if dir == "" && r.config.Snapshots != (Snapshots{}) {
		return errors.New("train: snapshots need the directory of the run")
	}
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

func (r *run[T]) train(ctx context.Context) error {
	for r.at.Epoch < r.config.Epochs && !r.at.Done && (!r.stop || r.at.Ending) {
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
