package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/landscape"
)

var symmetryMeasurement = measurement{"symmetry", "the symmetries of the loss, and how well the identities hold that they force",
	func(*flag.FlagSet) func(ctx context.Context, e *env) error { return measureSymmetry }}

// symmetryResult is symmetry.json: a row a layer and kind.
type symmetryResult struct {
	Made made          `json:"made"`
	Rows []symmetryRow `json:"rows"`
}

type symmetryRow struct {
	Kind     string  `json:"kind"`
	Layer    string  `json:"layer"`
	Units    int     `json:"units"`
	Gradient float64 `json:"gradient_residual"` // the largest
	Hessian  float64 `json:"hessian_residual"`
}

// measureSymmetry works in float64, where residuals are roundings.
func measureSymmetry(ctx context.Context, e *env) error {
	e.spec.Precision = "float64"
	about, err := e.made(nil)
	if err != nil {
		return err
	}
	r := &symmetryResult{}
	known, err := e.recall("symmetry.json", about, r)
	if err != nil {
		return err
	}
	if !known {
		m, p, err := at[float64](ctx, e)
		if err != nil {
			return err
		}
		list := landscape.Symmetries(m)
		if len(list) == 0 {
			return fmt.Errorf("model %s: %w", e.spec.Model, landscape.ErrNoSymmetry)
		}
		top, err := landscape.Eigen(ctx, p.Hessian(), landscape.EigenOptions{Count: 1, End: landscape.Magnitude, Tol: 0.1, Seed: e.seed})
		if err != nil && !errors.Is(err, landscape.ErrProducts) {
			return err
		}
		residuals, err := landscape.CheckSymmetries(ctx, p, list, top.Norm, func(done int) {
			e.progress(false, "symmetries: %d of %d checked", done, len(list))
		})
		if err != nil {
			return err
		}
		*r = symmetryResult{Made: about}
		for _, s := range residuals {
			n := len(r.Rows)
			if n == 0 || r.Rows[n-1].Kind != s.Kind.String() || r.Rows[n-1].Layer != s.Layer {
				r.Rows = append(r.Rows, symmetryRow{Kind: s.Kind.String(), Layer: s.Layer})
				n++
			}
			row := &r.Rows[n-1]
			row.Units++
			row.Gradient, row.Hessian = max(row.Gradient, s.Gradient), max(row.Hessian, s.Hessian)
		}
		if err := e.save("symmetry.json", r); err != nil {
			return err
		}
	}
	var rows [][]string
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "symmetry\tlayer\tunits\tgradient residual\tHessian residual\n")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%.1e\t%.1e\n", row.Kind, row.Layer, row.Units, row.Gradient, row.Hessian)
		rows = append(rows, []string{row.Kind, row.Layer, fmt.Sprint(row.Units), text(row.Gradient), text(row.Hessian)})
	}
	if err := e.table("symmetry.csv", []string{"kind", "layer", "units", "gradient_residual", "hessian_residual"}, rows); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	seen, err := e.readWatched()
	if err != nil {
		return err
	}
	pictures, err := e.drawConserved(seen)
	if err != nil {
		return err
	}
	if len(pictures) > 0 {
		fmt.Fprintf(e.stdout, "conserved quantities while it trained: %s\n", strings.Join(pictures, ", "))
	}
	rates, err := e.drawRates(seen)
	if err != nil {
		return err
	}
	if rates != "" {
		fmt.Fprintf(e.stdout, "effective rates while it trained: %s\n", rates)
	}
	_, err = fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}
