package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/train"
)

// report tells what methods have come to on one task.
type report struct {
	task    *task.Task
	model   string
	budget  string
	seeds   int
	target  *study.Target
	metric  study.Measure // of the test set
	methods []*study.Summary
}

func newReport(s *settings, t *task.Task, list []*study.Summary) *report {
	r := &report{task: t, model: s.Model, seeds: s.Seeds, metric: "test_loss", methods: list}
	for _, m := range []study.Measure{"test_accuracy", "test_squared_error"} {
		if r.has(m) {
			r.metric = m
		}
	}
	r.budget = plural(s.Epochs, "epoch")
	if s.Target != "" {
		r.target, _ = study.ParseTarget(s.Target) // checked long ago
	}
	return r
}

// has tells whether a measure was measured.
func (r *report) has(m study.Measure) bool {
	for _, s := range r.methods {
		for _, o := range s.Outcomes {
			if p, ok := o.End(); ok {
				_, ok := m.Of(p)
				return ok
			}
		}
	}
	return false
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// title says what was compared.
func (r *report) title() string {
	text := fmt.Sprintf("%s, %s: %s", r.task.Name, r.model, r.budget)
	if r.target != nil {
		text += fmt.Sprintf(" or %s", r.target)
	}
	text += ", " + plural(r.seeds, "seed")
	if r.seeds > 1 {
		text += "; mean ± standard deviation over the seeds"
	}
	return text
}

// unit is how the test metric is written: accuracies are in percent.
func (r *report) unit() (name string, scale float64) {
	if r.metric.Rises() {
		return "test accuracy %", 100
	}
	return strings.ReplaceAll(string(r.metric), "_", " "), 1
}

// order is the order of the rows: the soonest at the target, or the best on the
// test set.
func (r *report) order() []*study.Summary {
	if r.target != nil {
		return best(r.methods, func(s *study.Summary) float64 { return s.To(r.target, study.Seconds).Median })
	}
	sign := 1.0
	if r.metric.Rises() {
		sign = -1
	}
	return best(r.methods, func(s *study.Summary) float64 { return sign * s.Final(r.metric).Mean })
}

// table writes a row a method.
func (r *report) table(w io.Writer) error {
	name, scale := r.unit()
	t := cli.Table{Header: []string{"method", "train loss", name, "steps", "seconds", "gradients", "work"}}
	if r.target != nil {
		t.Header = append(t.Header, "at target", "after steps", "seconds", "work")
	}
	t.Left = map[int]bool{len(t.Header): true}
	t.Header = append(t.Header, "") // notes
	for _, s := range r.order() {
		if len(s.Good()) == 0 {
			o := s.Outcomes[0]
			t.Add(s.Label, fmt.Sprintf("%s at step %d%s", o.Status, o.Step, of(len(s.Outcomes))))
			continue
		}
		row := []string{s.Label, meanText(s.Final("probe_loss"), 1), meanText(s.Final(r.metric), scale), countText(s.Spent(study.Steps).Mean),
			fmt.Sprintf("%.2f", s.Spent(study.Seconds).Mean), countText(s.Spent(study.Gradients).Mean), countText(s.Spent(study.Work).Mean)}
		if r.target != nil {
			row = append(row, fmt.Sprintf("%d of %d", s.Reached(r.target), len(s.Outcomes)), countText(s.To(r.target, study.Steps).Median),
				secondsText(s.To(r.target, study.Seconds).Median), countText(s.To(r.target, study.Work).Median))
		}
		note := ""
		if bad := len(s.Outcomes) - len(s.Good()); bad > 0 {
			note = fmt.Sprintf("%d of %d diverged or failed", bad, len(s.Outcomes))
		}
		t.Rows = append(t.Rows, append(row, note))
	}
	if _, err := t.WriteTo(w); err != nil {
		return err
	}
	text := "\nTrain loss: of the weights at the end"
	if n := r.task.Train.Len(); n > study.ProbeSize {
		text += fmt.Sprintf(", on %d of the %d training examples", study.ProbeSize, n)
	}
	text += ". Seconds: of training, without measuring.\nGradients: of single examples. Work: in forward passes of one example; a gradient is 2, a product with the curvature 4.\n"
	if r.target != nil {
		text += "At the target: medians over the seeds; a run that missed it counts as endless.\n"
	}
	for _, s := range r.methods {
		if spec := s.Outcomes[0].Optimizer; spec != s.Label {
			text += fmt.Sprintf("%s ran as %s\n", s.Label, spec)
		}
	}
	_, err := io.WriteString(w, text)
	return err
}

// of says over how many seeds, if it is more than one.
func of(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (all %d seeds)", n)
}

// meanText is a mean with its spread, if there is one.
func meanText(s study.Stat, scale float64) string {
	if s.N == 0 {
		return "-"
	}
	mean, sd := scale*s.Mean, scale*s.SD
	digits := 4
	if a := math.Abs(mean); a >= 10 {
		digits = 2
	}
	text := strconv.FormatFloat(mean, 'f', digits, 64)
	if a := math.Abs(mean); a != 0 && (a < 1e-3 || a >= 1e6) {
		text = strconv.FormatFloat(mean, 'e', 2, 64)
		digits = -1
	}
	if s.N < 2 {
		return text
	}
	if digits < 0 {
		return text + " ± " + strconv.FormatFloat(sd, 'e', 0, 64)
	}
	return text + " ± " + strconv.FormatFloat(sd, 'f', digits, 64)
}

// countText is a number of something: 1407, 180k, 2.4M.
func countText(v float64) string {
	switch {
	case math.IsInf(v, 0) || math.IsNaN(v):
		return "-"
	case v < 1e4:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	for _, u := range []struct {
		size float64
		name string
	}{{1e3, "k"}, {1e6, "M"}, {1e9, "G"}, {1e12, "T"}} {
		if x := v / u.size; x < 999.5 || u.name == "T" {
			digits := 0
			if x < 99.95 {
				digits = 1
			}
			return strconv.FormatFloat(x, 'f', digits, 64) + u.name
		}
	}
	return ""
}

func secondsText(v float64) string {
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// quantities are the axes to compare by.
var quantities = []struct {
	q     study.Quantity
	label string
}{{study.Epochs, "epochs"}, {study.Work, "work (forward passes of an example)"}, {study.Seconds, "seconds of training"}}

// curves draws the loss and the test metric against epochs, work and seconds.
func (r *report) curves() chart.Grid {
	loss := func(p train.Point) (float64, bool) { return study.Measure("probe_loss").Of(p) }
	test, label := func(p train.Point) (float64, bool) { return r.metric.Of(p) }, strings.ReplaceAll(string(r.metric), "_", " ")
	if r.metric.Rises() {
		label = "test error (%) = 100 - accuracy"
		test = func(p train.Point) (float64, bool) {
			v, ok := r.metric.Of(p)
			return 100 * (1 - v), ok
		}
	}
	g := chart.Grid{Title: fmt.Sprintf("%s, %s: %s", r.task.Name, r.model, plural(r.seeds, "seed"))}
	for _, row := range []struct {
		label string
		y     func(train.Point) (float64, bool)
		at    float64 // of the target
	}{{"train loss", loss, r.level("probe_loss")}, {label, test, r.level(r.metric)}} {
		var charts []chart.Chart
		for _, x := range quantities {
			c := chart.Chart{X: chart.Axis{Label: x.label, Log: x.q != study.Epochs && r.apart(x.q)}, Y: chart.Axis{Label: row.label, Log: true}, Width: 4.6, Height: 3.6}
			for _, s := range r.methods {
				c.Series = append(c.Series, s.Curve(x.q, row.y))
			}
			if !math.IsNaN(row.at) {
				c.Lines = []chart.Line{{Name: "target", At: row.at}}
			}
			charts = append(charts, c)
		}
		g.Rows = append(g.Rows, charts)
	}
	return g
}

// level is where the target stands in the plot of a measure, NaN if elsewhere.
func (r *report) level(m study.Measure) float64 {
	if r.target == nil || r.target.Measure != m {
		return math.NaN()
	}
	if m.Rises() {
		return 100 * (1 - r.target.Value)
	}
	return r.target.Value
}

// apart tells whether the methods spend so differently that only a logarithmic
// axis shows all of them.
func (r *report) apart(q study.Quantity) bool {
	const ratio = 8
	least, most := math.Inf(1), 0.0
	for _, s := range r.methods {
		if v := s.Spent(q).Mean; v > 0 {
			least, most = min(least, v), max(most, v)
		}
	}
	return most > ratio*least
}
