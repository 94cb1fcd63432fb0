package chart

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
)

// span grows to hold what an axis shows.
type span struct {
	axis     Axis
	min, max float64
}

func newSpan(a Axis) span { return span{a, math.Inf(1), math.Inf(-1)} }

func (s *span) add(v float64) {
	if s.axis.shows(v) {
		s.min, s.max = min(s.min, v), max(s.max, v)
	}
}

// limits is the range of the axis: of the data with some room, and never empty.
func (s *span) limits() (low, high float64) {
	if s.axis.Min != 0 || s.axis.Max != 0 {
		return s.axis.Min, s.axis.Max
	}
	const room, least = 0.03, 1e-9
	low, high = s.min, s.max
	switch {
	case low > high: // no data
		return 1, 2
	case s.axis.Log:
		pad := max(room*(math.Log(high)-math.Log(low)), least)
		if low == high {
			pad = math.Ln2
		}
		return low * math.Exp(-pad), high * math.Exp(pad)
	}
	pad := max(room*(high-low), least*max(math.Abs(low), math.Abs(high)))
	if low == high {
		pad = max(math.Abs(low)/2, least)
	}
	return low - pad, high + pad
}

// places are the limits as the plot knows them.
func (s *span) places() (low, high float64) {
	low, high = s.limits()
	return s.axis.place(low), s.axis.place(high)
}

// ticks marks an axis.
type ticks struct{ log bool }

// Ticks are the marks from low to high, which are places.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	if !t.log {
		return linearTicks(low, high)
	}
	const rounding = 1e-9
	low, high = (1-rounding)*math.Pow(10, low), (1+rounding)*math.Pow(10, high)
	marks := linearTicks
	if high/low >= 4 {
		marks = logTicks
	}
	list := marks(low, high)
	for i := range list {
		list[i].Value = math.Log10(list[i].Value)
	}
	return list
}

// linearTicks are at multiples of 1, 2 or 5 times a power of ten, about five of
// them.
func linearTicks(low, high float64) []plot.Tick {
	const wanted = 5
	raw := (high - low) / wanted
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, k := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if step*1.5 >= raw {
			break
		}
		step *= k
	}
	var list []plot.Tick
	first, last := math.Ceil(low/step), math.Floor(high/step)
	if !finite(first) || !finite(last) || last-first > 4*wanted {
		return nil // no room between the numbers of a float64
	}
	digits := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	for k := first; k <= last; k++ {
		v := k * step
		if k == 0 {
			v = 0 // and not -0
		}
		text := strconv.FormatFloat(v, 'f', digits, 64)
		if digits > 4 || math.Abs(v) >= 1e6 {
			text = short(v, 1e6)
		}
		list = append(list, plot.Tick{Value: v, Label: text})
	}
	return list
}

// logTicks are at the powers of ten, with 2 and 5 times them where there are few,
// and small ones between.
func logTicks(low, high float64) []plot.Tick {
	first, last := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	every := 1 + (last-first)/8 // so many powers share a label
	few := math.Log10(high/low) < 2.5
	var list []plot.Tick
	for p := first; p <= last; p++ {
		power := math.Pow(10, float64(p))
		for k := 1.0; k < 10; k++ {
			v := k * power
			if v < low || v > high {
				continue
			}
			label := ""
			switch {
			case k == 1 && p%every == 0, few && (k == 2 || k == 5):
				label = short(v, 1e4)
			case k > 1 && every > 1:
				continue
			}
			list = append(list, plot.Tick{Value: v, Label: label})
		}
	}
	return list
}

// short is a number in few letters: 0.001, 1e-5, 2.5e8; as it is below a size.
func short(v, below float64) string {
	v, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64) // without the rounding of products
	if a := math.Abs(v); err != nil || a == 0 || a >= 1e-3 && a < below {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
	sign := strings.Trim(exponent[:1], "+")
	return mantissa + "e" + sign + strings.TrimLeft(exponent[1:], "0")
}
