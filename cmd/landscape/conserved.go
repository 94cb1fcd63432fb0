package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/chart"
	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/study"
)

// conservedSuffixes are the theories of a watched quantity, in the order of
// drawing: marks of what was measured, and lines of the theories.
var conservedSuffixes = []string{"", "_modified", "_flow"}

// watched are the columns of a run that was watched with symmetry, by their names:
// steps and values.
type watched struct{ steps, values map[string][]float64 }

// readWatched reads them from the run's log; there are none where it was not watched.
func (e *env) readWatched() (watched, error) {
	w := watched{map[string][]float64{}, map[string][]float64{}}
	f, err := os.Open(filepath.Join(e.dir, "log.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	defer f.Close()
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
				w.steps[name], w.values[name] = append(w.steps[name], step), append(w.values[name], y)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return w, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return w, nil
}

// layers are those of the columns prefix LAYER suffix.
func (w watched) layers(prefix, suffix string) (list []string) {
	for name := range w.values {
		if l, ok := strings.CutSuffix(name, suffix); ok && strings.HasPrefix(l, prefix) {
			list = append(list, strings.TrimPrefix(l, prefix))
		}
	}
	slices.Sort(list)
	return list
}

// drawConserved draws a picture a kind, theory over measurement. It gives the names
// of the pictures, none where the run was not watched.
func (e *env) drawConserved(w watched) ([]string, error) {
	var pictures []string
	for _, kind := range []struct{ name, title, y string }{
		{"translation", "Sums that a softmax leaves free", "√Σ of squared sums of weights"},
		{"scale", "Weights into a normalisation", "Σ of squared lengths of the units' weights"},
		{"rescale", "Weights into and out of units", "Σ of squared lengths in, less those out"},
	} {
		c := chart.Chart{Title: kind.title + ": theory over measurement", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: kind.y}}
		prefix := "symmetry_" + kind.name + "_"
		layers := w.layers(prefix, "_discrete")
		for i, l := range layers {
			for dash, suffix := range conservedSuffixes {
				name := prefix + l + suffix
				label := l + map[string]string{"": ", measured", "_modified": ", modified flow", "_flow": ", gradient flow"}[suffix]
				c.Series = append(c.Series, conservedSeries(label, w.steps[name], w.values[name], i, dash))
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

// drawRates draws the effective learning rates of the layers before a normalisation
// beside their law, and writes a table of how well the two agree. It gives the name of
// the picture, empty where there is none.
func (e *env) drawRates(w watched) (string, error) {
	const prefix = "symmetry_scale_"
	layers := w.layers(prefix, "_rate_law")
	if len(layers) == 0 {
		return "", nil
	}
	c := chart.Chart{Title: "Effective learning rates before a normalisation: law over measurement", X: chart.Axis{Label: "step"}, Y: chart.Axis{Label: "lr/|θ|², geometric mean over units", Log: true}}
	table := cli.Table{Header: []string{"effective rate of", "first", "last", "the law is off by, median", "at most"}}
	var rows [][]string
	for i, l := range layers {
		steps, rate, law := w.steps[prefix+l+"_rate"], w.values[prefix+l+"_rate"], w.values[prefix+l+"_rate_law"]
		c.Series = append(c.Series, conservedSeries(l+", measured", steps, rate, i, 0), conservedSeries(l+", law", steps, law, i, 1))
		var off []float64
		for k := range min(len(rate), len(law)) {
			if rate[k] > 0 { // a schedule may end at 0
				off = append(off, math.Abs(law[k]/rate[k]-1))
			}
		}
		if len(off) == 0 {
			continue
		}
		s := study.StatOf(off)
		table.Add(l, fmt.Sprintf("%.3g", rate[0]), fmt.Sprintf("%.3g", rate[len(rate)-1]), fmt.Sprintf("%.2g %%", 100*s.Median), fmt.Sprintf("%.2g %%", 100*s.Max))
		rows = append(rows, []string{l, text(rate[0]), text(rate[len(rate)-1]), text(s.Median), text(s.Max)})
	}
	if _, err := table.WriteTo(e.stdout); err != nil {
		return "", err
	}
	if err := e.table("symmetry-rates.csv", []string{"layer", "first_rate", "last_rate", "law_off_median", "law_off_largest"}, rows); err != nil {
		return "", err
	}
	const name = "symmetry-rates"
	return name + ".png", c.Save(filepath.Join(e.out, name))
}
