package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// snapshotsFlag adds -snapshots.
func snapshotsFlag(f *flag.FlagSet) *bool {
	return f.Bool("snapshots", false, "of every snapshot of the run, against the step")
}

// filler fills the table of a model with the weights that it has.
type filler[T train.Float] func(ctx context.Context, m *nn.Model[T], t *task.Task, r *tableResult) error

// tabulate makes the table of the checkpoint, or with way that of every snapshot, which
// draw draws.
func tabulate[T train.Float](ctx context.Context, e *env, settings any, way bool, fill filler[T], draw func(*wayResult) error) error {
	if way {
		return measureWay(ctx, e, settings, fill, draw)
	}
	return e.measureTable(settings, func(r *tableResult) error {
		m, t, err := load[T](ctx, e)
		if err != nil {
			return err
		}
		if err := e.limited(t); err != nil {
			return err
		}
		return fill(ctx, m, t, r)
	})
}

// wayResult is NAME-way.json: what the table of one checkpoint has, by step.
type wayResult struct {
	Made   made       `json:"made"`
	Names  []string   `json:"names"`
	Steps  []int      `json:"steps"`
	Rows   [][]number `json:"rows"`
	Errors [][]number `json:"standard_errors"` // null where there are none
}

// measureWay goes on with the snapshots that are not done, and publishes.
func measureWay[T train.Float](ctx context.Context, e *env, settings any, fill filler[T], draw func(*wayResult) error) error {
	list, err := e.snapshots(1)
	if err != nil {
		return err
	}
	about, err := e.made(settings)
	if err != nil {
		return err
	}
	r, name := &wayResult{}, e.name+"-way.json"
	known, err := e.recall(name, about, r)
	if err != nil {
		return err
	}
	if !known || len(r.Errors) != len(r.Rows) {
		*r = wayResult{Made: about}
	}
	if len(r.Steps) < len(list) {
		m, t, err := load[T](ctx, e)
		if err != nil {
			return err
		}
		if err := e.limited(t); err != nil {
			return err
		}
		for _, one := range list[len(r.Steps):] {
			if _, err := read(one.Path, m); err != nil {
				return err
			}
			var now tableResult
			if err := fill(ctx, m, t, &now); err != nil {
				return err
			}
			r.Names = nil
			var values, errors []number
			for _, v := range now.Rows {
				r.Names, values, errors = append(r.Names, v.Name), append(values, v.Value), append(errors, v.Error)
			}
			r.Steps, r.Rows, r.Errors = append(r.Steps, one.Step), append(r.Rows, values), append(r.Errors, errors)
			if err := e.save(name, r); err != nil {
				return err
			}
			e.progress(false, "%s: %d of %d snapshots", e.name, len(r.Steps), len(list))
		}
	}
	if err := r.tables(e); err != nil {
		return err
	}
	if err := draw(r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}

// line is a row of the table against the step, with a band of a standard error.
func (r *wayResult) line(name string) chart.Series {
	k := slices.Index(r.Names, name)
	s := chart.Series{Name: name, Markers: len(r.Steps) <= 40}
	var low, high []float64
	sure := true
	for i, step := range r.Steps {
		v, off := float64(r.Rows[i][k]), float64(r.Errors[i][k])
		s.X, s.Y = append(s.X, float64(step)), append(s.Y, v)
		low, high = append(low, v-off), append(high, v+off)
		sure = sure && math.IsNaN(off)
	}
	if !sure {
		s.Low, s.High = low, high
	}
	return s
}

// tables writes the table, and prints some of its rows.
func (r *wayResult) tables(e *env) error {
	head := []string{"step"}
	for _, name := range r.Names {
		head = append(head, name)
		if r.line(name).Low != nil {
			head = append(head, name+", standard error")
		}
	}
	var rows [][]string
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(append([]string{"step"}, r.Names...), "\t"))
	for i, step := range r.Steps {
		row := []string{strconv.Itoa(step)}
		for k, v := range r.Rows[i] {
			row = append(row, text(float64(v)))
			if slices.Contains(head, r.Names[k]+", standard error") {
				row = append(row, text(float64(r.Errors[i][k])))
			}
		}
		rows = append(rows, row)
	}
	if err := e.table(e.name+"-way.csv", head, rows); err != nil {
		return err
	}
	every := make([]int, len(r.Steps))
	for i := range every {
		every[i] = i
	}
	for _, i := range thin(every, 20) {
		fmt.Fprint(w, r.Steps[i])
		for _, v := range r.Rows[i] {
			fmt.Fprint(w, "\t", shorter(text(float64(v))))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// drawAll draws every row of the table in a chart of its own.
func (r *wayResult) drawAll(e *env, title string) error {
	g := chart.Grid{Title: title}
	for row := range slices.Chunk(r.Names, 3) {
		var charts []chart.Chart
		for _, name := range row {
			s := r.line(name)
			s.Name, s.Color = "", 1
			if s.Low != nil {
				s.Name = "with a standard error"
			}
			charts = append(charts, chart.Chart{Title: name, X: chart.Axis{Label: "step"}, Series: []chart.Series{s}, Width: 4.4, Height: 3})
		}
		g.Rows = append(g.Rows, charts)
	}
	return g.Save(filepath.Join(e.out, e.name+"-way"))
}
