package study

import (
	"math"

	"github.com/saddle-ml/saddle/train"
)

// Summary is one method on one task over seeds.
type Summary struct {
	Label    string // for people
	Outcomes []*Outcome
}

// Good are the outcomes that came to an end of their own.
func (s *Summary) Good() []*Outcome {
	var list []*Outcome
	for _, o := range s.Outcomes {
		if o.Good() {
			list = append(list, o)
		}
	}
	return list
}

// Final is a measure at the ends of the runs that came to one.
func (s *Summary) Final(m Measure) Stat {
	return s.ends(func(p train.Point) (float64, bool) { return m.Of(p) })
}

// Quantity is a number of a Point that a run spends.
type Quantity string

// The quantities.
const (
	Epochs    Quantity = "epochs"
	Steps     Quantity = "steps"
	Seconds   Quantity = "seconds"
	Work      Quantity = "work"
	Gradients Quantity = "gradients"
)

// Of is the number at a point.
func (q Quantity) Of(p train.Point) float64 {
	switch q {
	case Epochs:
		return p.Epoch
	case Steps:
		return float64(p.Step)
	case Seconds:
		return p.Seconds
	case Work:
		return float64(p.Work)
	case Gradients:
		return float64(p.Gradients)
	}
	return math.NaN()
}

// Spent is a quantity at the ends of the runs that came to one.
func (s *Summary) Spent(q Quantity) Stat {
	return s.ends(func(p train.Point) (float64, bool) { return q.Of(p), true })
}

func (s *Summary) ends(f func(train.Point) (float64, bool)) Stat {
	var list []float64
	for _, o := range s.Good() {
		if p, ok := o.End(); ok {
			if v, ok := f(p); ok {
				list = append(list, v)
			}
		}
	}
	return StatOf(list)
}

// To is what the runs spent to reach the target; a run that did not reach it,
// whyever, has spent +Inf.
func (s *Summary) To(t *Target, q Quantity) Stat {
	var list []float64
	for _, o := range s.Outcomes {
		v := math.Inf(1)
		if p, ok := o.Hit(t); ok {
			v = q.Of(p)
		}
		list = append(list, v)
	}
	return StatOf(list)
}

// Reached is how many runs have reached the target.
func (s *Summary) Reached(t *Target) (n int) {
	for _, o := range s.Outcomes {
		if _, ok := o.Hit(t); ok {
			n++
		}
	}
	return n
}
