package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// RateRange says which learning rates FindRate tries. Its zero value means the
// defaults.
type RateRange struct {
	Low, High float64 // first and last rate; 0 means 1e-7 and 10
	Steps     int     // 0 means 100
	// Smooth is the share of the smoothed loss that stays in each step; 0 means 0.9.
	Smooth float64
	// Stop ends the test when the smoothed loss is so many times its lowest value, or
	// as far above it where that is negative; 0 means 4.
	Stop float64
}

func (r RateRange) complete() (RateRange, error) {
	for _, f := range []struct {
		v       *float64
		missing float64
	}{{&r.Low, 1e-7}, {&r.High, 10}, {&r.Smooth, 0.9}, {&r.Stop, 4}} {
		if *f.v == 0 {
			*f.v = f.missing
		}
	}
	if r.Steps == 0 {
		r.Steps = 100
	}
	switch {
	case !(r.Low > 0 && r.Low < r.High && finite(r.High)):
		return r, fmt.Errorf("train: learning rates from %v to %v; they must be positive and rise", r.Low, r.High)
	case r.Steps < 10:
		return r, fmt.Errorf("train: a range test of %d steps; allowed are 10 and more", r.Steps)
	case !(r.Smooth >= 0 && r.Smooth < 1 && r.Stop > 1):
		return r, fmt.Errorf("train: smooth %v and stop %v; allowed are shares from 0 to below 1, and factors above 1", r.Smooth, r.Stop)
	}
	return r, nil
}

// RateTest is what a range test has measured: a step at each of the rates, and
// the loss of its minibatch before it.
type RateTest struct {
	Rates, Losses []float64
	Smoothed      []float64 // an exponential mean of the losses
	Suggested     float64   // where the smoothed loss falls fastest
	Lowest        float64   // where it is lowest
	Diverged      float64   // where the test ended early; 0 if it did not
}

// FindRate is Smith's range test (2017, section 3.3): it trains from the model's
// weights with a learning rate that grows exponentially from step to step, until
// the loss diverges. The rate where the smoothed loss falls fastest is a good one
// to train at; with a schedule that reaches it for few steps only, such as one
// cycle, several times that may be.
//
// Of c it uses the optimizer, which must have a learning rate and no schedule,
// the minibatch and the seed. The model's weights and buffers are as before when
// it returns.
func FindRate[T Float](ctx context.Context, m *nn.Model[T], d data.Dataset, c Config, rates RateRange) (*RateTest, error) {
	rates, err := rates.complete()
	if err != nil {
		return nil, err
	}
	r, err := newRun(m, d, Config{Optimizer: c.Optimizer, Batch: c.Batch, DropLast: c.DropLast, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	if _, scheduled := optimizers.As[optimizers.Feeder](r.optimizer); scheduled {
		return nil, fmt.Errorf("train: a range test sets the learning rate, and %s has a schedule that does; leave it out", optimizers.Spec(c.Optimizer))
	}
	rated, ok := optimizers.As[optimizers.Rated](r.optimizer)
	if !ok {
		return nil, fmt.Errorf("train: %s has no learning rate to be found", optimizers.Spec(r.config.Optimizer))
	}
	params, buffers := slices.Clone(m.Params), slices.Clone(m.Buffers)
	defer func() {
		copy(m.Params, params)
		copy(m.Buffers, buffers)
	}()
	t := &RateTest{}
	for epoch := 0; len(t.Rates) < rates.Steps && t.Diverged == 0; epoch++ {
		if err := r.tryRates(ctx, epoch, rated, rates, t); err != nil {
			return nil, err
		}
	}
	return t, t.suggest()
}

// tryRates takes the steps of an epoch, as far as there are rates.
func (r *run[T]) tryRates(ctx context.Context, epoch int, rated optimizers.Rated, rates RateRange, t *RateTest) error {
	for b, err := range r.loader.Epoch(ctx, epoch, 0) {
		if err != nil {
			return err
		}
		k := len(t.Rates)
		rate := rates.Low * math.Pow(rates.High/rates.Low, float64(k)/float64(rates.Steps-1))
		rated.SetRate(rate)
		r.problem.begin(context.WithoutCancel(ctx), b, k)
		report, err := r.optimizer.Step(context.WithoutCancel(ctx), r.model.Params, r.problem)
		var bad *optimizers.NonFiniteError
		switch {
		case errors.As(err, &bad) && k > 0 || err == nil && !finite(report.Loss):
			t.Diverged = rate
			return nil
		case err != nil:
			return fmt.Errorf("train: range test, step %d at the learning rate %.3g: %w", k+1, rate, err)
		}
		r.problem.commit()
		loss := report.Loss
		if r.problem.batch.seen {
			loss = r.problem.batch.loss
		}
		t.add(rate, loss, rates.Smooth)
		if lowest := slices.Min(t.Smoothed); t.Smoothed[k]-lowest > (rates.Stop-1)*math.Abs(lowest) {
			t.Diverged = rate
		}
		if t.Diverged > 0 || len(t.Rates) == rates.Steps {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("train: range test: stopped after %d of %d steps: %w", len(t.Rates), rates.Steps, err)
		}
	}
	return nil
}

// add adds a step. The smoothed loss is corrected for its start at 0, as Adam's
// means are.
func (t *RateTest) add(rate, loss, smooth float64) {
	k := len(t.Rates)
	mean := 0.0
	if k > 0 {
		mean = t.Smoothed[k-1] * (1 - math.Pow(smooth, float64(k)))
	}
	mean = smooth*mean + (1-smooth)*loss
	t.Rates, t.Losses = append(t.Rates, rate), append(t.Losses, loss)
	t.Smoothed = append(t.Smoothed, mean/(1-math.Pow(smooth, float64(k+1))))
}

// suggest finds where the smoothed loss falls fastest against the logarithm of
// the rate, up to its lowest point. The steps that follow the first are left out:
// so early a mean is of few losses, and its changes are theirs.
func (t *RateTest) suggest() error {
	n := len(t.Rates)
	skip := n / 10
	low := 0
	for i, v := range t.Smoothed {
		if v < t.Smoothed[low] {
			low = i
		}
	}
	best := 0.0
	for i := skip + 1; i+1 < n && i <= low; i++ {
		if slope := t.Smoothed[i+1] - t.Smoothed[i-1]; slope < best {
			best, t.Suggested = slope, t.Rates[i]
		}
	}
	if t.Suggested == 0 {
		return fmt.Errorf("train: range test: the loss does not fall at learning rates from %.3g to %.3g, where it ended", t.Rates[0], t.Rates[n-1])
	}
	t.Lowest = t.Rates[low]
	return nil
}

// WriteTo writes the test as CSV: the step from 1, its learning rate, the loss
// and the smoothed loss.
func (t *RateTest) WriteTo(w io.Writer) (int64, error) {
	text := []byte("step,lr,loss,smoothed\n")
	for i, rate := range t.Rates {
		text = strconv.AppendInt(text, int64(i+1), 10)
		for _, v := range []float64{rate, t.Losses[i], t.Smoothed[i]} {
			text = strconv.AppendFloat(append(text, ','), v, 'g', 8, 64)
		}
		text = append(text, '\n')
	}
	n, err := w.Write(text)
	return int64(n), err
}

// Save writes the test to lr-find.csv in a directory.
func (t *RateTest) Save(dir string) error {
	return writeFile(filepath.Join(dir, "lr-find.csv"), func(w io.Writer) error { _, err := t.WriteTo(w); return err })
}
