package optimizers_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
)

func TestParseSchedule(t *testing.T) {
	for spec, want := range map[string]string{
		"cosine:t_max=5,eta_min=0.1":                                "",
		"cosine:final=0.01,warmup=500":                              "",
		"onecycle:pct_start=0.3,max_lr=1":                           "onecycle:max_lr=1",
		"constant:factor=0,total_iters=10":                          "",
		"constant:steps=3":                                          "",
		"multistep:milestones=30/60,unit=epoch":                     "",
		"step:unit=step,warmup_start=0.1":                           "step",
		"plateau:patience=0,warmup=5,warmup_start=0":                "",
		"plateau:patience=10,factor=0":                              "plateau:factor=0",
		"linear:total_iters=0":                                      "",
		"chained:schedules=(constant)/( cosine )":                   "chained:schedules=constant/cosine",
		"chained:schedules=(cosine:final=0.1)/sutskever,unit=epoch": "",
		"sequential:schedules=(linear:total_iters=500)/cosine,milestones=500,epoch_steps=9":              "",
		"sequential:schedules=cosine/(chained:schedules=(multistep:milestones=3/5)/sutskever)":           "",
		"sequential:schedules=(sequential:schedules=(constant:factor=0.5)/constant,milestones=2)/cosine": "",
		"large_step:until=0.3,warmup_exp=0.5":                                                            "",
	} {
		if want == "" {
			want = spec
		}
		s, err := optimizers.ParseSchedule(spec)
		if err != nil || optimizers.ScheduleSpec(s) != want {
			t.Errorf("%s is read as %s: %v", spec, optimizers.ScheduleSpec(s), err)
			continue
		}
		s.Of = &optimizers.Adam{LR: 0.1}
		again, err := optimizers.Parse(optimizers.Spec(s))
		if err != nil || optimizers.Spec(again) != "adam:lr=0.1+"+want {
			t.Errorf("%s is written as %s: %v", spec, optimizers.Spec(s), err)
		}
	}
	for spec, want := range map[string]string{
		"cosin":                                              `unknown schedule "cosin"; allowed are constant, linear, step, `,
		"cosine:tmax=5":                                      `did you mean "t_max"?`,
		"cosine:warmpu=5":                                    `did you mean "warmup"?`,
		"cosine:t_max=-1":                                    `cosine: t_max is -1; allowed are whole numbers in [0, inf)`,
		"cosine:eta_min=1,final=0.1":                         `cosine: eta_min and final both say`,
		"cosine:unit=epochs":                                 `unit is epochs; allowed are step, epoch; did you mean "epoch"?`,
		"cosine:warmup_start=2":                              `warmup_start is 2; allowed are numbers in [0, 1]`,
		"multistep:milestones=5;7":                           `multistep: milestones is 5;7; allowed are lists of whole numbers, as 30/60, in [0, inf)`,
		"large_step:until=1,second=.5":                       `large_step: second is 0.5; it must be at least until, 1`,
		"chained":                                            ``,
		"chained:schedules=":                                 `unknown schedule ""`,
		"chained:schedules=(cosine":                          `unknown schedule "(cosine"`,
		"chained:schedules=cosine/":                          `unknown schedule ""`,
		"chained:schedules=cosin/step":                       `did you mean "cosine"?`,
		"chained:schedules=(cosine:tmax=3)/step":             `unknown setting of cosine "tmax"`,
		"chained:schedules=(cosine:warmup=3)/step":           `warmup belongs to the schedule as a whole`,
		"sequential:schedules=step/step/step,milestones=5":   `sequential: 1 milestones for 3 schedules`,
		"sequential:schedules=step/step/step,milestones=7/5": `sequential: milestones are [7 5]`,
		"sequential:schedules=(sequential:schedules=step,milestones=1)/step":  `1 milestones for 1 schedules`,
		"sequential:schedules=step/(linear:start_factor=0),milestones=5":      `linear: start_factor is 0; allowed are numbers in (0, 1]`,
		"chained:schedules=(linear:start_factor=0.5/0.6,total_iters=1)/step":  `start_factor is 0.5/0.6`,
		"sequential:schedules=step/(multistep:milestones=3/x),milestones=5":   `milestones is 3/x`,
		"sequential:schedules=(chained:schedules=none)/cosine,milestones=500": `unknown schedule "none"`,
	} {
		_, err := optimizers.ParseSchedule(spec)
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", spec, err)
			}
		} else if err == nil || !strings.HasPrefix(err.Error(), "optimizers: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", spec, err, want)
		}
	}
}

// TestSchedulesFromJSON has for each object what it is read as, or what its error says.
func TestSchedulesFromJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"schedule": "chained", "schedules": [{"schedule": "step", "settings": {"step_size": 3}}, {"schedule": "cosine"}]}`: "chained:schedules=(step:step_size=3)/cosine",
		`{"schedule": "multistep", "milestones": [5, 12], "gamma": 0.5, "unit": "epoch"}`:                                    "multistep:milestones=5/12,gamma=0.5,unit=epoch",
		`{"schedule": "plateau", "patience": 0}`:                                                                             "plateau:patience=0",
		`{"schedule": "chained", "schedules": [{"schedule": "stp"}]}`:                                                        `! did you mean "step"?`,
		`{"schedule": "chained", "schedules": [{"schedule": "step", "settings": {"size": 3}}]}`:                              `! unknown setting of step "size"`,
		`{"schedule": "chained", "schedules": [{"schedule": "step", "settings": 3}]}`:                                        `! chained: schedules is `,
		`{"schedule": "chained", "schedules": [{"schedule": "step", "set": {}}]}`:                                            `! unknown key of a schedule "set"; allowed are schedule, settings`,
		`{"schedule": "chained", "schedules": [3]}`:                                                                          `! chained: schedules is [3]; allowed are schedules with their settings, as (linear:total_iters=500)/cosine`,
		`{"schedule": "chained", "schedules": []}`:                                                                           `! chained: schedules is []; allowed are schedules`,
		`{"schedule": "chained", "schedules": 3}`:                                                                            `! chained: schedules is 3; allowed are schedules`,
		`{"schedule": "multistep", "milestones": [5.5]}`:                                                                     `! milestones is [5.5]; allowed are lists of whole numbers`,
	} {
		var settings map[string]any
		if err := json.Unmarshal([]byte(text), &settings); err != nil {
			t.Fatal(err)
		}
		name := settings["schedule"].(string)
		delete(settings, "schedule")
		settings["inner"] = map[string]any{"method": "adam"}
		m, err := optimizers.ParseSettings(name, settings)
		if wrong, fails := strings.CutPrefix(want, "! "); fails {
			if err == nil || m != nil || !strings.Contains(err.Error(), wrong) {
				t.Errorf("%s: %v; want %s", text, err, wrong)
			}
		} else if err != nil || optimizers.Spec(m) != "adam+"+want {
			t.Errorf("%s is read as %s: %v", text, optimizers.Spec(m), err)
		}
	}
}

// TestScheduleSettingsAreChecked gives every setting of every schedule values that it does not allow.
func TestScheduleSettingsAreChecked(t *testing.T) {
	for _, info := range optimizers.Schedules() {
		for _, s := range slices.Concat(info.Settings, optimizers.ScheduleSettings()) {
			values := []any{nil, "no such word", []any{}, map[string]any{}, []any{"x"}}
			switch s.Kind {
			case "number", "whole number":
				values = append(values, true, math.NaN(), math.Inf(1), -1.0)
			default:
				values = append(values, 1.0, []any{math.NaN()})
			}
			if s.Kind == "whole number" {
				values = append(values, 1.5)
			}
			for _, v := range values {
				m, err := optimizers.ParseSettings(info.Name, map[string]any{s.Name: v, "inner": map[string]any{"method": "sgd"}})
				if err == nil || m != nil || !strings.Contains(err.Error(), "allowed are") {
					t.Errorf("%s: %s = %v gives %v", info.Name, s.Name, v, err)
				}
			}
		}
	}
}

// TestDefaultsOfSchedulesAreThoseDescribed gives every setting its documented default, which must change nothing.
func TestDefaultsOfSchedulesAreThoseDescribed(t *testing.T) {
	for _, info := range optimizers.Schedules() {
		for _, s := range slices.Concat(info.Settings, optimizers.ScheduleSettings()) {
			if strings.ContainsAny(s.Default, " ^") || s.Kind == "schedules" {
				continue // in words
			}
			m, err := optimizers.ParseSchedule(info.Name + ":" + s.Name + "=" + s.Default)
			if err != nil || optimizers.ScheduleSpec(m) != info.Name {
				t.Errorf("with its default of %s, %s is written %s: %v", s.Name, info.Name, optimizers.ScheduleSpec(m), err)
			}
		}
	}
}
