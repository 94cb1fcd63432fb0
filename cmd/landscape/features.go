package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strings"

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
		way := snapshotsFlag(f)
		return func(ctx context.Context, e *env) error {
			if s.Jacobian < 0 {
				return cli.Usagef("-jacobian-examples %d; allowed are 0 and more", s.Jacobian)
			}
			return inPrecision(e, func() error { return tabulate(ctx, e, s, *way, features[float32](e, s), drawFeatures(e)) },
				func() error { return tabulate(ctx, e, s, *way, features[float64](e, s), drawFeatures(e)) })
		}
	}}

type featureSettings struct {
	Correlation float64 `json:"correlation"`
	Jacobian    int     `json:"jacobian_examples"`
	Tol         float64 `json:"tol"`
}

const rankName = "rank of the Jacobian"

// features are those of a model.
func features[T train.Float](e *env, s *featureSettings) filler[T] {
	return func(ctx context.Context, m *nn.Model[T], t *task.Task, r *tableResult) error {
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
}

// drawFeatures draws two pictures, of shares and of the rank.
func drawFeatures(e *env) func(*wayResult) error {
	return func(r *wayResult) error {
		shares := chart.Chart{Title: "Rectified units at work", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: "share of their outputs above 0"}}
		rank := chart.Chart{Title: "Rank of the Jacobian", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: "singular values that count"}}
		for _, name := range r.Names {
			line := r.line(name)
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
		const name = "features-way-rank"
		if len(rank.Series) == 0 {
			return e.drop(name+".png", name+".svg")
		}
		return rank.Save(filepath.Join(e.out, name))
	}
}
