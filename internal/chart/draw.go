package chart

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// sans is the font of everything, at a size in points.
func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func textStyle(size vg.Length) text.Style {
	return text.Style{Color: color.Black, Font: sans(size), Handler: plot.DefaultTextHandler}
}

// plot makes the chart with its axes; styles are by the names of series.
func (c *Chart) plot(styles *styles) *plot.Plot {
	p := plot.New()
	x, y := newSpan(c.X), newSpan(c.Y)
	for _, s := range c.Series {
		styles.of(s) // colours go by the order of the series
		for i := range s.X {
			if !c.X.shows(s.X[i]) || !c.Y.shows(s.Y[i]) {
				continue
			}
			x.add(s.X[i])
			y.add(s.Y[i])
			if s.Low != nil {
				y.add(s.Low[i])
				y.add(s.High[i])
			}
		}
	}
	for _, l := range c.Lines {
		if l.Vertical {
			x.add(l.At)
		} else {
			y.add(l.At)
		}
	}
	set(&p.X, &x)
	set(&p.Y, &y)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe4}, color.Gray{0xe4}
	p.Add(grid)
	low, high := p.Y.Min, p.Y.Max
	for _, s := range c.Series { // below all lines
		if s.Low != nil {
			p.Add(band(c, s, styles.of(s), low, high)...)
		}
	}
	for _, l := range c.Lines {
		p.Add(reference{c, l})
	}
	for _, s := range c.Series {
		p.Add(line(c, s, styles.of(s))...)
	}
	for _, l := range c.Lines { // names can be read whatever passes below them
		p.Add(lineName{c, l})
	}
	// The data have set the ranges of their own.
	p.X.Min, p.X.Max = x.places()
	p.Y.Min, p.Y.Max = low, high
	return p
}

// set gives an axis its range, marks and fonts.
func set(a *plot.Axis, s *span) {
	a.Min, a.Max = s.places()
	a.Label.Text, a.Label.TextStyle.Font, a.Label.Padding = s.axis.Label, sans(11), vg.Points(3)
	a.Tick.Label.Font, a.Tick.Length, a.Padding = sans(9), vg.Points(4), 0
	a.Tick.Marker = ticks{s.axis.Log}
}

// pieces are the runs of points that can be drawn, as indices.
func pieces(c *Chart, s Series, also func(i int) bool) [][]int {
	var list [][]int
	var run []int
	for i := range s.X {
		if c.X.shows(s.X[i]) && c.Y.shows(s.Y[i]) && also(i) {
			run = append(run, i)
			continue
		}
		if run != nil {
			list, run = append(list, run), nil
		}
	}
	if run != nil {
		list = append(list, run)
	}
	return list
}

func line(c *Chart, s Series, st style) (list []plot.Plotter) {
	for _, run := range pieces(c, s, func(int) bool { return true }) {
		xys := make(plotter.XYs, len(run))
		for k, i := range run {
			xys[k] = plotter.XY{X: c.X.place(s.X[i]), Y: c.Y.place(s.Y[i])}
		}
		if !s.NoLine {
			l := &plotter.Line{XYs: xys, LineStyle: st.line}
			if s.Steps {
				l.StepStyle = plotter.PostStep
			}
			list = append(list, l)
		}
		if s.Markers || s.NoLine || len(run) == 1 { // a lone point has no line to be seen by
			list = append(list, &plotter.Scatter{XYs: xys, GlyphStyle: st.glyph})
		}
	}
	return list
}

// band fills between the edges; an edge that the axis cannot show is at its end.
func band(c *Chart, s Series, st style, low, high float64) (list []plot.Plotter) {
	at := func(v, end float64) float64 {
		if c.Y.shows(v) {
			return c.Y.place(v)
		}
		return end
	}
	known := func(i int) bool { return s.Low[i] <= s.High[i] } // no NaN
	for _, run := range pieces(c, s, known) {
		var ring plotter.XYs
		for _, i := range run {
			ring = append(ring, plotter.XY{X: c.X.place(s.X[i]), Y: at(s.High[i], high)})
		}
		slices.Reverse(run)
		for _, i := range run {
			ring = append(ring, plotter.XY{X: c.X.place(s.X[i]), Y: at(s.Low[i], low)})
		}
		list = append(list, &plotter.Polygon{XYs: []plotter.XYs{ring}, Color: st.band})
	}
	return list
}

// reference draws a Line.
type reference struct {
	chart *Chart
	Line
}

// at is the share of its axis at which a line stands, if it is on it.
func (c *Chart) at(l Line, p *plot.Plot) (share float64, ok bool) {
	own, axis := c.Y, &p.Y
	if l.Vertical {
		own, axis = c.X, &p.X
	}
	if !own.shows(l.At) {
		return 0, false
	}
	share = axis.Norm(own.place(l.At))
	return share, share >= 0 && share <= 1
}

// Plot draws the line alone.
func (r reference) Plot(c draw.Canvas, p *plot.Plot) {
	share, ok := r.chart.at(r.Line, p)
	if !ok {
		return
	}
	st := draw.LineStyle{Color: grey, Width: vg.Points(1), Dashes: []vg.Length{4, 3}}
	if r.Vertical {
		x := c.X(share)
		c.StrokeLine2(st, x, c.Min.Y, x, c.Max.Y)
		return
	}
	y := c.Y(share)
	c.StrokeLine2(st, c.Min.X, y, c.Max.X, y)
}

// lineName writes the name of a Line.
type lineName struct {
	chart *Chart
	Line
}

// Plot writes it above the end of the line, or beside its top, on white.
func (n lineName) Plot(c draw.Canvas, p *plot.Plot) {
	share, ok := n.chart.at(n.Line, p)
	if !ok || n.Name == "" {
		return
	}
	st := textStyle(9)
	st.Color = grey
	gap, w, h := vg.Points(2), st.Width(n.Name), st.Height(n.Name)
	var at vg.Point
	if n.Vertical {
		x := c.X(share)
		at = vg.Point{X: x + gap, Y: c.Max.Y - h}
		if at.X+w > c.Max.X {
			at.X = x - gap - w
		}
	} else {
		y := c.Y(share)
		at = vg.Point{X: c.Max.X - w - gap, Y: y + gap}
		if at.Y+h > c.Max.Y {
			at.Y = y - gap - h
		}
	}
	c.FillPolygon(color.NRGBA{0xff, 0xff, 0xff, 0xc0}, []vg.Point{{X: at.X - 1, Y: at.Y - 1}, {X: at.X + w + 1, Y: at.Y - 1}, {X: at.X + w + 1, Y: at.Y + h}, {X: at.X - 1, Y: at.Y + h}})
	at.Y += st.FontExtents().Descent
	c.FillText(st, at, n.Name)
}
