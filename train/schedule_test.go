package train

import (
	"math"
	"slices"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

// A schedule on a plateau is told the loss on the validation set after every
// epoch, and without one that of training.
func TestPlateauFollowsTheLossOfAnEpoch(t *testing.T) {
	for _, validation := range []bool{true, false} {
		m, d := small[float32](t, plain()...)
		c := Config{Epochs: 12, Batch: 50, Seed: 1,
			Optimizer: &optimizers.Scheduled{Of: &optimizers.SGD{LR: 3}, Schedule: &optimizers.Plateau{Patience: optimizers.ZeroInt, Factor: 0.5}}}
		if validation {
			_, other := small[float32](t)
			c.Val = other
		}
		h := mustFit(t, m, d, c)
		best, rate, cuts := math.Inf(1), 3.0, 0
		for i, row := range h.Rows {
			if row.LR != rate {
				t.Errorf("validation %v: epoch %d had the rate %v, want %v", validation, i+1, row.LR, rate)
			}
			loss := row.Train.Loss
			if validation {
				loss = row.Val.Loss
			}
			if loss < best*(1-1e-4) {
				best = loss
			} else {
				rate *= 0.5
				cuts++
			}
		}
		if cuts == 0 || cuts == len(h.Rows) {
			t.Errorf("validation %v: %d cuts in %d epochs show nothing", validation, cuts, len(h.Rows))
		}
	}
}

// A schedule that counts epochs is told how long they are.
func TestSchedulesMayCountEpochs(t *testing.T) {
	m, d := small[float32](t, plain()...)
	var rates []float64
	watch := ObserverFunc(func(e Event) error {
		if s, ok := e.(*Stepped); ok {
			rates = append(rates, s.Report.LR)
		}
		return nil
	})
	mustFit(t, m, d, Config{Epochs: 4, Batch: 64, Observers: []Observer{watch}, Optimizer: parse(t, "sgd:lr=1+polynomial:unit=epoch")})
	if want := []float64{1, 1, 1, 0.75, 0.75, 0.75, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25}; !slices.Equal(rates, want) {
		t.Errorf("rates %v, want %v", rates, want)
	}
}
