package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

func decoded(t *testing.T, g Grid) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := g.Write(&b, "png"); err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// count is how many pixels have the colour, and the box around them.
func count(m image.Image, c color.RGBA) (n int, box image.Rectangle) {
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			if r, g, b, _ := m.At(x, y).RGBA(); uint8(r>>8) == c.R && uint8(g>>8) == c.G && uint8(b>>8) == c.B {
				n++
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return n, box
}

func svg(t *testing.T, g Grid) string {
	t.Helper()
	var b bytes.Buffer
	if err := g.Write(&b, "svg"); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the SVG is no XML: %v", err)
		}
	}
	return b.String()
}

func TestSeriesAreDrawnWhereTheyAre(t *testing.T) {
	c := Chart{X: Axis{Min: 0.5, Max: 1e-9 + 4}, Y: Axis{Log: true}, Series: []Series{
		{Name: "up", X: []float64{1, 2, 3}, Y: []float64{0.01, 0.1, 1}},
		{Name: "flat", X: []float64{1, 2, 3}, Y: []float64{0.1, 0.1, 0.1}},
	}}
	m := decoded(t, Grid{Rows: [][]Chart{{c}}})
	up, upBox := count(m, Colors[0])
	flat, flatBox := count(m, Colors[1])
	if up < 100 || flat < 100 {
		t.Fatalf("%d and %d pixels of the two lines", up, flat)
	}
	// A sample stands in the legend, to the right; the rest is the line.
	if upBox.Dy() < 400 || flatBox.Max.X < 900 {
		t.Errorf("boxes %v and %v in %v", upBox, flatBox, m.Bounds())
	}
	if upBox.Max.X >= m.Bounds().Max.X || !upBox.In(m.Bounds()) {
		t.Errorf("the legend is cut: %v in %v", upBox, m.Bounds())
	}
}

func TestWhatAnAxisCannotShowIsLeftOut(t *testing.T) {
	broken := Chart{Y: Axis{Log: true}, Series: []Series{{Name: "a", X: []float64{1, 2, 3, 4, 5, 6}, Y: []float64{1, 2, math.NaN(), 3, 0, math.Inf(1)}}}}
	if got := pieces(&broken, broken.Series[0], func(int) bool { return true }); len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 1 {
		t.Errorf("pieces %v, want the first two points and the fourth", got)
	}
	p := broken.plot(&styles{})
	if p.Y.Min < math.Log10(0.9) || p.Y.Max > math.Log10(3.2) || p.X.Max > 4.2 {
		t.Errorf("the ranges are x %v to %v, y %v to %v", p.X.Min, p.X.Max, p.Y.Min, p.Y.Max)
	}
}

// Whatever numbers come, there is a picture.
func TestAnyNumbersMakeAPicture(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	odd := []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-300, 1e300, 1e17, 1e17 + 16, 0.1, math.Nextafter(0.1, 1)}
	number := func() float64 {
		if r.IntN(3) > 0 {
			return odd[r.IntN(len(odd))]
		}
		return math.Exp(20 * r.NormFloat64())
	}
	list := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = number()
		}
		return x
	}
	for range 150 {
		c := Chart{Title: "t", X: Axis{Label: "x", Log: r.IntN(2) == 0}, Y: Axis{Label: "y", Log: r.IntN(2) == 0}, Width: 3, Height: 2,
			Lines: []Line{{"level", number(), false}, {"time", number(), true}}}
		for k := range r.IntN(4) {
			n := r.IntN(5)
			s := Series{Name: string(rune('a' + k)), X: list(n), Y: list(n), Steps: r.IntN(2) == 0, Markers: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				s.Low, s.High = list(n), list(n)
			}
			c.Series = append(c.Series, s)
		}
		svg(t, Grid{Rows: [][]Chart{{c}}})
	}
}

func TestLegendOfLongNamesFits(t *testing.T) {
	c := Chart{Width: 4, Height: 1}
	for i := range 30 {
		c.Series = append(c.Series, Series{Name: strings.Repeat("weight_decay=0.0001,", i/4+1) + string(rune('a'+i)), X: []float64{0, 1}, Y: []float64{0, float64(i)}})
	}
	f, err := Grid{Rows: [][]Chart{{c}}}.layout()
	if err != nil {
		t.Fatal(err)
	}
	if f.legendSize.X > 0.38*4*vg.Inch || f.height < f.legendSize.Y {
		t.Errorf("a legend of %v in a figure of %v by %v", f.legendSize, f.width, f.height)
	}
	st := textStyle(legendText)
	for _, e := range f.legend.list {
		if strings.Join(e.lines, "") != e.series.Name {
			t.Errorf("%q became %q", e.series.Name, e.lines)
		}
		for _, line := range e.lines {
			if st.Width(line)+sampleWidth+sampleGap > f.legendSize.X {
				t.Errorf("%q is wider than the legend", line)
			}
		}
	}
}

func TestSeriesOfOneNameLookTheSameInAllCharts(t *testing.T) {
	a := Series{Name: "a", X: []float64{0, 1}, Y: []float64{0, 1}}
	b := a
	b.Name = "b"
	f, err := Grid{Rows: [][]Chart{{{Series: []Series{a, b}}, {Series: []Series{b, a}}}}}.layout()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.legend.list) != 2 || f.legend.byName["a"].line.Color != Colors[0] || f.legend.byName["b"].line.Color != Colors[1] {
		t.Errorf("%+v", f.legend)
	}
}

func TestTicks(t *testing.T) {
	labels := func(list []plot.Tick) string {
		var words []string
		for _, k := range list {
			if k.Label != "" {
				words = append(words, k.Label)
			}
		}
		return strings.Join(words, " ")
	}
	for _, c := range []struct {
		log       bool
		low, high float64
		want      string
	}{
		{false, 0, 1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{false, -0.03, 5.1, "0 1 2 3 4 5"},
		{false, 96.1, 98.7, "96.5 97.0 97.5 98.0 98.5"},
		{false, 0, 3e9, "0 5e8 1e9 1.5e9 2e9 2.5e9 3e9"},
		{false, 0, 2e-5, "0 5e-6 1e-5 1.5e-5 2e-5"},
		{true, 0.009, 2.5, "0.01 0.02 0.05 0.1 0.2 0.5 1 2"},
		{true, 1e-7, 1e3, "1e-6 1e-4 0.01 1 100"},
		{true, 1, 3, "1.0 1.5 2.0 2.5 3.0"},
	} {
		a := Axis{Log: c.log}
		if got := labels(ticks{c.log}.Ticks(a.place(c.low), a.place(c.high))); got != c.want {
			t.Errorf("log %v, %v to %v: %s, want %s", c.log, c.low, c.high, got, c.want)
		}
	}
}

// The last row may be shorter, and its charts are as large as the others.
func TestLastRowOfAGridMayBeShorter(t *testing.T) {
	size := func(rows ...int) (w, h vg.Length) {
		g := Grid{}
		for _, n := range rows {
			g.Rows = append(g.Rows, make([]Chart, n))
		}
		f, err := g.layout()
		if err != nil {
			t.Fatal(err)
		}
		tiles := f.tiles(draw.New(vgsvg.New(f.width, f.height)), 0)
		if len(tiles[len(rows)-1]) != rows[len(rows)-1] {
			t.Errorf("%d tiles in the last row of %v", len(tiles[len(rows)-1]), rows)
		}
		last := tiles[len(rows)-1][0]
		return last.Max.X - last.Min.X, last.Max.Y - last.Min.Y
	}
	w, h := size(3, 3, 3)
	if w2, h2 := size(3, 3, 1); w2 != w || h2 != h {
		t.Errorf("a chart of %v by %v in a shorter row, %v by %v in a full one", w2, h2, w, h)
	}
}

func TestWrongChartsAreErrors(t *testing.T) {
	for want, g := range map[string]Grid{
		"no charts":           {},
		"2 x, 1 y":            {Rows: [][]Chart{{{Series: []Series{{X: []float64{1, 2}, Y: []float64{1}}}}}}},
		"1 low and 0 high":    {Rows: [][]Chart{{{Series: []Series{{X: []float64{1}, Y: []float64{1}, Low: []float64{1}}}}}}},
		"goes from 2 to 1":    {Rows: [][]Chart{{{X: Axis{Min: 2, Max: 1}}}}},
		"goes from 0 to 1":    {Rows: [][]Chart{{{Y: Axis{Max: 1, Log: true}}}}},
		"rows of 1 and 2":     {Rows: [][]Chart{{{}}, {{}, {}}}},
		"rows of 2 and 1":     {Rows: [][]Chart{{{}, {}}, {{}}, {{}}}},
		"200 by 5 inches":     {Rows: [][]Chart{{{Width: 200, Height: 5}}}},
		"color -1 and dash 0": {Rows: [][]Chart{{{Series: []Series{{Color: -1}}}}}},
	} {
		if err := g.Write(io.Discard, "svg"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (Chart{}).Write(io.Discard, "pdf"); err == nil || !strings.Contains(err.Error(), "png and svg") {
		t.Errorf("a PDF: %v", err)
	}
	dir := t.TempDir()
	if err := (Chart{}).Save(filepath.Join(dir, "none", "x")); err == nil {
		t.Error("saved into a directory that is not there")
	}
	if err := os.Mkdir(filepath.Join(dir, "x.svg"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := (Chart{}).Save(filepath.Join(dir, "x")); err == nil {
		t.Error("saved over a directory")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); left != nil {
		t.Errorf("left: %v", left)
	}
}

func TestPicturesAreTheSameEachTime(t *testing.T) {
	g := Grid{Title: "both", Rows: [][]Chart{{{Title: "one", Series: []Series{{Name: "a", X: []float64{1, 2}, Y: []float64{3, 4}}}, Lines: []Line{{Name: "here", At: 3.5}}}}}}
	for _, format := range Formats {
		var a, b bytes.Buffer
		if err := errors.Join(g.Write(&a, format), g.Write(&b, format)); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: %v, or other bytes", format, err)
		}
	}
	if text := svg(t, g); !strings.Contains(text, "Liberation Sans,Arial") || !strings.Contains(text, ">here<") || !strings.Contains(text, ">one<") || !strings.Contains(text, ">both<") {
		t.Error("the SVG lacks a title, a name or a font that is everywhere")
	}
}
