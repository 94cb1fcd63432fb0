package chart

import (
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// styles gives every name of a series one style and one entry of the legend.
type styles struct {
	byName map[string]style
	list   []entry
	places int // that are taken
}

type entry struct {
	series Series
	style  style
	lines  []string // of its name
}

// of is the style of a series; the first one of a name decides.
func (l *styles) of(s Series) style {
	if st, ok := l.byName[s.Name]; ok {
		return st
	}
	st := styleOf(s, l.places)
	if s.Color == 0 {
		l.places++
	}
	if l.byName == nil {
		l.byName = map[string]style{}
	}
	l.byName[s.Name] = st
	l.list = append(l.list, entry{series: s, style: st})
	return st
}

// The measures of a legend.
const (
	sampleWidth = vg.Length(24)
	sampleGap   = vg.Length(6)
	entryGap    = vg.Length(4)
	legendText  = vg.Length(10)
)

// layout breaks the names into lines of at most width and returns the size of
// the legend. Without names there is none.
func (l *styles) layout(width vg.Length) (size vg.Point) {
	st := textStyle(legendText)
	var named []entry
	for _, e := range l.list {
		if e.series.Name == "" {
			continue
		}
		e.lines = wrap(e.series.Name, func(s string) bool { return st.Width(s) <= width-sampleWidth-sampleGap })
		for _, line := range e.lines {
			size.X = max(size.X, sampleWidth+sampleGap+st.Width(line))
		}
		size.Y += vg.Length(len(e.lines))*lineHeight() + entryGap
		named = append(named, e)
	}
	l.list = named
	return size
}

func lineHeight() vg.Length {
	st := textStyle(legendText)
	return st.FontExtents().Height
}

// draw draws the legend from the upper left corner of c.
func (l *styles) draw(c draw.Canvas) {
	st := textStyle(legendText)
	y := c.Max.Y
	for _, e := range l.list {
		middle := y - lineHeight()/2
		if e.series.Low != nil {
			c.FillPolygon(e.style.band, []vg.Point{{X: c.Min.X, Y: middle - 4}, {X: c.Min.X + sampleWidth, Y: middle - 4},
				{X: c.Min.X + sampleWidth, Y: middle + 4}, {X: c.Min.X, Y: middle + 4}})
		}
		if !e.series.NoLine {
			c.StrokeLine2(e.style.line, c.Min.X, middle, c.Min.X+sampleWidth, middle)
		}
		if e.series.NoLine || e.series.Markers {
			c.DrawGlyphNoClip(e.style.glyph, vg.Point{X: c.Min.X + sampleWidth/2, Y: middle})
		}
		for _, line := range e.lines {
			y -= lineHeight()
			c.FillText(st, vg.Point{X: c.Min.X + sampleWidth + sampleGap, Y: y + st.FontExtents().Descent}, line)
		}
		y -= entryGap
	}
}

// wrap breaks a name into lines that fit, behind a space or one of , : + - _ where
// there is one.
func wrap(name string, fits func(string) bool) []string {
	var lines []string
	for name != "" {
		end, soft := 0, 0
		for i, r := range name {
			next := i + len(string(r))
			if r == '�' {
				next = i + 1
			}
			if i > 0 && !fits(name[:next]) {
				break
			}
			end = next
			if strings.ContainsRune(" ,:+-_", r) {
				soft = next
			}
		}
		if end < len(name) && soft > 0 {
			end = soft
		}
		lines = append(lines, strings.TrimRight(name[:end], " "))
		name = name[end:]
	}
	return lines
}
