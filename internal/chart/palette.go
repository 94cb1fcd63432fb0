package chart

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colors are told apart also by people who see colours differently: those of
// Okabe and Ito (Color Universal Design, 2008) without yellow, which is pale on
// white, and three that are far from them and from each other.
var Colors = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, // blue
	{0xd5, 0x5e, 0x00, 0xff}, // vermilion
	{0x00, 0x9e, 0x73, 0xff}, // green
	{0xcc, 0x79, 0xa7, 0xff}, // pink
	{0xe6, 0x9f, 0x00, 0xff}, // orange
	{0x56, 0xb4, 0xe9, 0xff}, // sky blue
	{0x00, 0x00, 0x00, 0xff}, // black
	{0x99, 0x33, 0xff, 0xff}, // violet
	{0x66, 0x33, 0x00, 0xff}, // brown
	{0x33, 0x00, 0x99, 0xff}, // indigo
}

var grey = color.RGBA{0x60, 0x60, 0x60, 0xff}

// dashes by Series.Dash; the first is a solid line.
var dashes = [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {12, 4}}

var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.CrossGlyph{}, draw.PlusGlyph{}}

// style is how a series is drawn. The colours that come again are dashed.
type style struct {
	line  draw.LineStyle
	band  color.Color
	glyph draw.GlyphStyle
}

// styleOf is the style of a series at a place, from 0, among those without a
// colour of their own.
func styleOf(s Series, place int) style {
	if s.Color > 0 {
		place = s.Color - 1
	}
	c := Colors[place%len(Colors)]
	dash := s.Dash + place/len(Colors)
	width := vg.Points(1.6)
	if s.Thin {
		width /= 2
	}
	return style{
		line:  draw.LineStyle{Color: c, Width: width, Dashes: dashes[dash%len(dashes)]},
		band:  color.NRGBA{c.R, c.G, c.B, 0x30},
		glyph: draw.GlyphStyle{Color: c, Radius: vg.Points(2.5), Shape: glyphs[place%len(glyphs)]},
	}
}
