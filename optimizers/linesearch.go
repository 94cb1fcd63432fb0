package optimizers

import "math"

// Armijo is a backtracking line search along a direction s with slope g's < 0: it tries the rates 1, Shrink, Shrink²,
// ... until the condition of sufficient decrease holds (Armijo 1966; Nocedal & Wright 2006, equation 3.4),
//
//	f(x + rate·s) ≤ f(x) + C·rate·slope
//
// The defaults are those of Martens' Hessian-free code.
type Armijo struct {
	C      float64 // share of the slope's decrease that is enough, in (0, 1); 0 means 0.01
	Shrink float64 // factor from one rate to the next, in (0, 1); 0 means 0.8
	Max    int     // most rates tried; 0 means 60
	Slack  float64 // how much higher f may be because it is only known up to rounding
}

// ArmijoResult is where a line search ended.
type ArmijoResult struct {
	Rate   float64 // the accepted rate; 0 where none was
	Loss   float64 // f there
	Trials int     // values of f asked for
}

// Search finds a rate. loss gives f(x + rate·s); a value that is not finite counts as too high. start is f(x), and
// first is f at rate 1 where it is known already, or NaN. No rate is accepted along a slope that is not negative.
func (a Armijo) Search(loss func(rate float64) (float64, error), start, slope, first float64) (ArmijoResult, error) {
	c, shrink, most := a.C, a.Shrink, a.Max
	if c == 0 {
		c = 0.01
	}
	if shrink == 0 {
		shrink = 0.8
	}
	if most == 0 {
		most = 60
	}
	r := ArmijoResult{Loss: start}
	if !(slope < 0) {
		return r, nil
	}
	rate := 1.0
	for range most {
		f := first
		if rate != 1 || math.IsNaN(first) {
			var err error
			if f, err = loss(rate); err != nil {
				return r, err
			}
			r.Trials++
		}
		if finite(f) && f <= start+c*rate*slope+a.Slack {
			r.Rate, r.Loss = rate, f
			return r, nil
		}
		rate *= shrink
	}
	return r, nil
}
