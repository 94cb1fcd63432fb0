package main

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/optimizers"
)

// mainSettings are, of methods without a learning rate, those that matter most.
var mainSettings = []string{"damping", "radius", "sigma"}

// settle chooses the settings of a method on a task of a suite: its defaults, or
// the best of random trials with the first seed.
func (b *bench) settle(ctx context.Context, x *suiteTask, m method) (*entry, error) {
	first := &entry{spec: m.spec, scheduled: scheduled(m), epochs: x.length(scheduled(m))}
	if b.Tune == 0 {
		return first, nil
	}
	space, err := b.tuning(x, m)
	if err != nil {
		return nil, err
	}
	if len(space) == 0 {
		b.progress.total -= b.Tune
		return first, nil // all is set
	}
	choices, err := space.Draw(b.Tune, b.Seed)
	if err != nil {
		return nil, err
	}
	b.progress.total -= b.Tune - len(choices)
	target, err := study.ParseTarget(x.target)
	if err != nil {
		return nil, err
	}
	bestEntry, least, nearest := first, math.Inf(1), math.Inf(-1)
	for _, c := range choices {
		e := &entry{spec: m.label, scheduled: first.scheduled, epochs: first.epochs}
		for k, d := range space {
			if d.Name == "epochs" {
				e.epochs, err = strconv.Atoi(c[k])
			} else {
				e.spec, err = task.With(e.spec, d.Name, c[k])
			}
			if err != nil {
				return nil, err
			}
		}
		if e.spec, err = b.spelled(e.spec); err != nil {
			return nil, err
		}
		o, err := b.run(ctx, x.name+": trial of "+m.label, x.name, x.job(b, e.spec, e.epochs, 0))
		if err != nil {
			return nil, err
		}
		// The soonest at the target; while none is there, the nearest to it.
		one := &study.Summary{Outcomes: []*study.Outcome{o}}
		time, near := one.To(target, study.Seconds).Median, bestOf(one, target).Mean
		if !target.Measure.Rises() {
			near = -near
		}
		if time < least || math.IsInf(least, 1) && near > nearest {
			bestEntry, least = e, time
		}
		if near > nearest {
			nearest = near
		}
	}
	return bestEntry, nil
}

// tuning is what the trials of a method are drawn from: its learning rate over two
// orders of magnitude around the default peak, or else its main setting over four
// around its default; and for a schedule its length, a quarter or half of the
// task's epochs or all. What the user has set stays.
func (b *bench) tuning(x *suiteTask, m method) (study.Space, error) {
	parsed, err := optimizers.Parse(m.label)
	if err != nil {
		return nil, err
	}
	info := optimizers.Describe(parsed)
	var space study.Space
	if info.DefaultLR > 0 {
		peak := task.Peak(info) * info.DefaultLR
		space = append(space, study.Dimension{Name: "lr", Low: peak / 10, High: peak * 10, Log: true})
	} else {
		for _, s := range info.Settings {
			v, err := strconv.ParseFloat(s.Default, 64)
			for _, name := range mainSettings {
				if s.Name == name && err == nil && v > 0 && len(space) == 0 {
					space = append(space, study.Dimension{Name: name, Low: v / 100, High: v * 100, Log: true})
				}
			}
		}
	}
	if len(space) > 0 {
		if _, err := task.With(m.label, space[0].Name, strconv.FormatFloat(space[0].Low, 'g', 4, 64)); err != nil {
			space = nil // the user has set it
		}
	}
	if scheduled(m) {
		d := study.Dimension{Name: "epochs"}
		for _, n := range []int{max(1, x.epochs/4), max(1, x.epochs/2), x.epochs} {
			if text := strconv.Itoa(n); len(d.Values) == 0 || d.Values[len(d.Values)-1] != text {
				d.Values = append(d.Values, text)
			}
		}
		space = append(space, d)
	}
	return space, nil
}

// hasSchedule tells whether a specification has a schedule among its wrappers.
func hasSchedule(spec string) bool {
	_, wrappers := optimizers.SplitSpec(spec)
	for _, part := range wrappers {
		word, _, _ := strings.Cut(part, ":")
		for _, s := range optimizers.Schedules() {
			if s.Name == word {
				return true
			}
		}
	}
	return false
}
