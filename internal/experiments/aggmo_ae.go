package experiments

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/train"
)

func init() {
	register(Experiment{
		Name:  "aggmo-ae",
		About: "AggMo on a deep autoencoder of MNIST, beside momentum, Nesterov and Adam",
		Paper: "Lucas, Sun, Zemel & Grosse 2019, Aggregated Momentum, arXiv 1804.00325, Table 1",
		Claim: "momenta near 1 oscillate where several of them together do not, so that at equal work AggMo's training error is well below that of classical momentum, level with Nesterov's, and its validation error is the lowest",
		Differs: `a thousandth of the work: 3 epochs of 20,000 images (with -full 60 of 50,000; theirs 1,000 of 54,000) in
			minibatches of 50 (200; theirs 200), so that errors are higher and methods further from where they end; the
			rate falls by 10 after 1/2 and 3/4 of the run (theirs after 1/5, 2/5 and 4/5); settings by the validation error of
			the same few trials for each (theirs: a grid); He's initialisation; 3 seeds (15).
			So early momentum .9 has not yet lost anything: the short form shows that a momentum of .99 is of use among others
			and not alone, and AggMo level with the best momentum, not ahead: .9986 and .997 where the two tolerances want 1, which
			is a miss. -full was never run to its end.`,
		Takes: "10 min on two cores",
		Full:  "a day on two cores: all images, 60 epochs in minibatches of 200",
		Run:   aggmoAutoencoder,
	})
}

// contender is a method with the settings that are tried and the paper's squared
// errors.
type contender struct {
	name             string
	train, val, test float64
	trials           []string
}

func contenders() []contender {
	grid := func(head string, rates ...string) (list []string) {
		sep := ":"
		if strings.Contains(head, ":") {
			sep = ","
		}
		for _, lr := range rates {
			list = append(list, head+sep+"lr="+lr+"+multistep")
		}
		return list
	}
	join := func(lists ...[]string) (all []string) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	return []contender{
		{"momentum", 2.51, 3.55, 3.45, join(grid("sgd:momentum=0.9", "5e-4", "1e-3"), grid("sgd:momentum=0.99", "5e-4", "1e-3"))},
		{"Nesterov", 1.52, 3.20, 3.13, join(grid("sgd:nesterov=true,momentum=0.9", "5e-4", "1e-3"), grid("sgd:nesterov=true,momentum=0.99", "5e-4", "1e-3"))},
		{"Adam", 1.44, 3.80, 3.72, grid("adam", "3e-4", "1e-3", "2e-3", "5e-3")},
		{"AggMo", 1.39, 3.05, 2.96, join(grid("aggmo:betas=0/0.9/0.99", "1e-3", "2e-3"), grid("aggmo:betas=0/0.9/0.99/0.999", "1e-3", "2e-3"))},
	}
}

func aggmoAutoencoder(ctx context.Context, e *Env) (*Result, error) {
	const seeds = 3
	job := study.Job{Spec: task.Spec{Data: "mnist", Model: "autoencoder-relu", Limit: 24_000, Val: 1.0 / 6, Precision: "float32", Seed: e.Seed}, Epochs: 3, Batch: 50, Points: 4}
	if e.Full {
		job.Limit, job.Epochs, job.Batch, job.Points = 0, 60, 200, 1
	}
	res := &Result{}
	settings := cli.Table{Header: []string{"method", "settings"}, Left: map[int]bool{1: true}}
	csv := [][]any{{"method", "optimizer", "seed", "chosen", "status", "train_squared_error", "val_squared_error", "test_squared_error", "seconds", "work"}}
	ends := map[string][3]float64{}
	alone := math.Inf(1) // the least training error with a momentum of .99 alone
	var curves []*study.Summary
	for _, c := range contenders() {
		// By the first seed's validation error; the others confirm it.
		least, best := math.Inf(1), ""
		outcomes := map[string]*study.Outcome{}
		for _, opt := range c.trials {
			j := job
			j.Opt = opt
			o, err := e.Train(ctx, j)
			if err != nil {
				return nil, err
			}
			outcomes[opt] = o
			if v, ok := o.Final("probe_squared_error"); ok && strings.HasPrefix(opt, "sgd:momentum=0.99") {
				alone = min(alone, v)
			}
			if v, ok := o.Final("val_squared_error"); ok && v < least {
				least, best = v, opt
			}
		}
		s := &study.Summary{Label: c.name}
		if best != "" {
			s.Outcomes = append(s.Outcomes, outcomes[best])
			for k := range uint64(seeds - 1) {
				j := job
				j.Opt, j.Seed = best, e.Seed+1+k
				o, err := e.Train(ctx, j)
				if err != nil {
					return nil, err
				}
				s.Outcomes = append(s.Outcomes, o)
			}
		}
		for _, opt := range c.trials {
			csv = append(csv, aggmoRow(c.name, outcomes[opt], opt == best))
		}
		for k, o := range s.Outcomes {
			if k > 0 {
				csv = append(csv, aggmoRow(c.name, o, true))
			}
		}
		curves = append(curves, s)
		settings.Add(c.name, best)
		var errors [3]float64
		for k, m := range []study.Measure{"probe_squared_error", "val_squared_error", "test_squared_error"} {
			errors[k] = s.Final(m).Mean
		}
		ends[c.name] = errors
		for k, set := range []string{"training", "validation", "test"} {
			res.Rows = append(res.Rows, Row{What: c.name + ", " + set + " squared error", Paper: Number([]float64{c.train, c.val, c.test}[k]), Ours: errors[k]})
		}
	}
	ratio := func(name string, k int) float64 { return ends[name][k] / ends["AggMo"][k] }
	res.Rows = append(res.Rows,
		Row{"training error, momentum .99 alone over AggMo", "", alone / ends["AggMo"][0], AtLeast(1.2)},
		Row{"training error, momentum over AggMo", "1.81", ratio("momentum", 0), AtLeast(1)},
		Row{"training error, Nesterov over AggMo", "1.09", ratio("Nesterov", 0), AtLeast(0.9)},
		Row{"training error, Adam over AggMo", "1.04", ratio("Adam", 0), Want{}},
		Row{"validation error, momentum over AggMo", "1.16", ratio("momentum", 1), AtLeast(1)})
	res.Table = []cli.Table{settings}
	if err := e.CSV("runs.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("aggmo-ae", aggmoCharts(curves))
}

func aggmoRow(name string, o *study.Outcome, chosen bool) []any {
	end, _ := o.End()
	row := []any{name, o.Optimizer, o.Job.Seed, chosen, string(o.Status)}
	for _, m := range []study.Measure{"probe_squared_error", "val_squared_error", "test_squared_error"} {
		v, ok := o.Final(m)
		if !ok {
			v = math.NaN()
		}
		row = append(row, v)
	}
	return append(row, end.Seconds, end.Work)
}

// aggmoCharts draws the training and validation errors of the chosen settings.
func aggmoCharts(list []*study.Summary) chart.Grid {
	var charts []chart.Chart
	for _, set := range []struct {
		title string
		m     study.Measure
	}{{"training", "probe_squared_error"}, {"validation", "val_squared_error"}} {
		c := chart.Chart{Title: set.title, X: chart.Axis{Label: "epochs"}, Y: chart.Axis{Label: "squared error an image", Log: true}, Width: 5, Height: 4}
		for _, s := range list {
			c.Series = append(c.Series, s.Curve(study.Epochs, func(p train.Point) (float64, bool) { return set.m.Of(p) }))
		}
		charts = append(charts, c)
	}
	return chart.Grid{Title: fmt.Sprintf("autoencoder of MNIST: the best of %d settings of each method, 3 seeds", len(contenders()[0].trials)), Rows: [][]chart.Chart{charts}}
}
