package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
)

// conservedSuffixes are the theories of a watched quantity, in the order of
// drawing: marks of what was measured, and lines of the theories.
var conservedSuffixes = []string{"", "_modified", "_flow"}

// drawConserved draws what a run that was watched with symmetry has in its log: a
// picture a kind, theory over measurement. It gives the names of the pictures,
// none where the run was not watched.
func (e *env) drawConserved() ([]string, error) {
	f, err := os.Open(filepath.Join(e.dir, "log.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	steps, values := map[string][]float64{}, map[string][]float64{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var event map[string]any
		if json.Unmarshal(lines.Bytes(), &event) != nil || event["event"] != "watch" {
			continue
		}
		step, _ := event["step"].(float64)
		for name, v := range event {
			if y, ok := v.(float64); ok && strings.HasPrefix(name, "symmetry_") {
				steps[name], values[name] = append(steps[name], step), append(values[name], y)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	var pictures []string
	for _, kind := range []struct{ name, title, y string }{
		{"translation", "Sums that a softmax leaves free", "√Σ of squared sums of weights"},
		{"scale", "Weights into a normalisation", "Σ of squared lengths of the units' weights"},
		{"rescale", "Weights into and out of units", "Σ of squared lengths in, less those out"},
	} {
		c := chart.Chart{Title: kind.title + ": theory over measurement", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: kind.y}}
		var layers []string
		prefix := "symmetry_" + kind.name + "_"
		for name := range values {
			if l, ok := strings.CutSuffix(name, "_discrete"); ok && strings.HasPrefix(l, prefix) {
				layers = append(layers, strings.TrimPrefix(l, prefix))
			}
		}
		slices.Sort(layers)
		for i, l := range layers {
			for dash, suffix := range conservedSuffixes {
				name := prefix + l + suffix
				label := l + map[string]string{"": ", measured", "_modified": ", modified flow", "_flow": ", gradient flow"}[suffix]
				c.Series = append(c.Series, conservedSeries(label, steps[name], values[name], i, dash))
			}
		}
		if len(layers) == 0 {
			continue
		}
		name := "symmetry-" + kind.name
		if err := c.Save(filepath.Join(e.out, name)); err != nil {
			return nil, err
		}
		pictures = append(pictures, name+".png")
	}
	return pictures, nil
}

// conservedSeries is marks, some 25, of what was measured, or the line of a theory.
func conservedSeries(label string, x, y []float64, layer, theory int) chart.Series {
	s := chart.Series{Name: label, X: x, Y: y, Color: 1 + layer}
	if theory > 0 {
		s.Dash = 2 * (theory - 1)
		return s
	}
	s.Markers, s.NoLine, s.X, s.Y = true, true, nil, nil
	for i, stride := 0, max(1, len(x)/25); i < len(x); i += stride {
		s.X, s.Y = append(s.X, x[i]), append(s.Y, y[i])
	}
	return s
}
