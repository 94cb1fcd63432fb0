package optimizers

import "math"

// chainable is a Course that can stand beside others in a Chained: it gives the rates of a step from those that the
// step has come to so far, which before this course's turn are those of the step before.
type chainable interface {
	Course
	after(step int, last Rates) Rates
}

// after is the turn of any course. One that is not chainable says what the rates are, whatever they were.
func after(c Course, step int, last Rates) Rates {
	if c, ok := c.(chainable); ok {
		return c.after(step, last)
	}
	r := c.At(step)
	if !r.Cycles {
		r.Momentum, r.Cycles = last.Momentum, last.Cycles
	}
	return r
}

// scaling is a course that multiplies the rate: base·factor(step). Beside others it multiplies the rate it finds by what
// its own factor has changed.
type scaling struct {
	base   float64
	factor func(step int) float64
}

func (c *scaling) At(step int) Rates { return Rates{LR: c.base * c.factor(step)} }

func (c *scaling) after(step int, last Rates) Rates {
	now, before := c.factor(step), 1.0
	if step > 0 {
		before = c.factor(step - 1)
	}
	switch {
	case now == before:
	case before == 0: // nothing is left to multiply
		last.LR = c.base * now
	default:
		last.LR *= now / before
	}
	return last
}

// recursion is a course whose rates come each from the one before it. It remembers the last step it was asked for, so
// that a run, which asks for one after the other, costs no more than its steps.
type recursion struct {
	base float64
	next func(step int, last Rates) Rates
	step int // that of now; -1 before the first
	now  Rates
}

func newRecursion(base float64, next func(step int, last Rates) Rates) *recursion {
	c := &recursion{base: base, next: next}
	c.begin()
	return c
}

func (c *recursion) begin() { c.step, c.now = -1, Rates{LR: c.base} }

func (c *recursion) At(step int) Rates {
	if step < c.step {
		c.begin()
	}
	for c.step < step {
		c.step++
		c.now = c.next(c.step, c.now)
	}
	return c.now
}

func (c *recursion) after(step int, last Rates) Rates { return c.next(step, last) }

// turning is a course of the momentum alone.
type turning struct {
	base     float64
	momentum func(step int) float64
}

func (c *turning) At(step int) Rates { return c.after(step, Rates{LR: c.base}) }

func (c *turning) after(step int, last Rates) Rates {
	last.Momentum, last.Cycles = c.momentum(step), true
	return last
}

// halfCosine goes from 1 to 0 while turn goes from 0 to 1.
func halfCosine(turn float64) float64 { return (1 + math.Cos(math.Pi*turn)) / 2 }
