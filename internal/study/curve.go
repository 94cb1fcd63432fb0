package study

import (
	"math"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/train"
)

// Curve is a number of a summary's runs against what they have spent: the mean
// over the seeds, with a band from the least to the most where there are several.
// The k-th points of the runs go together; where some have ended the mean is of
// the others.
func (s *Summary) Curve(x Quantity, y func(train.Point) (float64, bool)) chart.Series {
	c := chart.Series{Name: s.Label}
	for k := 0; ; k++ {
		var xs, ys []float64
		for _, o := range s.Outcomes {
			if k >= len(o.Points) {
				continue
			}
			if v, ok := y(o.Points[k]); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
				xs, ys = append(xs, x.Of(o.Points[k])), append(ys, v)
			}
		}
		if len(ys) == 0 {
			break
		}
		sy := StatOf(ys)
		c.X, c.Y = append(c.X, StatOf(xs).Mean), append(c.Y, sy.Mean)
		c.Low, c.High = append(c.Low, sy.Min), append(c.High, sy.Max)
	}
	if len(s.Outcomes) < 2 {
		c.Low, c.High = nil, nil
	}
	return c
}
