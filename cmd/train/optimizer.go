package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/optimizers"
)

// peak is the highest rate of one cycle, the default schedule, over the
// optimizer's own default: a rate that only some of the steps use may be higher
// than one for all.
const peak = 5

// optimizer spells the optimizer of the flags as one specification.
func (o *options) optimizer() (string, error) {
	m, err := optimizers.Parse(o.Opt)
	if err != nil {
		return "", usageError{err}
	}
	info := optimizers.Describe(m)
	spec := o.Opt
	if o.given["lr"] {
		if spec, err = addSetting(spec, info, "lr", o.lr); err != nil {
			return "", err
		}
	}
	if o.given["weight-decay"] {
		if spec, err = addSetting(spec, info, "weight_decay", o.weightDecay); err != nil {
			return "", err
		}
	}
	if o.given["clip"] {
		spec += fmt.Sprintf("+clip:norm=%v", o.clip)
	}
	has := scheduleOf(m)
	switch {
	case o.schedule != "" && has != "":
		return "", usagef("-schedule %s beside -opt %s, which has the schedule %s already", o.schedule, o.Opt, has)
	case o.schedule != "" && info.DefaultLR == 0:
		return "", usagef("-schedule %s: %s has no learning rate", o.schedule, info.Name)
	case has == "" && info.DefaultLR != 0:
		if _, err := optimizers.ParseSchedule(cmp.Or(o.schedule, "constant")); err != nil {
			return "", usageError{err}
		}
		schedule, err := withPeak(spec, cmp.Or(o.schedule, "onecycle"))
		if err != nil {
			return "", err
		}
		spec += "+" + schedule
	}
	if m, err = optimizers.Parse(spec); err != nil {
		return "", usageError{err}
	}
	// What the settings are together, New says.
	if _, err := optimizers.New[float64](optimizers.ForSteps(m, 1000), optimizers.Flat(1)); err != nil {
		return "", usageError{err}
	}
	return spec, nil
}

// withPeak gives a cycle its highest rate: the learning rate that was asked for,
// or peak times the default.
func withPeak(spec, schedule string) (string, error) {
	head, _ := cutWrappers(spec)
	name, _, settings := strings.Cut(schedule, ":")
	if name != "onecycle" || hasSetting(schedule, "max_lr") || hasSetting(head, "lr") {
		return schedule, nil
	}
	m, err := optimizers.Parse(spec)
	if err != nil {
		return "", usageError{err}
	}
	o, err := optimizers.New[float64](m, optimizers.Flat(1))
	if err != nil {
		return "", usageError{err}
	}
	rated, ok := optimizers.As[optimizers.Rated](o)
	if !ok {
		return "", usagef("-opt %s: it has no learning rate for a schedule; give -schedule constant", spec)
	}
	sep := ":"
	if settings {
		sep = ","
	}
	return fmt.Sprintf("%s%smax_lr=%.3g", schedule, sep, peak*rated.Rate()), nil
}

// addSetting adds a setting of the method itself, which stands before the
// wrappers.
func addSetting(spec string, info optimizers.Info, name string, value float64) (string, error) {
	var known []string
	for _, s := range info.Settings {
		known = append(known, s.Name)
	}
	if !slices.Contains(known, name) {
		return "", usagef("-%s: %s has no %s; its settings are %s", strings.ReplaceAll(name, "_", "-"), info.Name, name, strings.Join(known, ", "))
	}
	head, wrappers := cutWrappers(spec)
	if hasSetting(head, name) {
		return "", usagef("-%s %v beside -opt %s, which sets %s already", strings.ReplaceAll(name, "_", "-"), value, spec, name)
	}
	sep := ":"
	if strings.Contains(head, ":") {
		sep = ","
	}
	return fmt.Sprintf("%s%s%s=%v%s", head, sep, name, value, wrappers), nil
}

// hasSetting tells whether a method is spelled with a setting.
func hasSetting(head, name string) bool {
	_, list, _ := strings.Cut(head, ":")
	for item := range strings.SplitSeq(list, ",") {
		if key, _, _ := strings.Cut(item, "="); strings.TrimSpace(key) == name {
			return true
		}
	}
	return false
}

// cutWrappers parts a specification before the + of its first wrapper; that of
// a number, as in 1e+3, has a digit behind it.
func cutWrappers(spec string) (head, wrappers string) {
	for i := range len(spec) {
		if spec[i] == '+' && (i+1 == len(spec) || spec[i+1] < '0' || spec[i+1] > '9') {
			return spec[:i], spec[i:]
		}
	}
	return spec, ""
}

// scheduleOf is the name of the schedule that m is under, or empty.
func scheduleOf(m optimizers.Method) string {
	for _, word := range strings.Split(m.Name(), "+") {
		for _, s := range optimizers.Schedules() {
			if s.Name == word {
				return word
			}
		}
	}
	return ""
}
