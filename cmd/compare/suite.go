package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/train"
)

// entry is a method on a task of a suite, with the settings that it has there.
type entry struct {
	spec      string
	scheduled bool
	epochs    int
	summary   *study.Summary
}

// race sends the methods through all tasks of a suite.
func (b *bench) race(ctx context.Context, s *suite, methods []method) error {
	for _, x := range s.tasks {
		for _, m := range methods {
			if err := b.check(ctx, x.job(b, m.spec, x.length(scheduled(m)), 0)); err != nil {
				return fmt.Errorf("task %s: %w", x.name, err)
			}
		}
	}
	if err := b.open(b.name(""), "opts", "seeds", "tune"); err != nil {
		return err
	}
	b.progress.total = len(s.tasks) * len(methods) * (b.Seeds + b.Tune)
	results := make([][]*entry, len(s.tasks)) // by task and method
	for k, x := range s.tasks {
		for _, m := range methods {
			e, err := b.settle(ctx, &x, m)
			if err != nil {
				return err
			}
			e.summary = &study.Summary{Label: m.label}
			results[k] = append(results[k], e)
		}
		for seed := range b.Seeds {
			for _, e := range results[k] {
				o, err := b.run(ctx, x.name+": "+e.summary.Label, x.name, x.job(b, e.spec, e.epochs, seed))
				if err != nil {
					return err
				}
				e.summary.Outcomes = append(e.summary.Outcomes, o)
			}
		}
	}
	return b.reportSuite(s, methods, results)
}

// scheduled tells whether the length of a run matters to a method.
func scheduled(m method) bool { return hasSchedule(m.spec) }

// reportSuite writes all tables and pictures.
func (b *bench) reportSuite(s *suite, methods []method, results [][]*entry) error {
	rows := [][]any{{"task", "method", "optimizer", "epochs", "target", "runs", "reached", "seconds", "work", "gradients", "steps", "best"}}
	runs := [][]any{{"task", "method", "optimizer", "epochs", "seed", "status", "step", "seconds", "work", "target_seconds", "target_work", "best", "note"}}
	times := map[study.Quantity][][]float64{study.Seconds: nil, study.Work: nil}
	for q := range times {
		times[q] = make([][]float64, len(methods))
	}
	var all []*study.Summary
	for k, x := range s.tasks {
		target, err := study.ParseTarget(x.target)
		if err != nil {
			return err
		}
		t := cli.Table{Header: []string{"method", "at target", "seconds", "work", "best " + string(target.Measure)}}
		if b.Tune > 0 {
			t.Left = map[int]bool{len(t.Header): true}
			t.Header = append(t.Header, "settings")
		}
		for i, e := range results[k] {
			sum := e.summary
			all = append(all, sum)
			for q := range times {
				times[q][i] = append(times[q][i], sum.To(target, q).Median)
			}
			top := bestOf(sum, target)
			cells := []string{sum.Label, fmt.Sprintf("%d of %d", sum.Reached(target), len(sum.Outcomes)), secondsText(sum.To(target, study.Seconds).Median),
				countText(sum.To(target, study.Work).Median), meanText(top, 1)}
			if b.Tune > 0 {
				text := e.spec
				if e.scheduled {
					text += ", " + plural(e.epochs, "epoch")
				}
				cells = append(cells, text)
			}
			t.Rows = append(t.Rows, cells)
			rows = append(rows, []any{x.name, sum.Label, e.spec, e.epochs, x.target, len(sum.Outcomes), sum.Reached(target), sum.To(target, study.Seconds).Median,
				sum.To(target, study.Work).Median, sum.To(target, study.Gradients).Median, sum.To(target, study.Steps).Median, top.Mean})
			for _, o := range sum.Outcomes {
				end, _ := o.End()
				hit, ok := o.Hit(target)
				seconds, work := hit.Seconds, float64(hit.Work)
				if !ok {
					seconds, work = math.NaN(), math.NaN()
				}
				runs = append(runs, []any{x.name, sum.Label, e.spec, e.epochs, o.Job.Seed, string(o.Status), o.Step, end.Seconds, end.Work, seconds, work, bestOf(&study.Summary{Outcomes: []*study.Outcome{o}}, target).Mean, o.Note})
			}
		}
		if _, err := fmt.Fprintf(b.stdout, "%s (%s, %s): %s in %v s\n", x.name, x.spec.Data, x.spec.Model, x.target, x.seconds); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
		if _, err := t.WriteTo(b.stdout); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
		fmt.Fprintln(b.stdout)
		if err := b.chart(&x, target, results[k]).Save(filepath.Join(b.dir, x.name)); err != nil {
			return err
		}
	}
	if err := study.WriteCSV(filepath.Join(b.dir, "suite.csv"), rows); err != nil {
		return err
	}
	if err := study.WriteCSV(filepath.Join(b.dir, "runs.csv"), runs); err != nil {
		return err
	}
	if err := b.reportProfile(s, methods, times, results); err != nil {
		return err
	}
	return failures(all)
}

// reportProfile writes the performance profile and its scores.
func (b *bench) reportProfile(s *suite, methods []method, times map[study.Quantity][][]float64, results [][]*entry) error {
	var names []string
	for _, m := range methods {
		names = append(names, m.label)
	}
	seconds, work := study.NewProfile(names, times[study.Seconds]), study.NewProfile(names, times[study.Work])
	t := cli.Table{Header: []string{"method", "score by seconds", "by work", "tasks at target"}}
	header := []any{"method", "score_seconds", "score_work", "tasks_reached", "tasks"}
	for _, x := range s.tasks {
		header = append(header, "seconds_ratio_"+x.name, "work_ratio_"+x.name)
	}
	rows := [][]any{header}
	order := make([]int, len(methods))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch a, b := seconds.Score(i), seconds.Score(j); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	for _, i := range order {
		reached := 0
		row := []any{}
		for k := range s.tasks {
			if !math.IsInf(seconds.Ratios[i][k], 1) {
				reached++
			}
			row = append(row, seconds.Ratios[i][k], work.Ratios[i][k])
		}
		t.Add(names[i], fmt.Sprintf("%.3f", seconds.Score(i)), fmt.Sprintf("%.3f", work.Score(i)), fmt.Sprintf("%d of %d", reached, len(s.tasks)))
		rows = append(rows, append([]any{names[i], seconds.Score(i), work.Score(i), reached, len(s.tasks)}, row...))
	}
	if err := study.WriteCSV(filepath.Join(b.dir, "profile.csv"), rows); err != nil {
		return err
	}
	left, right := seconds.Chart("by seconds"), work.Chart("by work")
	for _, c := range []*chart.Chart{&left, &right} {
		c.Width, c.Height = 5, 4
	}
	g := chart.Grid{Title: "suite " + s.name + ": time to target", Rows: [][]chart.Chart{{left, right}}}
	if err := g.Save(filepath.Join(b.dir, "profile")); err != nil {
		return err
	}
	how := "settings: defaults"
	if b.Tune > 0 {
		how = "settings: the best of " + plural(b.Tune, "random trial") + " a method and task"
	}
	if _, err := fmt.Fprintf(b.stdout, "suite %s, %s; %s\n", s.name, plural(b.Seeds, "seed"), how); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if _, err := t.WriteTo(b.stdout); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	_, err := fmt.Fprintf(b.stdout, "\nScore: area under the share of tasks within tau times the fastest, for tau from 1 to %d; 1 is best.\nsaved in %s: suite.csv, runs.csv, profile.csv, profile.png and .svg, a picture of each task\n", study.ProfileEnd, b.dir)
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// bestOf is the best of the target's measure that each run has seen.
func bestOf(s *study.Summary, target *study.Target) study.Stat {
	var list []float64
	for _, o := range s.Outcomes {
		top := math.NaN()
		for _, p := range o.Points {
			if v, ok := target.Measure.Of(p); ok && (math.IsNaN(top) || v > top == target.Measure.Rises()) {
				top = v
			}
		}
		if !math.IsNaN(top) {
			list = append(list, top)
		}
	}
	return study.StatOf(list)
}

// chart draws how the methods come to the target of a task.
func (b *bench) chart(x *suiteTask, target *study.Target, entries []*entry) chart.Grid {
	label, at := strings.ReplaceAll(string(target.Measure), "_", " "), target.Value
	if target.Measure.Rises() {
		label, at = "val error (%) = 100 - accuracy", 100*(1-at)
	}
	y := func(p train.Point) (float64, bool) {
		v, ok := target.Measure.Of(p)
		if target.Measure.Rises() {
			v = 100 * (1 - v)
		}
		return v, ok
	}
	var charts []chart.Chart
	for _, q := range quantities[1:] {
		c := chart.Chart{X: chart.Axis{Label: q.label, Log: true}, Y: chart.Axis{Label: label, Log: true}, Width: 5, Height: 4, Lines: []chart.Line{{Name: "target", At: at}}}
		for _, e := range entries {
			c.Series = append(c.Series, e.summary.Curve(q.q, y))
		}
		charts = append(charts, c)
	}
	return chart.Grid{Title: fmt.Sprintf("%s: %s", x.name, x.what), Rows: [][]chart.Chart{charts}}
}
