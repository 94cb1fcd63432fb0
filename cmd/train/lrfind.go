package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// rateFile is how the files of -lr-find are named, before their endings.
const rateFile = "lr-find"

// besideFind are flags that say nothing to a range test.
var besideFind = []string{"lr", "schedule", "epochs", "min-acc", "profile", "val", "resume", "watch", "snapshots"}

// findable says whether the flags beside -lr-find make sense.
func (o *options) findable() error {
	for _, name := range besideFind {
		if o.Given[name] {
			return cli.Usagef("-lr-find tries learning rates in the first steps of a run, one after the other; -%s is not allowed beside it", name)
		}
	}
	_, wrappers := optimizers.SplitSpec(o.Opt)
	for _, w := range wrappers {
		name, _, _ := strings.Cut(w, ":")
		for _, s := range optimizers.Schedules() {
			if s.Name == strings.TrimSpace(name) {
				return cli.Usagef("-lr-find sets the learning rate, and -opt %s has the schedule %s that does; leave it out", o.Opt, s.Name)
			}
		}
	}
	return nil
}

// findRate runs the range test and writes what it has found. The method is under
// the schedule that a run would have, which the test does without.
func findRate[T train.Float](ctx context.Context, o *options, method optimizers.Method, m *nn.Model[T], t *task.Task, stdout, stderr io.Writer) error {
	s, ok := method.(*optimizers.Scheduled)
	if !ok {
		return cli.Usagef("-lr-find: %s has no learning rate to be found", optimizers.Describe(method).Name)
	}
	method = s.Of
	if !o.quiet {
		fmt.Fprintf(stderr, "%s: %d examples\n%s\noptimizer: %s\n", t.Name, t.Train.Len(), m.Summary(), optimizers.Spec(method))
	}
	found, err := train.FindRate(ctx, m, t.Train, train.Config{Optimizer: method, Batch: o.Batch, Seed: o.Seed}, train.RateRange{})
	if err != nil {
		return err
	}
	dir := o.out
	if dir == "" {
		dir = "."
	} else if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := found.Save(dir); err != nil {
		return err
	}
	if err := rateChart(found, t.Name+", "+o.Model+", "+optimizers.Spec(method)).Save(filepath.Join(dir, rateFile)); err != nil {
		return err
	}
	ends := fmt.Sprintf("and does not diverge up to %.2g", found.Rates[len(found.Rates)-1])
	if found.Diverged > 0 {
		ends = fmt.Sprintf("and diverges at %.2g", found.Diverged)
	}
	_, err = fmt.Fprintf(stdout, "suggested learning rate %.2g: there the loss falls fastest; it is lowest at %.2g %s\nsaved in %s, .png and .svg\n",
		found.Suggested, found.Lowest, ends, filepath.Join(dir, rateFile+".csv"))
	return err
}

// rateChart draws the loss against the learning rate. What lies far above the first
// losses is cut off: the end of a run that diverges would leave no room for the
// rest.
func rateChart(t *train.RateTest, title string) chart.Chart {
	low, high := slices.Min(t.Losses), 1.5*max(t.Smoothed[0], t.Losses[0])
	room := 0.05 * (high - low)
	cut := func(losses []float64) []float64 {
		shown := slices.Clone(losses)
		for i, v := range losses {
			switch {
			case v <= high:
			case i > 0 && losses[i-1] <= high:
				shown[i] = high // the line leaves here
			default:
				shown[i] = math.NaN()
			}
		}
		return shown
	}
	return chart.Chart{
		Title: title,
		X:     chart.Axis{Label: "learning rate", Log: true},
		Y:     chart.Axis{Label: "training loss", Min: low - room, Max: high},
		Series: []chart.Series{
			{Name: "minibatch", X: t.Rates, Y: cut(t.Losses), Thin: true, Color: 2},
			{Name: "smoothed", X: t.Rates, Y: cut(t.Smoothed), Color: 1},
		},
		Lines: []chart.Line{{Name: fmt.Sprintf("suggested %.2g", t.Suggested), At: t.Suggested, Vertical: true}},
	}
}
