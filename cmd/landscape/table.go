package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// tableResult is the JSON of the measurements whose result is a list of numbers.
type tableResult struct {
	Made made       `json:"made"`
	Rows []tableRow `json:"rows"`
	Done bool       `json:"done"`

	keep func() error // saves the rows so far; nil where they are not saved
}

// missing tells whether a row is not there, from an earlier call.
func (r *tableResult) missing(name string) bool {
	return !slices.ContainsFunc(r.Rows, func(row tableRow) bool { return row.Name == name })
}

// save saves the rows so far.
func (r *tableResult) save() error {
	if r.keep == nil {
		return nil
	}
	return r.keep()
}

type tableRow struct {
	Name  string `json:"name"`
	Value number `json:"value"`
	Error number `json:"standard_error"` // null where there is none
	Note  string `json:"note,omitempty"`
}

func (r *tableResult) add(name string, value float64, note string) {
	r.put(tableRow{name, number(value), number(math.NaN()), note})
}

func (r *tableResult) estimate(name string, v landscape.Estimate, note string) {
	r.put(tableRow{name, number(v.Value), number(v.Error), note})
}

// put adds a row, or replaces that of its name.
func (r *tableResult) put(row tableRow) {
	if i := slices.IndexFunc(r.Rows, func(was tableRow) bool { return was.Name == row.Name }); i >= 0 {
		r.Rows[i] = row
		return
	}
	r.Rows = append(r.Rows, row)
}

// measureTable fills a table, unless it is there, writes and prints it.
func (e *env) measureTable(settings any, fill func(r *tableResult) error) error {
	about, err := e.made(settings)
	if err != nil {
		return err
	}
	r := &tableResult{}
	known, err := e.recall(e.name+".json", about, r)
	if err != nil {
		return err
	}
	if !known {
		*r = tableResult{Made: about}
	}
	if !r.Done {
		r.keep = func() error { return e.save(e.name+".json", r) }
		if err := fill(r); err != nil {
			return err
		}
		r.Done = true
		if err := r.save(); err != nil {
			return err
		}
	}
	var rows [][]string
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, row := range r.Rows {
		value := fmt.Sprintf("%.5g", float64(row.Value))
		if !math.IsNaN(float64(row.Error)) {
			value += fmt.Sprintf(" ± %.1g", float64(row.Error))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", row.Name, value, row.Note)
		rows = append(rows, []string{row.Name, text(float64(row.Value)), text(float64(row.Error)), row.Note})
	}
	if err := e.table(e.name+".csv", []string{"name", "value", "standard_error", "note"}, rows); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "saved in %s\n", e.out)
	return err
}

// inPrecision calls f in the precision of the run.
func inPrecision(e *env, single, double func() error) error {
	if e.spec.Precision == "float64" {
		return double()
	}
	return single()
}

var sharpnessMeasurement = measurement{"sharpness", "how the loss rises around the weights: worst case, average, adaptive, eigenvalue, Fisher-Rao",
	func(f *flag.FlagSet) func(ctx context.Context, e *env) error {
		s := &sharpnessSettings{}
		f.Float64Var(&s.Radius, "radius", 0.005, "of the ball beside the length of the weights; adaptive, share of each weight")
		f.IntVar(&s.Starts, "starts", 3, "random starts of the ascent to the worst case")
		f.IntVar(&s.Steps, "steps", 20, "steps of each")
		f.IntVar(&s.Samples, "samples", 30, "random directions of the average")
		way := snapshotsFlag(f)
		return func(ctx context.Context, e *env) error {
			if !(s.Radius > 0) || s.Starts < 1 || s.Steps < 1 || s.Samples < 2 {
				return cli.Usagef("-radius %v -starts %d -steps %d -samples %d; allowed are numbers above 0, and 1, 1 and 2 and more", s.Radius, s.Starts, s.Steps, s.Samples)
			}
			draw := func(r *wayResult) error { return r.drawAll(e, "Sharpness on the way") }
			return inPrecision(e, func() error { return tabulate(ctx, e, s, *way, sharpness[float32](e, s), draw) },
				func() error { return tabulate(ctx, e, s, *way, sharpness[float64](e, s), draw) })
		}
	}}

type sharpnessSettings struct {
	Radius  float64 `json:"radius"`
	Starts  int     `json:"starts"`
	Steps   int     `json:"steps"`
	Samples int     `json:"samples"`
}

// sharpness is that of a model.
func sharpness[T train.Float](e *env, s *sharpnessSettings) filler[T] {
	return func(ctx context.Context, m *nn.Model[T], t *task.Task, r *tableResult) error {
		p, err := lossAt(m, t.Train, e.examples)
		if err != nil {
			return err
		}
		x := wide(m.Params)
		if landscape.Distance(x, make([]float64, len(x))) == 0 {
			return errors.New("all weights are 0; a radius beside their length is none")
		}
		for _, adaptive := range []bool{false, true} {
			o := landscape.SharpnessOptions{Adaptive: adaptive, Starts: s.Starts, Steps: s.Steps, Samples: s.Samples, Seed: e.seed,
				Radius: s.Radius * landscape.Distance(x, make([]float64, len(x))), Progress: func(what string) { e.progress(false, "sharpness: %s", what) }}
			word, note := "", "changed by rescaling units"
			if adaptive {
				o.Radius, word, note = s.Radius*math.Sqrt(float64(len(x))), ", adaptive", "not changed by rescaling units"
			}
			if !r.missing("average rise" + word) {
				continue
			}
			got, err := landscape.Sharpness(ctx, p, o)
			if err != nil {
				return err
			}
			if !adaptive {
				r.add("loss", got.Loss, "at the weights")
			}
			least := got.Worst
			for _, v := range got.Starts {
				least = min(least, v)
			}
			r.add("worst rise"+word, got.Worst, fmt.Sprintf("radius %.4g; the starts found %.4g and more; %s", got.Radius, least, note))
			r.estimate("average rise"+word, got.Average, note)
			if err := r.save(); err != nil {
				return err
			}
		}
		if r.missing("largest eigenvalue") {
			top, err := landscape.Eigen(ctx, p.Hessian(), landscape.EigenOptions{Count: 1, Seed: e.seed})
			if err != nil && !errors.Is(err, landscape.ErrProducts) {
				return err
			}
			r.add("largest eigenvalue", top.Pairs[0].Value, fmt.Sprintf("residual %.1g; changed by rescaling units", top.Pairs[0].Residual))
			if err := r.save(); err != nil {
				return err
			}
		}
		norm, err := landscape.FisherRao(ctx, p)
		if err != nil {
			return err
		}
		r.add("squared Fisher-Rao norm", norm, "not changed by rescaling units")
		return nil
	}
}

var noiseMeasurement = measurement{"noise", "the noise of gradients: covariance, noise scale, and the curvature along it",
	func(f *flag.FlagSet) func(ctx context.Context, e *env) error {
		s := &noiseSettings{}
		f.IntVar(&s.Aligned, "aligned", 64, "examples whose gradients are multiplied by the Hessian")
		f.Float64Var(&s.TraceTol, "trace-tol", 0.02, "standard error of the Hessian's trace beside it")
		way := snapshotsFlag(f)
		return func(ctx context.Context, e *env) error {
			if s.Aligned < 1 || !(s.TraceTol > 0) {
				return cli.Usagef("-aligned %d -trace-tol %v; allowed are 1 and more, and numbers above 0", s.Aligned, s.TraceTol)
			}
			draw := func(r *wayResult) error { return r.drawAll(e, "Gradient noise on the way") }
			return inPrecision(e, func() error { return tabulate(ctx, e, s, *way, noise[float32](e, s), draw) },
				func() error { return tabulate(ctx, e, s, *way, noise[float64](e, s), draw) })
		}
	}}

type noiseSettings struct {
	Aligned  int     `json:"aligned"`
	TraceTol float64 `json:"trace_tol"`
}

// noise is that of a model.
func noise[T train.Float](e *env, s *noiseSettings) filler[T] {
	return func(ctx context.Context, m *nn.Model[T], t *task.Task, r *tableResult) error {
		p, err := lossAt(m, t.Train, e.examples)
		if err != nil {
			return err
		}
		const along = "curvature along the noise"
		if r.missing(along) {
			got, err := landscape.Noise(ctx, m, t.Train, p.Hessian(), landscape.NoiseOptions{Examples: p.N, Aligned: s.Aligned,
				Progress: func(done int) { e.progress(false, "noise: %d of %d gradients", done, p.N) }})
			if err != nil {
				return err
			}
			r.add("gradient norm", got.GradNorm, fmt.Sprintf("of the mean over %d examples", got.Examples))
			r.add("trace of the covariance", got.Trace, "of gradients of single examples")
			note := "gradients of smaller batches are mostly noise"
			if math.IsNaN(got.Scale) {
				note = "the mean gradient drowns in the noise of its examples"
			}
			r.add("noise scale", got.Scale, note)
			r.estimate(along, got.Curvature, "mean of d'Hd/d'd over deviations d of single gradients")
			if err := r.save(); err != nil {
				return err
			}
		}
		trace, err := e.trace(ctx, p.Hessian(), "hessian", s.TraceTol)
		if err != nil {
			return err
		}
		n := float64(len(m.Params))
		mean := float64(trace.Value) / n
		r.estimate("mean curvature", landscape.Estimate{Value: mean, Error: float64(trace.Error) / n}, "trace of the Hessian over the parameters")
		curvature := r.Rows[slices.IndexFunc(r.Rows, func(row tableRow) bool { return row.Name == along })].Value
		r.add("alignment", float64(curvature)/mean, "curvature along the noise over the mean curvature")
		return nil
	}
}
