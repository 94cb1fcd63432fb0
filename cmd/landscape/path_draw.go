package main

import (
	"fmt"
	"math"
	"path/filepath"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/internal/chart"
)

// publish writes the table and the picture and prints.
func (r *pathResult) publish(e *env, s *pathSettings, name string) error {
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "line\tfrom\tto\tmonotone\tdelta\tbumps\twidest\tbarrier\tat\n")
	head, rows := []string{"alpha"}, make([][]string, len(r.Alpha))
	for i, a := range r.Alpha {
		rows[i] = []string{text(float64(a))}
	}
	title, x := "From the first weights to the trained ones", "share of the way"
	if s.To != "" {
		title, x = "From one run to the other", "share of the way to "+s.To
	}
	c := chart.Chart{Title: title, X: chart.Axis{Label: x}, Y: chart.Axis{Label: "loss"}}
	for k, l := range r.Lines {
		n := len(l.Loss)
		monotone, beyond := "yes", 0
		for _, v := range l.Loss {
			if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
				beyond++
			}
		}
		switch {
		case beyond > 0:
			monotone = fmt.Sprintf("no, %d not finite", beyond)
		case l.Delta > 0:
			monotone = "no"
		}
		fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%s\t%.3g\t%d\t%.2g\t%.3g\t%.2g\n", l.Name, float64(l.Loss[0]), float64(l.Loss[n-1]), monotone, float64(l.Delta), l.Bumps, float64(l.Widest), float64(l.Barrier), float64(l.At))
		head = append(head, l.Name)
		for i, v := range l.Loss {
			rows[i] = append(rows[i], text(float64(v)))
		}
		c.Series = append(c.Series, chart.Series{Name: l.Name, X: floats(r.Alpha), Y: floats(l.Loss), Color: 1 + k/2, Dash: k % 2})
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "distance between the ends %.4g, %.3g times the length of the first\n", float64(r.Distance), float64(r.Relative))
	switch {
	case r.NoGauss != "":
		fmt.Fprintf(e.stdout, "no Gauss length: %s\n", r.NoGauss)
	case r.Gauss != nil:
		fmt.Fprintf(e.stdout, "Gauss length %.4g ± %.1g\n", float64(r.Gauss.Value), float64(r.Gauss.Error))
	}
	switch {
	case r.Unmatched != "":
		fmt.Fprintf(e.stdout, "not matched: %s\n", r.Unmatched)
	case s.To != "":
		fmt.Fprintf(e.stdout, "distance after matching %.4g\n", float64(r.Matched))
	}
	if err := e.table(name+".csv", head, rows); err != nil {
		return err
	}
	if err := c.Save(filepath.Join(e.out, name)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}
