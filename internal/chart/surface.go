package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Surface is a function of two numbers, as a map with contours or as a picture in
// three dimensions.
type Surface struct {
	Title  string
	X, Y   Axis // ranges and logarithms are not used
	Label  string
	XS, YS []float64 // ascending
	Z      []float64 // Z[i*len(YS)+j] is at XS[i], YS[j]; what is not finite is left out
	Log    bool      // colours and heights by the logarithm; what is not positive is left out
	Series []Series  // over the map: points and paths
}

// levels are the contours of a map.
const levels = 14

// The size of a surface in inches.
const surfaceWidth, surfaceHeight = 8, 6

func (s *Surface) check() error {
	if len(s.XS) < 2 || len(s.YS) < 2 || len(s.Z) != len(s.XS)*len(s.YS) {
		return fmt.Errorf("chart: %q has %d by %d places and %d values; allowed are 2 by 2 and more with a value each", s.Title, len(s.XS), len(s.YS), len(s.Z))
	}
	if !slices.IsSorted(s.XS) || !slices.IsSorted(s.YS) {
		return fmt.Errorf("chart: %q: places must ascend", s.Title)
	}
	if low, high := s.limits(); !(low <= high) {
		return fmt.Errorf("chart: %q has no value that can be drawn", s.Title)
	}
	return nil
}

// height is what a value is drawn as: NaN where it is left out.
func (s *Surface) height(v float64) float64 {
	if s.Log {
		v = math.Log10(v)
	}
	if !finite(v) {
		return math.NaN()
	}
	return v
}

// limits are the lowest and the highest value that are drawn.
func (s *Surface) limits() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range s.Z {
		if h := s.height(v); !math.IsNaN(h) {
			low, high = min(low, h), max(high, h)
		}
	}
	return low, high
}

// cells is a surface as a plotter's grid.
type cells struct{ *Surface }

func (c cells) Dims() (int, int)   { return len(c.XS), len(c.YS) }
func (c cells) X(i int) float64    { return c.XS[i] }
func (c cells) Y(j int) float64    { return c.YS[j] }
func (c cells) Z(i, j int) float64 { return c.height(c.Surface.Z[i*len(c.YS)+j]) }

// colours are those of values between the limits.
func (s *Surface) colours() palette.ColorMap {
	low, high := s.limits()
	if high == low {
		high = low + 1e-9*max(1, math.Abs(low))
	}
	c := moreland.Kindlmann()
	c.SetMin(low)
	c.SetMax(high)
	return c
}

// SaveMap writes a map with contours to path.png and path.svg.
func (s Surface) SaveMap(path string) error { return s.save(path, s.drawMap) }

// Save3D writes a picture in three dimensions to path.png and path.svg.
func (s Surface) Save3D(path string) error { return s.save(path, s.draw3D) }

func (s *Surface) save(path string, paint func(draw.Canvas)) error {
	if err := s.check(); err != nil {
		return err
	}
	w, h := vg.Length(surfaceWidth)*vg.Inch, vg.Length(surfaceHeight)*vg.Inch
	svg := vgsvg.New(w, h)
	paint(draw.New(svg))
	var b bytes.Buffer
	if _, err := svg.WriteTo(&b); err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	text := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	paint(draw.New(c))
	var p bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&p); err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	if err := errors.Join(replace(path+".svg", text), replace(path+".png", p.Bytes())); err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	return nil
}

// frame draws the title and the bar of colours and gives what is left.
func (s *Surface) frame(c draw.Canvas, cm palette.ColorMap) draw.Canvas {
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, edge, -edge, edge, -edge)
	st := textStyle(chartTitleSize)
	c.FillText(st, vg.Point{X: (c.Min.X + c.Max.X - st.Width(s.Title)) / 2, Y: c.Max.Y - st.FontExtents().Ascent}, s.Title)
	c = draw.Crop(c, 0, 0, 0, -st.FontExtents().Height-titleGap)
	bar := plot.New()
	bar.HideX()
	bar.Add(&plotter.ColorBar{ColorMap: cm, Vertical: true})
	label := s.Label
	if s.Log {
		label += " (log scale)"
	}
	bar.Y.Label.Text, bar.Y.Label.TextStyle.Font, bar.Y.Tick.Label.Font = label, sans(11), sans(9)
	bar.Y.Padding = 0
	if s.Log {
		bar.Y.Tick.Marker = powers{}
	} else {
		bar.Y.Tick.Marker = ticks{}
	}
	const barWidth = vg.Length(62)
	bar.Draw(draw.Crop(c, c.Max.X-c.Min.X-barWidth, 0, 20, -10))
	return draw.Crop(c, 0, -barWidth-between, 0, 0)
}

// powers marks logarithms by the numbers that they are of.
type powers struct{}

func (powers) Ticks(low, high float64) []plot.Tick {
	list := logTicks(math.Pow(10, low), math.Pow(10, high))
	for i := range list {
		list[i].Value = math.Log10(list[i].Value)
	}
	return list
}

// drawMap draws the map.
func (s *Surface) drawMap(c draw.Canvas) {
	cm := s.colours()
	c = s.frame(c, cm)
	p := plot.New()
	x, y := newSpan(Axis{Label: s.X.Label}), newSpan(Axis{Label: s.Y.Label})
	for _, v := range s.XS {
		x.add(v)
	}
	for _, v := range s.YS {
		y.add(v)
	}
	set(&p.X, &x)
	set(&p.Y, &y)
	heat := plotter.NewHeatMap(cells{s}, cm.Palette(255))
	heat.NaN = color.White
	heat.Rasterized = true
	p.Add(heat)
	var sorted []float64
	for _, v := range s.Z {
		if h := s.height(v); !math.IsNaN(h) {
			sorted = append(sorted, h)
		}
	}
	slices.Sort(sorted)
	if len(sorted) == len(s.Z) && sorted[0] < sorted[len(sorted)-1] { // contours need all values
		at := make([]float64, levels)
		for i := range at { // between equally high ones and equally many cells
			share := (float64(i) + 0.5) / levels
			even := sorted[0] + share*(sorted[len(sorted)-1]-sorted[0])
			at[i] = (even + sorted[int(share*float64(len(sorted)))]) / 2
		}
		lines := plotter.NewContour(cells{s}, slices.Compact(at), nil)
		lines.LineStyles = []draw.LineStyle{{Color: color.NRGBA{0xff, 0xff, 0xff, 0xa0}, Width: vg.Points(0.6)}}
		p.Add(lines)
	}
	var st styles
	chart := &Chart{X: s.X, Y: s.Y}
	for _, one := range s.Series {
		p.Add(line(chart, one, st.of(one))...)
	}
	p.X.Min, p.X.Max = cellEdges(s.XS)
	p.Y.Min, p.Y.Max = cellEdges(s.YS)
	p.Draw(c)
	if len(s.Series) > 0 {
		size := st.layout(200)
		inner := p.DataCanvas(c)
		corner := draw.Crop(inner, inner.Max.X-inner.Min.X-size.X-18, -6, inner.Max.Y-inner.Min.Y-size.Y-6, -6)
		corner.SetColor(color.NRGBA{0xff, 0xff, 0xff, 0xd0})
		corner.Fill(corner.Rectangle.Path())
		st.draw(draw.Crop(corner, 3, 0, 0, 0))
	}
}

// cellEdges are where the map's cells end, which are around their places.
func cellEdges(x []float64) (low, high float64) {
	n := len(x)
	return x[0] - (x[1]-x[0])/2, x[n-1] + (x[n-1]-x[n-2])/2
}

// draw3D draws quadrilaterals from the farthest to the nearest.
func (s *Surface) draw3D(c draw.Canvas) {
	cm := s.colours()
	c = s.frame(c, cm)
	low, high := s.limits()
	nx, ny := len(s.XS), len(s.YS)
	unit := func(v, from, to float64) float64 {
		if to == from {
			return 0
		}
		return 2*(v-from)/(to-from) - 1
	}
	const turn, tilt = -0.9, 0.62 // radians
	quarters := s.quarters()
	project := func(x, y, z float64) vg.Point {
		u := x*math.Cos(turn) - y*math.Sin(turn)
		d := x*math.Sin(turn) + y*math.Cos(turn)
		v := z*0.9*math.Cos(tilt) + d*math.Sin(tilt)
		w, h := float64(c.Max.X-c.Min.X), float64(c.Max.Y-c.Min.Y)
		size := min(w, h) / 3.1
		return vg.Point{X: (c.Min.X+c.Max.X)/2 + vg.Length(u*size), Y: (c.Min.Y+c.Max.Y)/2 + vg.Length(v*size)}
	}
	at := func(i, j int) (p vg.Point, height, depth float64) {
		height = s.height(s.Z[i*ny+j])
		x, y := turned(unit(s.XS[i], s.XS[0], s.XS[nx-1]), unit(s.YS[j], s.YS[0], s.YS[ny-1]), quarters)
		return project(x, y, unit(height, low, high)), height, x*math.Sin(turn) + y*math.Cos(turn)
	}
	// The floor with its axes.
	corners := []vg.Point{project(-1, -1, -1), project(1, -1, -1), project(1, 1, -1), project(-1, 1, -1), project(-1, -1, -1)}
	c.StrokeLines(draw.LineStyle{Color: color.Gray{0x90}, Width: vg.Points(0.8)}, corners)
	st := textStyle(9)
	name := func(at vg.Point, text string, dx, dy vg.Length) {
		c.FillText(st, vg.Point{X: at.X - st.Width(text)/2 + dx, Y: at.Y + dy}, text)
	}
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	middle := func(a, b vg.Point) vg.Point { return vg.Point{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2} }
	type quad struct {
		points []vg.Point
		color  color.Color
		depth  float64
	}
	var quads []quad
	for i := range nx - 1 {
		for j := range ny - 1 {
			q := quad{}
			sum := 0.0
			for _, k := range [][2]int{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}} {
				p, h, d := at(k[0], k[1])
				q.points = append(q.points, p)
				sum += h / 4
				q.depth += d / 4
			}
			if math.IsNaN(sum) {
				continue
			}
			col, err := cm.At(min(max(sum, low), high))
			if err != nil {
				continue
			}
			q.color = col
			quads = append(quads, q)
		}
	}
	slices.SortStableFunc(quads, func(a, b quad) int { // the nearest last
		switch {
		case a.depth > b.depth:
			return -1
		case a.depth < b.depth:
			return 1
		}
		return 0
	})
	for _, q := range quads {
		c.FillPolygon(q.color, c.ClipPolygonXY(q.points))
		c.StrokeLines(draw.LineStyle{Color: color.NRGBA{0, 0, 0, 0x38}, Width: vg.Points(0.3)}, append(q.points, q.points[0]))
	}
	// Behind the floor's nearest edges, in front of everything.
	labels := [2]string{s.X.Label, s.Y.Label}
	if quarters%2 == 1 {
		labels[0], labels[1] = labels[1], labels[0]
	}
	place := func(x, y float64) string { // of a corner of the picture
		x, y = turned(x, y, 4-quarters)
		return text(s.XS[(nx-1)*int(math.Round(x+1))/2]) + ", " + text(s.YS[(ny-1)*int(math.Round(y+1))/2])
	}
	for i, label := range labels {
		edge := middle(corners[i], corners[i+1])
		side, room := vg.Length(2*i-1), edge.X-c.Min.X
		if i == 1 {
			room = c.Max.X - edge.X
		}
		const gap = 6
		over := max(0, st.Width(label)+gap-room) // a long one moves under its edge
		name(edge, label, side*(st.Width(label)/2+gap-over), -10-over*0.75)
	}
	name(corners[0], place(-1, -1), -st.Width(place(-1, -1))/2, -12)
	name(corners[2], place(1, 1), st.Width(place(1, 1))/2, -12)
}

// turned is a point of the plane after quarter turns.
func turned(x, y float64, quarters int) (float64, float64) {
	for range quarters {
		x, y = -y, x
	}
	return x, y
}

// quarters are the quarter turns, fewest first, after which what is nearest in three
// dimensions is lowest, so that it hides least.
func (s *Surface) quarters() int {
	low, high := s.limits()
	best, least := 0, math.Inf(1)
	for k := range 4 {
		nearest := 0.0 // the sum of heights by how near they are
		for i := range s.XS {
			for j := range s.YS {
				if h := s.height(s.Z[i*len(s.YS)+j]); !math.IsNaN(h) {
					x, y := turned(2*float64(i)/float64(len(s.XS)-1)-1, 2*float64(j)/float64(len(s.YS)-1)-1, k)
					nearest += (h - low) * (x - y)
				}
			}
		}
		if nearest < least-1e-9*(high-low)*float64(len(s.Z)) {
			best, least = k, nearest
		}
	}
	return best
}
