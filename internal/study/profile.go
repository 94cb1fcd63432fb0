package study

import (
	"math"
	"slices"

	"github.com/saddle-ml/saddle/internal/chart"
)

// ProfileEnd is the ratio up to which the area of a performance profile is taken,
// as in AlgoPerf (Dahl et al. 2023, arXiv 2306.07179).
const ProfileEnd = 4

// Profile is a performance profile (Dolan and Moré 2002): for each method the
// share of tasks on which it takes at most tau times as long as the fastest one.
type Profile struct {
	Methods []string
	Ratios  [][]float64 // by method and task: time over that of the fastest; +Inf where the target was missed
}

// NewProfile makes a profile of the times of each method on each task, +Inf where
// it missed the target. A task that all missed is missed by all.
func NewProfile(methods []string, times [][]float64) *Profile {
	p := &Profile{Methods: methods}
	for _, list := range times {
		p.Ratios = append(p.Ratios, slices.Repeat([]float64{math.Inf(1)}, len(list)))
	}
	if len(times) == 0 {
		return p
	}
	for t := range times[0] {
		best := math.Inf(1)
		for m := range times {
			best = min(best, times[m][t])
		}
		for m := range times {
			switch v := times[m][t]; {
			case math.IsInf(v, 1):
			case best > 0:
				p.Ratios[m][t] = v / best
			case v == 0:
				p.Ratios[m][t] = 1
			}
		}
	}
	return p
}

// Share is the share of tasks on which a method is within tau of the fastest.
func (p *Profile) Share(method int, tau float64) float64 {
	n := 0
	for _, r := range p.Ratios[method] {
		if r <= tau {
			n++
		}
	}
	return float64(n) / float64(len(p.Ratios[method]))
}

// Score is the area under a method's profile from 1 to ProfileEnd over its width:
// 1 for one that is the fastest everywhere, 0 for one that never comes near.
func (p *Profile) Score(method int) float64 {
	sum := 0.0
	for _, r := range p.Ratios[method] {
		sum += max(0, ProfileEnd-r) / (ProfileEnd - 1)
	}
	return sum / float64(len(p.Ratios[method]))
}

// Chart draws the profile.
func (p *Profile) Chart(title string) chart.Chart {
	c := chart.Chart{Title: title, X: chart.Axis{Label: "times the fastest method's (tau)", Min: 1, Max: ProfileEnd},
		Y: chart.Axis{Label: "share of tasks at the target", Min: -0.02, Max: 1.02}}
	for m, name := range p.Methods {
		at := []float64{1}
		for _, r := range p.Ratios[m] {
			if r > 1 && r < ProfileEnd {
				at = append(at, r)
			}
		}
		slices.Sort(at)
		at = append(slices.Compact(at), ProfileEnd)
		s := chart.Series{Name: name, X: at, Steps: true}
		for _, tau := range at {
			s.Y = append(s.Y, p.Share(m, tau))
		}
		c.Series = append(c.Series, s)
	}
	return c
}
