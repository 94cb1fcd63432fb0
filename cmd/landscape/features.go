package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

var featuresMeasurement = measurement{"features", "how many features the network uses: active units by layer, and the rank of the Jacobian",
	func(f *flag.FlagSet) func(ctx context.Context, e *env) error {
		s := &featureSettings{}
		f.Float64Var(&s.Correlation, "correlation", 0.95, "units more correlated than this with another are left out")
		f.IntVar(&s.Jacobian, "jacobian-examples", 20, "examples of the Jacobian, which is held in memory; 0 leaves it out")
		f.Float64Var(&s.Tol, "tol", 1e-4, "singular values of the Jacobian above this, beside the largest, count")
		way := f.Bool("snapshots", false, "of every snapshot of the run, against the step")
		return func(ctx context.Context, e *env) error {
			if s.Jacobian < 0 {
				return cli.Usagef("-jacobian-examples %d; allowed are 0 and more", s.Jacobian)
			}
			if *way {
				return inPrecision(e, func() error { return measureFeaturesWay[float32](ctx, e, s) }, func() error { return measureFeaturesWay[float64](ctx, e, s) })
			}
			return inPrecision(e, func() error { return measureFeatures[float32](ctx, e, s) }, func() error { return measureFeatures[float64](ctx, e, s) })
		}
	}}

type featureSettings struct {
	Correlation float64 `json:"correlation"`
	Jacobian    int     `json:"jacobian_examples"`
	Tol         float64 `json:"tol"`
}

func measureFeatures[T train.Float](ctx context.Context, e *env, s *featureSettings) error {
	return e.measureTable(s, func(r *tableResult) error {
		m, t, err := load[T](ctx, e)
		if err != nil {
			return err
		}
		return features(ctx, e, s, m, t, r)
	})
}

const rankName = "rank of the Jacobian"

// features adds those of the model.
func features[T train.Float](ctx context.Context, e *env, s *featureSettings, m *nn.Model[T], t *task.Task, r *tableResult) error {
	n := e.examples
	if n == 0 {
		n = min(2000, t.Train.Len())
	}
	layers, err := landscape.Active(ctx, m, t.Train, n, s.Correlation, e.seed)
	if err != nil {
		return err
	}
	for _, a := range layers {
		r.add("active in "+a.Layer, a.Active, fmt.Sprintf("share of positive outputs of the %d of %d units that no other is like", a.Kept, a.Units))
		r.add("dead in "+a.Layer, a.Dead, fmt.Sprintf("share of units that are 0 on all of %d examples", n))
	}
	if s.Jacobian == 0 {
		return nil
	}
	e.progress(false, "Jacobian of %d examples", s.Jacobian)
	rank, err := landscape.JacobianRank(ctx, m, t.Train, s.Jacobian, s.Tol)
	if err != nil {
		return err
	}
	r.add(rankName, float64(rank.Rank), fmt.Sprintf("of %d rows, %d examples; singular values from %.4g to %.4g", rank.Of, s.Jacobian, rank.Singular[0], rank.Singular[len(rank.Singular)-1]))
	return nil
}

// featuresWay is features-way.json: what the table of one checkpoint has, by step.
type featuresWay struct {
	Made  made       `json:"made"`
	Names []string   `json:"names"`
	Steps []int      `json:"steps"`
	Rows  [][]number `json:"rows"`
}

// measureFeaturesWay goes on with the snapshots that are not done.
func measureFeaturesWay[T train.Float](ctx context.Context, e *env, s *featureSettings) error {
	list, err := e.snapshots(1)
	if err != nil {
		return err
	}
	about, err := e.made(s)
	if err != nil {
		return err
	}
	r := &featuresWay{}
	known, err := e.recall("features-way.json", about, r)
	if err != nil {
		return err
	}
	if !known {
		*r = featuresWay{Made: about}
	}
	if len(r.Steps) < len(list) {
		m, t, err := load[T](ctx, e)
		if err != nil {
			return err
		}
		for _, one := range list[len(r.Steps):] {
			if _, err := train.LoadWeights(one.Path, m); err != nil {
				return err
			}
			var now tableResult
			if err := features(ctx, e, s, m, t, &now); err != nil {
				return err
			}
			var names []string
			var row []number
			for _, v := range now.Rows {
				names, row = append(names, v.Name), append(row, v.Value)
			}
			r.Names, r.Steps, r.Rows = names, append(r.Steps, one.Step), append(r.Rows, row)
			if err := e.save("features-way.json", r); err != nil {
				return err
			}
			e.progress(false, "features: %d of %d snapshots", len(r.Steps), len(list))
		}
	}
	return r.publish(e)
}

// publish writes the table and two pictures, of shares and of the rank, and prints
// some of the rows.
func (r *featuresWay) publish(e *env) error {
	var rows [][]string
	steps := make([]float64, len(r.Steps))
	for i, step := range r.Steps {
		row := []string{strconv.Itoa(step)}
		for _, v := range r.Rows[i] {
			row = append(row, text(float64(v)))
		}
		rows, steps[i] = append(rows, row), float64(step)
	}
	if err := e.table("features-way.csv", append([]string{"step"}, r.Names...), rows); err != nil {
		return err
	}
	shares := chart.Chart{Title: "Rectified units at work", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: "share of their outputs above 0"}}
	rank := chart.Chart{Title: "Rank of the Jacobian", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: "singular values that count"}}
	for k, name := range r.Names {
		y := make([]float64, len(steps))
		for i := range y {
			y[i] = float64(r.Rows[i][k])
		}
		line := chart.Series{Name: name, X: steps, Y: y, Markers: len(steps) <= 40}
		if layer, ok := strings.CutPrefix(name, "active in "); ok {
			line.Name = layer
			shares.Series = append(shares.Series, line)
		}
		if name == rankName {
			rank.Series = append(rank.Series, line)
		}
	}
	if err := shares.Save(filepath.Join(e.out, "features-way-active")); err != nil {
		return err
	}
	name := "features-way-rank"
	if len(rank.Series) > 0 {
		if err := rank.Save(filepath.Join(e.out, name)); err != nil {
			return err
		}
	} else if err := e.drop(name+".png", name+".svg"); err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(append([]string{"step"}, r.Names...), "\t"))
	for _, row := range thin(rows, 20) {
		for i := range row[1:] {
			row[i+1] = shorter(row[i+1])
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}
