package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Grid is charts in rows of the same length, of which the last may be shorter, of the
// same size, with one legend: series of one name look the same in all of them.
type Grid struct {
	Title string
	Rows  [][]Chart
}

// Formats are what WriteTo writes.
var Formats = []string{"png", "svg"}

// Save writes the chart to path.png and path.svg; path has no extension. A file
// is whole or what it was before.
func (c Chart) Save(path string) error { return Grid{Rows: [][]Chart{{c}}}.Save(path) }

// Write writes the chart in a format: png or svg.
func (c Chart) Write(w io.Writer, format string) error {
	return Grid{Rows: [][]Chart{{c}}}.Write(w, format)
}

// Save writes the charts to path.png and path.svg; path has no extension. A file
// is whole or what it was before.
func (g Grid) Save(path string) error {
	for _, format := range Formats {
		var b bytes.Buffer
		if err := g.Write(&b, format); err != nil {
			return err
		}
		if err := replace(path+"."+format, b.Bytes()); err != nil {
			return fmt.Errorf("chart: %w", err)
		}
	}
	return nil
}

// replace writes a file under another name and renames it.
func replace(path string, b []byte) error {
	dir, name := filepath.Split(path)
	f, err := os.CreateTemp(dir, ".partial-*-"+name)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// Write writes the charts in a format: png or svg.
func (g Grid) Write(w io.Writer, format string) error {
	if !slices.Contains(Formats, format) {
		return fmt.Errorf("chart: format %q; allowed are %s", format, strings.Join(Formats, " and "))
	}
	f, err := g.layout()
	if err != nil {
		return err
	}
	if format == "svg" {
		c := vgsvg.New(f.width, f.height)
		f.draw(draw.New(c))
		var b bytes.Buffer
		if _, err := c.WriteTo(&b); err != nil {
			return fmt.Errorf("chart: %w", err)
		}
		// The fonts have the widths of those that are on every system.
		text := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
		if _, err := w.Write(text); err != nil {
			return fmt.Errorf("chart: %w", err)
		}
		return nil
	}
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	f.draw(draw.New(c))
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	return nil
}

// dpi is the resolution of a PNG.
const dpi = 144

// figure is a grid that is ready to be drawn.
type figure struct {
	Grid
	width, height vg.Length
	legend        styles
	legendSize    vg.Point
	plots         [][]*plot.Plot
}

// The measures around charts.
const (
	edge           = vg.Length(8)
	between        = vg.Length(14)
	titleSize      = vg.Length(14)
	chartTitleSize = vg.Length(12)
	titleGap       = vg.Length(6)
)

func (g Grid) layout() (*figure, error) {
	if len(g.Rows) == 0 || len(g.Rows[0]) == 0 {
		return nil, errors.New("chart: the grid has no charts")
	}
	f := &figure{Grid: g}
	var cell vg.Point
	for i, row := range g.Rows {
		if n := len(g.Rows[0]); len(row) != n && (i < len(g.Rows)-1 || len(row) > n) {
			return nil, fmt.Errorf("chart: rows of %d and %d charts; all must be as long, but for the last, which may be shorter", n, len(row))
		}
		for i := range row {
			if err := row[i].check(); err != nil {
				return nil, err
			}
			w, h := row[i].Width, row[i].Height
			if w == 0 {
				w = defaultWidth
			}
			if h == 0 {
				h = defaultHeight
			}
			cell.X, cell.Y = max(cell.X, vg.Length(w)*vg.Inch), max(cell.Y, vg.Length(h)*vg.Inch)
		}
	}
	rows, cols := len(g.Rows), len(g.Rows[0])
	f.width, f.height = cell.X*vg.Length(cols), cell.Y*vg.Length(rows)
	if f.width > maxSize*vg.Inch || f.height > maxSize*vg.Inch {
		return nil, fmt.Errorf("chart: %d by %d charts are %.0f by %.0f inches; allowed are %d", cols, rows, f.width/vg.Inch, f.height/vg.Inch, maxSize)
	}
	for i, row := range g.Rows {
		f.plots = append(f.plots, nil)
		for j := range row {
			f.plots[i] = append(f.plots[i], row[j].plot(&f.legend))
		}
	}
	f.legendSize = f.legend.layout(min(0.38*cell.X, 200))
	f.width += f.legendSize.X
	f.height = max(f.height, f.legendSize.Y+2*edge+titleSize+titleGap)
	return f, nil
}

func (f *figure) draw(c draw.Canvas) {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, edge, -edge, edge, -edge)
	if f.Title != "" {
		st := textStyle(titleSize)
		c.FillText(st, vg.Point{X: c.Min.X + (c.Max.X-c.Min.X-st.Width(f.Title))/2, Y: c.Max.Y - st.Height(f.Title) + st.FontExtents().Descent}, f.Title)
		c = draw.Crop(c, 0, 0, 0, -st.Height(f.Title)-titleGap)
	}
	if f.legendSize.X > 0 {
		f.legend.draw(draw.Crop(c, c.Max.X-c.Min.X-f.legendSize.X, 0, 0, 0))
		c = draw.Crop(c, 0, -f.legendSize.X-between, 0, 0)
	}
	st := textStyle(chartTitleSize)
	space := vg.Length(0)
	if slices.ContainsFunc(f.Rows, func(row []Chart) bool { return slices.ContainsFunc(row, func(c Chart) bool { return c.Title != "" }) }) {
		space = st.FontExtents().Height + titleGap
	}
	for i, row := range f.tiles(c, space) {
		for j, canvas := range row {
			f.plots[i][j].Draw(canvas)
			title := f.Rows[i][j].Title
			inner := f.plots[i][j].DataCanvas(canvas)
			c.FillText(st, vg.Point{X: (inner.Min.X + inner.Max.X - st.Width(title)) / 2, Y: inner.Max.Y + titleGap}, title)
		}
	}
}

// tiles parts a canvas among the charts so that their data have the same size and
// stand in line, with space above each row for titles.
func (f *figure) tiles(c draw.Canvas, space vg.Length) [][]draw.Canvas {
	rows, cols := len(f.plots), len(f.plots[0])
	// What axes take beside the data depends little on the size.
	around := func(i, j int) (left, right, below, above vg.Length) {
		trial := draw.Crop(c, 0, (c.Max.X-c.Min.X)*vg.Length(1-cols)/vg.Length(cols), 0, (c.Max.Y-c.Min.Y)*vg.Length(1-rows)/vg.Length(rows))
		inner := f.plots[i][j].DataCanvas(trial)
		return inner.Min.X - trial.Min.X, trial.Max.X - inner.Max.X, inner.Min.Y - trial.Min.Y, trial.Max.Y - inner.Max.Y
	}
	left, right := make([]vg.Length, cols), make([]vg.Length, cols)
	below, above := make([]vg.Length, rows), make([]vg.Length, rows)
	for i, row := range f.plots {
		for j := range row {
			l, r, b, a := around(i, j)
			left[j], right[j], below[i], above[i] = max(left[j], l), max(right[j], r), max(below[i], b), max(above[i], a)
		}
	}
	width := c.Max.X - c.Min.X - between*vg.Length(cols-1)
	for j := range cols {
		width -= left[j] + right[j]
	}
	height := c.Max.Y - c.Min.Y - between*vg.Length(rows-1) - space*vg.Length(rows)
	for i := range rows {
		height -= below[i] + above[i]
	}
	width, height = max(width/vg.Length(cols), 1), max(height/vg.Length(rows), 1)
	tiles := make([][]draw.Canvas, rows)
	top := c.Max.Y
	for i, row := range f.plots {
		top -= space + above[i]
		x := c.Min.X
		for j := range row {
			l, r, b, a := around(i, j)
			x += left[j]
			tiles[i] = append(tiles[i], draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: x - l, Y: top - height - b}, Max: vg.Point{X: x + width + r, Y: top + a}}})
			x += width + right[j] + between
		}
		top -= height + below[i] + between
	}
	return tiles
}
