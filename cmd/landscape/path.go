package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"

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
		batchNormFlag(f, &s.BatchNorm)
		f.IntVar(&s.GaussExamples, "gauss-examples", 200, "examples of the Gauss length, from the first weights on; 0 leaves it out")
		return func(ctx context.Context, e *env) error {
			if s.Points < 2 || s.GaussExamples < 0 {
				return cli.Usagef("-points %d -gauss-examples %d; allowed are 2 and 0 and more", s.Points, s.GaussExamples)
			}
			if err := checkBatchNorm(s.BatchNorm); err != nil {
				return err
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
	BatchNorm     string `json:"batchnorm,omitempty"`

	Curve      string  `json:"curve,omitempty"`
	CurveSteps int     `json:"curve_steps,omitempty"`
	CurveLR    float64 `json:"curve_lr,omitempty"`
}

// pathResult is path.json.
type pathResult struct {
	Made  made       `json:"made"`
	Alpha []number   `json:"alpha"`
	Lines []lossLine `json:"lines"`

	Distance  number    `json:"distance"`          // between the ends
	Relative  number    `json:"relative_distance"` // over the length of the first end
	Gauss     *estimate `json:"gauss_length,omitempty"`
	NoGauss   string    `json:"no_gauss_length,omitempty"` // why, where it is asked for
	Done      bool      `json:"done"`
	Matched   number    `json:"matched_distance,omitempty"`
	Unmatched string    `json:"not_matched,omitempty"` // why

	keep func() error // saves the lines so far
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
	if !known {
		*r = pathResult{Made: about}
	}
	if !r.Done {
		r.keep = func() error { return e.save(name+".json", r) }
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
	p, err := lossAt(m, t.Train, min(e.examples, t.Train.Len()))
	if err != nil {
		return nil, nil, err
	}
	q, err := lossAt(m, t.Test, min(e.examples, t.Test.Len()))
	return []*landscape.Model[T]{p, q}, []string{"training", "test"}, err
}

// has tells whether a line is there, from an earlier call.
func (r *pathResult) has(name string) bool {
	return slices.ContainsFunc(r.Lines, func(l lossLine) bool { return l.Name == name })
}

// add measures a line that is not there, and saves.
func (r *pathResult) add(ctx context.Context, e *env, name string, line func(alpha []float64) ([]float64, error), alpha []float64) error {
	if r.has(name) {
		return nil
	}
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
	return errors.Join(ctx.Err(), r.keep())
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
	stats, err := statistics(e, m, s.BatchNorm)
	if err != nil {
		return err
	}
	if err := withStatistics(list, stats, wide(first.Buffers), wide(m.Buffers)); err != nil {
		return err
	}
	for i, p := range list {
		if err := r.add(ctx, e, names[i]+" loss", func(a []float64) ([]float64, error) { return p.Line(ctx, from, to, a) }, alpha); err != nil {
			return err
		}
	}
	switch {
	case s.GaussExamples == 0:
		return nil
	case len(m.Buffers) > 0:
		r.NoGauss = "the outputs for an example depend on the others by batch normalisation, so that no example has a path of its own"
		return nil
	}
	e.progress(false, "Gauss length")
	g, err := landscape.GaussLength(ctx, m, t.Train, min(s.GaussExamples, t.Train.Len()), from, to, alpha)
	if err != nil {
		return err
	}
	gauss := estimateOf(g)
	r.Gauss = &gauss
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
	if _, err := read(path, other); err != nil {
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
	stats, err := statistics(e, m, s.BatchNorm)
	if err != nil {
		return err
	}
	ends, buffers := [][]float64{to}, [][]float64{wide(other.Buffers)}
	kinds := []string{"as it is"}
	if hidden := landscape.HiddenLayers(m); len(hidden) > 0 {
		matched, units, err := landscape.Match(from, to, hidden, e.seed)
		if err != nil {
			return err
		}
		moved := buffers[0]
		for i, h := range hidden {
			moved = h.PermuteBuffers(moved, units[i])
		}
		ends, buffers, kinds = append(ends, matched), append(buffers, moved), append(kinds, "matched")
		r.Matched = number(landscape.Distance(from, matched))
	} else {
		r.Unmatched = "the model has no hidden layers whose units could be permuted"
	}
	for k, end := range ends {
		if err := withStatistics(list, stats, wide(m.Buffers), buffers[k]); err != nil {
			return err
		}
		for i, p := range list {
			name := names[i] + " loss, " + kinds[k]
			if err := r.add(ctx, e, name, func(a []float64) ([]float64, error) { return p.Line(ctx, from, end, a) }, alpha); err != nil {
				return err
			}
		}
		curve := func(i int) string { return names[i] + " loss, " + kinds[k] + ", " + s.Curve }
		if s.Curve == "" || r.has(curve(0)) && r.has(curve(1)) {
			continue
		}
		kind, err := landscape.ParseCurve(s.Curve)
		if err != nil {
			return err
		}
		c, err := landscape.TrainCurve(ctx, list[0].On, kind, from, end, landscape.CurveOptions{Steps: s.CurveSteps, LR: s.CurveLR, Seed: e.seed,
			Progress: func(done int) { e.progress(false, "%s, %s: %d of %d steps", s.Curve, kinds[k], done, s.CurveSteps) }})
		if err != nil {
			return err
		}
		for i, p := range list {
			if err := r.add(ctx, e, curve(i), func(a []float64) ([]float64, error) { return landscape.AlongCurve(ctx, p.On, c, a) }, alpha); err != nil {
				return err
			}
		}
	}
	return nil
}
