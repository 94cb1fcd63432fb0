package chart

import (
	"fmt"
	"math"
)

// Chart is a line chart.
type Chart struct {
	Title  string
	X, Y   Axis
	Series []Series
	Lines  []Line

	// Width and Height are in inches; 0 means 8 and 5. A legend that needs more
	// height gets it.
	Width, Height float64
}

// Axis is one of the two axes.
type Axis struct {
	Label string
	Log   bool // numbers that are not positive are left out

	// Min and Max are the range; where both are 0 it is that of the data.
	Min, Max float64
}

// Series is a line through points, in their order. Where a number is not finite,
// or not positive on a logarithmic axis, the line is broken.
type Series struct {
	Name string // in the legend; series of one name share an entry
	X, Y []float64

	// Low and High, if given, are the lower and upper edge of a band around the
	// line.
	Low, High []float64

	Color   int  // 1 is the first one of Colors; 0 means by the place among the series
	Dash    int  // 0 is a solid line, 1 and more are kinds of dashes
	Steps   bool // keep each value until the next point
	Markers bool // mark the points
	NoLine  bool // the marks alone
	Thin    bool // half as wide: one of many
}

// Line is a straight line across the chart at a value, dashed and grey.
type Line struct {
	Name     string // written at its end
	At       float64
	Vertical bool // At is of the horizontal axis
}

// The size of a chart in inches where it is not given.
const (
	defaultWidth  = 8
	defaultHeight = 5
)

// maxSize is the largest side of a figure in inches.
const maxSize = 100

// check says what is wrong with a chart.
func (c *Chart) check() error {
	for _, side := range []float64{c.Width, c.Height} {
		if !(side >= 0 && side <= maxSize) {
			return fmt.Errorf("chart: %q is %v by %v inches; allowed are sides from 0 (the default) to %d", c.Title, c.Width, c.Height, maxSize)
		}
	}
	for _, a := range []Axis{c.X, c.Y} {
		if err := a.check(); err != nil {
			return err
		}
	}
	for _, s := range c.Series {
		n := len(s.X)
		if len(s.Y) != n || s.Low != nil && len(s.Low) != n || len(s.High) != len(s.Low) {
			return fmt.Errorf("chart: series %q has %d x, %d y, %d low and %d high; they must be as many, or no low and high", s.Name, n, len(s.Y), len(s.Low), len(s.High))
		}
		if s.Color < 0 || s.Dash < 0 {
			return fmt.Errorf("chart: series %q has color %d and dash %d; they are counted from 0", s.Name, s.Color, s.Dash)
		}
	}
	return nil
}

func (a Axis) check() error {
	if a.Min == 0 && a.Max == 0 {
		return nil
	}
	if !finite(a.Min) || !finite(a.Max) || a.Min >= a.Max || a.Log && a.Min <= 0 {
		return fmt.Errorf("chart: axis %q goes from %v to %v; it must rise, and be positive if it is logarithmic", a.Label, a.Min, a.Max)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// shows tells whether a number has a place on the axis.
func (a Axis) shows(v float64) bool { return math.Abs(v) < most && (!a.Log || v > 1/most) }

// place is where a number stands: gonum's own logarithmic scale puts an axis's
// label at the mean of its ends, and the room for it elsewhere.
func (a Axis) place(v float64) float64 {
	if a.Log {
		return math.Log10(v)
	}
	return v
}

// most is the largest number that is drawn; beyond it ranges overflow.
const most = 1e300
