package study

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/train"
)

// Measure names a number of a Point: the loss or a metric on one of its sets, as
// test_accuracy, val_loss or probe_squared_error.
type Measure string

var (
	sets    = []string{"probe", "val", "test"}
	metrics = []string{"loss", "accuracy", "squared_error"}
)

// Measures are the names that there are.
func Measures() []string {
	var list []string
	for _, s := range sets {
		for _, m := range metrics {
			list = append(list, s+"_"+m)
		}
	}
	return list
}

// ParseMeasure checks a name.
func ParseMeasure(name string) (Measure, error) {
	if known := Measures(); !slices.Contains(known, name) {
		return "", fmt.Errorf("there is no measure %q; allowed are %s%s", name, strings.Join(known, ", "), spell.Hint(name, known))
	}
	return Measure(name), nil
}

// Set is probe, val or test.
func (m Measure) Set() string { set, _, _ := strings.Cut(string(m), "_"); return set }

// Metric is loss, accuracy or squared_error.
func (m Measure) Metric() string { _, metric, _ := strings.Cut(string(m), "_"); return metric }

// Rises tells whether more is better.
func (m Measure) Rises() bool { return m.Metric() == "accuracy" }

// Of is the number at a point; there is none of a set that was not measured, or
// of a metric that the task does not have.
func (m Measure) Of(p train.Point) (v float64, ok bool) {
	s := map[string]*train.Scores{"probe": p.Probe, "val": p.Val, "test": p.Test}[m.Set()]
	if s == nil {
		return math.NaN(), false
	}
	if m.Metric() == "loss" {
		return s.Loss, true
	}
	if v, ok = s.Metrics[m.Metric()]; !ok {
		return math.NaN(), false
	}
	return v, true
}

// Target is a number to reach, as test_accuracy=0.98.
type Target struct {
	Measure Measure
	Value   float64
}

// ParseTarget reads a target.
func ParseTarget(text string) (*Target, error) {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return nil, fmt.Errorf("target %q; allowed are a measure and its value, as test_accuracy=0.98", text)
	}
	m, err := ParseMeasure(name)
	if err != nil {
		return nil, fmt.Errorf("target %q: %w", text, err)
	}
	v, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		return nil, fmt.Errorf("target %q: %q is no number", text, value)
	case m.Rises() && !(v > 0 && v <= 1):
		return nil, fmt.Errorf("target %q: accuracies are above 0 and at most 1, as 0.98", text)
	}
	return &Target{m, v}, nil
}

func (t *Target) String() string { return fmt.Sprintf("%s=%v", t.Measure, t.Value) }

// Met tells whether a point has reached the target.
func (t *Target) Met(p train.Point) bool {
	v, ok := t.Measure.Of(p)
	if !ok {
		return false
	}
	if t.Measure.Rises() {
		return v >= t.Value
	}
	return v <= t.Value
}
