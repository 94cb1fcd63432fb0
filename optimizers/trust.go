package optimizers

import "math"

// trust is how far a model of the loss is trusted: a radius, that of a trust region or the inverse of a cubic term's
// weight. From ρ, the actual decrease over the one that the model promised (Conn, Gould & Toint 2000, algorithm 6.1.1):
//
//	ρ < accept or undefined     the step is refused, the radius is multiplied by fail
//	ρ < fair                    multiplied by shrink
//	ρ < good                    multiplied by keep
//	otherwise                   multiplied by grow
//
// It grows only where the model was trusted to the limit, unless always.
type trust struct {
	accept, fair, good       float64
	fail, shrink, keep, grow float64
	always                   bool
	least, most              float64
}

// next is the radius of the next step, and whether this one is taken. atLimit tells that the step was as long as the
// radius let it be.
func (t *trust) next(radius, rho float64, atLimit bool) (next float64, accepted bool) {
	factor := t.grow
	switch {
	case !(rho >= t.accept): // also NaN
		factor = t.fail
	case rho < t.fair:
		factor = t.shrink
	case rho < t.good:
		factor = t.keep
	}
	if factor > 1 && !t.always && !atLimit {
		factor = 1
	}
	return min(max(radius*factor, t.least), t.most), rho >= t.accept
}

// compare notes in a report what the model promised and what the objective gave, and their ratio. Where both are as
// small as the objective's rounding the ratio says nothing and counts as 1, and how far the model is trusted had better
// stay as it is: then compare says so. Where nothing was promised, or the loss is not finite, the ratio is NaN.
func (r *Report) compare(promised, before, after, rounding float64) (silent bool) {
	r.ModelDecrease, r.Decrease = promised, before-after
	r.Rho = r.Decrease / promised
	silent = math.Abs(r.Decrease) <= rounding && math.Abs(promised) <= rounding
	if silent {
		r.Rho = 1
	} else if !(promised > 0) || !finite(r.Rho) {
		r.Rho = math.NaN()
	}
	return silent
}
