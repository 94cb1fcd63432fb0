package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var reportMeasurement = measurement{"report", "one page of all that has been measured, with a word on each figure",
	func(*flag.FlagSet) func(ctx context.Context, e *env) error { return report }}

//go:embed report.html
var reportTemplate string

// section is a part of the report.
type section struct {
	Title  string
	Text   string // two sentences on how to read it
	Images []template.URL
	Tables [][][]string // the first row of each is its head
	Link   string
}

// sections says what belongs to each measurement.
var sections = []struct {
	title, text    string
	images, tables []string // patterns of files
	link           string
}{
	{"Eigenvalues of the curvature",
		"Each eigenvalue is how fast the slope changes along one direction of the weights; the few that stand apart belong to the classes, the bulk near 0 to directions in which little happens. The band is the spread of the random probes: where it is wide the density is not known well.",
		[]string{"density-*.png"}, []string{"eigenvalues.csv", "layers.csv"}, ""},
	{"The loss on a plane",
		"Every point is the training loss with the weights moved along two directions; the weights themselves are in the middle. Colours are by the logarithm of the loss unless the bar says otherwise.",
		[]string{"surface-map.png", "surface-way.png", "surface-3d.png", "surface-sections.png"}, nil, "surface.html"},
	{"The loss along lines",
		"A line goes straight from one set of weights to another. Where it rises before it falls there is a bump, and between two solutions a barrier, which matching the order of hidden units makes lower.",
		[]string{"path*.png"}, nil, ""},
	{"Symmetries",
		"Changes of the weights that leave the loss as it is force identities on the gradient and the Hessian. The residuals are what is left of these identities in double precision: roundings, if the symmetry is exact. Pictures are of a run that was watched: what gradient flow would conserve, and the learning rate that a normalisation makes of the lengths of the weights before it, each beside its law.",
		[]string{"symmetry-*.png"}, []string{"symmetry.csv", "symmetry-rates.csv"}, ""},
	{"Sharpness",
		"How far the loss rises within a small distance of the weights, at worst and on average. Only the adaptive measures and the Fisher-Rao norm stay the same when units are rescaled, which leaves the network as it is.",
		[]string{"sharpness-way.png"}, []string{"sharpness.csv"}, ""},
	{"Gradient noise",
		"The gradients of single examples differ from their mean, the more so the larger the trace of their covariance. Batches smaller than the noise scale give gradients that are mostly noise.",
		[]string{"noise-way.png"}, []string{"noise.csv"}, ""},
	{"Features",
		"The share of rectified units that are on, after those that are like others are left out, says how many features an example uses. The rank of the Jacobian says how many directions of the weights change the outputs.",
		[]string{"features-way-*.png"}, []string{"features.csv"}, ""},
}

func report(_ context.Context, e *env) error {
	var list []section
	for _, s := range sections {
		out := section{Title: s.title, Text: s.text}
		for _, pattern := range s.images {
			files, err := filepath.Glob(filepath.Join(e.out, pattern))
			if err != nil {
				return err
			}
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					return err
				}
				out.Images = append(out.Images, template.URL("data:image/png;base64,"+base64.StdEncoding.EncodeToString(b)))
			}
		}
		for _, name := range s.tables {
			b, err := os.ReadFile(filepath.Join(e.out, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			for _, row := range rows[min(1, len(rows)):] {
				for i, v := range row {
					if row[i] = shorter(v); rows[0][i] == "standard_error" && v == "NaN" {
						row[i] = "" // of what is no estimate
					}
				}
			}
			out.Tables = append(out.Tables, rows)
		}
		if s.link != "" {
			if _, err := os.Stat(filepath.Join(e.out, s.link)); err == nil {
				out.Link = s.link
			}
		}
		if len(out.Images) > 0 || len(out.Tables) > 0 {
			list = append(list, out)
		}
	}
	if len(list) == 0 {
		return fmt.Errorf("%s has no measurements yet; make some first, as with: landscape spectrum %s", e.out, e.dir)
	}
	t, err := template.New("report").Parse(reportTemplate)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(e.dir)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Run": filepath.Base(dir), "Data": e.spec.Data, "Model": e.spec.Model, "Sections": list}); err != nil {
		return err
	}
	if err := e.write("report.html", b.Bytes()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "%d sections in %s\n", len(list), filepath.Join(e.out, "report.html"))
	return err
}

// shorter writes a number in five digits.
func shorter(v string) string {
	var x float64
	if _, err := fmt.Sscan(v, &x); err != nil || !strings.ContainsAny(v, ".e") {
		return v
	}
	return fmt.Sprintf("%.5g", x)
}
