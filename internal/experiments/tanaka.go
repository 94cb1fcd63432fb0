package experiments

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/study"
)

func init() {
	register(Experiment{
		Name:  "tanaka2021",
		About: "normalisation makes SGD adaptive: the effective rate follows a law like RMSProp's",
		Paper: "Tanaka & Kunin 2021, arXiv 2105.02716, section 5",
		Claim: `weights θ before a normalisation move on a sphere with the effective rate lr/|θ|²; with weight decay λ, |θ|⁴ is an
			exponential mean of the squared gradients g on the unit sphere, with the memory 1/(4 lr λ) in steps, so that the
			rate is lr/sqrt(2 lr² Σ e^(-4 lr λ k) |g|² + what is left of the start), which is RMSProp's rule`,
		Differs: `a network of two convolutions with batch normalisation (without eps) on 2000 images of MNIST, each channel a
			group, 630 steps of SGD without momentum at two rates and decays; the prediction is from the gradients alone.`,
		Takes: "10 s",
		Run:   tanaka2021,
	})
}

func tanaka2021(ctx context.Context, e *Env) (*Result, error) {
	res := &Result{}
	csv := [][]any{{"run", "step", "effective_rate", "predicted", "angle_over_prediction"}}
	c := chart.Chart{Title: "effective rate, mean over channels", X: chart.Axis{Label: "steps"}, Y: chart.Axis{Label: "lr/|θ|²", Log: true}, Width: 5.5, Height: 4}
	turn := chart.Chart{Title: "angle of a step over rate times gradient", X: c.X, Y: chart.Axis{Label: "ratio, mean over channels"}, Width: 5.5, Height: 4}
	for k, s := range []lawSetting{{true, 0.05, 0, 0.01}, {true, 0.2, 0, 0.01}, {true, 0.05, 0, 0.05}} {
		r, err := Keep(ctx, e, fmt.Sprintf("rates-%g-%g-seed%d", s.lr, s.decay, e.Seed), func() (*lawRun, error) {
			e.Note("%s", s)
			return runLaws(ctx, e, s)
		})
		if err != nil {
			return nil, err
		}
		name := fmt.Sprintf("lr %g, decay %g", s.lr, s.decay)
		a, b, t := chart.Series{Name: name, Color: k + 1}, chart.Series{Name: "the law", Color: 7, Dash: 1, Thin: true}, chart.Series{Name: name, Color: k + 1}
		low, high := math.Inf(1), 0.0
		var off []float64
		for i, v := range r.Rate {
			step := float64(i + 1)
			a.X, a.Y, b.X, b.Y, t.X, t.Y = append(a.X, step), append(a.Y, v), append(b.X, step), append(b.Y, r.Predicted[i]), append(t.X, step), append(t.Y, r.Angle[i])
			csv = append(csv, []any{name, i + 1, v, r.Predicted[i], r.Angle[i]})
			low, high = min(low, v), max(high, v)
			off = append(off, math.Abs(r.Predicted[i]/v-1))
		}
		c.Series = append(c.Series, a, b)
		turn.Series = append(turn.Series, t)
		res.Rows = append(res.Rows,
			Row{name + ": law against rate, median of the steps", "overlaps", study.StatOf(off).Median, AtMost(0.01)},
			Row{"  any step, mean over channels", "", slices.Max(off), AtMost(0.05)},
			Row{"  any channel and step", "", r.RateOff, Want{}},
			Row{"  largest mean rate over smallest", "", high / low, AtLeast(1.2)},
			Row{"  angle of a step over rate times gradient, median", "1", study.StatOf(r.Angle).Median, Between(0.99, 1.01)})
	}
	res.Notes = []string{"The law leaves out the fourth powers of lr|g|/|θ|: a single large step, as among the first at the larger rate, moves a channel", "away from it until the memory has passed."}
	if err := e.CSV("rates.csv", csv); err != nil {
		return nil, err
	}
	return res, e.Plot("tanaka2021", chart.Grid{Title: "channels before batch normalisation, SGD with weight decay", Rows: [][]chart.Chart{{c, turn}}})
}
