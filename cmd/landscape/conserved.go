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

// theory is a column of a watched quantity and what it is called in pictures, where the
// first, which was measured, is drawn as marks.
type theory struct{ suffix, name string }

var (
	conservedTheories = []theory{{"", "measured"}, {"_modified", "modified flow"}, {"_flow", "gradient flow"}}
	rateTheories      = []theory{{"_rate", "measured"}, {"_rate_law", "law"}}
)

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
		{"scale", "Weights into a normalisation", "Σ of squared lengths of weights"},
		{"rescale", "Weights into and out of units", "Σ squared lengths in, less out"},
	} {
		prefix := "symmetry_" + kind.name + "_"
		layers := w.layers(prefix, "_discrete")
		if len(layers) == 0 {
			continue
		}
		name := "symmetry-" + kind.name
		g := w.panels(kind.title+": theory over measurement", prefix, layers, conservedTheories, chart.Axis{Label: kind.y})
		if err := g.Save(filepath.Join(e.out, name)); err != nil {
			return nil, err
		}
		pictures = append(pictures, name+".png")
	}
	return pictures, nil
}

// panels are a chart a layer, as what is conserved differs far more between layers
// than on the way.
func (w watched) panels(title, prefix string, layers []string, theories []theory, y chart.Axis) chart.Grid {
	g := chart.Grid{Title: title}
	columns := min(len(layers), 3)
	if len(layers) == 4 {
		columns = 2
	}
	for row := range slices.Chunk(layers, columns) {
		var charts []chart.Chart
		for _, l := range row {
			c := chart.Chart{Title: l, X: chart.Axis{Label: "step"}, Y: y}
			if len(layers) > 1 {
				c.Width, c.Height = 4.8, 3.2
			}
			for i, t := range theories {
				c.Series = append(c.Series, t.series(w.steps[prefix+l+t.suffix], w.values[prefix+l+t.suffix], i))
			}
			charts = append(charts, c)
		}
		g.Rows = append(g.Rows, charts)
	}
	return g
}

// series is marks, some 25, of what was measured, or the line of a theory, at its
// place among the others.
func (t theory) series(x, y []float64, place int) chart.Series {
	s := chart.Series{Name: t.name, X: x, Y: y, Color: 1 + place}
	if place > 0 {
		s.Dash = 2 * (place - 1)
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
	table := cli.Table{Header: []string{"effective rate of", "first", "last", "the law is off by, median", "at most"}}
	var rows [][]string
	for _, l := range layers {
		rate, law := w.values[prefix+l+"_rate"], w.values[prefix+l+"_rate_law"]
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
	g := w.panels("Effective learning rates before a normalisation: law over measurement", prefix, layers, rateTheories, chart.Axis{Label: "lr/((1-β)|θ|²), mean over units", Log: true})
	return name + ".png", g.Save(filepath.Join(e.out, name))
}
