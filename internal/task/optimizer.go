package task

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/saddle-ml/saddle/internal/cli"
	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/optimizers"
)

// peak is the highest rate of one cycle, the default schedule, over the
// optimizer's own default where the optimizer does not say otherwise: a rate
// that only some of the steps use may be higher than one for all.
const peak = 5

// Peak is the factor for a method.
func Peak(info optimizers.Info) float64 { return cmp.Or(info.Peak, peak) }

// Tuning is what flags set of an optimizer beside its word; nil and empty are
// what was not given.
type Tuning struct {
	LR, WeightDecay, Clip *float64
	Groups                []string // rules, as bias,norm:weight_decay=0
	Schedule              string
	Epochs                int // of the run, where it is known
}

// manySteps are the steps of an epoch while nobody knows them: what does not fit
// into so many, no run has room for.
const manySteps = 1 << 20

// Optimizer spells an optimizer and the flags beside it as one specification. A
// method with a learning rate that has no schedule gets one cycle, with the rate
// as its peak; without a rate the peak is 5 times the method's own, or what its
// description says.
func Optimizer(opt string, t Tuning) (string, error) {
	m, err := optimizers.Parse(opt)
	if err != nil {
		return "", cli.Usage(err)
	}
	info := optimizers.Describe(m)
	spec := opt
	if t.LR != nil {
		if spec, err = addSetting(spec, info, "lr", *t.LR); err != nil {
			return "", err
		}
	}
	if t.WeightDecay != nil {
		if spec, err = addSetting(spec, info, "weight_decay", *t.WeightDecay); err != nil {
			return "", err
		}
	}
	if len(t.Groups) > 0 {
		// Next to the method, so that what stands around it is around all groups.
		method, wrappers := optimizers.SplitSpec(spec)
		for _, rule := range t.Groups {
			method += "+group:" + rule
		}
		spec = strings.Join(append([]string{method}, wrappers...), "+")
	}
	if t.Clip != nil {
		spec += fmt.Sprintf("+clip:norm=%v", *t.Clip)
	}
	has := scheduleOf(m)
	switch {
	case t.Schedule != "" && has != "":
		return "", cli.Usagef("-schedule %s beside -opt %s, whose learning rate %s sets already", t.Schedule, opt, has)
	case t.Schedule != "" && info.DefaultLR == 0:
		return "", cli.Usagef("-schedule %s: %s has no learning rate", t.Schedule, info.Name)
	case has == "" && info.DefaultLR != 0:
		if _, err := optimizers.ParseSchedule(cmp.Or(t.Schedule, "constant")); err != nil {
			return "", cli.Usage(err)
		}
		schedule, err := withPeak(spec, cmp.Or(t.Schedule, "onecycle"))
		if err != nil {
			return "", err
		}
		spec += "+" + schedule
	}
	if m, err = optimizers.Parse(spec); err != nil {
		return "", cli.Usage(err)
	}
	// What the settings are together, New says.
	if _, err := optimizers.New[float64](optimizers.ForEpochs(m, cmp.Or(t.Epochs, 1), manySteps), optimizers.Layout{}); err != nil {
		return "", cli.Usage(err)
	}
	return spec, nil
}

// withPeak gives a cycle its highest rate: the learning rate that was asked for,
// or peak times the default.
func withPeak(spec, schedule string) (string, error) {
	head, _ := optimizers.SplitSpec(spec)
	name, _, settings := strings.Cut(schedule, ":")
	if name != "onecycle" || hasSetting(schedule, "max_lr") || hasSetting(head, "lr") {
		return schedule, nil
	}
	m, err := optimizers.Parse(spec)
	if err != nil {
		return "", cli.Usage(err)
	}
	o, err := optimizers.New[float64](m, optimizers.Layout{})
	if err != nil {
		return "", cli.Usage(err)
	}
	rated, ok := optimizers.As[optimizers.Rated](o)
	if !ok {
		return "", cli.Usagef("-opt %s: it has no learning rate for a schedule; give -schedule constant", spec)
	}
	sep := ":"
	if settings {
		sep = ","
	}
	return fmt.Sprintf("%s%smax_lr=%.3g", schedule, sep, Peak(optimizers.Describe(m))*rated.Rate()), nil
}

// addSetting adds a setting of the method itself, which stands before the
// wrappers.
func addSetting(spec string, info optimizers.Info, name string, value float64) (string, error) {
	var known []string
	for _, s := range info.Settings {
		known = append(known, s.Name)
	}
	if !slices.Contains(known, name) {
		return "", cli.Usagef("-%s: %s has no %s; its settings are %s", strings.ReplaceAll(name, "_", "-"), info.Name, name, strings.Join(known, ", "))
	}
	head, wrappers := optimizers.SplitSpec(spec)
	if hasSetting(head, name) {
		return "", cli.Usagef("-%s %v beside -opt %s, which sets %s already", strings.ReplaceAll(name, "_", "-"), value, spec, name)
	}
	sep := ":"
	if strings.Contains(head, ":") {
		sep = ","
	}
	head = fmt.Sprintf("%s%s%s=%v", head, sep, name, value)
	return strings.Join(append([]string{head}, wrappers...), "+"), nil
}

// With gives an optimizer's specification another setting: one of the method by
// its name, one of a wrapper or schedule around it as onecycle.pct_start. What
// the settings are together, Optimizer checks.
func With(spec, name, value string) (string, error) {
	part, setting := 0, name
	head, wrappers := optimizers.SplitSpec(spec)
	parts := append([]string{head}, wrappers...)
	if wrapper, of, ok := strings.Cut(name, "."); ok {
		setting = of
		var names []string
		for i, p := range parts[1:] {
			word, _, _ := strings.Cut(p, ":")
			names = append(names, word)
			if word == wrapper {
				part = i + 1
			}
		}
		if part == 0 {
			return "", cli.Usagef("%s: there is no %s around %s (there are: %s)%s", name, wrapper, spec, cmp.Or(strings.Join(names, ", "), "none"), spell.Hint(wrapper, names))
		}
	}
	if hasSetting(parts[part], setting) {
		return "", cli.Usagef("%s=%s beside %s, which sets it already", name, value, spec)
	}
	sep := ":"
	if strings.Contains(parts[part], ":") {
		sep = ","
	}
	parts[part] += sep + setting + "=" + value
	return strings.Join(parts, "+"), nil
}

// hasSetting tells whether a method is spelled with a setting.
func hasSetting(part, name string) bool {
	return slices.Contains(optimizers.SettingNames(part), name)
}

// scheduleOf is the name of the schedule, or other rule for the learning rate,
// that m is under, or empty.
func scheduleOf(m optimizers.Method) string {
	for _, word := range strings.Split(m.Name(), "+") {
		for _, s := range optimizers.Schedules() {
			if s.Name == word {
				return word
			}
		}
		for _, w := range optimizers.Wrappers() {
			if w.Name == word && w.SetsRate {
				return word
			}
		}
	}
	return ""
}
