package optimizers

import "math"

// Wolfe is a line search along a direction with slope g's < 0 for the strong Wolfe conditions,
//
//	f(x + rate·s) ≤ f(x) + C1·rate·slope          |slope at rate| ≤ -C2·slope
//
// by bracketing and zooming in with cubic interpolation (Nocedal & Wright 2006, algorithms 3.5 and 3.6). The safeguards
// and defaults are those of torch.optim.LBFGS, whose trial points it visits: a trial in the
// outer tenth of the bracket is moved to its edge if the one before was there too; beyond the bracket a trial goes
// between 1.01 times the last advance and 10 times the last rate.
type Wolfe struct {
	C1  float64 // sufficient decrease; 0 means 1e-4
	C2  float64 // how much of the slope may be left; 0 means 0.9
	Max int     // most trials after the first; 0 means 25
	Tol float64 // the bracket is small enough when it moves no parameter by more than this; 0 means 1e-9
}

// WolfeResult is where a line search ended: at the lowest point seen if the conditions hold nowhere.
type WolfeResult struct {
	Rate    float64 // 0 where nothing was lower than the start
	Loss    float64
	Slope   float64
	Trials  int
	Reached bool // the conditions hold
}

// linePoint is a point of the line.
type linePoint struct{ at, f, slope float64 }

// Search tries first the rate that is given. look gives f and its slope at a rate; a value that is not finite counts
// as too high. keep is called whenever the point last looked at is the best so far, or next to it on the way out: when
// the search ends the result is the point last kept, unless Rate is 0. largest is the direction's largest element.
func (w Wolfe) Search(look func(rate float64) (f, slope float64, err error), keep func(), start, slope, rate, largest float64) (WolfeResult, error) {
	c1, c2, most, tol := w.C1, w.C2, w.Max, w.Tol
	if c1 == 0 {
		c1 = 1e-4
	}
	if c2 == 0 {
		c2 = 0.9
	}
	if most == 0 {
		most = 25
	}
	if tol == 0 {
		tol = 1e-9
	}
	res := WolfeResult{Loss: start, Slope: slope}
	if !(slope < 0) || !(rate > 0) {
		return res, nil
	}
	try := func(at float64) (linePoint, error) {
		f, s, err := look(at)
		res.Trials++
		if !finite(f) || !finite(s) {
			f, s = math.Inf(1), math.NaN()
		}
		return linePoint{at, f, s}, err
	}
	tooHigh := func(p linePoint) bool { return p.f > start+c1*p.at*slope }
	flat := func(p linePoint) bool { return math.Abs(p.slope) <= -c2*slope }

	origin := linePoint{0, start, slope}
	last, low, high := origin, origin, origin
	p, err := try(rate)
	if err != nil {
		return res, err
	}
	bracketed := false
	tries := 0 // after the first
	for tries < most {
		if tooHigh(p) || tries > 1 && p.f >= last.f {
			low, high, bracketed = last, p, true
			break
		}
		if flat(p) {
			keep()
			res.Rate, res.Loss, res.Slope, res.Reached = p.at, p.f, p.slope, true
			return res, nil
		}
		if p.slope >= 0 {
			low, high, bracketed = last, p, true
			break
		}
		next := interpolate(last, p, p.at+0.01*(p.at-last.at), 10*p.at)
		keep()
		last = p
		if p, err = try(next); err != nil {
			return res, err
		}
		tries++
	}
	if !bracketed {
		low, high = origin, p
	}
	if high.f < low.f {
		low, high = high, low
		keep()
	}
	cramped := false
	for tries < most && math.Abs(high.at-low.at)*largest >= tol {
		left, right := min(low.at, high.at), max(low.at, high.at)
		at := interpolate(low, high, left, right)
		edge := 0.1 * (right - left)
		switch {
		case min(right-at, at-left) >= edge:
			cramped = false
		case cramped || at >= right || at <= left:
			if math.Abs(at-right) < math.Abs(at-left) {
				at = right - edge
			} else {
				at = left + edge
			}
			cramped = false
		default:
			cramped = true
		}
		if p, err = try(at); err != nil {
			return res, err
		}
		tries++
		if tooHigh(p) || p.f >= low.f {
			high = p
			if high.f < low.f {
				low, high = high, low
				keep()
			}
			continue
		}
		if !flat(p) && p.slope*(high.at-low.at) >= 0 {
			high = low
		}
		low = p
		keep()
		if flat(p) {
			res.Reached = true
			break
		}
	}
	res.Rate, res.Loss, res.Slope = low.at, low.f, low.slope
	return res, nil
}

// interpolate is the minimiser, kept within bounds, of the cubic with the values and slopes of two points; the middle
// of the bounds where it has none.
func interpolate(a, b linePoint, least, most float64) float64 {
	if a.at > b.at {
		a, b = b, a
	}
	// Nocedal & Wright (2006), equation 3.59.
	d1 := a.slope + b.slope - 3*(a.f-b.f)/(a.at-b.at)
	square := d1*d1 - a.slope*b.slope
	if !(square >= 0) || math.IsInf(square, 1) {
		return (least + most) / 2
	}
	d2 := math.Sqrt(square)
	at := b.at - (b.at-a.at)*((b.slope+d2-d1)/(b.slope-a.slope+2*d2))
	if math.IsNaN(at) {
		return (least + most) / 2
	}
	return min(max(at, least), most)
}
