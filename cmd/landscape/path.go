package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"path/filepath"
	"text/tabwriter"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/landscape"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

var pathMeasurement = measurement{"path", "the loss from the first weights to the trained ones, or to those of another run",
	func(f *flag.FlagSet) func(ctx context.Context, e *env) error {
		s := &pathSettings{}
		f.StringVar(&s.To, "to", "", "another `run` of the same model: the line to its weights, as they are and with its hidden units matched")
		f.IntVar(&s.Points, "points", 50, "points of the line")
		f.StringVar(&s.Curve, "curve", "", "with -to, train a `curve` between the runs too: bezier or polygon (one bend)")
		f.IntVar(&s.CurveSteps, "curve-steps", 500, "gradients of a curve's training")
		f.Float64Var(&s.CurveLR, "curve-lr", 0.1, "its learning `rate`, falling to 0")
		f.IntVar(&s.GaussExamples, "gauss-examples", 200, "examples of the Gauss length, from the first weights on; 0 leaves it out")
		return func(ctx context.Context, e *env) error {
			if s.Points < 2 || s.GaussExamples < 0 {
				return cli.Usagef("-points %d -gauss-examples %d; allowed are 2 and 0 and more", s.Points, s.GaussExamples)
			}
			switch {
			case s.Curve == "" && (s.CurveSteps != 500 || s.CurveLR != 0.1):
				return cli.Usagef("-curve-steps and -curve-lr are of a curve; -curve bezier or -curve polygon asks for one")
			case s.Curve == "":
				s.CurveSteps, s.CurveLR = 0, 0 // nothing depends on them
			case s.To == "":
				return cli.Usagef("-curve %s: a curve is between two runs; -to names the other", s.Curve)
			case s.CurveSteps < 1 || !(s.CurveLR > 0 && s.CurveLR <= math.MaxFloat64):
				return cli.Usagef("-curve-steps %d -curve-lr %v; allowed are 1 and more, and numbers above 0", s.CurveSteps, s.CurveLR)
			default:
				if _, err := landscape.ParseCurve(s.Curve); err != nil {
					return cli.Usage(err)
				}
			}
			if e.spec.Precision == "float64" {
				return measurePath[float64](ctx, e, s)
			}
			return measurePath[float32](ctx, e, s)
		}
	}}

// pathSettings are what the results depend on.
type pathSettings struct {
	To            string `json:"to"`
	ToTime        int64  `json:"to_checkpoint_time"`
	Points        int    `json:"points"`
	GaussExamples int    `json:"gauss_examples"`

	Curve      string  `json:"curve,omitempty"`
	CurveSteps int     `json:"curve_steps,omitempty"`
	CurveLR    float64 `json:"curve_lr,omitempty"`
}

// pathResult is path.json.
type pathResult struct {
	Made  made       `json:"made"`
	Alpha []number   `json:"alpha"`
	Lines []lossLine `json:"lines"`

	Distance  number   `json:"distance"`          // between the ends
	Relative  number   `json:"relative_distance"` // over the length of the first end
	Gauss     estimate `json:"gauss_length"`
	Done      bool     `json:"done"`
	Matched   number   `json:"matched_distance,omitempty"`
	Unmatched string   `json:"not_matched,omitempty"` // why
}

// lossLine is the losses along one line.
type lossLine struct {
	Name    string   `json:"name"`
	Loss    []number `json:"loss"`
	Delta   number   `json:"delta"` // by which it may rise and count as monotone
	Bumps   int      `json:"bumps"`
	Widest  number   `json:"widest_bump"`
	Barrier number   `json:"barrier"`
	At      number   `json:"barrier_at"`
}

func measurePath[T train.Float](ctx context.Context, e *env, s *pathSettings) error {
	if s.To != "" {
		other := *e
		other.dir = s.To
		about, err := other.made(nil)
		if err != nil {
			return err
		}
		s.To, s.ToTime = about.Run, about.Time
		s.GaussExamples = 0
		return e.measurePath(s, func(r *pathResult) error { return pathTo[T](ctx, e, other.dir, s, r) })
	}
	return e.measurePath(s, func(r *pathResult) error { return pathFromStart[T](ctx, e, s, r) })
}

// measurePath measures, unless that is done, and publishes.
func (e *env) measurePath(s *pathSettings, measure func(r *pathResult) error) error {
	about, err := e.made(s)
	if err != nil {
		return err
	}
	name := "path"
	if s.To != "" {
		name = "path-to-" + s.To
	}
	r := &pathResult{}
	known, err := e.recall(name+".json", about, r)
	if err != nil {
		return err
	}
	if !known || !r.Done {
		*r = pathResult{Made: about}
		if err := measure(r); err != nil {
			return err
		}
		r.Done = true
		if err := e.save(name+".json", r); err != nil {
			return err
		}
	}
	return r.publish(e, s, name)
}

func numbers(x []float64) []number {
	list := make([]number, len(x))
	for i, v := range x {
		list[i] = number(v)
	}
	return list
}

func floats[T ~float64](x []T) []float64 {
	list := make([]float64, len(x))
	for i, v := range x {
		list[i] = float64(v)
	}
	return list
}

func wide[T train.Float](x []T) []float64 {
	list := make([]float64, len(x))
	for i, v := range x {
		list[i] = float64(v)
	}
	return list
}

// sides are the training and the test examples at the weights of a model.
func sides[T train.Float](e *env, m *nn.Model[T], t *task.Task) (list []*landscape.Model[T], names []string, err error) {
	p, err := landscape.At(m, t.Train, min(e.examples, t.Train.Len()))
	if err != nil {
		return nil, nil, err
	}
	q, err := landscape.At(m, t.Test, min(e.examples, t.Test.Len()))
	return []*landscape.Model[T]{p, q}, []string{"training", "test"}, err
}

func (r *pathResult) add(ctx context.Context, e *env, name string, line func(alpha []float64) ([]float64, error), alpha []float64) error {
	var loss []float64
	for i := range alpha { // a point at a time, so that the wait has an end in sight
		one, err := line(alpha[i : i+1])
		if err != nil {
			return err
		}
		loss = append(loss, one...)
		e.progress(false, "%s: %d of %d points", name, i+1, len(alpha))
	}
	l := lossLine{Name: name, Loss: numbers(loss), Delta: number(landscape.Delta(loss))}
	for _, b := range landscape.Bumps(alpha, loss) {
		l.Bumps++
		l.Widest = max(l.Widest, number(b.Width))
	}
	height, at := landscape.Barrier(alpha, loss)
	l.Barrier, l.At = number(height), number(at)
	r.Lines = append(r.Lines, l)
	return ctx.Err()
}

func (r *pathResult) ends(from, to []float64) {
	d, a := landscape.Distance(from, to), landscape.Distance(from, make([]float64, len(from)))
	r.Distance = number(d)
	if a > 0 {
		r.Relative = number(d / a)
	}
}

// pathFromStart is the line from the first weights, which the seed gives.
func pathFromStart[T train.Float](ctx context.Context, e *env, s *pathSettings, r *pathResult) error {
	m, t, err := load[T](ctx, e)
	if err != nil {
		return err
	}
	first, err := task.Build[T](t, e.spec)
	if err != nil {
		return err
	}
	from, to := wide(first.Params), wide(m.Params)
	alpha := landscape.Linspace(0, 1, s.Points)
	r.Alpha = numbers(alpha)
	r.ends(from, to)
	list, names, err := sides(e, m, t)
	if err != nil {
		return err
	}
	for i, p := range list {
		if err := r.add(ctx, e, names[i]+" loss", func(a []float64) ([]float64, error) { return p.Line(ctx, from, to, a) }, alpha); err != nil {
			return err
		}
	}
	if s.GaussExamples > 0 {
		e.progress(false, "Gauss length")
		g, err := landscape.GaussLength(ctx, m, t.Train, min(s.GaussExamples, t.Train.Len()), from, to, alpha)
		if err != nil {
			return err
		}
		r.Gauss = estimateOf(g)
	}
	return nil
}

// pathTo is the line to another run's weights, as they are and matched.
func pathTo[T train.Float](ctx context.Context, e *env, dir string, s *pathSettings, r *pathResult) error {
	m, t, err := load[T](ctx, e)
	if err != nil {
		return err
	}
	path, err := weights(dir, e.checkpoint)
	if err != nil {
		return err
	}
	other, err := task.Build[T](t, e.spec)
	if err != nil {
		return err
	}
	if _, err := train.LoadWeights(path, other); err != nil {
		return fmt.Errorf("the two runs are not of one model: %w", err)
	}
	from, to := wide(m.Params), wide(other.Params)
	alpha := landscape.Linspace(0, 1, s.Points)
	r.Alpha = numbers(alpha)
	r.ends(from, to)
	list, names, err := sides(e, m, t)
	if err != nil {
		return err
	}
	ends := [][]float64{to}
	kinds := []string{"as it is"}
	if hidden := landscape.HiddenLayers(m); len(hidden) > 0 {
		matched, _, err := landscape.Match(from, to, hidden, e.seed)
		if err != nil {
			return err
		}
		ends, kinds = append(ends, matched), append(kinds, "matched")
		r.Matched = number(landscape.Distance(from, matched))
	} else {
		r.Unmatched = "the model has no hidden layers whose units could be permuted"
	}
	for k, end := range ends {
		for i, p := range list {
			name := names[i] + " loss, " + kinds[k]
			if err := r.add(ctx, e, name, func(a []float64) ([]float64, error) { return p.Line(ctx, from, end, a) }, alpha); err != nil {
				return err
			}
		}
		if s.Curve == "" {
			continue
		}
		kind, err := landscape.ParseCurve(s.Curve)
		if err != nil {
			return err
		}
		c, err := landscape.TrainCurve[T](ctx, list[0].Sample, kind, from, end, landscape.CurveOptions{Steps: s.CurveSteps, LR: s.CurveLR, Seed: e.seed,
			Progress: func(done int) { e.progress(false, "%s, %s: %d of %d steps", s.Curve, kinds[k], done, s.CurveSteps) }})
		if err != nil {
			return err
		}
		for i, p := range list {
			name := names[i] + " loss, " + kinds[k] + ", " + s.Curve
			if err := r.add(ctx, e, name, func(a []float64) ([]float64, error) { return landscape.AlongCurve[T](ctx, p.Sample, c, a) }, alpha); err != nil {
				return err
			}
		}
	}
	return nil
}

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
		monotone := "yes"
		if l.Delta > 0 {
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
	if r.Gauss != (estimate{}) {
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
