package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

var spectrumMeasurement = measurement{"spectrum", "eigenvalues, density, trace and norms of the Hessian and the Gauss-Newton matrix",
	func(f *flag.FlagSet) func(ctx context.Context, e *env) error {
		s := &spectrum{}
		f.StringVar(&s.Matrix, "matrix", "both", "hessian, ggn (Gauss-Newton) or both")
		f.IntVar(&s.Top, "top", 10, "largest eigenvalues")
		f.IntVar(&s.Bottom, "bottom", 1, "smallest eigenvalues of the Hessian; 0 for none")
		f.Float64Var(&s.Tol, "tol", 1e-3, "residual of an eigenpair beside its value")
		f.IntVar(&s.MaxProducts, "max-products", 400, "most products of each search for eigenvalues")
		f.Float64Var(&s.TraceTol, "trace-tol", 0.01, "standard error of the trace beside it")
		f.IntVar(&s.Probes, "probes", 8, "random directions of the density")
		f.IntVar(&s.Steps, "steps", 60, "Lanczos steps of the density; more show finer detail")
		f.BoolVar(&s.Layers, "layers", false, "the largest eigenvalue and the trace of each layer's block too")
		return func(ctx context.Context, e *env) error {
			if err := s.check(); err != nil {
				return err
			}
			if e.spec.Precision == "float64" {
				return measureSpectrum[float64](ctx, e, s)
			}
			return measureSpectrum[float32](ctx, e, s)
		}
	}}

// spectrum is the settings.
type spectrum struct {
	Matrix      string  `json:"matrix"`
	Top         int     `json:"top"`
	Bottom      int     `json:"bottom"`
	Tol         float64 `json:"tol"`
	MaxProducts int     `json:"max_products"`
	TraceTol    float64 `json:"trace_tol"`
	Probes      int     `json:"probes"`
	Steps       int     `json:"steps"`
	Layers      bool    `json:"layers"`
}

func (s *spectrum) check() error {
	words := []string{"hessian", "ggn", "both"}
	switch {
	case !slices.Contains(words, s.Matrix):
		return cli.Usagef("-matrix is %q; allowed are %s%s", s.Matrix, strings.Join(words, ", "), spell.Hint(s.Matrix, words))
	case s.Top < 1 || s.Bottom < 0 || s.MaxProducts < 1 || s.Probes < 2 || s.Steps < 1:
		return cli.Usagef("-top %d -bottom %d -max-products %d -probes %d -steps %d; allowed are 1, 0, 1, 2, 1 and more", s.Top, s.Bottom, s.MaxProducts, s.Probes, s.Steps)
	case !(s.Tol > 0 && s.Tol < 1 && s.TraceTol > 0):
		return cli.Usagef("-tol %v -trace-tol %v; allowed are numbers above 0, of -tol below 1", s.Tol, s.TraceTol)
	}
	return nil
}

// spectrumResult is spectrum.json.
type spectrumResult struct {
	Made       made              `json:"made"`
	Parameters int               `json:"parameters"`
	Matrices   []*matrixSpectrum `json:"matrices"`
	Done       bool              `json:"done"`
}

// matrixSpectrum is what is known of one matrix. What is nil is to be done.
type matrixSpectrum struct {
	Matrix  string     `json:"matrix"`
	Largest *eigenList `json:"largest,omitempty"`
	Bottom  *eigenList `json:"smallest,omitempty"`
	Overlap number     `json:"gradient_overlap"` // share of the squared gradient in the space of the largest
	Trace   *estimate  `json:"trace,omitempty"`
	Density *density   `json:"density,omitempty"`
	Layers  []layerRow `json:"layers,omitempty"`
}

type eigenList struct {
	Values    []number `json:"values"`
	Residuals []number `json:"residuals"`
	Products  int      `json:"products"`
	Complete  bool     `json:"complete"` // false where the products were used up
}

type estimate struct {
	Value     number `json:"value"`
	Error     number `json:"standard_error"`
	Products  int    `json:"products,omitempty"`
	Converged bool   `json:"converged,omitempty"`
}

func estimateOf(e landscape.Estimate) estimate {
	return estimate{Value: number(e.Value), Error: number(e.Error)}
}

type density struct {
	Rules         []landscape.Rule `json:"rules"`
	Products      int              `json:"products"`
	Frobenius     estimate         `json:"squared_frobenius_norm"`
	EffectiveRank estimate         `json:"effective_rank"`
	Negative      estimate         `json:"share_of_negative_eigenvalues"`
	NegativeMass  estimate         `json:"share_of_negative_mass"`
	LogDet        estimate         `json:"log_determinant"`
	LogDetShift   number           `json:"log_determinant_of_matrix_plus"`
}

type layerRow struct {
	Layer     string   `json:"layer"`
	Rows      int      `json:"parameters"`
	Largest   number   `json:"largest"`
	Residual  number   `json:"residual"`
	Trace     estimate `json:"trace"`
	Products  int      `json:"products"`
	Converged bool     `json:"converged"`
}

func measureSpectrum[T train.Float](ctx context.Context, e *env, s *spectrum) error {
	about, err := e.made(s)
	if err != nil {
		return err
	}
	r := &spectrumResult{}
	known, err := e.recall("spectrum.json", about, r)
	if err != nil {
		return err
	}
	if !known {
		*r = spectrumResult{Made: about}
	}
	if !r.Done {
		m, p, err := at[T](ctx, e)
		if err != nil {
			return err
		}
		r.Parameters = len(m.Params)
		if s.Top+s.Bottom > r.Parameters {
			return cli.Usagef("-top %d -bottom %d; the network has %d parameters, and as many eigenvalues", s.Top, s.Bottom, r.Parameters)
		}
		names := []string{"hessian", "ggn"}
		if s.Matrix != "both" {
			names = []string{s.Matrix}
		}
		for i, name := range names {
			if len(r.Matrices) == i {
				r.Matrices = append(r.Matrices, &matrixSpectrum{Matrix: name})
			}
			a := p.Hessian()
			if name == "ggn" {
				a = p.GaussNewton()
			}
			if err := s.measure(ctx, e, r, r.Matrices[i], a, layersOf(p), p.Gradient); err != nil {
				return err
			}
		}
		r.Done = true
		if err := e.save("spectrum.json", r); err != nil {
			return err
		}
	}
	return r.publish(e, s)
}

// layer is a block of the matrix: the tensors whose names begin alike.
type layer struct {
	name  string
	spans []landscape.Span
	rows  int
}

func layersOf[T train.Float](p *landscape.Model[T]) []layer {
	var list []layer
	for _, t := range p.Layout {
		name, _, _ := strings.Cut(t.Name, ".")
		if slices.ContainsFunc(list, func(l layer) bool { return l.name == name }) {
			continue
		}
		l := layer{name: name}
		l.spans = p.Spans(func(u optimizers.Tensor) bool {
			first, _, _ := strings.Cut(u.Name, ".")
			return first == name
		})
		for _, span := range l.spans {
			l.rows += span.Hi - span.Lo
		}
		list = append(list, l)
	}
	return list
}

// measure does what is not done yet, and saves after each piece.
func (s *spectrum) measure(ctx context.Context, e *env, r *spectrumResult, m *matrixSpectrum, a landscape.Matrix, layers []layer,
	gradient func() ([]float64, float64, error)) error {
	search := func(end landscape.End, count int) (*eigenList, *landscape.Eigenpairs, error) {
		got, err := landscape.Eigen(ctx, a, landscape.EigenOptions{Count: count, End: end, Tol: s.Tol, MaxProducts: s.MaxProducts, Seed: e.seed,
			Progress: func(found, products int) {
				e.progress(false, "%s: %d of %d %s eigenvalues, %d products", m.Matrix, found, count, end, products)
			}})
		if err != nil && !errors.Is(err, landscape.ErrProducts) {
			return nil, nil, err
		}
		list := &eigenList{Products: got.Products, Complete: err == nil}
		for _, p := range got.Pairs {
			list.Values, list.Residuals = append(list.Values, number(p.Value)), append(list.Residuals, number(p.Residual))
		}
		return list, got, nil
	}
	save := func(err error) error {
		if err != nil {
			return err
		}
		return e.save("spectrum.json", r)
	}
	if m.Largest == nil {
		list, pairs, err := search(landscape.Largest, s.Top)
		if err != nil {
			return err
		}
		g, _, err := gradient()
		if err != nil {
			return err
		}
		m.Overlap = number(landscape.Overlap(g, pairs.Pairs))
		err = landscape.SaveVectors(e.vectorsFile(m.Matrix), pairs.Pairs)
		if err != nil {
			return err
		}
		m.Largest = list
		if err := save(nil); err != nil {
			return err
		}
	}
	if m.Bottom == nil && s.Bottom > 0 && m.Matrix == "hessian" {
		list, _, err := search(landscape.Smallest, s.Bottom)
		m.Bottom = list
		if err := save(err); err != nil {
			return err
		}
	}
	if m.Trace == nil {
		t, err := e.trace(ctx, a, m.Matrix, s.TraceTol)
		m.Trace = t
		if err := save(err); err != nil {
			return err
		}
	}
	if m.Density == nil {
		d, err := s.density(ctx, e, a, m)
		m.Density = d
		if err := save(err); err != nil {
			return err
		}
	}
	for i := len(m.Layers); s.Layers && i < len(layers); i++ {
		l := layers[i]
		b, err := landscape.Block(a, l.spans...)
		if err != nil {
			return err
		}
		got, err := landscape.Eigen(ctx, b, landscape.EigenOptions{Count: 1, Tol: s.Tol, MaxProducts: s.MaxProducts, Seed: e.seed})
		if err != nil && !errors.Is(err, landscape.ErrProducts) {
			return err
		}
		converged := err == nil
		t, err := e.trace(ctx, b, m.Matrix+" of "+l.name, s.TraceTol)
		if err != nil {
			return err
		}
		m.Layers = append(m.Layers, layerRow{l.name, l.rows, number(got.Pairs[0].Value), number(got.Pairs[0].Residual), *t, got.Products, converged})
		if err := save(nil); err != nil {
			return err
		}
	}
	return nil
}

func (e *env) trace(ctx context.Context, a landscape.Matrix, name string, tol float64) (*estimate, error) {
	t, err := landscape.Trace(ctx, a, landscape.TraceOptions{Tol: tol, Seed: e.seed, Progress: func(now landscape.Estimate, products int) {
		e.progress(false, "%s: trace %.4g ± %.2g, %d products", name, now.Value, now.Error, products)
	}})
	if err != nil {
		return nil, err
	}
	out := estimateOf(t.Estimate)
	out.Products, out.Converged = t.Products, t.Converged
	return &out, nil
}

// density is the quadrature and what follows from it.
func (s *spectrum) density(ctx context.Context, e *env, a landscape.Matrix, m *matrixSpectrum) (*density, error) {
	q, err := landscape.Quadrature(ctx, a, landscape.QuadratureOptions{Probes: s.Probes, Steps: s.Steps, Seed: e.seed,
		Progress: func(done, products int) {
			e.progress(false, "%s: density, %d of %d probes, %d products", m.Matrix, done, s.Probes, products)
		}})
	if err != nil {
		return nil, err
	}
	d := &density{Rules: q.Rules, Products: q.Products}
	d.Frobenius = estimateOf(q.Sum(func(x float64) float64 { return x * x }))
	rank, err := q.EffectiveRank()
	if err != nil {
		rank = landscape.Estimate{}
	}
	d.EffectiveRank = estimateOf(rank)
	// What float32 products cannot tell from 0 is not called negative.
	bounds := q.Bounds()
	count, mass := q.NegativeMass(1e-6 * max(bounds[1], -bounds[0]))
	d.Negative, d.NegativeMass = estimateOf(count), estimateOf(mass)
	shift := 1e-3 * bounds[1]
	if bounds[0] < 0 {
		shift -= 1.01 * bounds[0]
	}
	if det, err := q.LogDet(shift); err == nil {
		d.LogDet, d.LogDetShift = estimateOf(det), number(shift)
	}
	return d, nil
}

// publish writes tables and pictures and prints.
func (r *spectrumResult) publish(e *env, s *spectrum) error {
	var rows, layers [][]string
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, m := range r.Matrices {
		title := map[string]string{"hessian": "Hessian", "ggn": "Gauss-Newton matrix"}[m.Matrix]
		fmt.Fprintf(w, "%s of %d parameters\n", title, r.Parameters)
		for _, part := range []struct {
			end  string
			list *eigenList
		}{{"largest", m.Largest}, {"smallest", m.Bottom}} {
			if part.list == nil {
				continue
			}
			note := ""
			if !part.list.Complete {
				note = ", which were used up: the residuals say how far off the values may be"
			}
			fmt.Fprintf(w, "  %s eigenvalues\t%d products%s\n", part.end, part.list.Products, note)
			for i, v := range part.list.Values {
				fmt.Fprintf(w, "    %d\t%.6g\tresidual %.1g\n", i+1, float64(v), float64(part.list.Residuals[i]))
				rows = append(rows, []string{m.Matrix, part.end, fmt.Sprint(i + 1), text(float64(v)), text(float64(part.list.Residuals[i]))})
			}
		}
		line := func(name string, v estimate) {
			fmt.Fprintf(w, "  %s\t%.4g ± %.1g\n", name, float64(v.Value), float64(v.Error))
		}
		fmt.Fprintf(w, "  gradient in the space of the largest\t%.1f %%\n", 100*float64(m.Overlap))
		line("trace", *m.Trace)
		d := m.Density
		line("squared Frobenius norm", d.Frobenius)
		line("effective rank", d.EffectiveRank)
		line("share of negative eigenvalues", d.Negative)
		line("share of Σ|λ| that is negative", d.NegativeMass)
		if d.LogDetShift > 0 {
			line(fmt.Sprintf("log det (matrix + %.3g I)", float64(d.LogDetShift)), d.LogDet)
		}
		for _, l := range m.Layers {
			fmt.Fprintf(w, "  %s\t%d parameters\tlargest %.4g (residual %.1g)\ttrace %.4g ± %.1g\n", l.Layer, l.Rows, float64(l.Largest), float64(l.Residual), float64(l.Trace.Value), float64(l.Trace.Error))
			layers = append(layers, []string{m.Matrix, l.Layer, fmt.Sprint(l.Rows), text(float64(l.Largest)), text(float64(l.Residual)), text(float64(l.Trace.Value)), text(float64(l.Trace.Error))})
		}
		if err := e.drawDensity(m, title, r.Parameters); err != nil {
			return err
		}
	}
	if err := e.table("eigenvalues.csv", []string{"matrix", "end", "rank", "value", "residual"}, rows); err != nil {
		return err
	}
	if s.Layers {
		if err := e.table("layers.csv", []string{"matrix", "layer", "parameters", "largest", "residual", "trace", "trace_error"}, layers); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}

// drawDensity draws the density on a logarithmic scale, with the spread of the
// probes, and marks the largest eigenvalues.
func (e *env) drawDensity(m *matrixSpectrum, title string, size int) error {
	q := &landscape.Spectrum{Size: size, Rules: m.Density.Rules}
	bounds := q.Bounds()
	width := bounds[1] - bounds[0]
	if width <= 0 {
		width = max(1e-12, math.Abs(bounds[1]))
	}
	x := landscape.Linspace(bounds[0]-0.05*width, bounds[1]+0.05*width, 1200)
	rows, err := q.Density(x, width/250)
	if err != nil {
		return err
	}
	mean, low, high := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
	var table [][]string
	floor := 0.02 / float64(size) / (width / 250) // a fiftieth of one eigenvalue
	for j := range x {
		low[j], high[j] = math.Inf(1), 0
		for _, row := range rows {
			mean[j] += row[j] / float64(len(rows))
			low[j], high[j] = min(low[j], row[j]), max(high[j], row[j])
		}
		table = append(table, []string{text(x[j]), text(mean[j]), text(low[j]), text(high[j])})
		mean[j], low[j], high[j] = max(mean[j], floor), max(low[j], floor), max(high[j], floor)
	}
	if err := e.table("density-"+m.Matrix+".csv", []string{"eigenvalue", "density", "lowest_probe", "highest_probe"}, table); err != nil {
		return err
	}
	values, at := make([]float64, len(m.Largest.Values)), make([]float64, len(m.Largest.Values))
	for i, v := range m.Largest.Values {
		values[i], at[i] = float64(v), floor*2
	}
	c := chart.Chart{Title: "Spectral density of the " + title, X: chart.Axis{Label: "eigenvalue"}, Y: chart.Axis{Label: "density (log scale)", Log: true},
		Series: []chart.Series{
			{Name: fmt.Sprintf("mean of %d probes, and their spread", len(rows)), X: x, Y: mean, Low: low, High: high},
			{Name: fmt.Sprintf("the %d largest eigenvalues", len(values)), X: values, Y: at, NoLine: true, Markers: true},
		}}
	return c.Save(filepath.Join(e.out, "density-"+m.Matrix))
}
