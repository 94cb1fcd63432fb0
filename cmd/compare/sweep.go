package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
)

// objective is what a search is for.
type objective struct {
	name    string
	measure study.Measure  // at the end of a run; empty for a quantity
	spent   study.Quantity // to the target
	target  *study.Target
}

// of is the objective of a trial, the less the better, and as people read it. A
// trial with a run that diverged, failed or missed the target has none: +Inf.
func (g *objective) of(s *study.Summary) (score, shown float64) {
	if g.measure == "" {
		v := s.To(g.target, g.spent).Mean
		return v, v
	}
	st := s.Final(g.measure)
	if st.N < len(s.Outcomes) {
		return math.Inf(1), math.NaN()
	}
	if g.measure.Rises() {
		return -st.Mean, st.Mean
	}
	return st.Mean, st.Mean
}

// goal is the objective of the settings, with its default, which is kept in them.
func (b *bench) goal() (*objective, error) {
	g := &objective{}
	if b.Target != "" {
		var err error
		if g.target, err = study.ParseTarget(b.Target); err != nil {
			return nil, cli.Usage(err)
		}
	}
	if b.Objective == "" {
		switch {
		case g.target != nil:
			b.Objective = string(study.Seconds)
		case nn.IsAutoencoder(b.Model):
			b.Objective = "val_squared_error"
		default:
			b.Objective = "val_accuracy"
		}
	}
	g.name = b.Objective
	switch q := study.Quantity(b.Objective); q {
	case study.Seconds, study.Work, study.Steps, study.Epochs, study.Gradients:
		if g.target == nil {
			return nil, cli.Usagef("-objective %s is what a run spends to its -target; give one, as -target val_accuracy=0.97", q)
		}
		g.spent = q
		return g, nil
	}
	var err error
	if g.measure, err = study.ParseMeasure(b.Objective); err != nil {
		return nil, cli.Usagef("-objective: %w; or seconds, work, steps, epochs or gradients to a -target", err)
	}
	return g, nil
}

// defaultVal is the share of the training set that a search keeps for validation:
// what is chosen by the test set says nothing about other data.
const defaultVal = 0.1

// trial is a method with a choice of settings.
type trial struct {
	of      int // the method
	choice  study.Choice
	job     study.Job // of the first seed
	summary *study.Summary
}

// sweep searches over settings.
func (b *bench) sweep(ctx context.Context, methods []method) error {
	space, err := study.ParseSpace(b.Sweep)
	if err != nil {
		return cli.Usagef("-sweep: %w", err)
	}
	g, err := b.goal()
	if err != nil {
		return err
	}
	if b.Val == 0 && (g.measure.Set() == "val" || g.target != nil && g.target.Measure.Set() == "val") {
		b.Val = defaultVal
	}
	trials, err := b.trials(space)
	if err != nil {
		return err
	}
	for i := range methods {
		k := slices.IndexFunc(trials, func(t *trial) bool { return t.of == i })
		if err := b.check(ctx, trials[k].job); err != nil {
			return err
		}
	}
	data, err := b.runner.Load(ctx, b.Spec)
	if err != nil {
		return err
	}
	if g.measure != "" {
		if err := g.measure.On(data); err != nil {
			return cli.Usagef("-objective: %w", err)
		}
	}
	if err := b.open(b.name(data.Name), "trials", "seeds", "opts"); err != nil {
		return err
	}
	b.progress.note("objective: %s\n", b.aim(g))
	b.progress.total = len(trials) * b.Seeds
	for _, t := range trials {
		label := b.Opts[t.of] + " " + t.text(space)
		t.summary = &study.Summary{Label: label}
		for seed := range b.Seeds {
			j := t.job
			j.Seed += uint64(seed)
			o, err := b.run(ctx, label, "", j)
			if err != nil {
				return err
			}
			t.summary.Outcomes = append(t.summary.Outcomes, o)
		}
	}
	slices.SortStableFunc(trials, func(x, y *trial) int {
		a, _ := g.of(x.summary)
		b, _ := g.of(y.summary)
		return cmp.Compare(a, b)
	})
	return b.reportSweep(space, g, trials, data)
}

// aim is the objective in words.
func (b *bench) aim(g *objective) string {
	switch {
	case g.measure == "":
		return fmt.Sprintf("least %s to %s", g.spent, g.target)
	case g.measure.Rises():
		return fmt.Sprintf("highest %s after %s", g.measure, plural(b.Epochs, "epoch"))
	}
	return fmt.Sprintf("lowest %s after %s", g.measure, plural(b.Epochs, "epoch"))
}

// trials are all that the search will try, by the seed.
func (b *bench) trials(space study.Space) (list []*trial, err error) {
	for i, opt := range b.Opts {
		var choices []study.Choice
		if b.Trials > 0 {
			choices, err = space.Draw(b.Trials, b.Seed)
		} else {
			choices, err = space.Grid()
		}
		if err != nil {
			return nil, cli.Usagef("-sweep: %w; or -trials", err)
		}
		for _, c := range choices {
			t := &trial{of: i, choice: c}
			if t.job, err = b.with(opt, space, c); err != nil {
				return nil, fmt.Errorf("-sweep: %w", err)
			}
			list = append(list, t)
		}
	}
	return list, nil
}

// with is a job with the settings of a choice: epochs and batch are the run's,
// all others the optimizer's.
func (b *bench) with(opt string, space study.Space, c study.Choice) (study.Job, error) {
	run := b.settings
	for k, d := range space {
		switch d.Name {
		case "epochs", "batch":
			n, err := strconv.Atoi(c[k])
			if err != nil || n < 1 {
				return study.Job{}, cli.Usagef("%s=%s; allowed are whole numbers from 1 on, as %s=2|5", d.Name, c[k], d.Name)
			}
			if d.Name == "epochs" {
				run.Epochs = n
			} else {
				run.Batch = n
			}
		default:
			var err error
			if opt, err = task.With(opt, d.Name, c[k]); err != nil {
				return study.Job{}, err
			}
		}
	}
	spec, err := run.spelled(opt)
	if err != nil {
		return study.Job{}, err
	}
	return run.job(method{spec: spec}, 0), nil
}

// text is a choice in words.
func (t *trial) text(space study.Space) string {
	var list []string
	for k, d := range space {
		list = append(list, d.Name+"="+t.choice[k])
	}
	return strings.Join(list, ",")
}

// reportSweep writes the tables and the picture of a search, best first.
func (b *bench) reportSweep(space study.Space, g *objective, trials []*trial, data *task.Task) error {
	names := []any{"method"}
	t := cli.Table{Header: []string{"method"}}
	for _, d := range space {
		names = append(names, d.Name)
		t.Header = append(t.Header, d.Name)
	}
	var all []*study.Summary
	for _, x := range trials {
		all = append(all, x.summary)
	}
	metric := newReport(&b.settings, data, all)
	rows := [][]any{append(names, "optimizer", g.name, g.name+"_sd", "good", "runs", "probe_loss", string(metric.metric), "steps", "seconds", "work")}
	t.Header = append(t.Header, g.name, "train loss", "seconds", "")
	t.Left = map[int]bool{len(t.Header) - 1: true}
	for _, x := range trials {
		s := x.summary
		score, shown := g.of(s)
		row, cells := []any{b.Opts[x.of]}, []string{b.Opts[x.of]}
		for _, v := range x.choice {
			row, cells = append(row, v), append(cells, v)
		}
		sd, text := s.Final(g.measure).SD, strconv.FormatFloat(shown, 'g', 5, 64)
		if g.measure == "" {
			sd = s.To(g.target, g.spent).SD
		}
		note := ""
		if math.IsInf(score, 1) {
			text, note = "-", missed(s)
		}
		rows = append(rows, append(row, x.job.Opt, shown, sd, len(s.Good()), len(s.Outcomes), s.Final("probe_loss").Mean, s.Final(metric.metric).Mean,
			s.Spent(study.Steps).Mean, s.Spent(study.Seconds).Mean, s.Spent(study.Work).Mean))
		t.Rows = append(t.Rows, append(cells, text, meanText(s.Final("probe_loss"), 1), secondsText(s.Spent(study.Seconds).Mean), note))
	}
	if err := study.WriteCSV(filepath.Join(b.dir, "sweep.csv"), rows); err != nil {
		return err
	}
	files := "sweep.csv"
	if grid := b.sweepChart(space, g, trials); len(grid.Rows) > 0 {
		if err := grid.Save(filepath.Join(b.dir, "sweep")); err != nil {
			return err
		}
		files += ", sweep.png, sweep.svg"
	}
	if _, err := fmt.Fprintf(b.stdout, "%s, %s: %s, %s; %s\n", data.Name, b.Model, plural(len(trials), "trial"), plural(b.Seeds, "seed"), b.aim(g)); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if _, err := t.WriteTo(b.stdout); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	first := trials[0]
	if score, _ := g.of(first.summary); !math.IsInf(score, 1) {
		if _, err := fmt.Fprintf(b.stdout, "\nbest: -opt %s -epochs %d -batch %d\n", cli.Quoted(first.job.Opt), first.job.Epochs, first.job.Batch); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
	}
	if _, err := fmt.Fprintf(b.stdout, "saved in %s: %s\n", b.dir, files); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return failures(all)
}

// missed says why a trial has no objective.
func missed(s *study.Summary) string {
	for _, o := range s.Outcomes {
		if !o.Good() {
			return fmt.Sprintf("%s at step %d", o.Status, o.Step)
		}
	}
	return "missed the target"
}

// sweepChart shows the objective against each dimension of numbers.
func (b *bench) sweepChart(space study.Space, g *objective, trials []*trial) chart.Grid {
	var charts []chart.Chart
	for k, d := range space {
		c := chart.Chart{X: chart.Axis{Label: d.Name, Log: d.Log}, Y: chart.Axis{Label: g.name, Log: g.measure == "" || !g.measure.Rises()}, Width: 4.6, Height: 3.6}
		numbers := true
		for i, opt := range b.Opts {
			s := chart.Series{Name: opt, NoLine: true}
			for _, t := range trials {
				if t.of != i {
					continue
				}
				v, err := strconv.ParseFloat(t.choice[k], 64)
				numbers = numbers && err == nil
				_, shown := g.of(t.summary)
				s.X, s.Y = append(s.X, v), append(s.Y, shown)
			}
			c.Series = append(c.Series, s)
		}
		if numbers {
			charts = append(charts, c)
		}
	}
	if len(charts) == 0 {
		return chart.Grid{}
	}
	return chart.Grid{Title: fmt.Sprintf("%s, %s: %s", b.Data, b.Model, b.aim(g)), Rows: [][]chart.Chart{charts}}
}
